"""The rows of the triage list: of a log (in memory) or of the store (in pages), filtered and sorted."""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Protocol

from kb.errors import StoreError
from kb.store.browse import Browsed, Browser, Order
from kb.tui.desk import Item

ORDERS: tuple[Order, ...] = ("last", "first", "count", "title", "kind")
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
    """Reports of a log, as they are found."""

    def __init__(self, changed: Callable[[], None]):
        self._changed = changed
        self._items: list[Item] = []
        self._view: list[Item] = []
        self._words: tuple[str, ...] = ()
        self._order: Order = "first"
        self._descending = False
        self._counts: dict[str, list[Item]] = {}
        self.busy = "reading"  # until who reads says otherwise

    @property
    def total(self) -> int:
        """Reports read so far."""
        return len(self._items)

    @property
    def items(self) -> list[Item]:
        """All of them, in the order of the log."""
        return self._items

    def __len__(self) -> int:
        return len(self._view)

    def at(self, index: int) -> Item | None:
        """A row of the view."""
        return self._view[index] if index < len(self._view) else None

    def clear(self) -> None:
        """The log is read anew."""
        self._items, self._view, self._counts = [], [], {}

    def add(self, items: Iterable[Item]) -> None:
        """Rows that were found; their place in a sorted view is found when the reading ends."""
        for item in items:
            same = self._counts.setdefault(item.signature, [])
            same.append(item)
            self._items.append(item)
            if self._passes(item):
                self._view.append(item)
            for other in same if len(same) < 100 else (item,):
                other.count = len(same)

    def sort(self) -> None:
        """Bring the view in order; counts are known now."""
        for same in self._counts.values():
            for item in same:
                item.count = len(same)
        self.look(" ".join(self._words), self._order, self._descending)

    def look(self, words: str, order: Order, descending: bool) -> None:
        """Filter and sort; a hundred thousand rows take some 50 ms."""
        self._words, self._order, self._descending = tuple(words.lower().split()), order, descending
        self._view = [item for item in self._items if self._passes(item)]
        if order in ("first", "last"):  # the log's own order is that of time
            if descending:
                self._view.reverse()
        else:
            self._view.sort(key=lambda item: getattr(item, order), reverse=descending)
        self._changed()

    def _passes(self, item: Item) -> bool:
        if not self._words:
            return True
        text = item.words
        return all(word[5:] in item.kind if word.startswith("kind:") else word in text for word in self._words)

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
        self._verdicts: dict[str, tuple[str | None, str]] = {}
        self._generation = 0
        self._lock = Lock()  # ids and pages are written by two threads and read by a third, what is busy by two
        self._scanner = ThreadPoolExecutor(1, "kb-scan")
        self._pager = ThreadPoolExecutor(1, "kb-page")
        self._scan: Browser | None = None
        self._page: Browser | None = None
        self._counted = False
        self.total = 0
        self.busy = ""

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

    def judged(self, item: Item, case: str | None, verdict: str) -> None:
        """A row was diagnosed: remember what came of it."""
        self._verdicts[item.signature] = (case, verdict)
        item.case, item.verdict = case, verdict

    def look(self, words: str, order: Order, descending: bool) -> None:
        """Filter and sort: the first screenful comes at once, the rest behind it. A newer call ends an older one."""
        there = self._path.exists()
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
            rows = [self._item(row) for row in self._page.rows(ids)]
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

    def _item(self, row: Browsed) -> Item:
        case, verdict = self._verdicts.get(row.signature, (row.case, ""))
        return Item(
            number=row.id, signature=row.signature, title=row.title, kind=row.kind, kernel=row.kernel, count=row.count,
            first=row.first, last=row.last, case=case, verdict=verdict,
        )  # fmt: skip

    def close(self) -> None:
        """Stop; a search that runs is ended."""
        self._generation += 1
        if self._scan is not None:
            self._scan.interrupt()
        for pool in (self._scanner, self._pager):
            pool.shutdown(wait=False, cancel_futures=True)
