"""One event once: a report in dmesg, the journal and messages of one archive is one report with several sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from kb.model.report import Report
from kb.parse.occurrence import clocked

_HELD = 512
"""Reports that wait for another source of theirs."""
_LINES = 30_000
"""Lines of theirs."""
_NEAR = 5.0
"""Seconds that journald's stamp of a message (when it came in) may lie behind printk's, for the same text."""
_SAME = 0.8
"""Part of the lines of the shorter report that the other has, too: journald drops some, a console mixes in others."""


class _Event:
    """A report, and where it was read so far."""

    def __init__(self, report: Report, place: int):
        self.report = report
        self.inputs = {place}

    @cached_property
    def texts(self) -> frozenset[str]:
        """What its lines say."""
        return _texts(self.report)


class Events:
    """The reports of the inputs of one container, in order, each event once."""

    def __init__(self) -> None:
        self._events: list[_Event] = []
        self._by_headline: dict[tuple[str, str], list[_Event]] = {}
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
            better = bool(same.report.damage) and not report.damage
            first, other = (report, same.report) if better else (same.report, report)
            sources = tuple(dict.fromkeys((first.source, *first.sources, *other.sources, other.source)))
            self._lines += len(first.lines) - len(same.report.lines)
            same.report = replace(first, sources=sources, time=first.time if first.time is not None else other.time)
            return
        event = _Event(report, place)
        self._events.append(event)
        self._by_headline.setdefault(_headline(report), []).append(event)
        self._lines += len(report.lines)
        while len(self._events) > _HELD or self._lines > _LINES:
            yield self._take()

    def rest(self) -> Iterator[Report]:
        """The reports that are left."""
        while self._events:
            yield self._take()

    def _take(self) -> Report:
        event = self._events.pop(0)
        same = self._by_headline[_headline(event.report)]
        same.remove(event)
        if not same:
            del self._by_headline[_headline(event.report)]
        self._lines -= len(event.report.lines)
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
        return None


def _headline(report: Report) -> tuple[str, str]:
    return report.kind, report.headline


def _texts(report: Report) -> frozenset[str]:
    return frozenset(text for line in report.lines if (text := line.text.strip()))


def _fits(one: Report, other: Report) -> bool:
    """Whether nothing says that they are of two machines, or of two times."""
    hosts = {report.host for report in (one, other) if report.host is not None}
    if len(hosts) > 1:
        return False
    if not (clocked(one) and clocked(other)):
        return True
    assert one.time is not None
    assert other.time is not None
    return abs(one.time - other.time) <= _NEAR
