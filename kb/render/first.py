"""The first screen of a report: the answer in at most eight lines, however long its parts are."""

from kb.identity.group import Group
from kb.model.verdict import Diagnosis
from kb.render.answer import answer, in_module
from kb.render.fit import Room, fit
from kb.render.safe import pad, safe, spans, width, wrap
from kb.words.speak import Words

FIRST = 8
"""Lines of a first screen."""
_LABEL = 12
_WIDE = 80
"""Cells from which on a title is one line, as those who search for it want it."""
_COLOR = {
    "holds": "32",
    "yes": "32",
    "excluded": "2",
    "no": "31",
    "unknown": "33",
    "maybe": "33",
    "title": "1",
    "head": "1;36",
    "harmless": "32",
    "watch": "33",
    "act": "1;33",
    "stop": "1;31",
}


class Page:
    """Lines being written: labels in one column, text wrapped in the next."""

    def __init__(self, color: bool, width: int, words: Words):
        self.color = color
        self.width = width
        self.words = words
        self.lines: list[str] = []

    def paint(self, text: str, role: str) -> str:
        """The text, safe to print, in the colour of what it says."""
        text = safe(text)
        return f"\x1b[{_COLOR[role]}m{text}\x1b[0m" if self.color and role in _COLOR else text

    def plain(self, text: str = "") -> None:
        """Write a line."""
        self.lines.append(text)

    def section(self, name: str) -> None:
        """Write the head of a section."""
        self.lines += ["", self.paint(name, "head")]

    def row(self, label: str, text: str, role: str = "", indent: int = 2) -> None:
        """A label and its text, wrapped under itself."""
        self.lines += self.lined(label, wrap(safe(text), self.width - indent - _LABEL) or [""], role, indent)

    def lined(self, label: str, rows: list[str], role: str = "", indent: int = 2) -> list[str]:
        """The lines of a label and the rows beside it."""
        first = " " * indent + self.paint(pad(label, _LABEL), role) + rows[0]
        return [first.rstrip(), *(" " * (indent + _LABEL) + row for row in rows[1:])]


def _head(title: str, place: str, cells: int) -> list[str]:
    """The lines of a title, on a narrow terminal broken at blanks; its place goes behind the last of them."""
    whole = safe(title)
    if cells >= _WIDE or width(whole + place) <= cells:
        return [whole]
    return wrap(whole, cells - width(place)) or [whole]


def first_screen(page: Page, found: Diagnosis, group: Group | None, most: int | None, number: int, paths: bool) -> None:
    """Write the answer.

    Args:
        page: Where to.
        found: The diagnosis.
        group: The equal reports that it stands for.
        most: Lines that it may take; None: all of its text.
        number: Of the report in the run.
        paths: Name the inputs as they were given.
    """
    report, words = found.report, page.words
    title, place = report.title + in_module(report), f"   {spans((report.span,))}"
    parts = answer(found, words, group, paths=paths)
    if most is None:
        page.plain(page.paint(title, "title") + place)
        for part in parts:
            page.row(part.label, part.text, part.role)
        return
    more = f"{words('label.more')}: kb match -v --report {number}"
    head = _head(title, place, page.width)
    room = Room(page.width - 2 - _LABEL, page.width - width(head[-1] + place), most - len(head))
    beside, rows = fit(parts, room, more)
    page.lines += [page.paint(line, "title") for line in head[:-1]]
    page.plain(page.paint(head[-1], "title") + place + beside)
    for label, role, lines in rows:
        page.lines += page.lined(label, lines, role)
