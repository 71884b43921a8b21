"""What pictures are made of: shapes on a plane for a page, and bars of block characters for a terminal."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from kb.words.speak import Words

WIDTH = 760
"""Units of a drawing, about a pixel each."""
LEFT = 170
"""Units of the column of names."""
LINE = 20
"""Units from one line of text to the next."""
ROWS = 7
"""Rows of a picture in a terminal, its head apart."""
_BLOCKS = "▁▂▃▄▅▆▇█"
_LONG = 24


class Box(NamedTuple):
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    role: str
    """What it says, for its colour: ``have``, ``need``, ``bad``, ``dim``, ``mark``, ``frame`` or ``byte-...``."""
    tip: str = ""
    """What it stands for, in words."""


class Stroke(NamedTuple):
    """A straight line."""

    x: float
    y: float
    x2: float
    y2: float
    role: str
    arrow: bool = False


class Label(NamedTuple):
    """A line of text; ``y`` is its base line."""

    x: float
    y: float
    text: str
    role: str = ""
    anchor: str = "start"
    """``start``, ``middle`` or ``end`` stands at ``x``."""


Shape: TypeAlias = Box | Stroke | Label


def moved(shape: Shape, down: float) -> Shape:
    """The shape, so many units further down."""
    if isinstance(shape, Stroke):
        return shape._replace(y=shape.y + down, y2=shape.y2 + down)
    return shape._replace(y=shape.y + down)


class Drawing(NamedTuple):
    """Shapes in the order in which they are painted."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


Row: TypeAlias = tuple[str, ...]
"""Cells of a line in a terminal; those of one place stand in one column."""


class Picture(Protocol):
    """Numbers that can be drawn."""

    def head(self, words: Words) -> str:
        """What it shows, in a line."""

    def drawn(self, words: Words) -> Drawing:
        """For a page."""

    def rows(self, words: Words) -> list[Row]:
        """For a terminal: at most :data:`ROWS`."""


def log_share(value: float, most: float) -> float:
    """Height of a value on a logarithmic scale from 0 to the largest, 0..1."""
    return math.log1p(max(value, 0)) / math.log1p(most) if most > 0 else 0.0


def block(share: float) -> str:
    """A share as one character."""
    return " " if share <= 0 else _BLOCKS[min(len(_BLOCKS) - 1, int(share * len(_BLOCKS)))]


def bar(share: float, cells: int) -> str:
    """A share as a bar; what is not nothing has a cell."""
    return "█" * (max(1, round(share * cells)) if share > 0 else 0)


def short(text: str, most: int = _LONG) -> str:
    """A name that fits beside a drawing."""
    return text if len(text) <= most else text[: most - 1] + "…"


def size(kb: float) -> str:
    """KB in the unit that a person would take."""
    for unit in ("kB", "MB", "GB"):
        if abs(kb) < 10_000:
            return f"{kb:.0f} {unit}" if unit == "kB" or kb >= 100 else f"{kb:.1f} {unit}"
        kb /= 1024
    return f"{kb:.1f} TB"


class Part(NamedTuple):
    """One of several things with a size."""

    name: str
    value: float
    shown: str
    role: str = "have"


def bars(parts: Sequence[Part]) -> Drawing:
    """Horizontal bars, one below the other, on one linear scale."""
    most = max((part.value for part in parts), default=0) or 1
    room = WIDTH - LEFT - 190
    shapes: list[Shape] = []
    for index, part in enumerate(parts):
        y = index * LINE
        length = max(part.value, 0) / most * room
        shapes.append(Label(LEFT - 10, y + 14, short(part.name), part.role if part.role == "mark" else "", "end"))
        shapes.append(Box(LEFT, y + 3, max(length, 1), LINE - 6, part.role, f"{part.name}: {part.shown}"))
        shapes.append(Label(LEFT + max(length, 1) + 8, y + 14, part.shown, part.role if part.role == "mark" else ""))
    return Drawing(WIDTH, len(parts) * LINE, tuple(shapes))


def bar_rows(parts: Sequence[Part], cells: int = 30) -> list[Row]:
    """The same for a terminal."""
    most = max((part.value for part in parts), default=0) or 1
    return [(part.name, bar(part.value / most, cells), part.shown) for part in parts[:ROWS]]
