"""Reports of two CPUs in one log without caller ids: what the kernel really printed, and pairs that are woven here."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.log.reader import Reader
from kb.model.log import Line, Splat
from kb.parse.report import parse
from kb.render.json import to_json
from kb.split.windows import split, split_lines
from kb.syntax import roles
from tests.split import weave

MARKED = sorted(Path(__file__).with_name("interleaved").glob("*.txt"))
VM = Path(__file__).resolve().parents[3] / "shared/corpus/vm"
EVIDENCE = roles.STACK | {"TRACE_HEAD", "PC", "CPU", "REG", "CODE", "END"}
GOLDEN = weave.golden()
PAIRS = [(first, second) for first in GOLDEN for second in GOLDEN if first.title != second.title]


def marked(path: Path) -> tuple[bytes, list[str]]:
    """The log of a file of ``interleaved/``, and whose each of its lines is."""
    rows = path.read_text(encoding="utf-8").partition("\n\n")[2].splitlines()
    return "".join(row[2:] + "\n" for row in rows).encode(), [row[0] for row in rows]


def splats_of(data: bytes) -> list[Splat]:
    return [splat for splat in split(Reader(data).windows(), "-") if splat is not None]


def lines(*rows: str) -> list[Line]:
    return [Line(row, number, number, row.encode(), 5 + number / 1e4) for number, row in enumerate(rows, 1)]


def numbers(splat: Splat) -> list[int]:
    return [line.number for line in splat.lines]


def interleaved(*rows: str) -> list[Splat]:
    found = list(split_lines(lines(*rows)))
    return sorted(found, key=lambda splat: splat.lines[splat.opener].number)


@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_what_two_cpus_printed_at_once_is_told_apart(path: Path) -> None:
    data, whose = marked(path)
    splats = splats_of(data)
    role = roles.classifier()
    letters = [whose[splat.lines[splat.opener].number - 1] for splat in splats]
    wrong = [
        (line.number, line.text)
        for splat, letter in zip(splats, letters, strict=True)
        for line in splat.lines
        if role(line.text) in EVIDENCE and whose[line.number - 1] != letter
    ]
    assert sorted(letters) == ["a", "b"]
    assert wrong == []


@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_a_report_that_another_runs_through_has_the_title_it_has_alone(path: Path) -> None:
    data, whose = marked(path)
    rows = data.splitlines(keepends=True)
    alone = [
        report.title
        for letter in "ab"
        for report in api.read(b"".join(row for row, mark in zip(rows, whose, strict=True) if mark == letter))
    ]
    assert sorted(report.title for report in api.read(data)) == sorted(alone)


def test_a_report_inside_the_stack_of_another_ends_neither() -> None:
    first, second = interleaved(
        "BUG: Bad page state in process foo  pfn:1",
        "CPU: 0 PID: 10 Comm: foo Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " foo_a+0x1/0x2",
        "BUG: scheduling while atomic: bar/20/0x00000002",
        "CPU: 1 PID: 20 Comm: bar Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " bar_a+0x1/0x2",
        " </TASK>",
        " foo_b+0x1/0x2",
        " </TASK>",
    )
    assert numbers(first) == [1, 2, 3, 4, 5, 12, 13]
    assert numbers(second) == [6, 7, 8, 9, 10, 11]
    assert (first.doubts, second.doubts) == ((), ())


def test_stacks_behind_two_headlines_go_to_the_process_of_the_line_before_them() -> None:
    first, second = interleaved(
        "BUG: scheduling while atomic: foo/10/0x00000002",
        "BUG: scheduling while atomic: bar/20/0x00000002",
        "CPU: 0 PID: 10 Comm: foo Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " foo_a+0x1/0x2",
        " </TASK>",
        "CPU: 1 PID: 20 Comm: bar Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " bar_a+0x1/0x2",
        " </TASK>",
    )
    assert numbers(first) == [1, 3, 4, 5, 6, 7]
    assert numbers(second) == [2, 8, 9, 10, 11, 12]


def test_a_stack_goes_to_the_report_whose_function_it_says_has_printed_it() -> None:
    kasan, failure = interleaved(
        "BUG: KASAN: slab-use-after-free in foo_read+0x1/0x2",
        "foo: page allocation failure: order:5, mode:0xcc0(GFP_KERNEL), nodemask=(null)",
        "Hardware name: QEMU",
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x1/0x2",
        " print_address_description+0x1/0x2",
        " foo_read+0x1/0x2",
        " </TASK>",
        "CPU: 1 PID: 20 Comm: foo Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x1/0x2",
        " warn_alloc+0x1/0x2",
        " bar_alloc+0x1/0x2",
        " </TASK>",
    )
    assert parse(kasan).frames[-1].function == "foo_read"
    assert parse(failure).frames[-1].function == "bar_alloc"


def test_the_stack_of_an_injected_fault_in_a_report_is_not_the_reports() -> None:
    (found,) = interleaved(
        "BUG: scheduling while atomic: foo/10/0x00000002",
        "FAULT_INJECTION: forcing a failure.",
        "CPU: 1 PID: 20 Comm: bar Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x1/0x2",
        " should_fail_ex+0x1/0x2",
        " kmem_cache_alloc+0x1/0x2",
        " </TASK>",
        "CPU: 0 PID: 10 Comm: foo Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " __schedule_bug+0x1/0x2",
        " foo_a+0x1/0x2",
        " </TASK>",
    )
    assert numbers(found) == [1, 10, 11, 12, 13, 14, 15]


def test_a_panic_of_another_cpu_does_not_end_a_warning() -> None:
    warning, panic = interleaved(
        "WARNING: CPU: 0 PID: 10 at foo.c:1 foo+0x1/0x2",
        "Kernel panic - not syncing: panic_on_warn set ...",
        "CPU: 1 PID: 20 Comm: bar Not tainted 6.1.0 #1",
        "Call Trace:",
        " <TASK>",
        " dump_stack_lvl+0x1/0x2",
        " panic+0x1/0x2",
        " </TASK>",
        "CPU: 0 PID: 10 Comm: foo Not tainted 6.1.0 #1",
        "RIP: 0010:foo+0x1/0x2",
        "Call Trace:",
        " <TASK>",
        " foo_caller+0x1/0x2",
        " </TASK>",
        "---[ end trace 0000000000000000 ]---",
    )
    assert numbers(warning) == [1, 9, 10, 11, 12, 13, 14, 15]
    assert numbers(panic) == [2, 3, 4, 5, 6, 7, 8]


AMBIGUOUS = (
    "WARNING: CPU: 0 PID: 10 at foo.c:1 foo+0x1/0x2",
    "WARNING: CPU: 1 PID: 20 at bar.c:1 bar+0x1/0x2",
    "CPU: 0 PID: 10 Comm: foo Not tainted 6.1.0 #1",
    "CPU: 1 PID: 20 Comm: bar Not tainted 6.1.0 #1",
    "Call Trace:",
    "Call Trace:",
    " one_a+0x1/0x2",
    " other_a+0x1/0x2",
    " one_b+0x1/0x2",
    " other_b+0x1/0x2",
    "---[ end trace 0000000000000000 ]---",
    "---[ end trace 0000000000000000 ]---",
)


def test_frames_that_fit_two_reports_are_said_to_be_uncertain_by_both() -> None:
    first, second = api.match("\n".join(AMBIGUOUS), cases=())
    for diagnosis in (first, second):
        assert "interleaved with the report at line" in (diagnosis.report.corrupted or "")
        assert any("interleaved" in said for said in to_json(diagnosis)["diagnosis"]["unknown"])
        assert "uncertain" in diagnosis.report.chosen_because
    claimed = {doubt.line for diagnosis in (first, second) for doubt in diagnosis.report.doubts}
    assert {7, 8, 9, 10} <= claimed
    assert set().union(*({line.number for line in d.report.lines} for d in (first, second))) == set(range(1, 13))


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda part: part.name.partition(":")[0])
def test_nothing_is_uncertain_where_one_report_stands_behind_another(first: weave.Part, second: weave.Part) -> None:
    found = list(split_lines(weave.lines_of([*first.texts, *weave.elsewhere(second).texts])))
    assert [splat.doubts for splat in found] == [()] * len(found)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PAIRS), st.sampled_from(weave.MODES), st.integers(0, 10_000))
def test_no_frame_is_lost_and_none_is_given_twice(pair: tuple[weave.Part, weave.Part], mode: str, seed: int) -> None:
    woven = weave.weave(*pair, mode, random.Random(seed))
    role = roles.classifier()
    frames = sorted(number for number, (text, _) in enumerate(woven, 1) if role(text) in roles.STACK)
    splats = list(split_lines(weave.lines_of([text for text, _ in woven])))
    given_to = sorted(line.number for splat in splats for line in splat.lines if role(line.text) in roles.STACK)
    assert given_to == frames


@pytest.mark.parametrize(
    ("mode", "right", "bold"), [("inside", 0.96, 0.03), ("blocks", 0.85, 0.04), ("lines", 0.68, 0.05)]
)
def test_most_frames_of_woven_reports_go_where_they_belong(mode: str, right: float, bold: float) -> None:
    """Golden logs are cut short: most stacks lack the bottom that tells where they end."""
    found = weave.measure(GOLDEN, mode, 300, seed=1)
    assert found.right >= right * found.frames
    assert found.bold <= bold * found.frames
    assert found.lost == 0


@pytest.mark.skipif(not VM.is_dir(), reason="no corpus beside the project: ../shared/corpus/vm")
@pytest.mark.parametrize(
    ("mode", "right", "bold"), [("inside", 0.99, 0.01), ("blocks", 0.9, 0.015), ("lines", 0.5, 0.03)]
)
def test_reports_of_whole_kernels_are_told_apart(mode: str, right: float, bold: float) -> None:
    """The bounds leave room for the draw: inside, 0.1 to 0.6 % of the frames were bold with four draws of pairs."""
    found = weave.measure(weave.of_folder(VM), mode, 300, seed=1)
    assert found.right >= right * found.frames
    assert found.bold <= bold * found.frames
    assert found.lost == 0


def test_a_panic_behind_an_oom_kill_of_a_kernel_without_symbols_keeps_its_stack() -> None:
    kill, panic = interleaved(
        "swapper/0 invoked oom-killer: gfp_mask=0x100cc2(GFP_HIGHUSER), order=0, oom_score_adj=0",
        "CPU: 0 PID: 1 Comm: swapper/0 Not tainted 5.6.0 #1",
        "Call Trace:",
        "[<000000008011c2f2>] 0x000000008011c2f2",
        "[<000000008011c436>] 0x000000008011c436",
        "Mem-Info:",
        "Out of memory and no killable processes...",
        "Kernel panic - not syncing: System is deadlocked on memory",
        "CPU: 0 PID: 1 Comm: swapper/0 Not tainted 5.6.0 #1",
        "Call Trace:",
        "[<000000008011c2f2>] 0x000000008011c2f2",
    )
    assert numbers(kill) == [1, 2, 3, 4, 5, 6, 7]
    assert numbers(panic) == [8, 9, 10, 11]
