"""The rows of the triage list of the store: ids in order, and pages of rows around what is looked at."""

from array import array
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from kb.errors import StoreError
from kb.render.answer import severity_of_kind
from kb.store.browse import Browsed, Browser, Order
from kb.tui.lists.item import Item
from kb.tui.lists.query import read
from kb.tui.lists.spark import spark

STORED = {"title": 200, "last": 10, "spark": 8, "host": 14, "kind": 23, "first": 10, "kernel": 20, "case": 26}
"""Cells of the columns, of which only the rows in sight are known."""
PAGE = 100
PAGES = 60


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
