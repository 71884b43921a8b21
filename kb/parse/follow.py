"""Which report follows on from which: the first cause of a chain is where to look.

A panic after an oops, "scheduling while atomic" of a task that died holding a lock, a second oops of a kernel that has
already died: each says little of its own.
"""

import functools
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kb.model.report import Report
from kb.split.machines import one_machine
from kb.syntax.kinds import Family, Form, family, kind_of, kinds

_NEAR_REPORTS = 64
"""Reports before it that are asked: a bound for logs of a hundred thousand warnings."""
_NEAR_LINES = 400
_NEAR_SECONDS = 60.0
"""How far behind its cause a follow-on report may stand: a panic comes at once, a slow console needs some seconds."""
_HEAD = 12
"""Lines of a report among which the number of its oops stands."""
_DYING = re.compile(r"^(?:do_exit|make_task_dead|rewind_stack_do_exit|rewind_stack_and_make_dead|die)$")
_OF_ITS_OWN = re.compile(r"sysrq triggered crash|VFS: Unable to mount root")
"""Panics that nothing before them brought about."""
_OF_INIT = re.compile(r"Attempted to kill init")
_ASKED_FOR = (
    # kernel/watchdog.c, kernel/watchdog_hld.c ("Watchdog detected hard LOCKUP on cpu %d" to v4.4), kernel/hung_task.c,
    # kernel/rcu/tree_stall.h, mm/oom_kill.c: a panic that a setting makes of the report before it
    (re.compile(r"softlockup: hung tasks"), "soft_lockup"),
    (re.compile(r"(?:Watchdog detected )?[Hh]ard LOCKUP"), "hard_lockup"),
    (re.compile(r"RCU Stall"), "rcu_stall"),
    (re.compile(r"hung_task: blocked tasks"), "hung_task"),
    (re.compile(r"Out of memory|System is deadlocked on memory"), "oom_kill"),
)
_LEAST_ORDER = re.compile(r"min order: (\d{1,2})")
_SLAB = re.compile(
    r"new_slab|allocate_slab|alloc_slab_page|_{2,3}slab_alloc\w*|cache_grow\w*|cache_alloc_refill|kmem_getpages"
)
_SLUB_SECONDS = 1.0
_SLUB_LINES = 40
"""How far behind the failure of its pages mm/slub.c slab_out_of_memory() tells of the cache."""
_COUNTED = re.compile(r"\[#(?P<count>\d{1,4})\]")
"""The number of an oops (``Oops: 0002 [#2]``): each after the first is of a kernel that has died once."""


def follow(reports: Iterable[Report]) -> Iterator[Report]:
    """The reports of one input, each with ``follows`` set where it follows on from an earlier one."""
    before: deque[tuple[int, Report]] = deque(maxlen=_NEAR_REPORTS)
    causes: deque[tuple[int, Report]] = deque()
    """Those among them that may bring about others than panics: in a storm of warnings, none."""
    number = 0
    for report in reports:
        if kind_of(report.kind).form is Form.NOTICE:
            yield report  # told beside the reports of a live input: it has no place among them
            continue
        while causes and causes[0][0] < number - _NEAR_REPORTS:
            causes.popleft()
        near = [pair for pair in reversed(before) if _of_one_machine(pair[1], report)] if _looks_back(report) else []
        others = near if report.kind in _OF_OTHERS else reversed(causes)
        found = next((pair for pair in others if _may_cause(pair[1], report) and _follows(pair[1], report)), None)
        if found is not None:
            place, cause = found
            # "what this panic follows is not in the log" is said by a reading of the panic alone
            lost = report.kind == "panic" and report.subtype == "follow"
            damage = [part for part in report.damage if not (lost and part.name == "damage.cause_not_in_log")]
            first = place if cause.follows is None else cause.follows
            report = replace(report, follows=first, damage=tuple(damage))
        if report.kind == "slub_failure" and report.memory is None:
            report = _lent(report, near)
        if report.kernel is None and _of_memory(report):
            report = _of_the_same_boot(report, near)
        before.append((number, report))
        if report.kind in _causes():
            causes.append((number, report))
        number += 1
        yield report


_OF_OTHERS = ("panic", "slub_failure")
"""Kinds that may follow from any other."""


def _of_one_machine(one: Report, other: Report) -> bool:
    return one.host is None or other.host is None or one.host == other.host or one_machine(one.host, other.host)


def _looks_back(report: Report) -> bool:
    """Whether reports of any kind before one may bear on it."""
    return report.kind in _OF_OTHERS or (report.kernel is None and _of_memory(report))


def _of_memory(report: Report) -> bool:
    return report.kind == "oom_kill" or report.kind in family(Family.ALLOCATION)


