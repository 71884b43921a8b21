"""One event once: a report in dmesg, the journal and messages of one archive is one report with several sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from kb.log.containers.roles import machine
from kb.model.report import Report
from kb.model.wall import LEAP_YEAR, wall_of
from kb.parse.occurrence import clocked
from kb.split.machines import one_machine

_HELD = 512
"""Reports that wait for another source of theirs."""
_LINES = 30_000
"""Lines of theirs."""
_LAG = 600.0
"""Seconds that who writes a log may stamp a message late: rsyslog, all that was printed before it was started."""
_ZONES, _ZONE = 14 * 3600.0, 900.0
"""Seconds that two zones of time are apart at most, and what all of them are multiples of."""
_NEAR = 5.0
"""Seconds that journald's stamp of a message (when it came in) may lie behind printk's, for the same text."""
_FEW = 4
"""Lines that tell an event without its headline."""
_SAME = 0.8
"""Part of the lines of the shorter report that the other has, too: journald drops some, a console mixes in others."""


class _Event:
    """A report, and where it was read so far."""

    def __init__(self, report: Report, place: int):
        self.report = report
        self.inputs = {place}
        self.headline = _headline(report)
        self.stamped = _stamped(report)

    @cached_property
    def texts(self) -> frozenset[str]:
        """What its lines say."""
        return _texts(self.report)


class Events:
    """The reports of the inputs of one container, in order, each event once."""

    def __init__(self) -> None:
        self._events: list[_Event] = []
        self._by_headline: dict[tuple[str, str], list[_Event]] = {}
        self._by_line: dict[tuple[float, str], _Event] = {}
        """By lines that printk has stamped: in a ring buffer, a report may have lost its first lines."""
        self._lines = 0

    def add(self, report: Report, place: int) -> Iterator[Report]:
        """Take a report; gives those that can wait no longer.

        Args:
            report: The report.
            place: Which of the inputs it was read in: a name may come twice in an archive.
        """
        same = self._known(report, place)
        if same is not None:
            same.inputs.add(place)
            better = (bool(same.report.damage) and not report.damage) or _begins_before(report, same.report)
            first, other = (report, same.report) if better else (same.report, report)
            sources = tuple(dict.fromkeys((first.source, *first.sources, *other.sources, other.source)))
            self._lines += len(first.lines) - len(same.report.lines)
            same.report = replace(first, sources=sources, time=first.time if first.time is not None else other.time)
            return
        event = _Event(report, place)
        self._events.append(event)
        self._by_headline.setdefault(event.headline, []).append(event)
        for line in event.stamped:
            self._by_line.setdefault(line, event)
        self._lines += len(report.lines)
        while len(self._events) > _HELD or self._lines > _LINES:
            yield self._take()

    def rest(self) -> Iterator[Report]:
        """The reports that are left."""
        while self._events:
            yield self._take()

    def _take(self) -> Report:
        event = self._events.pop(0)
        same = self._by_headline[event.headline]
        same.remove(event)
        if not same:
            del self._by_headline[event.headline]
        self._lines -= len(event.report.lines)
        for line in event.stamped:
            if self._by_line.get(line) is event:
                del self._by_line[line]
        return event.report

    def _known(self, report: Report, place: int) -> _Event | None:
        """The event that a report of another source tells of: the first, so that repeats pair up in their order."""
        texts = None
        for event in self._by_headline.get(_headline(report), ()):
            if place in event.inputs or not _fits(event.report, report):
                continue
            if clocked(event.report) and event.report.time == report.time:
                return event
            texts = _texts(report) if texts is None else texts
            if len(event.texts & texts) >= _SAME * min(len(event.texts), len(texts)):
                return event
        return self._without_headline(report, place)

    def _without_headline(self, report: Report, place: int) -> _Event | None:
        """The event of which a report shares most lines, with printk's stamps."""
        lines = _stamped(report)
        events = {id(event): event for line in lines if (event := self._by_line.get(line)) is not None}
        for event in events.values():
            most = max(_SAME * min(len(event.stamped), len(lines)), _FEW)
            if place not in event.inputs and len(event.stamped & lines) >= most and _fits(event.report, report):
                return event
        return None


def _stamped(report: Report) -> frozenset[tuple[float, str]]:
    return frozenset((line.time, line.text) for line in report.lines if line.time and line.text.strip())


def _begins_before(report: Report, other: Report) -> bool:
    """Whether a report has its headline where the other one has lost it."""
    return clocked(report) and clocked(other) and report.headline != other.headline and report.time < other.time  # type: ignore[operator]


def _headline(report: Report) -> tuple[str, str]:
    return report.kind, report.headline


def _texts(report: Report) -> frozenset[str]:
    return frozenset(text for line in report.lines if (text := line.text.strip()))


def _fits(one: Report, other: Report) -> bool:
    """Whether nothing says that they are of two machines, or of two times."""
    if one.host is not None and other.host is not None:
        if not one_machine(one.host, other.host):
            return False
    elif len({of for report in (one, other) if (of := machine(report.source)) is not None}) > 1:
        return False
    boots = {report.lines[0].boot for report in (one, other) if report.lines} - {None}
    if len(boots) > 1 or _apart(one.wall, other.wall):
        return False
    if not (clocked(one) and clocked(other)):
        return True
    assert one.time is not None
    assert other.time is not None
    return abs(one.time - other.time) <= _NEAR


def _apart(one: str | None, other: str | None) -> bool:
    """Whether two times of day, as they stand in the logs, are those of two events, whatever zones they are of.

    ``dmesg -T`` is not asked: its clock stands still while the machine sleeps.
    """
    walls = [found for text in (one, other) if (found := wall_of(text)) is not None and not found.stands]
    if len(walls) < 2:
        return False
    year = walls[0].year or walls[1].year or LEAP_YEAR
    away = min(abs(a - b) for a in walls[0].moments(year) for b in walls[1].moments(year))
    if away <= _LAG:
        return False
    absolute = all(wall.zone is not None for wall in walls)
    beside = abs(away - round(away / _ZONE) * _ZONE)
    return absolute or away > _ZONES or beside > _NEAR
