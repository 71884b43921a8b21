"""The first screen: at most eight lines, and what a person needs at 3 am is in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.identity.group import Group, Groups
from kb.render.advice import filled, next_steps, remedy
from kb.render.answer import Part, cause_of, sentence, severity
from kb.render.first import FIRST
from kb.render.fit import Room, fit
from kb.render.safe import width
from kb.render.seen import counted, moments
from kb.render.text import also, page
from kb.words.speak import words

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "cases").glob("*/match-*.log"))
PARTS = 6


def groups(data: bytes | Path) -> list[Group]:
    held = Groups()
    for found in api.match(data, notices=True):
        held.add(found)
    return list(held.take())


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("part", range(PARTS))
def test_a_first_screen_is_short_and_holds_the_remedy(part: int, lang: str) -> None:
    for path in SAMPLES[part::PARTS]:
        for group in groups(path):
            lines = page(group.first, group, lang=lang).splitlines()
            assert len(lines) <= FIRST, path
            text = " ".join(" ".join(lines).split())
            assert f"kb match -v --report {group.number}" in text
            way = remedy((group.advice or group).first)
            if group.lead is not None:
                assert words(lang)("seen.part", report=group.lead.number) in text
            elif way is not None:
                assert " ".join(filled(way[1].do, (group.advice or group).first.report).split()) in text, path
                assert words(lang)("label.risk") in text
            if group.first.best is not None and not (group.lead is not None and group.first.best.type_only):
                assert group.first.best.case.id in text


@given(st.integers(60, 140), st.sampled_from(["nofs-high-order-watermark", "oom-memcg-limit", "sysrq-crash"]))
def test_no_line_is_wider_than_the_page(columns: int, case: str) -> None:
    for path in sorted((ROOT / "cases" / case).glob("match-*.log"))[:1]:
        for group in groups(path):
            rows = page(group.first, group, width=columns).splitlines()[1:]
            assert [row for row in rows if width(row) > columns and " " in row[14:].strip()] == []


def test_a_group_tells_how_many_when_and_where() -> None:
    log = b"".join(
        b"Nov 29 14:5%d:04 db%d kernel: WARNING: CPU: %d PID: 9%d at kernel/x.c:5 foo+0x1/0x20\n"
        b"Nov 29 14:5%d:04 db%d kernel: CPU: %d PID: 9%d Comm: kt Not tainted 6.1.0 #1\n"
        b"Nov 29 14:5%d:04 db%d kernel: Call Trace:\nNov 29 14:5%d:04 db%d kernel:  foo+0x1/0x20\n"
        b"Nov 29 14:5%d:04 db%d kernel: ---[ end trace 0000000000000000 ]---\n"
        % ((i, i % 2, i, i) * 2 + (i, i % 2) * 3)
        for i in range(4)
    )
    (group,) = groups(log)
    text = page(group.first, group)
    assert "x 4, Nov 29 14:50:04-Nov 29 14:53:04, CPUs 0 1 2 3, hosts db0 db1" in text
    assert any(bar in text for bar in "▁▂▃▄▅▆▇█")


def test_what_follows_is_named_by_its_cause() -> None:
    cause, effect, _ = groups(ROOT / "tests/chat/data/oops-pair.log")  # the last is a notice
    assert f"then        {effect.first.report.title}" in page(cause.first, cause)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One thing. Another.", "One thing"),
        ("in v4.4. 4.4 and later would not", "in v4.4. 4.4 and later would not"),
        ("It is 5.4. The rest", "It is 5.4"),
        ("一句话。另一句。", "一句话"),
        ("Ends here.", "Ends here"),
        ("no stop", "no stop"),
    ],
)
def test_the_first_sentence_of_a_text(text: str, first: str) -> None:
    assert sentence(text) == first


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 30))
def test_a_strip_counts_each_moment_once(times: list[float], cells: int) -> None:
    assert sum(counted(times, cells)) == len(times)


def test_moments_are_unknown_where_a_report_has_none() -> None:
    (one,) = groups(b"BUG: kernel NULL pointer dereference, address: 0000000000000058\n")
    assert moments(one.seen) == []


def test_a_cause_is_told_where_no_engine_has_one() -> None:
    first, *_ = api.match(ROOT / "tests/chat/data/hung-task.log", cases=())
    assert cause_of(first, words("en")).startswith("kblab_holder:99 waits")


def test_a_severity_is_that_of_the_kind() -> None:
    assert severity(api.match(ROOT / "tests/chat/data/hung-task.log", cases=())[0]) == "act"


HUNG = b"""\
[  246.000000] INFO: task umount:77 blocked for more than 120 seconds.
[  246.000001]       Not tainted 6.1.0 #1
[  246.000002] task:umount          state:D stack:0     pid:77    ppid:1      flags:0x0
[  246.000003] Call Trace:
[  246.000004]  schedule+0x10/0x20
[  246.000005]  rwsem_down_write_slowpath+0x10/0x20
[  246.000006]  foo_umount+0x10/0x20
"""


def test_a_broad_case_explains_less_than_what_the_report_says() -> None:
    (found,) = api.match(HUNG)
    assert found.best is not None
    assert found.best.case.broader
    assert cause_of(found, words("en")) == "umount:77 waits more than 120 s for an rw-semaphore, as writer"
    (found,) = api.match(HUNG.replace(b"rwsem_down_write_slowpath", b"foo_wait"))
    assert cause_of(found, words("en")) == "umount:77 waits more than 120 s in foo_wait"


def test_what_nobody_knows_has_a_next_step() -> None:
    (found,) = api.match(HUNG, cases=())
    assert next_steps(found, words("en"))[0].startswith("look for foo_umount at lore.kernel.org")
    (cut,) = api.match(b"[    1.000000] BUG: unable to handle page fault for address: ffff8880dead0000\n", cases=())
    assert cut.report.damage
    assert next_steps(cut, words("en"))[0].startswith("get the whole log")


EARLY = """\
[    1.0] {task}: page allocation failure: order:9, mode:0xcc0(GFP_KERNEL), nodemask=(null)
[    1.0] CPU: 0 PID: 1 Comm: {task} Not tainted 5.6.0 #1
[    1.0] Call Trace:
[    1.0]  warn_alloc+0x1/0x2
[    1.0]  foo_setup+0x1/0x2
[    1.0] Mem-Info:
[    1.0] Node 0 Normal free:80000kB min:400kB low:500kB high:600kB present:400000kB managed:400000kB
[    1.0] lowmem_reserve[]: 0 0
[    1.0] Node 0 Normal: 20000*4kB (U) 0*8kB 0*16kB = 80000kB
"""


def test_before_the_first_program_nobody_is_told_to_look_at_memory() -> None:
    (early,) = api.match(EARLY.format(task="swapper/0").encode())
    (later,) = api.match(EARLY.format(task="init").encode())
    assert early.best is not None
    assert not [step for step in next_steps(early, words("en")) if "/proc/buddyinfo" in step]
    assert [step for step in next_steps(later, words("en")) if "/proc/buddyinfo" in step]


def test_a_strip_is_one_word() -> None:
    """What shows when reports came is never broken over two lines."""
    log = b"".join(HUNG.replace(b"  246.", f"{second:5}.".encode()) for second in (246, 400, 9000))
    (group,) = groups(log)
    shown = [row for row in page(group.first, group).splitlines() if "·" in row]
    assert len(shown) == 1


def test_a_match_of_the_type_alone_is_told_as_that() -> None:
    (found,) = api.match(HUNG)
    assert found.best is not None
    assert (found.best.verdict.value, found.best.type_only, found.best.standing) == ("yes", True, "type")
    text = page(found)
    assert "≈ type only hung-task-generic" in text
    assert "✓" not in text
    assert "≈ type only" in found.to_markdown()
    assert found.to_json()["matches"][0]["type_only"] is True


def test_a_match_of_more_than_the_type_is_known() -> None:
    (found,) = api.match(ROOT / "cases/nofs-high-order-watermark/match-seed.log")
    assert found.best is not None
    assert not found.best.type_only
    assert "✓ known" in page(found)


def test_a_notice_is_its_own_type() -> None:
    found = api.match(b"nf_conntrack: nf_conntrack: table full, dropping packet\n", notices=True)
    assert [one.best.type_only for one in found if one.best is not None] == [False]


def test_what_a_perhaps_depends_on_is_told_in_words() -> None:
    for path in SAMPLES:
        for group in groups(path):
            best = group.first.best
            if best is not None and best.verdict.value == "maybe":
                assert not any(f"{op} " in page(group.first, group).partition("not sure")[2] for op in (">=", "=="))


def test_a_risk_is_told_whole() -> None:
    cut = [
        row
        for path in SAMPLES
        for group in groups(path)
        for row in page(group.first, group).splitlines()
        if row.startswith("  risk") and row.endswith("…")
    ]
    assert len(cut) * 50 <= len(SAMPLES), cut


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_but_a_quoted_line_is_broken_off(part: int) -> None:
    """What has no room says less, or stands under -v: half of a remedy is none."""
    for path in SAMPLES[part::PARTS]:
        for group in groups(path):
            for row in page(group.first, group).splitlines():
                assert "…" not in row or row.startswith("  printed"), path


@given(st.integers(60, 140), st.text("ab .;:é中", max_size=900), st.text("ab ;", max_size=400))
def test_any_answer_fits(columns: int, risk: str, do: str) -> None:
    parts = [
        Part("now", "now", do),
        Part("risk", "risk", risk),
        Part("next", "next", "x " * 200),
        Part("cause", "c", risk),
    ]
    room = Room(columns - 14, 10, FIRST - 1)
    _, rows = fit(parts, room, "more: kb match -v --report 1")
    assert sum(len(lines) for _, _, lines in rows) <= room.rows
    assert "more: kb match -v --report 1" in "\n".join(f"{label}: {line}" for label, _, lines in rows for line in lines)


def test_a_link_that_goes_down_is_harmless_alone_and_not_beside_a_report() -> None:
    down = b"[  240.000000] r8169 0000:02:00.0 enp2s0: Link is Down\n"
    (notice,) = (one for one in api.match(down + HUNG, notices=True) if one.report.kind == "notice")
    held = Groups()
    for found in api.match(down + HUNG):
        held.add(found)
    assert [group.number for group in held.take()] == [1]
    beside = held.beside(notice)
    assert beside is not None
    assert also([notice], most=3, beside=lambda _: beside.number)[0].startswith("also, watch: network: link")
    late = api.match(down.replace(b"  240.", b" 9000."), notices=True)
    (alone,) = (one for one in late if one.report.kind == "notice")
    assert held.beside(alone) is None
    assert also([alone], most=3)[0].startswith("also, harmless: network: link is down")
