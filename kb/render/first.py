"""The first screen of a report: the answer in at most eight lines, however long its parts are."""

import re
from collections.abc import Mapping

from kb.identity.group import Group
from kb.model.verdict import Diagnosis
from kb.render.advice import bare
from kb.render.answer import Part, answer, in_module, sentence
from kb.render.safe import pad, safe, spans, width, wrap
from kb.words.speak import Words

FIRST = 8
"""Lines of a first screen."""
_LABEL = 12
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
_CUT = "…"
_STOPS = re.compile(r"(?<=[\w)\]'\"`%])(?:[.!?](?= +[A-Z(\[`'\"_]|$)|;(?= )|: (?=[a-z]))|[。；]")
"""Where a text may end and still say something whole: a sentence, a clause."""
_SAYS = ("risk", "cause", "found")
"""Parts that are shortened to what is whole, the first clause at least: half a warning is none."""
_GIVE = ("seen", "then", "printed", "known", "status", "fix", "next", "damaged", "risk", "cause", "found", "now")
"""Parts that give up lines where there are too many, the first ones before the others."""
_WHOLE = {"now": 3, "cause": 2}
"""Lines that a part keeps as long as others have more than one."""
_WARNING = 2
"""Lines that the first sentence of a risk keeps, and what this report tells of its own, at most."""
_DROP = ("cause", "next", "damaged", "printed", "status", "fix")
"""Parts that are left out where one line of each is still too much: they stand under ``-v``. The cause that all reports
of a case share only where this one tells something of its own."""


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
    page.plain(page.paint(report.title + in_module(report), "title") + f"   {spans((report.span,))}")
    parts = answer(found, words, group, paths=paths)
    if most is None:
        for part in parts:
            page.row(part.label, part.text, part.role)
    else:
        page.lines += _Fitted(page, parts, words("label.more"), f"kb match -v --report {number}").lines(most - 1)


class _Fitted:
    """The rows of an answer, made to fit into some lines, one of which says where the rest is."""

    def __init__(self, page: Page, parts: list[Part], label: str, more: str):
        self._page = page
        self._parts = {part.name: part for part in parts}
        self._room = page.width - 2 - _LABEL
        self._rows = {part.name: self._wrapped(_first(part)) for part in parts}
        self._more, self._label = more, label
        self._own_line = True
        self._holds = ""
        risk = self._parts.get("risk")
        self._keep = {"now": 3, "found": _WARNING}
        if risk is not None:
            self._keep["risk"] = self._warning(safe(risk.text))

    def lines(self, most: int) -> list[str]:
        """The lines."""
        self._shrink(most, {**_WHOLE, **self._keep})
        if self._count > most:
            self._join()
        if self._count > most:
            self._merge()
            self._shrink(most, {**_WHOLE, **self._keep})
        self._shrink(most, self._keep)
        for name in _DROP:
            if self._count > most and name in self._rows and (name != "cause" or "found" in self._rows):
                del self._rows[name]
                if name == self._holds:
                    self._join()
        self._shrink(most, {})
        if "found" in self._rows and self._rows.get("cause", [""])[-1].endswith(_CUT):
            del self._rows["cause"]  # half of what all such reports have in common, beside what this one says
        lines = []
        for name, rows in self._rows.items():
            lines += self._page.lined(self._parts[name].label, rows, self._parts[name].role)
        return [*lines, *(self._page.lined(self._label, [self._more]) if self._own_line else ())]

    @property
    def _count(self) -> int:
        return sum(map(len, self._rows.values())) + self._own_line

    def _wrapped(self, text: str) -> list[str]:
        return wrap(safe(text), self._room) or [""]

    def _shrink(self, most: int, keep: Mapping[str, int]) -> None:
        """Take lines away until the rows fit, as many of each part as it need not keep."""
        for name in _GIVE:
            over, least = self._count - most, keep.get(name, 1)
            if over > 0 and len(self._rows.get(name, ())) > least:
                rows = self._rows[name]
                self._rows[name] = self._shorter(name, max(least, len(rows) - over))

    def _shorter(self, name: str, kept: int) -> list[str]:
        """The first lines of a part: as much of it as is whole, else with a mark of omission."""
        text, rows = safe(_first(self._parts[name])), self._rows[name]
        whole = self._whole(text, kept) if name in _SAYS else None
        return _cut(rows, kept, self._room) if whole is None else whole

    def _warning(self, text: str) -> int:
        """Lines that a risk keeps: those of its first sentence."""
        end = next((stop.start() for stop in _STOPS.finditer(text) if stop[0][0] != ":"), len(text))
        return min(len(self._wrapped(text[:end])), _WARNING)

    def _whole(self, text: str, kept: int) -> list[str] | None:
        """The longest beginning of a text that says something whole and fits into some lines."""
        fits: dict[bool, list[str]] = {}
        for stop in _STOPS.finditer(text):
            rows = wrap(text[: stop.start()], self._room)
            if len(rows) <= kept:
                fits[stop[0][0] == ":"] = rows
        whole, opened = fits.get(False), fits.get(True)  # what stands before a colon is less than what it opens
        if whole is None or (opened is not None and 2 * sum(map(len, whole)) < sum(map(len, opened))):
            return opened
        return whole

    def _join(self) -> None:
        """Say where the rest is at the end of a row: of what to look at next, else of where it was seen."""
        behind = f"   {self._label}: {self._more}"
        self._own_line, self._holds = False, "seen"
        rows = self._rows.get("next", [])
        if rows and width(rows[-1]) + width(behind) <= self._room:
            self._holds = "next"
        elif "seen" not in self._rows:
            self._own_line = True
            return
        rows = self._rows[self._holds]
        room = self._room - width(behind)
        self._rows[self._holds] = [
            *rows[:-1],
            (rows[-1] if width(rows[-1]) <= room else _cut(rows[-1:], 1, room)[0]) + behind,
        ]

    def _merge(self) -> None:
        """Say in one row which case it is and whether it is mended."""
        if "status" in self._rows and "known" in self._rows:
            self._rows["known"] = self._wrapped(f"{self._parts['known'].short}; {self._parts['status'].text}")
            del self._rows["status"]


def _first(part: Part) -> str:
    """What of a part belongs on a first screen: of a cause one sentence, of a command not the note behind it."""
    return bare(part.text) if part.name == "next" else sentence(part.text) if part.name == "cause" else part.text


def _cut(lines: list[str], kept: int, room: int) -> list[str]:
    """The first lines, the last of them with a mark of omission."""
    last = lines[kept - 1]
    while width(last) > room - 1:
        last = last.rpartition(" ")[0] if " " in last else last[:-1]
    clause = max(last.rfind(mark) for mark in ("; ", ". ", "。"))
    if clause > len(last) // 2:
        last = last[:clause]
    return [*lines[: kept - 1], last.rstrip(" ,;:") + _CUT]
