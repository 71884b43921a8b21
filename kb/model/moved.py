"""What was read of a text, of equal text that stands elsewhere: the lines it points at moved, all else shared.

Line numbers stand in fields of their own, and in the details of facts under ``evidence``: those are moved here. A
value that holds one elsewhere (a sentence that names a line) is not: who remembers readings holds the first repetition
against a fresh reading.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

from kb.model.log import Line, Span
from kb.model.memory import FreeBlocks, MemInfo, OomTask, Zone
from kb.model.report import Frame, Registers, Report, Trace
from kb.model.verdict import Diagnosis, Fact, Match, PredicateMark, Reason

_Value = TypeVar("_Value")


@functools.cache
def _fields(kind: type) -> tuple[dict[str, int], Callable[[Any], tuple[Any, ...]]]:
    """The places of the fields that a dataclass is made from, by name, and what gets all of their values."""
    names = [each.name for each in fields(kind) if each.init]
    return {name: place for place, name in enumerate(names)}, attrgetter(*names)


def _replaced(value: _Value, /, **changes: Any) -> _Value:
    """As :func:`dataclasses.replace`, which looks at each field of each value anew; a storm moves thousands."""
    kind: Any = type(value)
    places, get = _fields(kind)
    values = list(get(value))
    for name, changed in changes.items():
        values[places[name]] = changed
    made: _Value = kind(*values)
    return made


def moved_report(first: Report, lines: tuple[Line, ...], **own: Any) -> Report:
    """The report of lines whose texts are those of another's.

    Args:
        first: The other report.
        lines: The lines, as far from one another as the other's.
        own: Fields that do not come from the text: the source, the stamps.
    """
    by = lines[0].number - first.lines[0].number
    return _replaced(
        first,
        lines=lines,
        headline_line=first.headline_line + by,
        traces=tuple([_trace(trace, by) for trace in first.traces]),
        registers=_registers(first.registers, by) if first.registers is not None else None,
        memory=_memory(first.memory, by) if first.memory is not None else None,
        tasks=tuple([_task(task, by) for task in first.tasks]),
        field_lines={name: line + by for name, line in first.field_lines.items()},
        understood=tuple([line + by for line in first.understood]),
        **own,
    )


_OF_THE_TEXT = attrgetter(
    *(
        each.name
        for each in fields(Report)
        if each.name
        not in (
            *("source", "sources", "time", "wall", "host", "occurrence", "input_notes", "beside"),  # how it was printed
            "follows",  # what stands before it
            *("lines", "headline_line", "traces", "registers", "field_lines", "understood"),  # where it stands
            *("memory", "tasks"),
        )
    )
)
_OF_A_FRAME = attrgetter(*(each.name for each in fields(Frame) if each.name != "line"))


def is_moved(first: Report, report: Report) -> bool:
    """Whether a report is another one of equal lines at another place: nothing was made of it since it was read."""
    by = report.lines[0].number - first.lines[0].number
    return (
        _OF_THE_TEXT(first) == _OF_THE_TEXT(report)
        and (first.follows is None) == (report.follows is None)
        and first.headline_line + by == report.headline_line
        and len(first.traces) == len(report.traces)
        and all(map(_same_trace, first.traces, report.traces))
        and (first.registers is None) == (report.registers is None)
        and (first.registers is None or _registers(first.registers, by) == report.registers)
        and (first.memory is None) == (report.memory is None)
        and (first.memory is None or _memory(first.memory, by) == report.memory)
        and tuple([_task(task, by) for task in first.tasks]) == report.tasks
    )


def _same_trace(first: Trace, trace: Trace) -> bool:
    same = (first.role, first.title, first.task, first.cpu, first.breaks)
    return same == (trace.role, trace.title, trace.task, trace.cpu, trace.breaks) and [
        *map(_OF_A_FRAME, first.frames)
    ] == [*map(_OF_A_FRAME, trace.frames)]


def _trace(trace: Trace, by: int) -> Trace:
    frames = tuple([_frame(frame, by) for frame in trace.frames])
    return Trace(trace.role, trace.title, frames, trace.line + by, trace.task, trace.cpu, trace.breaks)


def _frame(frame: Frame, by: int) -> Frame:
    return Frame(
        frame.function, frame.offset, frame.size, frame.module, frame.reliable, frame.address, frame.source,
        frame.inline, frame.line + by if frame.line else 0, frame.build,
    )  # fmt: skip


def _registers(kept: Registers, by: int) -> Registers:
    frame, link = (_frame(each, by) if each is not None else None for each in (kept.frame, kept.link))
    return _replaced(kept, frame=frame, link=link, line=kept.line + by if kept.line else 0)


_last: list[tuple[MemInfo, int, MemInfo]] = []
"""The state of memory that was moved last, by how many lines, and what came of it: it is asked for with the report and
with its diagnosis."""


def _memory(kept: MemInfo, by: int) -> MemInfo:
    for first, moved, made in tuple(_last):
        if first is kept and moved == by:
            return made
    made = _replaced(
        kept,
        zones=tuple([_zone(zone, by) for zone in kept.zones]),
        field_lines={name: line + by for name, line in kept.field_lines.items()},
        line=kept.line + by if kept.line else 0,
        last=kept.last + by if kept.last else 0,
    )
    _last[:] = [(kept, by, made)]
    return made


def _zone(zone: Zone, by: int) -> Zone:
    return _replaced(
        zone,
        blocks=_blocks(zone.blocks, by) if zone.blocks is not None else None,
        line=zone.line + by if zone.line else 0,
        reserve_line=zone.reserve_line + by if zone.reserve_line else zone.reserve_line,
    )


def _blocks(blocks: FreeBlocks, by: int) -> FreeBlocks:
    return FreeBlocks(blocks.counts, blocks.types, blocks.total, blocks.line + by if blocks.line else 0, blocks.whole)


def _task(task: OomTask, by: int) -> OomTask:
    return _replaced(task, line=task.line + by if task.line else 0)


def moved_diagnosis(first: Diagnosis, report: Report) -> Diagnosis:
    """The diagnosis of a report that differs from another's in its place and in how it was stamped."""
    by = report.lines[0].number - first.report.lines[0].number
    facts = first.facts
    values = facts.values
    if report.follows != first.report.follows:
        values = {**values, "follows": _replaced(values["follows"], value=report.follows)}
    return _replaced(
        first,
        report=report,
        facts=_replaced(
            facts,
            values=_Moved(values, _fact, by),
            detail=_Moved(facts.detail, _detail, by),
            reasoning=tuple([_reason(reason, by) for reason in facts.reasoning]),
        ),
        matches=tuple([_match(match, by) for match in first.matches]),
        known_fixes=tuple([_match(match, by) for match in first.known_fixes]),
    )


