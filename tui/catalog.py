"""The rows of the triage list: of a log (in memory) or of the store (in pages), filtered and sorted."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Protocol

from kb.errors import StoreError
from kb.render.answer import severity_of_kind
from kb.store.browse import Browsed, Browser, Order
from kb.tui.desk import Item
from kb.tui.groups import Folds, Group, Shown
from kb.tui.query import Query, read
from kb.tui.spark import spark

ORDERS: tuple[Order, ...] = ("last", "first", "count", "title", "kind")
SPARK = 12
MOST = {"when": 19, "spark": SPARK, "line": 9, "host": 14, "kind": 18, "kernel": 20, "case": 28}
"""Cells that a column of a log takes at most."""
STORED = {"last": 10, "spark": 8, "host": 14, "kind": 18, "first": 10, "kernel": 20, "case": 26}
"""Cells of those of the store, of which only the rows in sight are known."""
PAGE = 100
PAGES = 60


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
        texts = {"when": item.last, "host": item.host, "kind": item.kind, "kernel": item.kernel, "case": item.case}
        texts |= {"line": f"L{item.span[0]}", "spark": " " * SPARK * (len(self._items) > 1)}
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


class StoreCatalog:
    """Signatures of a store: their ids in order, and pages of rows around what is looked at.

    Args:
        path: The store's file; where there is none yet the catalog is empty.
        changed: Called on any thread when rows came in.
        on_error: Called on any thread with what the store answers.
    """

    def __init__(self, path: Path, changed: Callable[[], None], on_error: Callable[[StoreError], None]):
        self._path, self._changed, self._on_error = path, changed, on_error
        self._ids: array[int] = array("Q")
        self._pages: OrderedDict[int, list[Item]] = OrderedDict()
        self._wanted: set[int] = set()
        self._verdicts: dict[str, tuple[str | None, str, str, str]] = {}
        self._generation = 0
        self._lock = Lock()  # ids and pages are written by two threads and read by a third, what is busy by two
        self._scanner = ThreadPoolExecutor(1, "kb-scan")
        self._pager = ThreadPoolExecutor(1, "kb-page")
        self._scan: Browser | None = None
        self._page: Browser | None = None
        self._counted = False
        self.total = 0
        self.busy = ""
        self._typed = ""
        self.wrong = ""
        """What was mistyped in the filter."""
        self.known: dict[str, set[str]] = {}
        """Values of the filter's fields, once they were read."""
        self.wide = STORED

    def __len__(self) -> int:
        return len(self._ids)

    def at(self, index: int) -> Item | None:
        """A row, or None and it is fetched."""
        number = index // PAGE
        with self._lock:
            page = self._pages.get(number)
            if page is not None:
                self._pages.move_to_end(number)
        if page is None:
            self._want(number)
            return None
        return page[index % PAGE] if index % PAGE < len(page) else None

    def judged(self, item: Item, case: str | None, verdict: str, fix: str = "", severity: str = "") -> None:
        """A row was diagnosed: remember what came of it."""
        self._verdicts[item.signature] = (case, verdict, fix, severity or item.severity)
        item.case, item.verdict, item.fix, item.severity = self._verdicts[item.signature]

    def look(self, words: str, order: Order, descending: bool) -> None:
        """Filter and sort: the first screenful comes at once, the rest behind it. A newer call ends an older one."""
        there = self._path.exists()
        query = read(words, self.known)
        self._typed, words, self.wrong = words, query.stored, query.wrong
        with self._lock:
            self._generation += 1
            self.busy = "" if not there else "searching" if words else "reading"
        if self._scan is not None:
            self._scan.interrupt()
        if not there:
            self._changed()
            return
        self._start(self._scanner, self._run, self._generation, words, order, descending)

    @staticmethod
    def _start(pool: ThreadPoolExecutor, work: Callable[..., None], *args: object) -> "Future[None] | None":
        try:
            return pool.submit(work, *args)
        except RuntimeError:  # closed
            return None

    def _run(self, generation: int, words: str, order: Order, descending: bool) -> None:
        if generation != self._generation:
            return
        try:
            self._scan = self._scan or Browser(self._path)
            if words and not self._counted:  # nobody read all of them yet
                self.total, self._counted = self._scan.total(), True
            first = True
            for piece in self._scan.ids(order, descending=descending, words=words):
                if generation != self._generation:
                    return
                self._take(piece, first, bool(words))
                first = False
            if first:
                self._take(array("Q"), True, bool(words))
            self._counted = self._counted or not words
            if not self.known and generation == self._generation:
                self.known = self._scan.values()
                self.wrong = read(self._typed, self.known).wrong
        except StoreError as error:
            if generation == self._generation:
                self._on_error(error)
        finally:
            with self._lock:
                newest = generation == self._generation
                if newest:
                    self.busy = ""
            if newest:
                self._changed()

    def _take(self, piece: "array[int]", first: bool, filtered: bool) -> None:
        with self._lock:
            if first:
                self._ids = array("Q")
                self._pages.clear()
                self._wanted.clear()
            # a page that was cut short by the end of the ids known so far is read again
            self._pages.pop(len(self._ids) // PAGE, None)
            self._ids.extend(piece)
        if not filtered:
            self.total = max(len(self._ids), self.total)
        self._changed()

    def _want(self, number: int) -> None:
        if number not in self._wanted:
            self._wanted.add(number)
            self._start(self._pager, self._fetch, self._generation, number)

    def _fetch(self, generation: int, number: int) -> None:
        if generation != self._generation:
            self._wanted.discard(number)
            self._changed()  # asked again if it is still in sight
            return
        with self._lock:
            ids = self._ids[number * PAGE : (number + 1) * PAGE]
        try:
            self._page = self._page or Browser(self._path)
            when = self._page.spread(ids)
            rows = [self._item(row, when.get(row.id)) for row in self._page.rows(ids)]
        except StoreError as error:
            self._on_error(error)
            return
        with self._lock:
            if ids == self._ids[number * PAGE : (number + 1) * PAGE]:
                self._pages[number] = rows
                while len(self._pages) > PAGES:
                    self._pages.popitem(last=False)
        self._wanted.discard(number)
        self._changed()

    def _item(self, row: Browsed, when: list[int] | None) -> Item:
        item = item_of_row(row, when)
        known = self._verdicts.get(row.signature)
        if known is not None:
            item.case, item.verdict, item.fix, item.severity = known
        return item

    def close(self) -> None:
        """Stop; a search that runs is ended."""
        self._generation += 1
        if self._scan is not None:
            self._scan.interrupt()
        for pool in (self._scanner, self._pager):
            pool.shutdown(wait=False, cancel_futures=True)


def item_of_row(row: Browsed, when: list[int] | None) -> Item:
    """A signature of the store as a row; ``when`` are its sightings a week."""
    return Item(
        number=row.id, signature=row.signature, title=row.title, kind=row.kind, kernel=row.kernel, count=row.count,
        first=row.first, last=row.last, case=row.case, severity=severity_of_kind(row.kind), host=row.host,
        hosts=row.hosts, spark=spark(when or []),
    )  # fmt: skip
