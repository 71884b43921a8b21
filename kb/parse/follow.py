"""Which report follows on from which: the first cause of a chain is where to look.

A panic after an oops, "scheduling while atomic" of a task that died holding a lock, a second oops of a kernel that has
already died: each says little of its own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kb.model.report import Report

_NEAR_LINES = 400
_NEAR_SECONDS = 60.0
"""How far behind its cause a follow-on report may stand: a panic comes at once, a slow console needs some seconds."""
_DYING = re.compile(r"^(?:do_exit|make_task_dead|rewind_stack_do_exit|rewind_stack_and_make_dead|die)$")
_SAME = frozenset({"hung_task"})


def follow(reports: Iterable[Report]) -> Iterator[Report]:
    """The reports of one input, each with ``follows`` set where it follows on from an earlier one."""
    before: list[Report] = []
    for report in reports:
        cause = next((index for index in range(len(before) - 1, -1, -1) if _follows(before[index], report)), None)
        if cause is not None and before[cause].follows is not None:
            cause = before[cause].follows
        report = replace(report, follows=cause) if cause is not None else report
        before.append(report)
        yield report


def _follows(cause: Report, report: Report) -> bool:
    if not _near(cause, report):
        return False
    if report.kind == "panic":
        return report.subtype == "follow" or cause.kind in ("oops", "kernel_bug", "oom_kill", "double_fault")
    if cause.kind == "panic":
        return True
    died = cause.kind in ("oops", "kernel_bug", "double_fault")
    if died and "D" in (report.taint or ""):
        return report.pid == cause.pid or report.kind in ("oops", "kernel_bug")
    if died and any(_DYING.match(frame.function) for frame in report.frames):
        return report.comm == cause.comm
    return report.kind in _SAME and cause.kind == report.kind and cause.function == report.function


def _near(cause: Report, report: Report) -> bool:
    if cause.time is not None and report.time is not None:
        return 0 <= report.time - cause.time <= _NEAR_SECONDS
    return report.span[0] - cause.span[1] <= _NEAR_LINES
