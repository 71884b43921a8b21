"""A log of which each line came twice says what the log says; what the kernel itself printed twice stays."""

import pytest

from kb import api
from tests.log.test_prefixes import LOGS

WARNING = [
    "------------[ cut here ]------------",
    "WARNING: CPU: 1 PID: 7 at drivers/foo/main.c:12 foo_poll+0x10/0x20 [foo]",
    "CPU: 1 PID: 7 Comm: cat Not tainted 6.1.0 #1",
    "RIP: 0010:foo_poll+0x10/0x20 [foo]",
    "Call Trace:",
    " foo_walk+0x1/0x2 [foo]",
    " foo_walk+0x1/0x2 [foo]",
    " foo_walk+0x1/0x2 [foo]",
    "---[ end trace 0000000000000000 ]---",
]


def stamped(rows: list[str], start: float = 100.000037, step: float = 0.000101) -> list[str]:
    return [f"[{start + at * step:12.6f}] {row}" for at, row in enumerate(rows)]


def twice(rows: list[str]) -> list[str]:
    """Each line twice, as two consoles on one wire bring it."""
    return [row for row in rows for _ in range(2)]


def told(rows: list[str]) -> list[tuple[str, str | None, str, int]]:
    reports = api.read("\n".join([*rows, ""]).encode())
    return [
        (each.title, each.comm, str(each.damage or ""), sum(len(trace.frames) for trace in each.traces))
        for each in reports
    ]


@pytest.mark.parametrize("before", ["", "Jun  1 12:00:00 db17 kernel: "])
def test_each_line_twice_is_as_once(before: str) -> None:
    for text in LOGS:
        rows = [before + row for row in stamped([row for row in text.split("\n") if row])]
        assert [each[:2] for each in told(twice(rows))] == [each[:2] for each in told(rows)], text


def test_a_copy_adds_neither_damage_nor_frames() -> None:
    rows = stamped(WARNING)
    assert told(twice(rows)) == told(rows) == [("WARNING in foo_poll", "cat", "", 3)]


def test_a_stack_may_hold_a_function_often_at_one_time() -> None:
    rows = stamped(WARNING, 100.0000071, 0.0)
    assert told(rows) == [("WARNING in foo_poll", "cat", "", 3)]


def test_a_loop_may_warn_twice_within_a_tick_of_a_coarse_clock() -> None:
    assert len(told(stamped(WARNING, 100.01, 0.0) * 2)) == 2
    row = "SLUB: Unable to allocate memory on node -1, gfp=0x820(GFP_ATOMIC)"
    assert len(told(stamped([row] * 3, 5.0, 0.0))) == 3
    (*_, warning) = told(stamped([row, row, *WARNING], 5.0, 0.0))
    assert warning == ("WARNING in foo_poll", "cat", "", 3)


def test_behind_lines_that_came_once_nothing_is_a_copy() -> None:
    rows = twice(stamped(["BUG: Bad rss-counter state mm:0000000012345678 idx:1 val:1"], 99.000037))
    assert [each[3] for each in told([*rows, *stamped(WARNING, 100.000037, 0.0)])] == [0, 3]


def test_what_has_no_time_is_no_copy() -> None:
    row = "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [java:1]"
    assert len(told([row, row])) == 2
