"""Bytes or lines to reports and notices: the stages in a row, each loaded when something needs it.

Most logs hold no report: they are answered without a grammar.
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kb.log.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Container

    from kb.log.learn import Doubtful
    from kb.log.tape import Tape
    from kb.model.log import Line
    from kb.model.report import Report


def reports(data: "bytes | Tape", name: str) -> "Iterator[Report]":
    """The reports of one input, in order, each as soon as it is over."""
    return _read(Reader(data, name, opens, belongs=belongs), None)


def reports_and_notices(data: "bytes | Tape", name: str, most: int | None = None) -> "Iterator[Report]":
    """The reports of an input, then its notices: found in one pass over the bytes.

    In an input that goes on, notices are told at the first pause behind them, too.

    Args:
        data: The input.
        name: Its name.
        most: Notices of one wording that are looked at, where a hint will do; None: all.
    """
    notices = _Notices(name, most)
    reader = Reader(data, name, opens, notices.take, belongs)
    notices.reader = reader
    return _read(reader, notices)


def opens(text: str) -> bool:
    """Whether a line, by itself, can open a report or bears on one that follows it."""
    from kb.split.windows import opens as asked

    return asked(text)


def belongs(text: str) -> bool:
    """Whether a line, by itself, is what only a report has."""
    from kb.split.windows import belongs as asked

    return asked(text)


class _Notices:
    """The notices of one input; nothing of them is loaded before one was seen."""

    reader: Reader

    def __init__(self, name: str, most: int | None):
        self._name = name
        self._most = most
        self._collector: Collector | None = None

    def take(self, line: "Line") -> bool:
        """A line that may be one; False when no more of its wording are wanted."""
        if self._collector is None:
            from kb.parse.notice import Collector

            self._collector = Collector(self._name, self.reader.release_at, self._most)
        return self._collector.feed(line) or self._most is None

    def told(self) -> "Iterator[Report]":
        """Those that were not told yet."""
        if self._collector is not None:
            yield from self._collector.told()


def _read(reader: Reader, notices: _Notices | None) -> "Iterator[Report]":
    found = _found(reader, notices)
    first = next(found, None)
    if first is None:
        return
    from itertools import chain

    from kb.parse.occurrence import tell_apart

    yield from tell_apart(chain((first,), found))


def _found(reader: Reader, notices: _Notices | None) -> "Iterator[Report]":
    windows = reader.windows()
    explained: set[int] = set()
    for window in windows:
        if window is not None:
            for report in _reports(reader, window, windows, notices):
                _explain(reader, report, explained)
                yield report
        if notices is not None:
            yield from notices.told()
    doubtful = [(each, reader.release_at(each.number)) for each in reader.doubtful]
    yield from _unexplained(doubtful, reader.source, explained)
    if notices is not None:
        yield from notices.told()


def _explain(reader: Reader, report: "Report", explained: set[int]) -> None:
    """Take note of the doubtful lines that a report has."""
    first, last = report.lines[0].number, report.lines[-1].last
    explained.update(each.number for each in reader.doubtful if first <= each.number <= last)


def _unexplained(
    doubtful: "list[tuple[Doubtful, str | None]]", source: str, explained: "Container[int]"
) -> "Iterator[Report]":
    """Reports of the doubtful lines that none has."""
    for each, release in doubtful:
        if each.number not in explained:
            from kb.parse.report import unexplained

            yield from unexplained(each.text, each.number, source, release)


def finished(
    source: str, found: "Iterator[Report]", doubtful: "list[tuple[Doubtful, str | None]]"
) -> "Iterator[Report]":
    """Reports of one input that were read apart, with what they are to one another.

    Args:
        source: The input.
        found: The reports.
        doubtful: Lines with a headline behind what may be a prefix, with the release of their boot; whole once all
            reports were given.
    """
    from kb.parse.follow import follow
    from kb.parse.occurrence import tell_apart

    spans: list[tuple[int, int]] = []

    def told() -> "Iterator[Report]":
        for report in follow(found):
            spans.append((report.lines[0].number, report.lines[-1].last))
            yield report
        lone = {each.number for each, _ in doubtful}
        explained = {number for number in lone if any(first <= number <= last for first, last in spans)}
        yield from _unexplained(doubtful, source, explained)

    yield from tell_apart(told())


def _reports(
    reader: Reader,
    first: "tuple[int, Iterator[Line | None]]",
    windows: "Iterator[tuple[int, Iterator[Line | None]] | None]",
    notices: _Notices | None,
) -> "Iterator[Report]":
    """All reports from the first window on; at each pause of a live input the notices so far."""
    from itertools import chain

    from kb.parse.again import read as read_splat
    from kb.parse.debugger import bystander
    from kb.parse.follow import follow
    from kb.split.windows import split

    def read() -> "Iterator[Report]":
        clock = time.monotonic if reader.live else None
        for splat in split(chain((first,), windows), reader.source, reader.release_at, clock, reader.again):
            if splat is not None:
                report = read_splat(splat)
                if not bystander(report):
                    yield report
            elif notices is not None:
                yield from notices.told()

    yield from follow(read())


if TYPE_CHECKING:
    from kb.parse.notice import Collector