def _may_cause(cause: Report, report: Report) -> bool:
    """Whether a report may bring about another, by what they are and where they were printed."""
    if report.kind in _OF_OTHERS and cause.kind == "fuzzer":
        return False  # no kernel panics for what a program prints
    return _of_one_machine(cause, report)


@functools.cache
def _causes() -> frozenset[str]:
    """The kinds that others than panics follow from."""
    waves = (kind.name for kind in kinds().values() if kind.wave)
    return frozenset(("panic", "oom_kill", *family(Family.OOPS), *waves))


def _follows(cause: Report, report: Report) -> bool:
    if report.kind == "slub_failure" and cause.kind == "page_allocation_failure":
        least = next((found[1] for line in report.lines if (found := _LEAST_ORDER.search(line.text))), None)
        of_slab = any(_SLAB.fullmatch(frame.function) for frame in cause.frames)
        return of_slab and least is not None and least == cause.fields.get("order") and _beside(cause, report)
    if not _near(cause, report):
        return False
    if report.kind == "panic":
        what = report.fields.get("what", "")
        if _OF_ITS_OWN.match(what):
            return False
        asked = next((kind for pattern, kind in _ASKED_FOR if pattern.match(what)), None)
        if asked is not None and cause.kind == asked:
            return True
        if _OF_INIT.match(what):  # the oops of process 1 kills it; that of another leaves it alone
            return kind_of(cause.kind).fatal and (
                cause.pid == 1 or report.pid == cause.pid or report.comm == cause.comm
            )
        return report.subtype == "follow" or kind_of(cause.kind).fatal
    if cause.kind == "panic":
        return True
    # an OOM victim on its way out may dip into all reserves, and still find nothing
    if cause.kind == "oom_kill" and report.kind in family(Family.ALLOCATION):
        return report.comm is not None and cause.fields.get("victim") == report.comm
    if kind_of(cause.kind).wave and report.kind == cause.kind:
        return _same_wait(cause, report)
    died = cause.kind in family(Family.OOPS)
    if died and report.kind in family(Family.OOPS) and _again(report):
        return True
    if died and "D" in (report.taint or ""):
        return report.pid == cause.pid or report.kind in family(Family.OOPS)
    if died and any(_DYING.match(frame.function) for frame in report.frames):
        return report.comm == cause.comm
    return False


def _beside(failure: Report, report: Report) -> bool:
    """Whether SLUB's report can tell of an allocation failure: its lines come right behind those of warn_alloc()."""
    if failure.time is not None and report.time is not None:
        return 0 <= report.time - failure.time <= _SLUB_SECONDS
    return 0 <= report.span[0] - failure.span[1] <= _SLUB_LINES


def _lent(report: Report, near: Sequence[tuple[int, Report]]) -> Report:
    """SLUB's report with the state of memory that the failure beside it printed, and its kernel."""
    failures = (other for _, other in near if other.kind == "page_allocation_failure")
    found = next((other for other in failures if other.memory is not None and _beside(other, report)), None)
    if found is None:
        return report
    above = report.headline_line - found.headline_line  # in lines: equal reports have it equal
    fields = {**report.fields, "memory_of": str(above)}
    return replace(report, memory=found.memory, fields=fields, kernel=report.kernel or found.kernel)


def _of_the_same_boot(report: Report, near: Sequence[tuple[int, Report]]) -> Report:
    """A report of memory with the kernel of the nearest one before it that names it, where stamps go on.

    GFP masks depend on it.
    """
    for _, other in near:
        if other.time is None or report.time is None or not 0 <= report.time - other.time <= _NEAR_SECONDS:
            return report
        if other.kernel is not None:
            if report.host != other.host or not _near(other, report):
                return report
            above = report.headline_line - other.headline_line
            return replace(report, kernel=other.kernel, fields={**report.fields, "kernel_of": str(above)})
    return report


def _again(report: Report) -> bool:
    """True for an oops whose number says that it is not the first."""
    counts = (found for line in report.lines[:_HEAD] if (found := _COUNTED.search(line.text)))
    return any(int(found["count"]) > 1 for found in counts)


def _same_wait(cause: Report, report: Report) -> bool:
    """True when two tasks hang for one reason: the one owns what the other waits for, or both wait in one function."""
    owner = report.fields.get("owner_pid")
    if owner is not None and owner == str(cause.pid):
        return True
    return cause.function is not None and cause.function == report.function


def _near(cause: Report, report: Report) -> bool:
    if cause.time is not None and report.time is not None:
        return 0 <= report.time - cause.time <= _NEAR_SECONDS
    return report.span[0] - cause.span[1] <= _NEAR_LINES