def origin(found: Diagnosis) -> object | None:
    """What stands for the diagnosis that one was moved from, the same object for all that were; None for others."""
    return found.facts.detail.first if isinstance(found.facts.detail, _Moved) else None


def _spans(spans: tuple[Span, ...], by: int) -> tuple[Span, ...]:
    return tuple([(first + by, last + by) for first, last in spans])


def _reason(reason: Reason, by: int) -> Reason:
    return _replaced(reason, evidence=_spans(reason.evidence, by)) if reason.evidence else reason


def _match(match: Match, by: int) -> Match:
    return _replaced(match, marks=tuple([_mark(mark, by) for mark in match.marks])) if match.marks else match


def _mark(mark: PredicateMark, by: int) -> PredicateMark:
    if not mark.evidence:
        return mark
    return PredicateMark(mark.predicate, mark.verdict, mark.role, mark.why, _spans(mark.evidence, by))


def _fact(fact: Fact, by: int) -> Fact:
    where = {item: _spans(spans, by) for item, spans in fact.where.items()}
    return _replaced(fact, evidence=_spans(fact.evidence, by), where=where)


def _detail(value: Any, by: int) -> Any:
    """Plain values, with the spans moved that stand under ``evidence`` at any depth."""
    if isinstance(value, dict):
        return {
            name: [[line + by for line in span] for span in item] if name == "evidence" else _detail(item, by)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)([_detail(item, by) for item in value])
    return value


class _Moved(Mapping[str, Any]):
    """Values by name, each moved when it is asked for: most are asked for by cases alone."""

    __slots__ = ("_by", "_move", "first")

    def __init__(self, first: Mapping[str, Any], move: Callable[[Any, int], Any], by: int):
        self.first, self._move, self._by = first, move, by

    def __getitem__(self, name: str) -> Any:
        return self._move(self.first[name], self._by)

    def __iter__(self) -> Iterator[str]:
        return iter(self.first)

    def __len__(self) -> int:
        return len(self.first)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]
