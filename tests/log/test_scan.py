"""The scanner finds every literal, with and without google-re2."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.log import scan

LITERALS = scan.literals()


@pytest.mark.parametrize("literal", LITERALS)
def test_each_literal_is_found_where_it_begins(literal: str) -> None:
    data = b"[    1.000000] xyz " + literal.encode() + b" zyx\n"
    assert 19 in list(scan.find(data)) or min(scan.find(data)) < 19 + len(literal)


@given(st.lists(st.sampled_from([*LITERALS, "quiet line\n", "\n", "[    1.000000] ", "\xff"]), max_size=40))
def test_both_scanners_hit_the_same_lines(words: list[str]) -> None:
    data = " ".join(words).encode("latin-1")

    def rows(offsets: list[int]) -> set[int]:
        return {data.count(b"\n", 0, offset) for offset in offsets}

    re2 = scan._re2_scan()
    assert re2 is not None
    assert rows(list(re2(data, 0, len(data)))) >= rows(list(scan.plain_scan(data, 0, len(data))))


def test_a_literal_that_a_mailer_broke_is_found() -> None:
    for literal in (literal for literal in LITERALS if " " in literal.strip()):
        for broken in ("\n", "\n> > ", "=\r\n"):
            data = b"> kworker/7:1" + literal.strip().replace(" ", broken, 1).encode() + b": order:0"
            assert list(scan.find(data)), (literal, broken)


BREAKS = ("\n", "\r\n", "=\n", "=20\r\n", "\n> > ", "\n    ")


@given(st.lists(st.tuples(st.sampled_from(LITERALS), st.integers(0, 9), st.sampled_from(BREAKS)), max_size=20))
def test_the_plain_scanner_finds_what_re2_finds_broken_or_not(words: list[tuple[str, int, str]]) -> None:
    parts = []
    for literal, at, broken in words:
        blanks = [at for at, sign in enumerate(literal.rstrip()) if sign == " " and literal[:at].strip()]
        place = blanks[at % len(blanks)] if blanks else 0
        parts.append(literal[:place] + broken + literal[place + 1 :] if blanks else literal)
    data = " \nxyz ".join(parts).encode()
    re2 = scan._re2_scan()
    assert re2 is not None
    assert set(re2(data, 0, len(data))) <= set(scan.plain_scan(data, 0, len(data)))


@pytest.mark.parametrize("name", [*scan.OPENERS, *scan.NOTICES])
@pytest.mark.parametrize("broken", ["\n", "\r\n> ", "=\n", "=20\r\n"])
def test_both_scanners_find_each_literal_broken_at_each_of_its_blanks(name: str, broken: str) -> None:
    parts = [f"Linux{broken}version"]
    for literal in scan.literals((name,)):
        lead, tail = literal[: len(literal) - len(literal.lstrip(" "))], literal[len(literal.rstrip(" ")) :]
        words = literal.strip(" ").split(" ")
        for at in range(1, len(words)):
            parts.append(lead + " ".join(words[:at]) + broken + " ".join(words[at:]) + tail)
    data = "|".join(parts).encode()
    re2 = scan._re2_scan((name,))
    assert re2 is not None
    assert set(re2(data, 0, len(data))) <= set(scan.plain_scan(data, 0, len(data), (name,)))
    assert 0 not in scan.plain_scan(data, 0, len(data), (name,))  # what a boot begins with is no literal of a report


def test_a_literal_across_the_slices_of_the_plain_scanner_is_found_once() -> None:
    for before in range(scan._SLICE - 24, scan._SLICE + 2):
        for word in (b": nobody cared", b": nobody\ncared"):
            data = b"x" * before + word + b"x" * scan._SLICE
            found = list(scan.plain_scan(data, 0, len(data)))
            assert found.count(before) == 1
            assert found == sorted(set(found))


def test_a_small_log_and_the_first_of_one_that_grows_need_no_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def re2(names: tuple[str, ...] = (), without: frozenset[bytes] = frozenset()) -> scan.Scan:
        def found(data: bytes, start: int, end: int) -> Iterator[int]:
            asked.append(start)
            return scan.plain_scan(data, start, end)

        return found

    monkeypatch.setattr(scan, "_re2_scan", re2)
    monkeypatch.setattr(scan._Left, "scanned", scan._EARLY)
    small = b"[    1.000000] eth0: link up\n" * 1000 + b"[    2.000000] Oops: 0002 [#1] SMP\n"
    hits = list(scan.find(small))
    assert hits
    assert asked == []
    assert len(list(scan.find(small * 5))) == 5 * len(hits)  # at once: more than is searched so
    assert asked == [0]
    for _ in range(5):
        assert list(scan.find(small)) == hits  # what was searched so is used up
    assert len(asked) > 1


@pytest.mark.parametrize(
    "headline",
    [
        "BUG: kernel NULL pointer dereference, address: 0000000000000058",
        "Unable to handle kernel paging request at virtual address dead000000000108",
        "Internal error: Oops: 96000004 [#1] PREEMPT SMP",
        "Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP",
        "kworker/31:0: page allocation failure. order:5, mode:0x104050",
        "stress invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "rcu: INFO: rcu_preempt self-detected stall on CPU",
        "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:33]",
        "INFO: task md0_raid5:123 blocked for more than 120 seconds.",
        "list_del corruption. prev->next should be ffff, but was dead",
        "monitor event: 0040 ilc:2 [#1] SMP",
        "irq 16: nobody cared (try booting with the \"irqpoll\" option)",
        "possible recursive locking detected", "WARNING: possible recursive locking detected",
        "BUG kmalloc-64 (Tainted: G    B): Right Redzone overwritten",
        "EXT4-fs error (device sda1): ext4_lookup:1: comm x",
    ],
)  # fmt: skip
def test_headlines_of_all_families_are_candidates(headline: str) -> None:
    found = list(scan.find(headline.encode()))
    assert bool(found) == (headline != "possible recursive locking detected")
