"""Storms: what came of the lines from one headline to the next comes of them again.

Where a line leaves the report that has just begun as the only one, what follows depends on it and on the lines behind
it alone: its headline does, or who printed it, where the report before it was waiting for its end. What the lines were
up to the next such place is remembered; where the same bytes come again, stamps aside, neither the decoder nor the
splitter looks at them line by line.
"""

from collections.abc import Callable, Hashable
from typing import NamedTuple

from kb.log.stretch import Stretch, plain, unstamped
from kb.model.log import Line, Splat
from kb.model.said import Said
from kb.split.machines import Machines
from kb.split.strand import PAUSE, Strand

Again = Callable[[Stretch, float], list[Line] | None]
"""Takes the next lines of the input where they are those of a stretch: :meth:`kb.log.reader.Reader.again`."""
_COURSES = 64
"""Courses that are remembered."""
_LONGEST = 400
"""Lines of one."""


class Course(NamedTuple):
    """The lines behind a place where a report is the only one, up to the next, and what came of them."""

    stretch: Stretch
    own: int
    """So many of them are the report's."""
    next: int
    """So many of the last are the next report's."""
    opener: int
    """Index of the headline in those."""
    cut: Said | None


class Echoes:
    """Feeds a splitter, and remembers courses of its input."""

    def __init__(self, splitter: Machines, again: Again):
        self._splitter = splitter
        self._again = again
        self._courses: dict[Hashable, Course] = {}
        self._start: Strand | None = None
        """The report that is being read, as long as nothing else happens."""
        self._began: tuple[Line, ...] = ()
        """Its lines then."""
        self._opener = 0
        """Index of its headline."""
        self._since: list[Line] = []
        """The lines behind them."""
        self._ahead: tuple[Course, list[Line]] | None = None
        """A course whose lines have come again, and those but the last, which is fed next."""

    def feed(self, line: Line) -> list[Splat]:
        """As :meth:`Machines.feed`."""
        splitter = self._splitter
        if self._ahead is not None:
            (course, lines), self._ahead = self._ahead, None
            lines.append(line)
            ended = [splitter.jump(lines[: course.own], course.cut, lines[-course.next :], course.opener)]
        else:
            ended = splitter.feed(line)
            self._since.append(line)
            if splitter.begun is None or not (ended or splitter.alone(splitter.begun)):
                if ended or len(self._since) > _LONGEST:
                    self._start, self._since = None, []
                return ended
            if self._start is not None and len(ended) == 1:
                self._learn(ended[0], splitter.begun)
        self._start, self._since = None, []
        strand = splitter.begun
        if strand is not None and splitter.alone(strand):
            self._start, self._began, self._opener = strand, tuple(strand.lines), strand.opener
            known = self._courses.get(_key(self._began))
            found = self._again(known.stretch, (line.time or 0.0) + PAUSE) if known is not None else None
            if known is not None and found is not None:
                self._ahead = known, found
        return ended

    def _learn(self, splat: Splat, after: Strand) -> None:
        """Remember what came of the lines since, if it is the one report and the beginning of the next."""
        began, since = self._began, self._since
        own = len(splat.lines) - len(began)
        first = began[-1]
        if (
            self._splitter.alone(after)
            and 0 <= own < len(since)
            and splat.lines == (*began, *since[:own])
            and splat.opener == self._opener
            and not splat.doubts
            and len(after.lines) <= len(since)
            and after.lines == since[-len(after.lines) :]
            and plain((first, *since))
            and first.time is not None
            and all(line.time is not None and first.time <= line.time < first.time + PAUSE for line in since)
        ):
            if len(self._courses) >= _COURSES:
                self._courses.clear()
            course = Course(Stretch(since), own, len(after.lines), after.opener, splat.truncated)
            self._courses[_key(began)] = course


def _key(began: tuple[Line, ...]) -> Hashable:
    """What tells a report that has just begun: its lines, the last as it stands in the input."""
    return (*(line.text for line in began[:-1]), unstamped(began[-1]))
