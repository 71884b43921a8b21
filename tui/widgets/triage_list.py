"""The triage list: one row a report or signature, fitted to the width there is."""

import asyncio
import time
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from kb.tui.lists.catalog import SPARK, Catalog, LogCatalog
from kb.tui.lists.groups import Group
from kb.tui.lists.item import Item
from kb.tui.panes.rows import FIXES, MARKS, SEVERITIES, Row, clip, squeeze
from kb.tui.widgets.virtual_list import Lines

FIRST_ROW = 10.0
"""Seconds that a key waits for a row at most."""
RIGHT = ("count", "line", "when")
"""Columns of numbers."""
TITLE = 48
"""Cells that a title keeps, as far as titles are so long, whatever else there is to show."""
SHARE = 0.5
"""Of the width, what it keeps where that is more."""
COUNT = 7
HEADS = {"when": "time", "last": "last seen", "first": "first seen"}
"""What columns are called whose name is not that of the field."""
LOGGED = ("when", "case", "line", "spark", "host", "kind", "kernel")
"""Columns of a log beside title and count, those that matter most first."""
STORED = ("last", "spark", "case", "host", "kind", "kernel", "first")
"""Those of the store."""
PLACES = ("when", "last", "spark", "line", "host", "kind", "first", "kernel", "case")
"""From left to right."""


def times(count: int) -> str:
    """How often, in at most :data:`COUNT` cells."""
    if count < 2:
        return "1"
    return (
        f"×{count:,}" if count < 100_000 else f"×{count // 1000:,}k" if count < 10_000_000 else f"×{count // 10**6:,}M"
    )


