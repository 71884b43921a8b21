"""A timeline of a log: when the reports of each group came."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.identity.group import Group
from kb.pictures.draw import LEFT, LINE, ROWS, WIDTH, Box, Drawing, Label, Row, Shape, Stroke, short
from kb.pictures.when import clock, ends
from kb.words.speak import Words

_GROUPS = 40
_CELLS = 40
_MARKS = 400
"""Marks of one group, at most: more lie on each other."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The reports of a group."""

    name: str
    count: int
    places: tuple[float, ...]
    """Where on the axis they stand, 0..1."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The groups of a log on one axis."""

    lanes: tuple[Lane, ...]
    first: str
    last: str
    seconds: float
    """Between the two ends."""
    more: int = 0
    """Groups that are not shown."""

    def head(self, words: Words) -> str:
        """What it shows."""
        more = words("picture.more_groups", count=self.more) if self.more else ""
        return words("picture.timeline", first=self.first, last=self.last) + more

    def drawn(self, words: Words) -> Drawing:
        """A lane a group, a mark a report."""
        left, room = LEFT * 2, WIDTH - LEFT * 2 - 20
        shapes: list[Shape] = []
        for index, lane in enumerate(self.lanes):
            y = index * LINE
            shapes.append(Label(left - 10, y + 14, short(_named(lane), 46), "", "end"))
            shapes.append(Stroke(left, y + 10, WIDTH - 10, y + 10, "dim"))
            shapes += [Box(left + place * room, y + 3, 4, LINE - 6, "have", lane.name) for place in lane.places]
        y = len(self.lanes) * LINE
        shapes += [Label(left, y + 14, self.first, "dim"), Label(WIDTH - 10, y + 14, self.last, "dim", "end")]
        return Drawing(WIDTH, y + LINE, tuple(shapes))

    def rows(self, words: Words) -> list[Row]:
        """A line a group."""
        shown: list[Row] = []
        for lane in self.lanes[:ROWS]:
            cells = [" "] * _CELLS
            for place in lane.places:
                cells[min(_CELLS - 1, int(place * _CELLS))] = "▮"
            shown.append((short(_named(lane), 40), "".join(cells).rstrip()))
        return shown


def _named(lane: Lane) -> str:
    return f"{lane.count} x {lane.name}" if lane.count > 1 else lane.name


def timeline(groups: Sequence[Group]) -> Timeline | None:
    """The timeline of a log, None where its times are not known, or all the same."""
    seen = sorted((each for group in groups for each in group.seen), key=lambda each: each.number)
    place = clock(seen)
    if place is None:
        return None
    times = {id(each): place(each) or 0.0 for each in seen}
    seen.sort(key=lambda each: times[id(each)])
    first, last = times[id(seen[0])], times[id(seen[-1])]
    if last <= first:
        return None
    lanes = [
        Lane(
            group.first.report.title,
            group.count,
            tuple(sorted({round((times[id(each)] - first) / (last - first), 3) for each in group.seen}))[:_MARKS],
        )
        for group in groups
    ]
    return Timeline(tuple(lanes[:_GROUPS]), *ends(seen), last - first, max(0, len(lanes) - _GROUPS))
