"""One report: the evidence, the view of its kind, the case, what is similar; beside them the log."""

from collections.abc import Iterator
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Footer, Input, Static

from kb.errors import KbError
from kb.model.log import Span
from kb.model.verdict import Diagnosis
from kb.render.safe import safe
from kb.tui.desk import KIN, Desk, Near
from kb.tui.doc import Doc
from kb.tui.help import DEEDS, KEYS
from kb.tui.lists.item import Item
from kb.tui.messages import CaseWanted, NotesWanted
from kb.tui.panes.case_view import case_entries
from kb.tui.panes.claims import claims
from kb.tui.panes.rows import MARKS, Entry
from kb.tui.panes.similar import similar_entries
from kb.tui.screens.help import Help
from kb.tui.screens.page import Page
from kb.tui.views.choose import view_of
from kb.tui.views.view import Scene
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.log_view import LogView
from kb.tui.widgets.printable import PRINTABLE
from kb.tui.widgets.tabs import TabBar
from kb.tui.widgets.told import Told
from kb.tui.widgets.triage_list import TriageList
from kb.tui.widgets.view_pane import ViewPane
from kb.tui.widgets.virtual_list import Entries, Lines

TABS = (("evidence", "Evidence"), ("view", "View"), ("case", "Case"), ("similar", "Similar"))
PANES = {"evidence": "claims", "view": "kind"}
"""The list that a tab is left and entered by, where it is not called as the tab."""
TITLES = (
    ("claims", "Claims"),
    ("more", "What it says"),
    ("detail", "What it says"),
    ("case", "Case"),
    ("similar", "Similar"),
)
SMALL = (90, 28)
"""Columns and rows below which one pane is shown at a time."""
WIDE, HIGH = 110, 40
"""Columns from which the claims stand beside the log, rows from which other tabs stand above it."""
BESIDE = 160
"""Columns from which other tabs stand beside it."""