class TriageList(Lines):
    """Rows of a catalog, of which the visible ones are asked for."""

    DEFAULT_CSS = "TriageList { overflow-x: hidden; overflow-y: scroll; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open"),
        Binding("space,m", "mark", "Mark", show=False),
        Binding("z,plus,minus", "fold", "Unfold", show=False),
    ]

    class Marked(Message):
        """Other rows are marked than before."""

    def __init__(self, catalog: Catalog, *, stored: bool, id: str | None = None):
        super().__init__(id=id)
        self.catalog = catalog
        self.stored = stored
        self.marked: dict[str, Item] = {}
        self.drafts: frozenset[str] = frozenset()
        """Signatures with a note that is not saved yet."""

    @property
    def count(self) -> int:
        """Rows that the filter lets through."""
        return len(self.catalog)

    @property
    def item(self) -> Item | None:
        """The row under the cursor."""
        return self.catalog.at(self.cursor) if self.cursor < self.count else None

    async def ready(self) -> "Item | None":
        """The row under the cursor; while the first one is being read, a key that was typed ahead waits for it."""
        end = time.monotonic() + FIRST_ROW
        while self.item is None and self.catalog.busy in ("reading", "searching") and time.monotonic() < end:
            await asyncio.sleep(0.02)
        return self.item

    async def action_open(self) -> None:
        """Tell that the row was chosen."""
        if await self.ready() is not None:
            self.post_message(self.Chosen(self, self.cursor))

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
        return self.lay_out(item, index)

    def columns(self) -> list[tuple[str, int]]:
        """Names and cells of the columns: those that matter most while a title has room, the rest is the title's."""
        wide, order = self.catalog.wide, STORED if self.stored else LOGGED
        room = self.room - len("* ▲ ✓! ") - COUNT - 1
        keeps = min(wide["title"], max(TITLE, int(room * SHARE)))
        taken: dict[str, int] = {}
        for name in order:
            size = max(wide[name], len(self._headed(name)))
            if wide[name] and room - size - 1 >= keeps:
                taken[name] = size
                room -= size + 1
        shown = [(name, taken[name]) for name in PLACES if name in taken]
        signs = [("mark", 1), ("severity", 1), ("known", 2)]
        return [*signs, ("title", max(20, room)), ("count", COUNT), *shown]

    def heads(self) -> str:
        """The line above the rows."""
        return " ".join(
            self._headed(name).rjust(size) if name in RIGHT else clip(self._headed(name), size)
            for name, size in self.columns()
        )

    def _headed(self, name: str) -> str:
        if name in ("mark", "severity", "known"):
            return " "
        if name == "spark":
            return "8 weeks" if self.stored else "when"
        return HEADS.get(name, name)

    def _fold(self, index: int) -> tuple[str, Group | None]:
        """What stands before a title: how deep the row is, and whether something is folded under it; and its group."""
        if not isinstance(self.catalog, LogCatalog):
            return "", None
        _item, group, depth = self.catalog.shown(index)
        if group is None:
            return "  " * (depth + 1), None
        sign = ("▾ " if group.open else "▸ ") if group.folded else "  "
        return "  " * depth + sign, group

    def lay_out(self, item: Item, index: int) -> Row:
        """A row's cells."""
        before, group = self._fold(index)
        behind = (
            f"  +{group.followers} follow{'s' * (group.followers == 1)}"
            if group is not None and group.followers
            else ""
        )
        grave, colour = SEVERITIES.get(item.severity, SEVERITIES[""])
        sign, role = MARKS[item.verdict]
        mark = "*" if item.mark in self.marked else "✎" if item.signature in self.drafts else " "
        count = item.count if group is not None or self.stored else 1
        hosts = len(group.hosts) if group is not None else item.hosts
        cells: dict[str, tuple[str, str]] = {
            "mark": (mark, "key"),
            "severity": (grave, colour),
            "known": (sign, role),
            "title": (self._titled(before, item, behind), colour if item.severity in ("stop", "act") else ""),
            "count": (times(count), "" if count > 1 else "dim"),
            "when": (item.last or "-", "dim"),
            "last": (item.last[:10], "dim"),
            "first": (item.first[:10], "dim"),
            "spark": (self._when(group, item), ""),
            "line": (f"L{item.span[0]}", "dim"),
            "host": (f"{hosts} hosts" if hosts > 1 else item.host or "-", "dim"),
            "kind": (item.kind, "dim"),
            "kernel": (item.kernel or "-", "dim"),
            "case": (item.case or "", role if item.verdict else "dim"),
        }
        row: Row = []
        for name, size in self.columns():
            text, look = cells[name]
            if name == "known":
                row += [(text, look), FIXES[item.fix], (" ", "")]
                continue
            row += [(text.rjust(size)[-size:] if name in RIGHT else clip(text, size), look), (" ", "")]
        return row[:-1]

    def _titled(self, before: str, item: Item, behind: str) -> str:
        """A title cut so that what stands behind it is seen; whether it is whole is told where there is room."""
        size = next(size for name, size in self.columns() if name == "title")
        title = before + squeeze(item.title, size - len(before) - len(behind)) + behind
        return title + (f"  (corrupted: {item.corrupted})" if item.corrupted else "")

    def _when(self, group: Group | None, item: Item) -> str:
        if isinstance(self.catalog, LogCatalog):
            return self.catalog.when(group, SPARK) if group is not None else ""
        return item.spark

    def action_fold(self) -> None:
        """Unfold the row, or fold it again."""
        place = self.catalog.fold(self.cursor) if isinstance(self.catalog, LogCatalog) else None
        if place is not None:
            self.cursor = place
            self.changed()

    def action_mark(self) -> None:
        """Mark the row, or unmark it, and go on to the next."""
        item = self.item
        if item is None:
            return
        if self.marked.pop(item.mark, None) is None:
            self.marked[item.mark] = item
        self.refresh_line(self.cursor)
        self.post_message(self.Marked())
        self.action_move(1)

    def unmark(self) -> None:
        """No row is marked."""
        self.marked.clear()
        self.refresh()
        self.post_message(self.Marked())
