"""Which CPU was stuck from when to when, as the watchdogs tell it."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.identity.group import Group, Seen
from kb.pictures.draw import LEFT, LINE, ROWS, WIDTH, Box, Drawing, Label, Row, Shape, Stroke
from kb.pictures.when import clock, ends
from kb.words.speak import Words

_CPUS = 40
_CELLS = 40
_DAY = 86400.0
"""Seconds of a stuck CPU that a watchdog can have watched; more is a clock that jumped."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """What one report says of a CPU."""

    cpu: int
    start: float
    """On the axis, 0..1; the same as ``end`` where the report does not say for how long."""
    end: float
    seconds: float | None
    line: int = 0
    """Of the log: where the report begins."""


@dataclass(frozen=True, slots=True)
class Lockups:
    """CPUs by time."""

    stuck: tuple[Stuck, ...]
    """By CPU."""
    first: str
    last: str
    """The times of the first and the last report."""
    seconds: float
    """That the axis is long."""

    @property
    def _cpus(self) -> list[int]:
        return sorted({each.cpu for each in self.stuck})

    def head(self, words: Words) -> str:
        """What it shows."""
        told = (self.first,) if self.first == self.last else (self.first, self.last)
        return words("picture.lockup", axis_s=round(self.seconds), reports=told)

    def drawn(self, words: Words) -> Drawing:
        """A lane a CPU, a bar a report."""
        room = WIDTH - LEFT - 80
        shapes: list[Shape] = []
        lanes = self._cpus[:_CPUS]
        for index, cpu in enumerate(lanes):
            y = index * LINE
            shapes.append(Label(LEFT - 10, y + 14, f"CPU {cpu}", "", "end"))
            shapes.append(Stroke(LEFT, y + 10, LEFT + room, y + 10, "dim"))
            for each in self.stuck:
                if each.cpu == cpu:
                    long = max(3.0, (each.end - each.start) * room)
                    shapes.append(Box(LEFT + each.start * room, y + 3, long, LINE - 6, "bad", _length(each)))
            shapes.append(Label(LEFT + room + 8, y + 14, _longest(self.stuck, cpu), "small"))
        return Drawing(WIDTH, len(lanes) * LINE + 4, tuple(shapes))

    def rows(self, words: Words) -> list[Row]:
        """A line a CPU."""
        shown: list[Row] = []
        for cpu in self._cpus[:ROWS]:
            cells = [" "] * _CELLS
            for each in self.stuck:
                if each.cpu == cpu:
                    start, end = int(each.start * _CELLS), int(each.end * _CELLS)
                    for cell in range(min(start, _CELLS - 1), max(min(end, _CELLS), min(start, _CELLS - 1) + 1)):
                        cells[cell] = "█"
            shown.append((f"CPU {cpu}", "".join(cells), _longest(self.stuck, cpu)))
        return shown


def _length(each: Stuck) -> str:
    return f"{each.seconds:.0f} s" if each.seconds is not None else ""


def _longest(stuck: Sequence[Stuck], cpu: int) -> str:
    lengths = [each.seconds for each in stuck if each.cpu == cpu and each.seconds is not None]
    return f"{max(lengths):.0f} s" if lengths else ""


def lockups(groups: Sequence[Group]) -> Lockups | None:
    """The stuck CPUs of a log: by one axis, None where the reports have no times or no CPU is told to be stuck."""
    seen = sorted((each for group in groups for each in group.seen if each.stuck), key=lambda each: each.number)
    place = clock(seen)
    if place is None:
        return None
    spans = [(each, (place(each) or 0.0) - (_lasted(each) or 0.0), place(each) or 0.0) for each in seen]
    first, last = min(start for _, start, _ in spans), max(end for _, _, end in spans)
    if last <= first:
        return None
    stuck = [
        Stuck(cpu, (start - first) / (last - first), (end - first) / (last - first), _lasted(each), each.span[0])
        for each, start, end in spans
        for cpu in each.stuck
    ]
    return Lockups(tuple(sorted(stuck, key=lambda each: (each.cpu, each.start))), *ends(seen), last - first)


def _lasted(each: Seen) -> float | None:
    return each.lasted if each.lasted is not None and each.lasted < _DAY else None