class ReportScreen(Page[None]):
    """A tab and the log: beside it, below it or, where there is room for one of them only, a key away.

    Args:
        desk: The session.
        item: The report.
        list_: The rows it is one of, along which the screen walks.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back"),
        Binding("slash", "search", "Search"),
        Binding("1", "tab('evidence')", "Evidence", show=False),
        Binding("2", "tab('view')", "View of the kind", show=False),
        Binding("3", "tab('case')", "Case", show=False),
        Binding("4", "tab('similar')", "Similar", show=False),
        Binding("tab", "other_pane", "Log"),
        Binding("question_mark", "keys", "Help", key_display="?"),
        Binding("left_square_bracket", "walk(-1)", "Report before", show=False),
        Binding("right_square_bracket", "walk(1)", "Next", key_display="[ ]"),
        Binding("y", "copy", "Copy", show=False),
        Binding("d", "declare(True)", "The same problem", show=False),
        Binding("x", "declare(False)", "A different problem", show=False),
        Binding("a", "annotate", "Note"),
        Binding("c", "new_case", "New case"),
    ]

    def __init__(self, desk: Desk, item: Item, list_: TriageList):
        super().__init__(desk)
        self.item, self.list = item, list_
        self.found: Diagnosis | None = None
        self.sample: list[str] = []
        self.near: list[Near] = []
        self.kin: list[Diagnosis] = []
        self.tab = "evidence"
        self.reading = False
        """Whether the log is shown instead of the tab, where there is room for one of them."""

    def compose(self) -> ComposeResult:
        """Head, tabs, panes, keys."""
        yield Static("", id="head", markup=False)
        yield TabBar(TABS)
        with Container(id="body"):
            with ContentSwitcher(initial="evidence", id="panes"):
                with Vertical(id="evidence"):
                    yield Entries(id="claims")
                    yield Told(id="more")
                with Vertical(id="view"):
                    yield ViewPane(id="kind")
                    yield Told(id="detail")
                yield Fitted(id="case")
                yield Fitted(id="similar")
            yield LogView(id="log")
        yield Input(placeholder="search the log", id="search", compact=True, restrict=PRINTABLE)
        yield Footer()

    def on_mount(self) -> None:
        """Fetch what is to be shown."""
        self.query_one("#search").display = False
        for name, title in TITLES:
            self.query_one(f"#{name}").border_title = title
        self._arrange()
        self.query_one("#claims").focus()
        self.load()

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Diagnose the report and show it."""
        self._head("reading …")
        try:
            self.found = await self.ask(self.desk.diagnosis, self.item)
            if self.found:
                self.sample = await self.ask(self.desk.sample, self.found)
                self.near = await self.ask(self.desk.near, self.found)
                self.kin = await self.ask(self.desk.kin, self.item, KIN.get(self.found.report.kind, ()))
        except KbError as error:
            self.say(error)
            return
        self.show_found()

    def _head(self, more: str, verdict: str = "") -> None:
        self.query_one("#head", Static).update(safe(f"{MARKS[verdict][0]} {self.item.title}   {more}"), layout=False)

    def show_found(self) -> None:
        """Fill the panes."""
        found = self.found
        if found is None:
            self._head("the store keeps no log of it")
            self.query_one("#claims", Entries).fill([])
            return
        report, best = found.report, found.best
        alike = self.list.alike(self.item)
        verdict = best.standing if best else "none"
        self._head(f"{verdict}: {best.case.id}" if best else "no known case", verdict)
        doc = self.desk.doc(self.item) or Doc.of(report.source, b"".join(line.raw for line in report.lines))
        self.query_one("#log", LogView).show(doc, report.span, report.understood)
        self.query_one("#claims", Entries).fill(claims(found))
        view = view_of(Scene(found, doc, tuple(self.kin) or (found,), tuple(self._beside())))
        pane = self.query_one("#kind", ViewPane)
        pane.look(view)
        pane.border_title = f"{view.TITLE}: {report.kind.replace('_', ' ')}"
        told = KEYS.get(f"Report: {view.TITLE.lower()}", ()) if view.keys else ()
        pane.border_subtitle = "  ".join(keys for keys, _ in told)
        self.query_one(TabBar).rename("view", view.TITLE)
        first, last = report.span
        self.query_one("#log").border_title = f"Log: lines {first} to {last} of {len(doc)}"
        self.query_one("#case", Fitted).show(lambda width: case_entries(found, width, self.sample))
        source = self.item.source
        self.query_one("#similar", Fitted).show(lambda width: similar_entries(self.near, alike, width, source))

    def _beside(self) -> Iterator[tuple[str, str, Span]]:
        """The reports of the log before and behind this one."""
        known = self.list.neighbours(self.item)
        for what, item in zip(("before", "behind"), known, strict=True):
            if item is not None:
                yield what, f"{item.title}  ({item.last or 'no time'})", item.span

    # ---- panes

    def on_resize(self) -> None:
        """Panes move with the room there is."""
        self._arrange()

    def _arrange(self) -> None:
        """Where the log stands: beside the tab, below it, or alone, where the tab is shown or the log."""
        width, height = self.size
        if width < SMALL[0] or height < SMALL[1]:
            how = "alone"
        elif self.tab == "evidence":
            how = "beside" if width >= WIDE else "below"
        else:
            how = "beside" if width >= BESIDE else "below" if height >= HIGH else "alone"
        self.reading = self.reading and how == "alone"
        body = self.query_one("#body")
        for each in ("beside", "below", "alone"):
            body.set_class(each == how, f"-{each}")
        body.set_class(self.reading, "-reading")
        body.set_class(self.tab != "evidence", "-other")
        self.query_one("#log").border_subtitle = "Esc: back" if self.reading else ""

    @property
    def alone(self) -> bool:
        """Whether there is room for one pane only."""
        return self.query_one("#body").has_class("-alone")

    def _pane(self) -> Widget:
        return self.query_one(f"#{PANES.get(self.tab, self.tab)}")

    def read(self) -> None:
        """Go to the log."""
        self.reading = True
        self._arrange()
        self.query_one("#log").focus()

    def leave_log(self) -> None:
        """Back from the log to the tab."""
        self.reading = False
        self._arrange()
        self._pane().focus()

    def action_other_pane(self) -> None:
        """From the tab to the log and back."""
        if self.query_one("#log").has_focus:
            self.leave_log()
        else:
            self.read()

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self.tab, self.reading = name, False
        self.query_one("#panes", ContentSwitcher).current = name
        self.query_one(TabBar).choose(name)
        self._arrange()
        self._pane().focus()

    def action_keys(self) -> None:
        """The keys of this view first, then those of the screen."""
        view = self.query_one("#kind", ViewPane).view
        name = f"Report: {view.TITLE.lower()}" if view is not None else ""
        first = {name: KEYS[name]} if self.tab == "view" and name in KEYS else {}
        self.app.push_screen(
            Help({**first, "Report": KEYS["Report"], DEEDS: KEYS[DEEDS], "Everywhere": KEYS["Everywhere"]})
        )

    @on(TabBar.Clicked)
    def _clicked(self, event: TabBar.Clicked) -> None:
        self.action_tab(event.name)

    @on(Lines.Chosen, "#kind, #case, #similar")
    def _prove(self, event: Lines.Chosen) -> None:
        """Enter on a row leads to the lines it rests on."""
        entries = event.control
        if isinstance(entries, Entries) and entries.current is not None and entries.current.evidence:
            self.light(entries.current)
            self.read()

    @on(Lines.Moved, "#claims")
    def _light(self) -> None:
        entry = self.query_one("#claims", Entries).current
        if entry is not None:
            self.light(entry)

    @on(Lines.Moved, "#kind, #case, #similar")
    def _follow(self, event: Lines.Moved) -> None:
        """What is told, and the log beside a tab, follow its cursor."""
        entries = event.control
        entry = entries.current if isinstance(entries, Entries) else None
        if entry is None:
            return
        if event.lines.id == "kind":
            self.query_one("#detail", Told).tell(entry.more)
        if entries.has_focus and entry.evidence:
            self.light(entry)

    def light(self, entry: Entry) -> None:
        """Show the lines an entry rests on, and all of what it says."""
        self.query_one("#more", Told).tell(entry.more)
        self.query_one("#log", LogView).light(entry.evidence)

    @on(Lines.Chosen, "#claims")
    def _to_log(self) -> None:
        self.read()

    @work(exclusive=True, group="declare")
    async def action_declare(self, same: bool) -> None:
        """Say that the neighbour under the cursor is the same problem, or that it is not."""
        pane = self.query_one("#similar", Fitted)
        entry = pane.current
        if self.found is None or not pane.has_focus or entry is None or not entry.more:
            self.notify("choose a neighbour first: 4")
            return
        found, cursor = self.found, pane.cursor
        try:
            await self.ask(self.desk.declare, found, entry.more, same)
            self.near = await self.ask(self.desk.near, found)
        except KbError as error:
            self.say(error)
            return
        alike, source = self.list.alike(self.item), self.item.source
        pane.show(lambda width: similar_entries(self.near, alike, width, source))
        pane.jump(cursor)
        self.notify("saved: the same problem" if same else "saved: a different problem")

    def action_search(self) -> None:
        """Type to search the log."""
        self.read()
        box = self.query_one("#search", Input)
        box.display = True
        box.focus()

    @on(Input.Changed, "#search")
    def _searching(self, event: Input.Changed) -> None:
        log = self.query_one("#log", LogView)
        log.search(event.value, from_line=max(0, log.line - 1))

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        log = self.query_one("#log", LogView)
        box = self.query_one("#search", Input)
        box.display = False
        self.read()
        if not log.search(log.words, from_line=max(0, log.line - 1)):
            self.notify(f"{log.words!r} is not in the log", markup=False)

    def action_back(self) -> None:
        """Leave the search, or the screen."""
        box = self.query_one("#search", Input)
        if box.display:
            box.value = ""
            box.display = False
            self.read()
        elif self.reading:
            self.leave_log()
        else:
            self.app.pop_screen()

    def action_walk(self, step: int) -> None:
        """The report before or after this one in the list."""
        item = self.list.neighbour(step)
        if item is None:
            self.notify("no report further on" if step > 0 else "no report before")
            return
        self.item = item
        self.load()

    def action_copy(self) -> None:
        """Copy lines of the log, or what the claim under the cursor says."""
        focused = self.focused
        if isinstance(focused, Entries) and focused.current is not None:
            entry = focused.current
            self.copy(entry.copies or safe(entry.more) or "".join(text for text, _ in entry.row))
        else:
            self.copy(self.query_one("#log", LogView).copied())

    def action_annotate(self) -> None:
        """Notes on this signature; on the block of lines, where one is chosen."""
        log = self.query_one("#log", LogView)
        self.post_message(NotesWanted(self.item, log.selected if log.block is not None else None))

    def action_new_case(self) -> None:
        """A case from this report."""
        self.post_message(CaseWanted(self.item))
