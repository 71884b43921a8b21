"""The memory around an address that KASAN found bad: what of it may be accessed, and where the access was."""

from dataclasses import dataclass

from kb.model.verdict import Diagnosis
from kb.parse.details.shadow import shadow as read
from kb.pictures.draw import LEFT, LINE, ROWS, WIDTH, Box, Drawing, Label, Row, Shape
from kb.words.speak import Words

_STATES = {
    0xFF: "freed", 0xFB: "freed", 0xFA: "freed",
    0xFE: "redzone", 0xFC: "redzone", 0xF9: "redzone",
    0xF1: "redzone", 0xF2: "redzone", 0xF3: "redzone", 0xF4: "redzone", 0xCA: "redzone", 0xCB: "redzone",
    0xF8: "gone",
}  # fmt: skip
"""Of generic KASAN (mm/kasan/kasan.h, v6.12); 0xf8 is unused vmalloc space, and a variable out of its scope."""
_GRANULE = 8
"""Bytes that a state of generic KASAN stands for: 1 to 7 says how many of them may be accessed."""
SIGNS = {"good": "·", "part": "▪", "freed": "f", "redzone": "#", "gone": "x", "other": "?"}
_INVALID = 0xFE
"""The tag of memory that is nobody's in the tag-based modes (include/linux/kasan-tags.h)."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A row of memory."""

    address: int
    states: tuple[tuple[int, str], ...]
    """Byte and what it means: ``good``, ``part``, ``freed``, ``redzone``, ``gone`` or ``other``."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Map:
    """The rows that KASAN printed."""

    rows_: tuple[Memory, ...]
    here: int | None
    cell: int | None

    def head(self, words: Words) -> str:
        """What it shows."""
        return words("picture.shadow", means=tuple(self._means(words)))

    @property
    def means(self) -> tuple[str, ...]:
        """Which states there are."""
        used = {means for row in self.rows_ for _, means in row.states}
        return tuple(name for name in SIGNS if name in used)

    def _means(self, words: Words) -> list[str]:
        return [f"{SIGNS[name]} {words.word(name)}" for name in self.means]

    def drawn(self, words: Words) -> Drawing:
        """A square a granule."""
        wide = (WIDTH - LEFT - 10) / max(len(row.states) for row in self.rows_)
        shapes: list[Shape] = []
        for index, row in enumerate(self.rows_):
            y = index * (LINE + 4)
            shapes.append(Label(LEFT - 10, y + 15, f"{row.address:x}", "mark" if index == self.here else "", "end"))
            for cell, (state, means) in enumerate(row.states):
                x = LEFT + cell * wide
                if (index, cell) == (self.here, self.cell):
                    shapes.append(Box(x - 1, y - 1, wide, LINE + 4, "hit", words("picture.access")))
                shapes.append(Box(x + 1, y + 1, wide - 4, LINE, f"byte-{means}", words.word(means)))
                shapes.append(Label(x + wide / 2 - 1, y + 15, f"{state:02x}", "byte", "middle"))
        return Drawing(WIDTH, len(self.rows_) * (LINE + 4), tuple(shapes))

    def rows(self, words: Words) -> list[Row]:
        """A line a row, a character a granule, brackets around the one that was accessed."""
        shown: list[Row] = []
        for index, row in enumerate(self.rows_[:ROWS]):
            signs = [f" {SIGNS[means]}" for _, means in row.states]
            text = "".join(signs) + " "
            if index == self.here and self.cell is not None:
                at = 2 * self.cell
                text = f"{text[:at]}[{text[at + 1]}]{text[at + 3 :]}"
            shown.append((f"{row.address:x}", text))
        return shown


def shadow(found: Diagnosis) -> Map | None:
    """The memory map of a KASAN report, None where it prints none."""
    if found.report.kind != "kasan":
        return None
    printed = read(found.report.lines)
    if printed is None:
        return None
    rows = tuple(
        Memory(row.address, tuple((state, _means(state, printed.tag)) for state in row.states), row.line)
        for row in printed.rows
    )
    return Map(rows, printed.here, printed.cell)


def _means(state: int, tag: int | None) -> str:
    if tag is not None:
        return "good" if state == tag else "freed" if state == _INVALID else "other"
    return "good" if not state else "part" if state < _GRANULE else _STATES.get(state, "other")
