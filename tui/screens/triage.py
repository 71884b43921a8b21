"""The first screen: what is in the log, or in the store."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from kb.errors import KbError
from kb.render.answer import severity
from kb.render.safe import safe
from kb.tui.desk import Desk, Progress
from kb.tui.doc import Doc
from kb.tui.lists.catalog import ORDERS, Catalog, LogCatalog
from kb.tui.lists.item import Item, fix_of
from kb.tui.lists.stored import StoreCatalog
from kb.tui.messages import CaseWanted, FileWanted, NoteOnAll, NotesWanted, ReportWanted, SignatureWanted
from kb.tui.panes.head import head, nothing
from kb.tui.panes.rows import Entry, paragraph
from kb.tui.panes.summary import of_log, summary
from kb.tui.screens.page import Page
from kb.tui.widgets.filter_box import FilterBox
from kb.tui.widgets.rows_pane import RowsPane
from kb.tui.widgets.triage_list import TriageList
from kb.tui.widgets.virtual_list import Entries, Lines

if TYPE_CHECKING:
    from kb.store.browse import Order

JUDGED = 300
"""Reports of a log that are judged again when cases change; others when they are looked at."""
OF_ROWS = frozenset(("sort", "reverse", "annotate", "new_case", "duplicates", "export", "flat"))
"""What is done with rows: not offered while a log is shown in their place."""
REST = 0.05
"""Seconds the cursor must rest before the pane below is filled."""


class Triage(Page[None]):
    """List, filter, summary."""

    KEYS_OF = ("Triage",)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter"),
        Binding("s", "sort", "Sort"),
        Binding("r", "reverse", "Reverse", show=False),
        Binding("a", "annotate", "Note"),
        Binding("c", "new_case", "New case"),
        Binding("y", "copy", "Copy", show=False),
        Binding("d", "duplicates", "Marked are one problem", show=False),
        Binding("e", "export", "Export", show=False),
        Binding("L", "logs", "Logs", show=False),
        Binding("f", "flat", "A row a report", show=False),
        Binding("tab", "complete", "Complete"),
        Binding("escape", "clear", "Back"),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, desk: Desk):
        super().__init__(desk)
        self.catalog: Catalog = (
            LogCatalog(self._changed) if desk.of_log else StoreCatalog(desk.base.path, self._arrived, self._refused)
        )
        self.filter = FilterBox(self._values)
        self.list = TriageList(self.catalog, stored=not desk.of_log, id="list")
        self.rows = RowsPane(self.list, "Reports" if desk.of_log else "Signatures")
        self.order: Order = "first" if desk.of_log else "last"
        self.descending = not desk.of_log
        self._timer: Timer | None = None
        self._progress = ""
        self._error = ""
        self._stale = False
        self._whole: Doc | None = None
        """The log that is shown in place of the rows, where one was chosen."""

    def compose(self) -> ComposeResult:
        """Head, filter, columns, rows, summary, keys."""
        yield Static("", id="head", markup=False)
        yield self.filter
        yield self.rows
        yield Entries(id="summary")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to read."""
        self.list.focus()
        self._tell_broken()
        self.query_one("#summary").can_focus = False
        self.query_one("#summary").border_title = "What it is"
        self.catalog.look("", self.order, self.descending)
        if isinstance(self.catalog, LogCatalog):
            self._read(self.catalog)
        self._show()

    def on_screen_resume(self) -> None:
        """Notes may have been begun or saved meanwhile."""
        self._drafts()

    @work(exclusive=True, group="drafts")
    async def _drafts(self) -> None:
        """Mark the rows with a note that is not saved."""
        with contextlib.suppress(KbError):  # a store that cannot be read is told by who shows it
            self.list.drafts = await self.ask(self.desk.drafts)
            self.list.refresh()

    def _values(self, name: str) -> Collection[str]:
        return self.catalog.known.get(name, ())

    @work(group="library")
    async def _tell_broken(self) -> None:
        """Cases that cannot be used are left out, and that is said."""
        for error in (await self.ask(self.desk.load_cases))[:3]:
            self.say(error)

    @work(exclusive=True, group="read")
    async def _read(self, catalog: LogCatalog) -> None:
        """Read the log, a step at a time."""
        steps = self.desk.steps()
        catalog.busy = "reading"
        while not self.desk.closed:
            try:
                step = await self.ask(next, steps, None)
            except KbError as error:
                self._fail(error)
                break
            if step is None:
                break
            self._progress = step.said
            await self._take(catalog, step)
        catalog.busy = ""
        catalog.sort()
        self._bare()
        self._rested()

    async def _take(self, catalog: LogCatalog, step: Progress) -> None:
        if step.fresh:
            catalog.clear()
        was = len(catalog)
        catalog.add(step.found)
        if step.idle:
            catalog.busy = "following"
            self._bare()
            self._show()
            await asyncio.sleep(0.1)
            return
        catalog.busy = "reading"
        self._changed()
        if not was and len(catalog):
            self._bare()
            self._rested()

    def _bare(self) -> None:
        """A log in which no report is, or none yet, is shown itself in place of the rows."""
        several = len(self.desk.docs) > 1
        doc = self._whole or (None if self.catalog.total else self.desk.first)
        bare = self.rows.bare.display
        self.rows.look(doc, follow=self.desk.feed is not None and not self.desk.feed.ended, several=several)
        if bare != self.rows.bare.display:
            self.refresh_bindings()

    def _arrived(self) -> None:
        """On a thread of the catalog: bursts become one repaint."""
        if not self._stale and not self.desk.closed:
            self._stale = True
            self.call_later(self._changed)

    def _refused(self, error: KbError) -> None:
        self.call_later(self._fail, error)

    def _fail(self, error: KbError) -> None:
        """An error that leaves the list empty or cut: it stays on the screen."""
        self._error = error.reason
        self.say(error)
        self._show()

    def _changed(self) -> None:
        self._stale = False
        self.list.changed()
        self.filter.tell(self.catalog.wrong)
        self.call_after_refresh(self._show)
        if self._shown is not self.list.item:
            self._rest()

    def on_resize(self) -> None:
        """Columns fit the width."""
        self.call_after_refresh(self._show)
        self._rest()

    def _show(self) -> None:
        order = f"{self.order} {'↓' if self.descending else '↑'}"
        marked, width = len(self.list.marked), self.size.width
        line = head(self.desk, self.catalog, order, marked, self._progress, self._error, width)
        self.query_one("#head", Static).update(line, layout=False)
        self.query_one("#columns", Static).update(self.list.heads(), layout=False)

    _shown: Item | None = None

    @on(Lines.Moved)
    def _rest(self) -> None:
        """Fill the summary once the cursor rests."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(REST, self._rested)

    def _rested(self) -> None:
        item = self.list.item
        if self._whole is not None:
            self._shown = None
            reports = sum(each.source == self._whole.name for each in self._items)
            pane = self.query_one("#summary", Entries)
            pane.fill(of_log(self._whole, reports, pane.room or 80))
        elif item is not None:
            self._summarise(item)
        elif not len(self.catalog):
            self._shown = None
            rows = [] if self.catalog.busy == "reading" else nothing(self.desk, self.catalog)
            pane = self.query_one("#summary", Entries)
            width = pane.room or 80
            pane.fill([Entry(row, plain=True) for said in rows for row in paragraph(said, width, "dim")])

    @work(exclusive=True, group="summary")
    async def _summarise(self, item: Item) -> None:
        try:
            found = await self.ask(self.desk.diagnosis, item)
        except KbError as error:
            self.say(error)
            return
        self._shown = item
        pane = self.query_one("#summary", Entries)
        if self._whole is not None or not len(self.catalog):  # meanwhile a log was chosen, or a filter no row passes
            return
        pane.fill(summary(item, found, pane.room or 80))
        if isinstance(self.catalog, StoreCatalog):
            await self._judge_visible(self.catalog)

    async def _judge_visible(self, catalog: StoreCatalog) -> None:
        """The verdicts of the store's rows in sight, as long as the cursor rests."""
        await asyncio.sleep(0.2)
        top = round(self.list.scroll_y)
        for index in range(top, min(top + self.list.tall, len(catalog))):
            item = catalog.at(index)
            if item is None or item.verdict:
                continue
            try:
                found = await self.ask(self.desk.diagnosis, item)
            except KbError:  # the row under the cursor tells
                return
            best = found.best if found else None
            if found is not None and best is not None:
                catalog.judged(item, best.case.id, best.standing, fix_of(best), severity(found))
            elif found is not None:
                catalog.judged(item, item.case, "none")
            self.list.refresh()

    @on(Lines.Chosen, "#list")
    def action_open(self) -> None:
        """The report under the cursor."""
        item = self.list.item
        if item is not None:
            self.post_message(ReportWanted(item) if self.desk.of_log else SignatureWanted(item))

    @work(exclusive=True, group="judge")
    async def judge_again(self) -> None:
        """The cases changed: the verdicts of a log's rows that are at hand may have."""
        for item in self._items:
            if item.number < JUDGED:
                found = await self.ask(self.desk.diagnosis, item)
                best = found.best if found else None
                item.case, item.verdict = (best.case.id, best.standing) if best else (None, "none")
                item.fix = fix_of(best)
        self._changed()
        self._rested()

    @on(TriageList.Marked)
    def _marked(self) -> None:
        """What marks are for is said while there are some."""
        if self.rows.offer():
            self.refresh_bindings()
        self._show()

    def begin(self, words: str | None) -> None:
        """Show the rows of a filter; None: let one be typed."""

        def start() -> None:
            self.filter.fill(words or "")
            self.filter.edit() if words is None else self.list.focus()

        self.call_after_refresh(start)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What leads nowhere now is not shown."""
        typing = self.filter.has_focus_within
        if action in ("complete", "filter"):
            return typing == (action == "complete")
        if action == "logs":
            return self.desk.of_log
        if action in OF_ROWS and self.rows.bare.display:
            return False
        return (
            action != "clear"
            or self._whole is not None
            or bool(not self.desk.of_log or self.filter.display or self.list.marked)
        )

    def action_filter(self) -> None:
        """Type to filter."""
        self.filter.edit()

    def action_complete(self) -> None:
        """Make the filter's last word whole."""
        self.filter.complete()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        if self.rows.bare.display:
            self.rows.bare.search(event.value.strip(), from_line=max(0, self.rows.bare.line - 1))
            return
        self.list.cursor = 0
        self.catalog.look(event.value.strip(), self.order, self.descending)
        self.filter.tell(self.catalog.wrong)

    @on(Input.Submitted, "#filter")
    def _back_to_list(self) -> None:
        self.filter.display = bool(self.filter.words) and not self.rows.bare.display
        self.rows.shown.focus()
        self._rest()

    def action_clear(self) -> None:
        """Drop the filter."""
        if self._whole is not None:
            self._look_at(None)
        elif self.desk.of_log or self.filter.display or self.list.marked:
            self.list.unmark()
        elif len(self.app.screen_stack) > 2:
            self.app.pop_screen()  # back to the store's home
            return
        self.filter.fill("")
        self.rows.shown.focus()

    def action_logs(self) -> None:
        """All logs that were handed in: one is chosen and shown whole."""
        from collections import Counter

        from kb.tui.screens.logs import Logs

        self.app.push_screen(Logs(self.desk, Counter(item.source for item in self._items)), self._look_at)

    @property
    def _items(self) -> Sequence[Item]:
        """The reports of the log; none of a store."""
        return self.catalog.items if isinstance(self.catalog, LogCatalog) else ()

    def _look_at(self, doc: Doc | None) -> None:
        """Show a log whole; None: the rows again."""
        self._whole = doc
        self._bare()
        self.refresh_bindings()
        self._rested()

    def action_flat(self) -> None:
        """A row a report, or a row a group again."""
        if isinstance(self.catalog, LogCatalog):
            self.catalog.flatten()
            self._changed()

    def action_sort(self) -> None:
        """Sort by the next column."""
        orders = ORDERS[1:] if self.desk.of_log else ORDERS  # a report of a log was seen once
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self.descending = self.order in ("last", "count")
        self._look()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.descending = not self.descending
        self._look()

    def _look(self) -> None:
        self.catalog.look(self.filter.words, self.order, self.descending)
        self._show()

    def action_copy(self) -> None:
        """Copy the marked rows, or the one under the cursor: signature and title; lines, where the log is shown."""
        if self.rows.bare.display:
            self.copy(self.rows.bare.copied())
            return
        items = list(self.list.marked.values()) or ([self.list.item] if self.list.item else [])
        self.copy("\n".join(safe(f"{item.signature}  {item.title}") for item in items))

    @work(exclusive=True, group="declare")
    async def action_duplicates(self) -> None:
        """Declare the marked rows one problem."""
        signatures = list(dict.fromkeys(item.signature for item in self.list.marked.values()))
        if len(signatures) < 2:
            self.notify("mark at least two signatures first: space")
            return
        try:
            await self.ask(self.desk.declare_all, signatures)
        except KbError as error:
            self.say(error)
            return
        self.list.unmark()
        self.notify(f"saved: {len(signatures)} signatures are one problem")

    async def action_export(self) -> None:
        """Write the marked rows, or the one under the cursor, to a file."""
        item = await self.list.ready()
        items = list(self.list.marked.values()) or ([item] if item else [])
        if items:
            self.post_message(FileWanted(items, "kb-reports.ndjson"))

    async def action_annotate(self) -> None:
        """Notes on the signature under the cursor, or one note on all that are marked."""
        if len({item.signature for item in self.list.marked.values()}) > 1:
            self.post_message(NoteOnAll(list(self.list.marked.values())))
        elif await self.list.ready() is not None and self.list.item is not None:
            self.post_message(NotesWanted(self.list.item))

    @property
    def item(self) -> Item | None:
        """The report that the app's deeds are about; none while a log is shown in place of the rows."""
        return None if self.rows.bare.display else self.list.item

    async def action_new_case(self) -> None:
        """A case from the report under the cursor."""
        item = await self.list.ready()
        if item is not None:
            self.post_message(CaseWanted(item))

    def on_unmount(self) -> None:
        """Stop what reads."""
        self.catalog.close()
