"""The triage list: one row a report or signature, fitted to the width there is."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from kb.tui.catalog import Catalog, LogCatalog
from kb.tui.desk import Item
from kb.tui.rows import MARKS, Row, clip
from kb.tui.widgets.virtual_list import Lines


class TriageList(Lines):
    """Rows of a catalog, of which the visible ones are asked for."""

    DEFAULT_CSS = "TriageList { overflow-x: hidden; overflow-y: scroll; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Open"),
        Binding("space,m", "mark", "Mark", show=False),
    ]

    def __init__(self, catalog: Catalog, *, stored: bool, id: str | None = None):
        super().__init__(id=id)
        self.catalog = catalog
        self.stored = stored
        self.marked: dict[str, Item] = {}

    @property
    def count(self) -> int:
        """Rows that the filter lets through."""
        return len(self.catalog)

    @property
    def item(self) -> Item | None:
        """The row under the cursor."""
        return self.catalog.at(self.cursor) if self.cursor < self.count else None

    def alike(self, item: Item) -> list[Item]:
        """Other reports of this log with the same signature; in the store a signature is one row."""
        if not isinstance(self.catalog, LogCatalog):
            return []
        return [other for other in self.catalog.items if other.signature == item.signature and other is not item]

    def neighbour(self, step: int) -> Item | None:
        """Move the cursor and tell what is there: the report screen walks along the list."""
        index = self.cursor + step
        if not 0 <= index < self.count:
            return None
        self.cursor = index
        return self.catalog.at(index)

    def neighbours(self, item: Item) -> tuple[Item | None, Item | None]:
        """The reports of a log before and behind one, whatever the order of the rows."""
        if not isinstance(self.catalog, LogCatalog):
            return None, None
        items = [each for each in self.catalog.items if each.source == item.source]
        before = [each for each in items if each.span < item.span]
        behind = [each for each in items if each.span > item.span]
        span = lambda each: each.span  # noqa: E731
        return max(before, key=span, default=None), min(behind, key=span, default=None)

    def row(self, index: int) -> Row:
        """One row."""
        item = self.catalog.at(index)
        if item is None:
            return [("  …", "dim")]
        return self.lay_out(item)

    def columns(self) -> list[tuple[str, int]]:
        """Names and cells of the columns that fit: the title takes what the others leave, and never less than 30."""
        width = self.room
        wanted = [("mark", 1), ("known", 1), ("count", 7 if self.stored else 5), ("when", 16)]
        if self.stored:
            wanted[3] = ("last", 10)
            more = [("kind", 18, 110), ("first", 10, 130), ("kernel", 22, 150), ("case", 28, 90)]
        else:
            more = [("kind", 18, 130), ("line", 9, 80), ("kernel", 22, 150), ("case", 28, 90)]
        names = [*wanted[:2], ("title", 0), *wanted[2:]]
        names += [(name, size) for name, size, least in more if width >= least]
        rest = width - sum(size for name, size in names if name != "title") - len(names) + 1
        return [(name, max(20, rest) if name == "title" else size) for name, size in names]

    def heads(self) -> str:
        """The line above the rows."""
        names = {"mark": " ", "known": " ", "when": "time", "last": "last seen", "first": "first seen"}
        return " ".join(
            names.get(name, name).rjust(size) if name in ("count", "line") else clip(names.get(name, name), size)
            for name, size in self.columns()
        )

    def lay_out(self, item: Item) -> Row:
        """A row's cells."""
        sign, role = MARKS[item.verdict]
        cells: dict[str, tuple[str, str]] = {
            "mark": ("*" if item.mark in self.marked else " ", "key"),
            "known": (sign, role),
            "title": (item.title + (f"  (corrupted: {item.corrupted})" if item.corrupted else ""), ""),
            "count": (f"{item.count}", "" if item.count > 1 else "dim"),
            "when": (item.last or "-", "dim"),
            "last": (item.last[:10], "dim"),
            "first": (item.first[:10], "dim"),
            "line": (f"L{item.span[0]}", "dim"),
            "kind": (item.kind, "dim"),
            "kernel": (item.kernel or "-", "dim"),
            "case": (item.case or "", role if item.verdict else "dim"),
        }
        row: Row = []
        for name, size in self.columns():
            text, look = cells[name]
            row += [(text.rjust(size)[-size:] if name in ("count", "line") else clip(text, size), look), (" ", "")]
        return row[:-1]

    def action_mark(self) -> None:
        """Mark the row, or unmark it, and go on to the next."""
        item = self.item
        if item is None:
            return
        if self.marked.pop(item.mark, None) is None:
            self.marked[item.mark] = item
        self.refresh_line(self.cursor)
        self.action_move(1)
