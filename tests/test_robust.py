"""A damaged log raises nothing and hangs nowhere, and what names a report survives what does not touch it."""

import itertools
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.identity.signature import signature
from tests.score.restamp import STYLES, restamp

ROOT = Path(__file__).resolve().parent
SAMPLES = sorted((ROOT / "parse/data").glob("*.txt"))
AT_ONCE = sorted((ROOT / "split/interleaved").glob("*.txt"))
TRAFFIC = b"".join(b"[%12.6f] eth0: link up, 1000 Mb/s, sample %d\n" % (1 + n / 100, n) for n in range(400))


def log(path: Path) -> bytes:
    """The raw log of a golden file: what stands behind its headers and an empty line."""
    return path.read_bytes().partition(b"\n\n")[2]


def keys(data: bytes) -> list[str]:
    return [signature(report).id for report in api.read(data)]


def names(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_a_log_cut_at_any_line_is_read(path: Path) -> None:
    lines = log(path).splitlines(keepends=True)
    for end in range(len(lines)):
        for part in (lines[:end], lines[end:]):
            list(api.read(b"".join(part)))


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_the_key_does_not_change_with_the_transport(path: Path) -> None:
    data = log(path)
    expected = keys(data)
    assert {style: keys(restamp(data, style)) for style in STYLES} == dict.fromkeys(STYLES, expected)


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_ordinary_traffic_around_and_line_ends_of_a_console_change_no_key(path: Path) -> None:
    data = restamp(log(path), "dmesg")
    assert keys(TRAFFIC + data + TRAFFIC) == keys(data)
    assert keys(data.replace(b"\n", b"\r\n")) == keys(data)


@pytest.mark.parametrize("path", SAMPLES, ids=names)
def test_lines_of_others_between_change_no_key_where_the_caller_is_printed(path: Path) -> None:
    data = restamp(log(path), "caller")
    mixed = b"".join(line + b"[   10.000100][ T9999] eth0: link up\n" for line in data.splitlines(keepends=True))
    assert keys(mixed) == keys(data)


def both(path: Path) -> tuple[list[bytes], list[str]]:
    """The lines of two reports that CPUs printed at once, and whose each is (tests/split/test_interleaved.py)."""
    rows = path.read_text(encoding="utf-8").partition("\n\n")[2].splitlines()
    return [row[2:].encode() + b"\n" for row in rows], [row[0] for row in rows]


def without(lines: list[bytes], index: int) -> bytes:
    return b"".join(lines[:index] + lines[index + 1 :])


@pytest.mark.parametrize("path", AT_ONCE, ids=names)
def test_two_reports_at_once_cut_at_any_line_are_read(path: Path) -> None:
    lines, _ = both(path)
    for end in range(len(lines)):
        for part in (lines[:end], lines[end:]):
            list(api.read(b"".join(part)))


@pytest.mark.parametrize("path", AT_ONCE, ids=names)
def test_a_line_that_one_report_can_miss_two_at_once_can_miss(path: Path) -> None:
    lines, whose = both(path)
    alone = {letter: [line for line, mark in zip(lines, whose, strict=True) if mark == letter] for letter in "ab"}
    expected = {letter: keys(b"".join(own)) for letter, own in alone.items()}
    kept = sorted(expected["a"] + expected["b"])
    for index, (line, mark) in enumerate(zip(lines, whose, strict=True)):
        if mark == "-" or keys(without(alone[mark], alone[mark].index(line))) == expected[mark]:
            assert sorted(keys(without(lines, index))) == kept, line


@pytest.mark.parametrize("path", AT_ONCE, ids=names)
def test_ordinary_traffic_between_two_reports_at_once_changes_no_key(path: Path) -> None:
    lines, _ = both(path)
    mixed = b"".join(
        line + b"[%12.6f] eth0: link up, 1000 Mb/s, sample %d\n" % (float(line[1:13]), n)
        for n, line in enumerate(lines)
    )
    assert keys(mixed) == keys(b"".join(lines))


@settings(max_examples=60)
@given(st.sampled_from(AT_ONCE), st.integers(0, 10_000))
def test_two_reports_at_once_that_lost_lines_are_read(path: Path, seed: int) -> None:
    lines, _ = both(path)
    for diagnosis in api.match(b"".join(dropped(b"".join(lines), seed)), cases=()):
        diagnosis.to_text()
        diagnosis.to_text(lang="zh", verbose=2)
        diagnosis.to_json()


PIECES = (
    "WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2", "BUG: Bad page state in process foo  pfn:1",
    "BUG: KASAN: slab-use-after-free in f+0x1/0x2", "INFO: task foo:1 blocked for more than 120 seconds.",
    "foo: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL), nodemask=(null)", "refcount_t: underflow.",
    "Kernel panic - not syncing: panic_on_warn set ...", "FAULT_INJECTION: forcing a failure.",
    "rcu: INFO: rcu_preempt self-detected stall on CPU", "Oops: 0000 [#1] SMP", "Out of memory: Killed process 9 (foo)",
    "CPU: 0 PID: 1 Comm: foo Not tainted 6.1.0 #1", "CPU: 1 PID: 20 Comm: bar Not tainted 6.1.0 #1",
    "Hardware name: QEMU", "Modules linked in: foo", "RIP: 0010:f+0x1/0x2", "RIP: 0033:0x401000", "Code: 00 <0f> 0b",
    "RSP: 0018:ffffc900001bfee0 EFLAGS: 00010246", "RAX: 0000000000000000 RBX: 0000000000000000", "Mem-Info:",
    "Call Trace:", "NMI backtrace for cpu 1", "Allocated by task 1:", "Preemption disabled at:", "stack backtrace:",
    " <TASK>", " </TASK>", " <IRQ>", " </IRQ>", " dump_stack+0x1/0x2", " panic+0x1/0x2", " warn_alloc+0x1/0x2",
    " kasan_report+0x1/0x2", " should_fail+0x1/0x2", " foo+0x1/0x2", " ? foo+0x1/0x2", " ret_from_fork+0x1/0x2",
    "---[ end trace 0000000000000000 ]---", "------------[ cut here ]------------", "=" * 40, "", "eth0: link up",
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_pieces_of_reports_in_any_order_are_read_and_each_line_is_one_reports(pieces: list[str]) -> None:
    found = list(api.read("\n".join(pieces).encode()))
    given_to = [line.number for report in found for line in report.lines]
    assert len(given_to) == len(set(given_to))
    assert [report.headline_line for report in found] == sorted(report.headline_line for report in found)


def dropped(data: bytes, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    return (line for line in data.splitlines(keepends=True) if chance.random() > 0.05)


@settings(max_examples=60)
@given(st.sampled_from(SAMPLES), st.integers(0, 10_000))
def test_a_log_that_lost_lines_is_read(path: Path, seed: int) -> None:
    list(api.read(b"".join(dropped(log(path), seed))))


@settings(max_examples=60)
@given(st.lists(st.sampled_from(SAMPLES), min_size=2, max_size=4), st.integers(0, 10_000))
def test_reports_run_into_one_another_are_read(paths: list[Path], seed: int) -> None:
    """Several CPUs at once, without caller ids: nothing can tell them apart, and nothing may raise."""
    chance = random.Random(seed)
    queues = [log(path).splitlines(keepends=True) for path in paths]
    mixed = []
    while any(queues):
        queue = chance.choice([queue for queue in queues if queue])
        mixed.append(queue.pop(0))
    list(api.read(b"".join(mixed)))


@settings(max_examples=80)
@given(st.sampled_from(SAMPLES), st.data())
def test_bytes_that_were_changed_are_read(path: Path, data: st.DataObject) -> None:
    raw = bytearray(log(path))
    for _ in range(data.draw(st.integers(1, 30))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for diagnosis in api.match(bytes(raw), cases=()):
        diagnosis.to_text()
        diagnosis.to_markdown()
        diagnosis.to_json()


def grown(data: bytes, what: str, size: int, every: int) -> bytes:
    """A log in which every so-manieth number or name is longer by a number of characters."""
    pattern = re.compile(rb"0x[0-9a-f]+|\b\d+\b|\b[0-9a-f]{8,16}\b" if what == "numbers" else rb"[A-Za-z_]{5,}")
    tail = (b"1" if what == "numbers" else b"a") * size
    count = itertools.count()
    lines = []
    for line in data.splitlines(keepends=True):
        stamp = re.match(rb"^(?:<\d+>)?\[[ \d.]+\](?:\[ *[TC]\d+\])? ?", line)
        start = stamp.end() if stamp else 0
        body = pattern.sub(lambda found: found[0] + (b"" if next(count) % every else tail), line[start:])
        lines.append(line[:start] + body)
    return b"".join(lines)


def leaves(value: object) -> Iterator[object]:
    """All numbers and texts of a JSON value, names of fields too."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


LONGEST_TEXT = 3 * 4096
"""Characters of a text that kb makes of a line, which it reads to 4096 characters, and its own words around that."""


@settings(max_examples=150)
@given(
    st.sampled_from(SAMPLES),
    st.sampled_from(["numbers", "names"]),
    st.sampled_from([5, 30, 400, 6000]),
    st.integers(1, 9),
)
def test_every_number_and_every_name_has_a_bound(path: Path, what: str, size: int, every: int) -> None:
    for diagnosis in api.match(grown(log(path), what, size, every), cases=(), notices=True):
        diagnosis.to_text(verbose=2)
        diagnosis.to_markdown()
        row = diagnosis.to_json()
        json.dumps(row, allow_nan=False)
        for leaf in leaves(row):
            if isinstance(leaf, int):
                assert -(1 << 63) <= leaf < 1 << 64
            elif isinstance(leaf, str):
                assert len(leaf) <= LONGEST_TEXT
        assert len(row["title"]) <= 2048
