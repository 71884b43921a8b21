"""The store's home: what is new, rises or came back, what is frequent, where, and what was noted."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Static

from kb.cases.fixstatus import fix_status
from kb.errors import KbError
from kb.render.answer import severity
from kb.render.safe import safe
from kb.store import home
from kb.store.browse import Browser
from kb.store.summary import recent
from kb.tui.desk import Desk
from kb.tui.lists.item import Item, fix_of
from kb.tui.lists.stored import item_of_row
from kb.tui.messages import CaseWanted, ListWanted, NotesWanted, SignatureWanted
from kb.tui.panes.rows import FIXES, MARKS, SEVERITIES, Entry, Row, clip, squeeze
from kb.tui.screens.page import Halves
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.triage_list import times
from kb.tui.widgets.virtual_list import Entries, Lines

WEEK = timedelta(days=7)
SECTIONS = ("New this week", "Rising", "Seen again on a kernel that has the fix", "Most frequent")
EMPTY = {
    "New this week": "nothing was first seen in the last seven days",
    "Rising": "nothing came twice as often as the week before",
    "Seen again on a kernel that has the fix": "nothing",
    "Most frequent": "nothing yet: kb match --record fills the store",
}


class Home(Halves):
    """Problems on the left, hosts, kernels and notes on the right."""

    KEYS_OF = ("Home",)
    PANES = ("Problems", "Hosts, kernels, notes")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "list", "All signatures"),
        Binding("slash", "find", "Find"),
        Binding("tab", "app.focus_next", "Pane", show=False),
        Binding("a", "annotate", "Note"),
        Binding("c", "new_case", "New case", show=False),
        Binding("y", "copy", "Copy", show=False),
        Binding("r", "again", "Read again", show=False),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, desk: Desk):
        super().__init__(desk)
        self.sections: dict[str, list[Item]] = {}
        self.reasons: dict[str, str] = {}
        """Why a signature counts as seen again, by its id."""
        self.hosts: list[home.Place] = []
        self.kernels: list[home.Place] = []
        self.notes: list[home.Note] = []
        self._browser: Browser | None = None
        self.error = ""
        self.done = False

    def on_mount(self) -> None:
        """Begin to read."""
        self._show()
        self.action_again()

    def action_again(self) -> None:
        """Read the store, the quick questions first."""
        self.read()

    @work(exclusive=True, group="home")
    async def read(self) -> None:
        """A question at a time, each shown as it is answered."""
        if not self.desk.base.path.exists():
            self.done = True
            self._show()
            return
        now = self.desk.now()
        since, before = ((now - WEEK * weeks).strftime("%Y-%m-%dT%H:%M:%S") for weeks in (1, 2))
        month = (now - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S")
        try:
            await self._ask("Most frequent", home.top)
            await self._ask("New this week", lambda store: home.new(store, since))
            await self._ask("Rising", lambda store: home.rising(store, since, before))
            await self._ask("Seen again on a kernel that has the fix", self._regressed)
            self.notes = await self.ask(lambda: home.notes(self._store()))
            self.hosts = await self.ask(lambda: home.places(self._store(), "host", month))
            self.kernels = await self.ask(lambda: home.places(self._store(), "kernel", month))
        except KbError as error:
            self.error = error.reason
            self.say(error)
        self.done = True
        self._show()
        await self._judge()

    def _store(self) -> Browser:
        if self._browser is None:
            self._browser = Browser(self.desk.base.path)
        return self._browser

    async def _ask(self, name: str, which: Callable[[Browser], list[int]]) -> None:
        def rows() -> list[Item]:
            store = self._store()
            ids = which(store)
            when = store.spread(ids) if ids else {}
            return [item_of_row(row, when.get(row.id)) for row in (store.rows(ids) if ids else [])]

        self.sections[name] = await self.ask(rows)
        self._show()

    def _regressed(self, store: Browser) -> list[int]:
        """Signatures seen of late on a kernel that has the fix of the case they link to."""
        if self.desk.base.known is None:
            return []
        self.desk.load_cases()
        for row in recent(self.desk.base.known, limit=200):
            for case in filter(None, map(self.desk.base.case, row.cases if row.kernel else ())):
                found = fix_status(case, row.kernel)
                if found.status == "fixed":
                    self.reasons.setdefault(row.signature, f"{row.kernel}: {case.id}: {found.reason}")
        return home.by_id(store, list(self.reasons)[:8]) if self.reasons else []

    async def _judge(self) -> None:
        """What is known of the rows, from the logs that the store keeps."""
        again = self.sections.get(SECTIONS[2], [])
        there = {item.signature for item in again}
        for item in [item for items in self.sections.values() for item in items]:
            try:
                found = await self.ask(self.desk.diagnosis, item)
            except KbError:
                return
            best = found.best if found is not None else None
            item.verdict = best.standing if best else "none" if found is not None else ""
            if found is not None and best is not None:
                item.case, item.fix, item.severity = best.case.id, fix_of(best), severity(found)
                if item.fix == "fixed" and item.signature not in there:
                    there.add(item.signature)
                    self.reasons[item.signature] = f"{best.case.id}: {best.fix_reason}"
                    again.append(replace(item))
            self._show(keep=True)

    # ---- what is shown

    def _show(self, *, keep: bool = False) -> None:
        problems, around = self.query_one("#problems", Fitted), self.query_one("#around", Fitted)
        if keep:
            problems.fill(self._problems(max(30, problems.room)), keep=True)
            return
        problems.show(self._problems)
        around.show(self._around)
        said = self.error or ("" if self.done else "reading …")
        parts = ["kb", "the store's home", said, safe(self.desk.name)]
        self.query_one("#head", Static).update("   ".join(part for part in parts if part), layout=False)

    def _problems(self, width: int) -> list[Entry]:
        out: list[Entry] = []
        for name in SECTIONS:
            items = self.sections.get(name)
            if out:
                out.append(Entry([("", "")], plain=True))
            counted = f"  {len(items)}{'+' if len(items) == home.MOST else ''}" if items else ""
            out.append(Entry([(name, "head"), (counted, "dim")], plain=True))
            if items is None and not self.done:
                out.append(Entry([("  …", "dim")], plain=True))
            elif not items:
                out.append(Entry([(f"  {EMPTY[name]}", "dim")], plain=True))
            for item in items or ():
                out.append(Entry(_row(item, width), copies=item.signature))
                if name == SECTIONS[2]:
                    why = clip(self.reasons.get(item.signature, ""), width - 8).rstrip()
                    out.append(Entry([("        ", ""), (why, "warn")], plain=True))
        return out

    def _around(self, width: int) -> list[Entry]:
        out: list[Entry] = []
        for name, places in (("Hosts", self.hosts), ("Kernels", self.kernels)):
            out.append(Entry([(f"{name} of the last 30 days", "head")], plain=True))
            most = max((place.count for place in places), default=1)
            for place in places:
                bar = "█" * max(1, round(place.count / most * 8))
                row: Row = [
                    (f"  {clip(place.name, width - 24)} ", ""), (f"{bar:<8} ", "good"),
                    (f"×{place.count:,}".rjust(8), ""),
                ]  # fmt: skip
                out.append(Entry(row, copies=f"{name[:-1].lower()}:{place.name}"))
            if not places:
                out.append(Entry([("  none named", "dim")], plain=True))
            out.append(Entry([("", "")], plain=True))
        out.append(Entry([("Notes", "head")], plain=True))
        for note in self.notes:
            lead = f"  {note.time[:10]} {note.author}: "
            text: Row = [(lead, "dim"), (clip(note.body.replace("\n", " "), width - len(lead)), "")]
            subject = note.subject.removeprefix("signature:")
            out.append(Entry(text, copies=subject))
            out.append(Entry([("             ", ""), (squeeze(note.title or subject, width - 13), "dim")], plain=True))
        if not self.notes:
            out.append(Entry([("  none yet: a writes one", "dim")], plain=True))
        return out

    # ---- what is done

    @property
    def item(self) -> Item | None:
        """The signature under the cursor."""
        entry = self.query_one("#problems", Entries).current
        return next(
            (each for items in self.sections.values() for each in items if entry and each.signature == entry.copies),
            None,
        )

    @on(Lines.Chosen, "#problems")
    def _open(self) -> None:
        if self.item is not None:
            self.post_message(SignatureWanted(self.item))

    @on(Lines.Chosen, "#around")
    async def _go(self) -> None:
        entry = self.query_one("#around", Entries).current
        if entry is None:
            return
        if entry.copies.startswith(("host:", "kernel:")):
            self.post_message(ListWanted(entry.copies))
            return
        with contextlib.suppress(KbError):
            rows = await self.ask(lambda: self._store().rows(home.by_id(self._store(), [entry.copies])))
            if rows:
                self.post_message(SignatureWanted(item_of_row(rows[0], None)))

    def action_list(self) -> None:
        """All signatures."""
        self.post_message(ListWanted(""))

    def action_find(self) -> None:
        """The list, with its filter open."""
        self.post_message(ListWanted(None))

    def action_annotate(self) -> None:
        """Notes on the signature under the cursor."""
        if self.item is not None:
            self.post_message(NotesWanted(self.item))

    def action_new_case(self) -> None:
        """A case from the latest report of the signature under the cursor."""
        if self.item is not None:
            self.post_message(CaseWanted(self.item))

    def action_copy(self) -> None:
        """Copy what is under the cursor."""
        if isinstance(self.focused, Entries) and self.focused.current is not None:
            self.copy(self.focused.current.copies)

    def on_screen_resume(self) -> None:
        """Notes may have been written meanwhile."""
        if self.done:
            self.read()


def _row(item: Item, width: int) -> Row:
    grave, colour = SEVERITIES.get(item.severity, SEVERITIES[""])
    sign, role = MARKS[item.verdict]
    where = f"{item.hosts} hosts" if item.hosts > 1 else item.host or "-"
    wide = width >= 90
    room = width - 6 - 7 - 9 - (26 if wide else 0)
    row: Row = [
        (f"{grave} ", colour), (f"{sign}", role), FIXES[item.fix], (" ", ""),
        (clip(squeeze(item.title, room), room), colour if item.severity in ("stop", "act") else ""),
        (f" {times(item.count):>6}", ""), (f" {item.spark:>8}", "good"),
    ]  # fmt: skip
    return [*row, (f" {clip(where, 14)} {item.last[:10]}", "dim")] if wide else row
