"""Bytes or lines to reports and notices: the stages in a row, each loaded when something needs it.

Most logs hold no report: they are answered without a grammar.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from kb.log.reader import Reader
from kb.log.scan import Aside, find_notices

if TYPE_CHECKING:
    from kb.model.log import Line
    from kb.model.report import Report


def reports(data: bytes, name: str) -> "Iterator[Report]":
    """The reports of one input, in order, each as soon as it is read."""
    yield from _reports(Reader(data, name))


def reports_and_notices(data: bytes, name: str, most: int | None = None) -> "Iterator[Report]":
    """The reports of an input, then its notices: found in one pass over the bytes.

    Args:
        data: The input.
        name: Its name.
        most: Notices of one wording that are looked at, where a hint will do; None: all.
    """
    reader = Reader(data, name, Aside(most))
    yield from _reports(reader)
    yield from _notices(reader, most)


def notices(data: bytes, name: str) -> "Iterator[Report]":
    """The notices of an input alone."""
    aside = Aside()
    for offset in find_notices(data):
        aside.take(data, offset)
    yield from _notices(Reader(data, name, aside))


def live(lines: "Iterable[Line | None]", *, notices: bool = False) -> "Iterator[Report]":
    """Reports of lines as they come, and notices at the first pause behind them; None among the lines is a pause."""
    from kb.parse.follow import follow
    from kb.parse.occurrence import tell_apart

    yield from tell_apart(follow(_live(lines, notices)))


def _live(lines: "Iterable[Line | None]", notices: bool) -> "Iterator[Report]":
    from kb.parse.notice import Collector
    from kb.parse.report import parse
    from kb.split.splitter import Splitter
    from kb.words.speak import said

    splitter, collector = Splitter("-"), Collector("-")
    for line in lines:
        if line is None:
            yield from map(parse, splitter.close())
            yield from collector.told()
            continue
        yield from map(parse, splitter.feed(line))
        if notices:
            collector.feed(line)
    yield from map(parse, splitter.close(said("cut.log_ends")))
    yield from collector.told()


def _reports(reader: Reader) -> "Iterator[Report]":
    first = next(reader.windows(), None)
    if first is None:
        return
    from kb.parse.follow import follow
    from kb.parse.occurrence import tell_apart
    from kb.parse.report import parse
    from kb.split.splitter import split

    yield from tell_apart(follow(parse(splat) for splat in split(reader, reader.source)))


def _notices(reader: Reader, most: int | None = None) -> "Iterator[Report]":
    windows = reader.noticed()
    first = next(windows, None)
    if first is None:
        return
    from kb.parse.notice import Collector, collect
    from kb.parse.occurrence import tell_apart

    yield from tell_apart(collect(chain((first,), windows), Collector(reader.source, reader.release_at, most)))
