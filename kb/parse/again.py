"""Reports of a text that was read before: a storm of equal reports is read once.

What a text says does not depend on when and where it was printed: a reading is remembered by the lines' texts and moved
to where they stand now. That nothing of it is left behind is seen at its first repetition, which is read as well; a
reading that cannot be moved is made each time.
"""

import functools
from collections.abc import Hashable

from kb.model.log import Line, Splat
from kb.model.moved import moved_report
from kb.model.report import Report
from kb.parse.report import USUAL, bounded, parse

REMEMBERED = 256
"""Texts that are remembered."""
LONGEST = 400
"""Lines of those: a longer one (every task of a machine) does not come twice."""


class Kept:
    """The first reading of a text, and whether it can be moved."""

    __slots__ = ("first", "moves")

    def __init__(self) -> None:
        self.first: Report | None = None
        self.moves: bool | None = None
        """None until the text came a second time."""


def read(splat: Splat) -> Report:
    """The report of a splat, as :func:`kb.parse.report.parse` reads it."""
    if splat.doubts or len(splat.lines) > LONGEST:
        return parse(splat)
    lines = tuple([line if len(line[0]) <= USUAL else bounded(line) for line in splat.lines])
    kept = _kept(shape(lines), splat.opener, splat.release, splat.truncated)
    if kept.first is None:
        kept.first = found = parse(splat)
        return found
    stays = lines[0].number == kept.first.lines[0].number  # which says nothing of whether it can be moved
    if kept.moves is False and not stays:
        return parse(splat)
    opener = lines[splat.opener]
    stamps = {"time": opener.time, "wall": opener.wall, "host": opener.host}
    again = moved_report(kept.first, lines, source=splat.source, **stamps)
    if kept.moves is None and not stays:
        found = parse(splat)
        kept.moves = again == found
        return found
    return again


def shape(lines: tuple[Line, ...]) -> Hashable:
    """The texts of lines, how far they stand from one another, and which of them bear a stamp or a level."""
    first = lines[0].number
    return (
        tuple([line[0] for line in lines]),
        tuple([(line[1] - first, line[2] - first) for line in lines]),
        tuple([line[4] is None and line[5] is None and line[7] is None for line in lines]),
    )


@functools.lru_cache(maxsize=REMEMBERED)
def _kept(*_text: Hashable) -> Kept:
    """What is remembered of a text."""
    return Kept()
