"""The frames of a report that similarity compares."""

from dataclasses import replace

from kb.model.report import Report
from kb.parse.guilty import significant
from kb.syntax.frames import plain, shown

FEW = 4
DEPTH = 48
"""Frames of a stack that are compared, from the inside: what lies further out is how the task began."""


def _vouched(report: Report) -> Report:
    """The report as if its unwinder were sure of every entry."""
    traces = tuple(
        replace(trace, frames=tuple(replace(frame, reliable=True) for frame in trace.frames)) for trace in report.traces
    )
    return replace(report, traces=traces)


def names(report: Report) -> tuple[str, ...]:
    """Names of the significant frames, innermost first, the same for every build, compiler and architecture.

    Plumbing, unreliable and inline entries are left out, suffixes of the compiler and wrappers of system calls are
    taken off, a function that repeats itself counts once. The guilty function comes first where the stack lacks it.
    Where fewer than four are left, entries that the unwinder does not vouch for (``? function``) are better than none.
    """
    found = significant(report)
    if len(found) < FEW:
        found = significant(_vouched(report))
    out: list[str] = []
    for name in found:
        name = shown(plain(name))
        if not out or out[-1] != name:
            out.append(name)
    function = report.function
    if function and function not in out and " " not in function:
        out.insert(0, function)
    return tuple(out[:DEPTH])
