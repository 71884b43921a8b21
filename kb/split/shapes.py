"""Two logs one behind the other: printk stamps all lines of a log or none; a report of the other kind is another log's.

A line may lose its stamp on the way, so that one alone tells nothing: until the newer report has some lines that are
all of its kind, the older one may go on.
"""

from collections.abc import Iterator, Mapping

from kb.model.log import Line
from kb.split.strand import Strand

BARE = "\0"
"""The context of reports whose lines have no time, where reports with times are open, too."""
_TELLING = 3
"""Lines, its headline among them, by which a report is one of its kind."""

Open = dict[str | None, list[Strand]]


def alike(strand: Strand, line: Line) -> bool:
    """Whether a line may be a report's by its shape."""
    return (
        line.continued or len(strand.lines) - strand.opener < _TELLING or (line.time is None) == (strand.time is None)
    )


def context(open_: Mapping[str | None, list[Strand]], line: Line, fed: str | None) -> str | None:
    """Whose stream of lines this is, where reports without times are open beside others."""
    if line.continued:
        return fed
    if line.time is None and line.caller is None:
        return BARE
    others = [key for key in open_ if key != BARE]
    return others[0] if line.caller is None and len(others) == 1 else line.caller


def place(open_: Open, key: str | None, line: Line) -> str | None:
    """The context in which a headline opens its report: apart from reports of the other kind."""
    group = open_.get(key, [])
    if line.continued or line.caller is not None or not group:
        return key
    if line.time is None:
        return BARE if all(one.time is not None for one in group) else key
    if all(one.time is None and len(one.lines) - one.opener > 1 for one in group) and BARE not in open_:
        open_[BARE] = open_.pop(key)
        return line.caller
    return key


def settled(open_: Open, key: str | None, line: Line) -> Iterator[tuple[str | None, Strand]]:
    """The reports that are over since the newest one, of the other kind, has lines enough to tell."""
    bare = open_.get(BARE, [])
    others = [(place_, one) for place_, group in open_.items() if place_ != BARE for one in group]
    if not bare or not others:
        return
    if (
        line.time is not None
        and len(bare) == 1
        and len(bare[0].lines) - bare[0].opener == 1
        and bare[0].start > others[-1][1].start
    ):
        del open_[BARE]  # its headline alone had lost its stamp
        open_.setdefault(others[-1][0], []).append(bare[0])
        return
    newest, shape = max(
        [(one, BARE) for one in bare] + [(one, "") for _, one in others], key=lambda pair: pair[0].start
    )
    if len(newest.lines) - newest.opener >= _TELLING:
        yield from others if shape == BARE else [(BARE, one) for one in bare]
