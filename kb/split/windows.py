"""The splats of a whole input: which lines the splitter is given, and in which order it tells what it found."""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator

from kb.model.log import Line, Splat
from kb.split.echo import Again, Echoes
from kb.split.machines import Machines
from kb.split.splitter import BANNER, HEADLESS, Splitter
from kb.syntax import roles
from kb.syntax.headline import classify_text
from kb.syntax.roles import Role
from kb.words.speak import said

_IDLE = 4
"""Lines without an open report before the scanner is asked for the next candidate: a report whose prefix is run through
may go on behind them."""
Windows = Iterable[tuple[int, Iterator[Line | None]] | None]
"""Stretches of lines around candidates, each with the candidate's line number; None among windows or lines: a live
input is silent."""


def split(
    windows: Windows,
    source: str,
    release_at: Callable[[int], str | None] | None = None,
    clock: Callable[[], float] | None = None,
    again: Again | None = None,
    splitter: Machines | None = None,
) -> Iterator[Splat | None]:
    """All splats of a log, in the order in which they open; None where a live input pauses.

    Only the stretches around candidates are decoded: a window is left as soon as nothing is open in it.

    Args:
        windows: From :meth:`kb.log.reader.Reader.windows`.
        source: Name of the input.
        release_at: Kernel release of the boot that a line (its number) belongs to.
        clock: Of a live input, seconds that pass: ``time.monotonic``.
        again: Where lines may be taken that came before (:meth:`kb.log.reader.Reader.again`).
        splitter: What to feed, where its state matters.
    """
    splitter = splitter or Machines(source, release_at)
    feed = splitter.feed if again is None else Echoes(splitter, again).feed
    done: list[tuple[int, int, Splat]] = []
    for window in windows:
        if window is None:
            yield None
            continue
        splitter.idle = 0
        candidate, lines = window
        for line in lines:
            if line is not None:
                _keep(done, feed(line))
            if clock is not None and splitter.open:
                _keep(done, splitter.hush(clock()))
            if done:
                yield from _ready(done, splitter.oldest)
            if line is None:
                yield None
            elif splitter.idle > _IDLE and line.number > candidate:
                break
        yield from _ready(done, splitter.oldest)
    _keep(done, splitter.close(said("cut.log_ends")))
    yield from _ready(done, None)


def opens(text: str) -> int:
    """How many lines before one, of its context, bear on it if it can open a report or says that stacks were asked for.

    Asked of its text alone. 0: it does neither. What opens a report by itself needs its banner; what depends on who ran
    or what was asked for needs all that is kept.
    """
    head = classify_text(text)
    if head is not None:
        return HEADLESS if head.row.unannounced else BANNER
    alone = roles.opens_alone(text)
    return HEADLESS if alone or roles.is_request(text) or roles.is_on_purpose(text) else 0


_ANYWHERE: frozenset[Role | None] = frozenset({None, "BORDER", "DUMP"})
"""Roles that lines of other texts may have, too."""


def belongs(text: str) -> bool:
    """Whether a line, by its text alone, is a part of a report: who tells a prefix from the message behind it asks."""
    return roles.classifier()(text) not in _ANYWHERE or classify_text(text) is not None


_COUNT = itertools.count()
"""Of two reports of one line (a page of HTML is one) the one that ended first is told first."""


def _keep(done: list[tuple[int, int, Splat]], ended: Iterable[Splat]) -> None:
    """Put splats on a heap by the line in which they began."""
    for splat in ended:
        heapq.heappush(done, (splat.lines[splat.opener].number, next(_COUNT), splat))


def _ready(done: list[tuple[int, int, Splat]], oldest: int | None) -> Iterator[Splat]:
    """Reports of several CPUs end in any order; they are told in the order in which they began."""
    while done and (oldest is None or done[0][0] < oldest):
        yield heapq.heappop(done)[-1]


def split_lines(lines: Iterable[Line | None], source: str = "-") -> Iterator[Splat]:
    """Splats of lines as they come; None among them says that the input paused, which ends what is open."""
    splitter = Splitter(source)
    for line in lines:
        if line is None:
            yield from splitter.close()
        else:
            yield from splitter.feed(line)
    yield from splitter.close(said("cut.log_ends"))
