"""The rows of the triage list, filtered and sorted: what the list asks for, and those of a log."""

from collections.abc import Callable, Iterable
from typing import Protocol

from kb.store.browse import Order
from kb.tui.lists.groups import Folds, Group, Shown
from kb.tui.lists.item import Item
from kb.tui.lists.query import Query, read

ORDERS: tuple[Order, ...] = ("last", "first", "count", "title", "kind")
SPARK = 12
MOST = {"title": 200, "when": 19, "spark": SPARK, "line": 9, "host": 14, "kind": 23, "kernel": 20, "case": 28}
"""Cells that a column of a log takes at most."""


class Catalog(Protocol):
    """What the list shows."""

    @property
    def total(self) -> int:
        """Rows there are."""
        ...

    @property
    def busy(self) -> str:
        """What is going on, nothing when all is there."""
        ...

    @property
    def wrong(self) -> str:
        """What was mistyped in the filter."""
        ...

    @property
    def known(self) -> dict[str, set[str]]:
        """Values of the filter's fields, as far as they were met."""
        ...

    @property
    def wide(self) -> dict[str, int]:
        """Cells of the columns: those that no row fills have none."""
        ...

    def __len__(self) -> int:
        """Rows the filter lets through."""
        ...

    def at(self, index: int) -> Item | None:
        """One of them; None while it is fetched."""
        ...

    def look(self, words: str, order: Order, descending: bool) -> None:
        """Filter and sort."""
        ...

    def close(self) -> None:
        """Stop what runs."""
        ...


class LogCatalog:
    """Reports of a log, as they are found: equal ones are one row, what follows from another is folded under it."""

    def __init__(self, changed: Callable[[], None]):
        self._changed = changed
        self._items: list[Item] = []
        self._view: list[Shown] = []
        self._query = Query()
        self._order: Order = "first"
        self._descending = False
        self._folds = Folds()
        self._clock = True
        self._ends = (0.0, 0.0)
        self.flat = False
        """Whether each report has a row of its own."""
        self.known: dict[str, set[str]] = {name: set() for name in ("kind", "host", "case", "kernel")}
        self.wide = dict.fromkeys(MOST, 0)
        self.busy = "reading"  # until who reads says otherwise

    @property
    def total(self) -> int:
        """Reports read so far."""
        return len(self._items)

    @property
    def items(self) -> list[Item]:
        """All of them, in the order of the log."""
        return self._items

    @property
    def reports(self) -> int:
        """Reports that the rows stand for."""
        return sum(map(self._passes, self._items)) if self._query != Query() else self.total

    def __len__(self) -> int:
        return len(self._view)

    def at(self, index: int) -> Item | None:
        """The report of a row, or the first of those it stands for."""
        return self._view[index].item if 0 <= index < len(self._view) else None

    def shown(self, index: int) -> Shown:
        """A row of the view."""
        return self._view[index]

    def group_of(self, item: Item) -> Group:
        """The reports that say the same as this one."""
        return self._folds.of(item)

    def when(self, group: Group, cells: int) -> str:
        """When the reports of a group were printed, over the time of the log; over its reports where none is known."""
        first, last = self._ends
        if self._clock and first < last:
            return group.when(lambda item: item.at or 0.0, first, last, cells)
        return group.when(lambda item: item.number, 0, max(1, len(self._items) - 1), cells)

    def clear(self) -> None:
        """The log is read anew."""
        self._items, self._view, self._folds = [], [], Folds()
        self.wide = dict.fromkeys(MOST, 0)
        self._clock, self._ends = True, (0.0, 0.0)

    def add(self, items: Iterable[Item]) -> None:
        """Rows that were found; their place in a sorted view is found when the reading ends."""
        for item in items:
            self._items.append(item)
            self._measure(item)
            new = self._folds.add(item)
            for name, value in (("kind", item.kind), ("host", item.host), ("case", item.case), ("kernel", item.kernel)):
                if value:
                    self.known[name].add(value)
            self._widen(item)
            if self.flat and self._passes(item):
                self._view.append(Shown(item, None, 0))
            elif new is not None and new.cause is None and self._passes(item):
                self._view.append(Shown(item, new, 0))

    def _widen(self, item: Item) -> None:
        """Columns that are as wide as what stands in them."""
        texts = {"title": f"▸ {item.title}", "when": item.last, "host": item.host, "kind": item.kind}
        texts |= {"kernel": item.kernel, "case": item.case, "line": f"L{item.span[0]}"}
        texts |= {"spark": " " * SPARK * (len(self._items) > 1)}
        for name, text in texts.items():
            self.wide[name] = min(MOST[name], max(self.wide[name], len(text or "")))

    def _measure(self, item: Item) -> None:
        """The span of time of the log; one whose clock is not printed, or begins anew, is measured in reports."""
        first, last = self._ends
        if item.at is None or (len(self._items) > 1 and item.at < last - 1):
            self._clock = False
        elif len(self._items) == 1:
            self._ends = item.at, item.at
        else:
            self._ends = first, max(last, item.at)

    def sort(self) -> None:
        """Bring the view in order; counts are known now."""
        self._lay_out()
        self._changed()

    def look(self, words: str, order: Order, descending: bool) -> None:
        """Filter and sort; a hundred thousand rows take some 50 ms."""
        self._query, self._order, self._descending = read(words, self.known), order, descending
        self._lay_out()
        self._changed()

    def fold(self, index: int) -> int | None:
        """Unfold the row, or fold what it is of; the index of the row it is of, None where there is nothing to fold."""
        if not 0 <= index < len(self._view):
            return None
        item, group, _depth = self._view[index]
        if group is None or (not group.folded and group.cause is not None):
            group = self._folds.of(item) if group is None else group.cause
        if group is None or not group.folded:
            return None
        group.open = not group.open
        self._lay_out()
        return next((place for place, row in enumerate(self._view) if row.group is group), 0)

    def flatten(self) -> None:
        """A row a report, or a row a group again."""
        self.flat = not self.flat
        self._lay_out()

    def _lay_out(self) -> None:
        order = self._order
        key = (
            None if order in ("first", "last") else lambda item: getattr(item, order)
        )  # the log's order is that of time
        if self.flat:
            self._view = [Shown(item, None, 0) for item in self._items if self._passes(item)]
            if key is not None:
                self._view.sort(key=lambda row: key(row.item), reverse=self._descending)
            elif self._descending:
                self._view.reverse()
        else:
            self._view = self._folds.rows(self._passes, key, self._descending)

    def _passes(self, item: Item) -> bool:
        query = self._query
        for name, value in query.fields:
            if value not in (getattr(item, name) or "").lower():
                return False
        if query.ago is not None and not self._since(item, query):
            return False
        if not query.words:
            return True
        text = item.words
        return all(word in text for word in query.words)

    def _since(self, item: Item, query: Query) -> bool:
        """Whether it was printed since: by its date, or by its clock before the log's last report."""
        if item.last[:4].isdigit() and item.last[4:5] == "-":
            return item.last.replace(" ", "T") >= query.since
        return item.at is None or item.at >= self._ends[1] - (query.ago or 0)

    @property
    def wrong(self) -> str:
        """What was mistyped."""
        return self._query.wrong

    def close(self) -> None:
        """Nothing runs."""
