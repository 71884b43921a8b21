"""An answer made to fit into some lines: the choice among what its parts may say that leaves out the least.

A part says less (:attr:`kb.render.answer.Part.shorter`, or its first clauses) or is left out, each at a price; the
cheapest choice that fits is taken. Nothing is broken off in the middle of a sentence but where it is longer than the
screen in every form that it has.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from kb.render.advice import bare
from kb.render.answer import Part, sentence
from kb.render.safe import safe, width, wrap

_CUT = "…"
_STOPS = re.compile(r"(?<=[\w)\]'\"`%])(?:[.!?](?= +[A-Z(\[`'\"_]|$)|;(?= )|: (?=[a-z&]))|[。；]")
"""Where a text may end and still say something whole: a sentence, a clause."""
_NAME = 2
"""Blanks of what is only named before a colon: "Right Redzone: the bytes behind ..."."""
_CLAUSED = ("risk", "cause", "found", "damaged")
"""Parts of which the first clauses say something, too."""
_LESS = {
    "seen": 1,
    "known": 1,
    "status": 1,
    "then": 2,
    "risk": 2,
    "printed": 3,
    "damaged": 3,
    "fix": 4,
    "found": 5,
    "cause": 5,
    "next": 6,
    "now": 25,
}
"""The price of each step to what says less."""
_OUT = {"then": 5, "damaged": 9, "next": 15, "printed": 20, "fix": 20}
"""The price of leaving a part out: it stands under ``-v``."""
_CAUSE_OUT = 9
"""That of the cause that all reports of a case share, where this one tells something of its own."""
_WARNING = 9
"""That of less than the first sentence of a risk."""
_MERGED, _BESIDE = 2, 4
"""Those of case and status in one row, and of the place behind the title."""
_JOINED = {"next": 2, "then": 2, "risk": 3, "seen": 3, "found": 4, "cause": 4, "known": 4}
"""Those of saying at the end of a part where the rest is: not behind a command that is to be run now."""
_BROKEN = {"printed": 7, "now": 2000}
_BREAK = 1000
"""Those of breaking off: a line of the log that is quoted may be, what is to be done now is the last to be."""


class Room(NamedTuple):
    """What there is to fill."""

    cells: int
    """Of a row, beside its label."""
    beside: int
    """Cells behind the title."""
    rows: int


Row = tuple[str, str, list[str]]
"""A label, what it says for its colour, and the lines beside it."""


class _Choice(NamedTuple):
    """What a part may say, at what price."""

    price: int
    rows: tuple[Row, ...]
    holds: bool = False
    """It says where the rest is, too."""
    beside: str = ""

    @property
    def lines(self) -> int:
        return sum(len(row[2]) for row in self.rows)


def fit(parts: Sequence[Part], room: Room, more: str) -> tuple[str, list[Row]]:
    """What stands behind the title, and the rows.

    Args:
        parts: Of the answer.
        room: To be filled.
        more: Says where the rest is: in a row of its own, or at the end of another.
    """
    whole = [_row(part, next(_forms(part)), room) for part in parts]
    label, _, rest = more.partition(": ")
    own: Row = (label, "", [rest])
    if sum(len(row[2]) for row in whole) < room.rows:
        return "", [*whole, own]
    named = {part.name: part for part in parts}
    paths: _Paths = {(0, False): (0, ())}
    for part in parts:
        if part.name != "status" or "known" not in named:
            paths = _further(paths, list(_choices(part, named, room, more)))
    ways = [
        (max(0, lines + (not told) - room.rows), price, told, choices)
        for (lines, told), (price, choices) in paths.items()
    ]
    _, _, told, choices = min(ways, key=lambda way: way[:2])
    rows = [row for choice in choices for row in choice.rows]
    return "".join(choice.beside for choice in choices), rows if told else [*rows, own]


_Paths = dict[tuple[int, bool], tuple[int, tuple[_Choice, ...]]]
"""By the lines that are used, and whether it is told where the rest is: the cheapest choices, with their price."""


def _further(paths: _Paths, choices: Sequence[_Choice]) -> _Paths:
    """The paths with one more part."""
    found: _Paths = {}
    for ((lines, told), (price, before)), choice in product(paths.items(), choices):
        if told and choice.holds:
            continue
        key, paid = (lines + choice.lines, told or choice.holds), price + choice.price
        if key not in found or paid < found[key][0]:
            found[key] = paid, (*before, choice)
    return found


def _choices(part: Part, named: dict[str, Part], room: Room, more: str) -> Iterator[_Choice]:
    """What a part may say, and nothing where it may be left out."""
    behind = f"   {more}"
    said = [*_said(part, named, room)]
    for choice in said:
        yield choice
        label, role, lines = choice.rows[-1]
        if part.name in _JOINED and width(lines[-1] + behind) <= room.cells:
            held = (label, role, [*lines[:-1], lines[-1] + behind])
            yield _Choice(choice.price + _JOINED[part.name], (*choice.rows[:-1], held), True)
    if part.name == "seen":
        yield from _lifted(part, room, behind)
    out = _CAUSE_OUT if part.name == "cause" and "found" in named else _OUT.get(part.name)
    if out is not None:
        yield _Choice(out, ())
    last = said[-1].rows[-1] if said else _row(part, part.text, room)
    for kept in range(1, len(last[2])):
        row = (last[0], last[1], _broken(last[2], kept, room.cells))
        yield _Choice(_BROKEN.get(part.name, _BREAK) - kept, (*said[-1].rows[:-1], row))


def _said(part: Part, named: dict[str, Part], room: Room) -> Iterator[_Choice]:
    """The forms of a part, each of fewer lines than the one before; those of a case with its status."""
    warned = len(sentence(part.text)) if part.name == "risk" else 0
    status = named.get("status") if part.name == "known" else None
    if status is None:
        for step, (text, row) in enumerate(_ladder(part, room)):
            yield _Choice(_LESS[part.name] * step + (_WARNING if len(text) < warned - 1 else 0), (row,))
        return
    for (one, (_, known)), (two, (_, state)) in product(
        enumerate(_ladder(part, room)), enumerate(_ladder(status, room))
    ):
        yield _Choice(one + two, (known, state))
    least = 0
    for one, name in enumerate(part.shorter):
        for two, text in enumerate((status.text, *status.shorter)):
            row = _row(part, f"{name}; {text}", room)
            if not least or len(row[2]) <= least:
                least = len(row[2])
                yield _Choice(_MERGED + one + two, (row,))


def _lifted(part: Part, room: Room, behind: str) -> Iterator[_Choice]:
    """Where it was seen in less than a row: beside where the rest is, or behind the title."""
    cells = room.cells - width(behind)
    texts = [*enumerate(map(safe, _forms(part)))]
    step, text = next((one for one in texts if width(one[1]) <= cells), (0, ""))
    if text:
        yield _Choice(_JOINED["seen"] + step, ((part.label, part.role, [text + behind]),), True)
    step, text = next((one for one in texts if width(one[1]) + 2 <= room.beside), (0, ""))
    if text:
        yield _Choice(_BESIDE + step, (), False, f"  {text}")


def _ladder(part: Part, room: Room) -> Iterator[tuple[str, Row]]:
    """What a part may say, each of fewer lines than the one before."""
    least = 0
    for text in _forms(part):
        row = _row(part, text, room)
        if not least or len(row[2]) < least:
            least = len(row[2])
            yield text, row


def _row(part: Part, text: str, room: Room) -> Row:
    return part.label, part.role, wrap(safe(text), room.cells) or [""]


def _forms(part: Part) -> Iterator[str]:
    """What a part may say on a first screen, the fullest first; of a cause one sentence, of a command no note."""
    text = bare(part.text) if part.name == "next" else sentence(part.text) if part.name == "cause" else part.text
    yield text
    yield from part.shorter
    if part.name in _CLAUSED:
        yield from _clauses(text)


def _clauses(text: str) -> list[str]:
    """The beginnings of a text that say something whole, the longest first.

    What stands before a colon is less than what it opens: it is taken where nothing much longer ends before.
    """
    ends = [(stop.start(), stop[0][0] == ":") for stop in _STOPS.finditer(text) if _closed(text[: stop.start()])]
    closed = [text[:end] for end, opens in ends if not opens]
    opened = [text[:end] for end, opens in ends if opens and not any(end // 2 < len(one) < end for one in closed)]
    return sorted((*closed, *opened), key=len, reverse=True)


def _closed(clause: str) -> bool:
    """Whether a clause says something: no bracket is open in it, and it is more than a name."""
    return clause.count("(") == clause.count(")") and (not clause.isascii() or clause.count(" ") >= _NAME)


def _broken(lines: Iterable[str], kept: int, room: int) -> list[str]:
    """The first lines, the last of them with a mark of omission."""
    lines = list(lines)
    last = lines[kept - 1]
    while width(last) > room - 1:
        last = last.rpartition(" ")[0] if " " in last else last[:-1]
    return [*lines[: kept - 1], last.rstrip(" ,;:") + _CUT]
