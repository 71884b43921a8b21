"""Bytes or lines to reports and notices: the stages in a row, each loaded when something needs it.

Most logs hold no report: they are answered without a grammar.
"""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kb.log.cuts import Cuts
from kb.log.reader import Reader
from kb.log.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from kb.log.learn import Doubtful
    from kb.model.log import Line
    from kb.model.report import Report
    from kb.split.machines import Machines


def reports(data: "bytes | Tape", name: str) -> "Iterator[Report]":
    """The reports of one input, in order, each as soon as it is over."""
    return _read(_Input(data, name), None)


def reports_and_notices(data: "bytes | Tape", name: str, most: int | None = None) -> "Iterator[Report]":
    """The reports of an input, then its notices: found in one pass over the bytes.

    In an input that goes on, notices are told at the first pause behind them, too.

    Args:
        data: The input.
        name: Its name.
        most: Notices of one wording that are looked at, where a hint will do; None: all.
    """
    notices = _Notices(name, most)
    source = _Input(data, name, notices.take)
    notices.reader = source.reader
    return _read(source, notices)


class _Input:
    """An input, and its splitter once there is one: at each cut that is passed, they forget."""

    splitter: "Machines | None" = None

    def __init__(self, data: "bytes | Tape", name: str, notice: "Callable[[Line], bool] | None" = None):
        tape = data if isinstance(data, Tape) else Tape(data)
        self._cuts = Cuts()
        self._seen = tape.base
        tape.watch(self._feed)
        self.reader = Reader(tape, name, opens, notice, belongs, self._stops)

    def _feed(self, data: bytes) -> None:
        self._cuts.feed(self._seen, data)
        self._seen += len(data)

    def _stops(self, offset: int) -> bool:
        for _ in forgotten(self._cuts.found, offset, self.reader, self.splitter):
            pass
        return False


def forgotten(cuts: list[int], offset: int, reader: Reader, splitter: "Machines | None") -> "Iterator[int]":
    """The cuts up to an offset at which nothing was being read; what was learned before them is forgotten.

    Args:
        cuts: Offsets, rising; those passed are taken out.
        offset: The place that is read next.
        reader: What reads the input.
        splitter: What it feeds, None where there was nothing to feed yet.
    """
    while cuts and offset >= cuts[0]:
        cut = cuts.pop(0)
        if reader.done <= cut and (splitter is None or splitter.forget()):
            reader.forget()
            yield cut


def opens(text: str) -> int:
    """Of a line that, by itself, can open a report or bears on one that follows, the lines before that bear on it."""
    from kb.split.windows import opens as asked

    return asked(text)


def belongs(text: str) -> bool:
    """Whether a line, by itself, is what only a report has."""
    from kb.split.windows import belongs as asked

    return asked(text)


_ENDED = frozenset({"fs_error", "block_timeout", "irq", "oom_kill"})
"""Kinds whose reports end in what may be a notice: ``after`` of notices.toml, which most logs need not load."""


class _Notices:
    """The notices of one input; nothing of them is loaded before one was seen."""

    reader: Reader

    def __init__(self, name: str, most: int | None):
        self._name = name
        self._most = most
        self._collector: Collector | None = None
        self._reported: dict[str, set[int]] = {}
        """Lines of the reports so far that a notice may end, by their kind."""

    def take(self, line: "Line") -> bool:
        """A line that may be one; False when no more of its wording are wanted."""
        if self._collector is None:
            from kb.parse.notice import Collector

            self._collector = Collector(self._name, self.reader.release_at, self._most, self._reported)
        return self._collector.feed(line) or self._most is None

    def reported(self, report: "Report") -> None:
        """A report of the input: what ends it is told with it."""
        if report.kind in _ENDED:
            self._reported.setdefault(report.kind, set()).update(line.last for line in report.lines)

    def told(self) -> "Iterator[Report]":
        """Those that were not told yet."""
        if self._collector is not None:
            yield from self._collector.told()


def _read(source: _Input, notices: _Notices | None) -> "Iterator[Report]":
    found = _found(source, notices)
    first = next(found, None)
    if first is None:
        return
    from itertools import chain

    from kb.parse.occurrence import tell_apart

    yield from tell_apart(chain((first,), found))


def _found(source: _Input, notices: _Notices | None) -> "Iterator[Report]":
    reader = source.reader
    windows = reader.windows()
    explained: set[int] = set()
    for window in windows:
        if window is not None:
            for report in _reports(source, window, windows, notices):
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
    source: _Input,
    first: "tuple[int, Iterator[Line | None]]",
    windows: "Iterator[tuple[int, Iterator[Line | None]] | None]",
    notices: _Notices | None,
) -> "Iterator[Report]":
    """All reports from the first window on; at each pause of a live input the notices so far."""
    from itertools import chain

    from kb.parse.again import read as read_splat
    from kb.parse.debugger import bystander
    from kb.parse.follow import follow
    from kb.split.machines import Machines
    from kb.split.windows import split

    reader = source.reader
    splitter = source.splitter = Machines(reader.source, reader.release_at)

    def read() -> "Iterator[Report]":
        clock = time.monotonic if reader.live else None
        for splat in split(chain((first,), windows), reader.source, clock=clock, again=reader.again, splitter=splitter):
            if splat is not None:
                report = read_splat(splat)
                if not bystander(report):
                    if notices is not None:
                        notices.reported(report)
                    yield report
            elif notices is not None:
                yield from notices.told()

    yield from follow(read())


if TYPE_CHECKING:
    from kb.parse.notice import Collector
