"""Rows: what the line widgets show, without a word of markup, so that log text can never be taken for any.

A row is a list of ``(text, role)``; what a role looks like is said once, in :mod:`kb.tui.widgets.virtual_list`.
Whatever a role says by colour the text says too (a mark, a word): rows are read on NO_COLOR terminals and by tests as
plain text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kb.model.log import Span
from kb.render.safe import safe
from kb.render.safe import width as cells

Part = tuple[str, str]
"""A text and its role: ``""``, ``dim``, ``good``, ``bad``, ``warn``, ``head``, ``key``, ``lit``, ``found``."""
Row = list[Part]

MARKS = {
    "yes": ("✓", "good"), "type": ("≈", "warn"), "maybe": ("?", "warn"), "no": ("✗", "bad"), "none": ("·", "dim"),
    "": (" ", ""),
}  # fmt: skip
"""How sure a case is of a report (:attr:`kb.model.verdict.Match.standing`)."""
SEVERITIES = {
    "stop": ("■", "bad"), "act": ("▲", "warn"), "watch": ("•", ""), "harmless": ("○", "dim"), "": (" ", ""),
}  # fmt: skip
FIXES = {"affected": ("!", "bad"), "fixed": ("+", "good"), "": (" ", "")}
REASONS = {"holds": ("✓", "good"), "excluded": ("✗", "dim"), "unknown": ("?", "warn")}

LEAST = 12
"""Cells of what a title begins with that say what it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be chosen, and what it points at."""

    row: Row
    evidence: tuple[Span, ...] = ()
    """Lines of the log that light up."""
    more: str = ""
    """All of what the row says in short."""
    copies: str = ""
    """What `y` copies; the row's text by default."""
    plain: bool = False
    """A heading: the cursor passes over it."""
    name: str = ""
    """What it is to the view that shows it, where keys do something to it."""


def text_of(row: Row) -> str:
    """A row as plain text."""
    return "".join(part for part, _role in row)


def clip(text: str, size: int) -> str:
    """The text in exactly ``size`` cells: padded, or cut with an ellipsis. Unsafe characters are shown as escapes."""
    text = safe(text)
    if size <= 0:
        return ""
    wide = cells(text)
    if wide > size:
        text = _cut(text, size - 1) + "…"
        wide = cells(text)
    return text + " " * (size - wide)


def squeeze(title: str, size: int) -> str:
    """A title in at most ``size`` cells: what it begins with, the word before the function, the function, for by these
    it is told from others of its kind.
    """
    title = safe(title)
    if cells(title) <= size:
        return title
    head, where, function = title.rpartition(" in ")
    first, _, last = head.rpartition(" ")
    for lead, tail in ((first, f" {last}{where}{function}"), (head, where + function)):
        room = size - cells(tail) - 1
        if where and room >= LEAST:
            return _cut(lead, room).rstrip(" :") + "…" + tail
    return clip(title, size).rstrip()


def ending(text: str, size: int) -> str:
    """The end of a path, which tells more than its beginning, in at most ``size`` cells."""
    cut, text = len(text) > size, safe(text[-size:])  # a character has a cell at least
    if not cut and cells(text) <= size:
        return text
    while text and cells(text) > size - 1:
        text = text[1:]
    return "…" + text


def input_name(name: str, size: int) -> str:
    """The name of an input in at most ``size`` cells: of a member of an archive the archive's name and the end of the
    member's, of anything else the end of its path.
    """
    archive, inside, member = name.partition("!")
    held = safe(archive.rpartition("/")[2]) + inside
    room = size - cells(held)
    if not inside or len(name) <= size or room < LEAST:
        return ending(name, size)
    return held + ending(member, room)


def _cut(text: str, size: int) -> str:
    if text.isascii():
        return text[:size]
    while cells(text) > size:
        text = text[:-1]
    return text


def wrap(text: str, size: int, hang: int = 0) -> Iterator[str]:
    """The text in lines of at most ``size`` cells, broken at blanks where there are any.

    Args:
        text: Log text or prose; unsafe characters are shown as escapes.
        size: Cells of a line.
        hang: Blanks before each line but the first, which are part of the size.
    """
    size = max(size, hang + 8)
    rest, indent = safe(text.rstrip()), ""
    while cells(indent + rest) > size:
        room = size - len(indent)
        head = _cut(rest[:room], room)
        blank = head.rfind(" ")
        if blank > room // 2 and not rest[len(head) :].startswith(" "):
            head = head[:blank]
        yield indent + head
        rest = rest[len(head) :].lstrip(" ")
        indent = " " * hang
    yield indent + rest


def paragraph(text: str, size: int, role: str = "", lead: Row | None = None) -> Iterator[Row]:
    """Prose as rows; ``lead`` stands before the first line, and the others hang under it."""
    lead = lead or []
    hang = cells(text_of(lead))
    first = True
    for part in text.split("\n"):
        for line in wrap(part, size - hang):
            yield [*lead, (line, role)] if first else [(" " * hang + line, role)]
            first = False


def ordinal(turn: int) -> str:
    """``first`` for 0."""
    return {0: "first", 1: "second", 2: "third"}.get(turn, f"{turn + 1}th")
