"""The raw log by physical line: numbers, lit lines, search, wrap, a block to copy."""

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.geometry import Size

from kb.model.log import Span
from kb.render.safe import safe
from kb.render.safe import width as cells
from kb.tui.doc import Doc
from kb.tui.panes.rows import Row
from kb.tui.widgets.virtual_list import Lines

AT_ONCE = 20_000
"""Lines of a log that are wrapped without a thread: some 60 ms."""

LONGEST = 4000
"""Characters of a line that are shown; a longer one ends in how many more there are."""

NOWHERE = (0, 0)
"""Of a log that is shown without a report."""


class LogView(Lines):
    """A document; line ``n`` of it is row ``n - 1`` unless it is wrapped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "wrap", "Wrap"),
        Binding("n", "again(1)", "Next hit", show=False),
        Binding("N", "again(-1)", "Hit before", show=False),
        Binding("v", "block", "Select", show=False),
    ]

    rests = opens = False

    def __init__(self, *, id: str | None = None):
        super().__init__(id=id)
        self.doc = Doc.of("-", b"")
        self.lit: tuple[Span, ...] = ()
        self.report: Span = (0, 0)
        self.understood: frozenset[int] = frozenset()
        self.words = ""
        self.block: int | None = None
        self._revealed: int | None = None  # the line that was brought into sight, until the cursor leaves it
        self._tops: array[int] | None = None  # first row of each line, when wrapped
        self._wrapped_at = 80  # cells of a row then

    def on_mount(self) -> None:
        """A log that is still being read grows."""
        self.set_interval(0.5, self._grown)

    def _grown(self) -> None:
        if self._tops is None and self.count != self.virtual_size.height:
            self.changed()
        elif self._tops is not None and len(self._tops) <= len(self.doc):
            self._wrap(self.line)

    def show(self, doc: Doc, report: Span, understood: Iterable[int]) -> None:
        """Another report, or the same in another document."""
        self.doc, self.report, self.understood = doc, report, frozenset(understood)
        self.lit, self.block, self._tops, self._revealed = (), None, None, None
        self.changed()
        self.reveal(report[0])

    def light(self, evidence: Iterable[Span]) -> None:
        """Light lines up, and bring the first into sight."""
        self.lit = tuple(evidence)
        self.refresh()
        if self.lit:
            self.reveal(min(first for first, _last in self.lit))

    def reveal(self, number: int, *, again: bool = True) -> None:
        """Put the cursor on a line, with some lines before it in sight.

        How far it can scroll, and whether a scrollbar takes a row, may not be known before a layout: what is out of
        sight then is revealed ``again``; where the pane gets another height, :meth:`on_resize` places it anew.
        """
        self._revealed = number
        if not self.tall or not self.count:  # not laid out yet: how much is in sight is not known
            return
        row, top = self._row_of(number), round(self.scroll_y)
        if not top + 1 <= row < top + self.tall - 2:
            self._place(row)
        self.cursor = max(0, min(row, self.count - 1))
        if again:
            self.call_after_refresh(self._still, number)

    def _place(self, row: int) -> None:
        """A third of what is in sight lies before a row."""
        self.scroll_to(y=max(0, row - self.tall // 3), animate=False, immediate=True)

    def _still(self, number: int) -> None:
        """Reveal a line once more, unless it is in sight or the cursor has left it."""
        if self.line == number and not self.in_sight(number):
            self.reveal(number, again=False)

    def in_sight(self, number: int) -> bool:
        """Whether a line is in sight."""
        top = round(self.scroll_y)
        return top <= self._row_of(number) < top + self.tall

    @property
    def line(self) -> int:
        """The line under the cursor, 1-based."""
        return self._line_of(self.cursor)[0]

    @property
    def count(self) -> int:
        """Rows: lines, or what they wrap to."""
        return self._tops[-1] if self._tops is not None else len(self.doc)

    @property
    def extent(self) -> int:
        """Wide enough for what is in sight, so that sideways scrolling has an end."""
        if self._tops is not None:
            return self.room
        first = max(0, round(self.scroll_y) - 200)
        longest = max((self._length(n) for n in range(first, min(first + 600, len(self.doc)))), default=0)
        return max(self.room, min(longest, LONGEST) + self._gutter)

    def _length(self, index: int) -> int:
        return self.doc.start(index + 2) - self.doc.start(index + 1)

    @property
    def _gutter(self) -> int:
        return len(str(max(1, len(self.doc)))) + 3

    def _line_of(self, row: int) -> tuple[int, int]:
        """Line and part of a row."""
        if self._tops is None:
            return row + 1, 0
        index = bisect_right(self._tops, row) - 1
        return index + 1, row - self._tops[index]

    def _row_of(self, number: int) -> int:
        if self._tops is None or not len(self.doc):
            return number - 1
        return self._tops[max(0, min(number, len(self.doc)) - 1)]

    def row(self, index: int) -> Row:
        """Number, a mark, the text."""
        number, part = self._line_of(index)
        if number > len(self.doc):
            return []
        role, mark = self._standing(number)
        text = shown(self.doc.text(number))
        if self._tops is not None:
            parts = pieces(text, self._wrapped_at)
            text = parts[part] if part < len(parts) else ""
        head = f"{number:>{self._gutter - 3}} " if not part else " " * (self._gutter - 2)
        return [(head, "dim"), (mark + " ", role if role == "lit" else "dim"), *self._found(text, role)]

    def _standing(self, number: int) -> tuple[str, str]:
        if self.block is not None and min(self.block, self.line) <= number <= max(self.block, self.line):
            return "found", "█"
        if any(first <= number <= last for first, last in self.lit):
            return "lit", "▶"
        if self.report == NOWHERE:
            return "", " "
        if not self.report[0] <= number <= self.report[1]:
            return "dim", " "
        return ("", "│") if number in self.understood else ("dim", "·")

    def _found(self, text: str, role: str) -> Row:
        if not self.words:
            return [(text, role)]
        row: Row = []
        low, word, at = text.lower(), self.words.lower(), 0
        while (hit := low.find(word, at)) >= 0 and len(row) < 100:
            row += [(text[at:hit], role), (text[hit : hit + len(word)], "found")]
            at = hit + len(word)
        return [*row, (text[at:], role)]

    def search(self, words: str, *, from_line: int | None = None, step: int = 1) -> bool:
        """Go to the next line that holds the words, round the end; False where none does."""
        self.words = words
        self.rests = bool(words)  # while words are typed the cursor shows which hit it is
        self.refresh()
        if not words:
            return True
        doc, word = self.doc, words.encode("utf-8", "surrogateescape")
        start = self.line if from_line is None else from_line
        if step > 0:
            here = doc.start(start + 1)
            at = doc.find(word, here, doc.size)
            at = at if at >= 0 else doc.find(word, 0, here)
        else:
            here = doc.start(start)
            at = doc.rfind(word, 0, here)
            at = at if at >= 0 else doc.rfind(word, here, doc.size)
        if at < 0:
            return False
        self.reveal(doc.line_at(at))
        return True

    def action_again(self, step: int) -> None:
        """The next hit, or the one before."""
        if self.words and not self.search(self.words, step=step):
            self.notify(f"{self.words!r} is not in the log", markup=False)

    def action_wrap(self) -> None:
        """Wrap long lines, or stop it."""
        line = self.line if self.count else 1
        if self._tops is None:
            self._wrap(line)
        else:
            self._lay_out(None, line)

    def _lay_out(self, tops: "array[int] | None", line: int) -> None:
        self._tops = tops
        self.scroll_to(x=0, animate=False, immediate=True)
        self.changed()
        self.reveal(line)

    def _wrap(self, line: int) -> None:
        room = self._wrapped_at = max(8, self.room - self._gutter)
        if len(self.doc) <= AT_ONCE:
            self._lay_out(wrapped(self.doc, room), line)
        else:
            self._wrap_behind(self.doc, room, line)

    @work(exclusive=True, group="wrap")
    async def _wrap_behind(self, doc: Doc, room: int, line: int) -> None:
        tops = await asyncio.to_thread(wrapped, doc, room)
        if doc is self.doc and room == self._wrapped_at:
            self._lay_out(tops, line)

    def on_resize(self) -> None:
        """Wrapped lines wrap elsewhere; what was revealed stands where it would in a pane of this height."""
        revealed = self._revealed
        if self._tops is not None:
            self._wrap(revealed or self.line)
        else:
            self.virtual_size = Size(self.extent, self.count)
            self.refresh()
            if revealed is not None and self.tall:
                self._place(self._row_of(revealed))
                self.reveal(revealed)

    def action_block(self) -> None:
        """Begin a block at the cursor, or drop it."""
        self.block = self.line if self.block is None else None
        self.refresh()

    def watch_cursor(self, old: int, new: int) -> None:
        """A block grows with the cursor."""
        super().watch_cursor(old, new)
        if self._revealed is not None and new != self._row_of(self._revealed):
            self._revealed = None
        if self.block is not None:
            self.refresh()

    @property
    def selected(self) -> Span:
        """The block, the lit lines, or the line under the cursor."""
        if self.block is not None:
            return (min(self.block, self.line), max(self.block, self.line))
        return (self.line, self.line)

    def copied(self) -> str:
        """What is to be copied: the block, else the lit lines, else the line under the cursor."""
        spans = [self.selected] if self.block is not None or not self.lit else sorted(self.lit)
        numbers = dict.fromkeys(n for first, last in spans for n in range(first, last + 1) if 1 <= n <= len(self.doc))
        return "\n".join(self.doc.text(number).encode("utf-8", "replace").decode() for number in numbers)


def wrapped(doc: Doc, room: int) -> "array[int]":
    """The first row of each line, wrapped at ``room`` cells, and the number of rows."""
    tops, at = array("Q", [0]), 0
    for number in range(1, len(doc) + 1):
        raw = doc.raw(number)
        short = len(raw) <= room // 4  # an escape makes four cells of a byte
        at += 1 if short else len(pieces(shown(doc.text(number)), room))
        tops.append(at)
    return tops


def shown(text: str) -> str:
    """A line as it is shown: tabs as blanks, nothing that drives a terminal, its end cut where it is endless."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … {len(text) - LONGEST} characters more"
    return safe(text.expandtabs(8) if "\t" in text else text)


def pieces(text: str, room: int) -> list[str]:
    """A shown line in pieces of at most ``room`` cells; at least one piece."""
    if text.isascii():
        return [text[at : at + room] for at in range(0, len(text), room)] or [""]
    out, part, size = [], "", 0
    for char in text:
        wide = cells(char)
        if size + wide > room:
            out.append(part)
            part, size = "", 0
        part, size = part + char, size + wide
    return [*out, part]
