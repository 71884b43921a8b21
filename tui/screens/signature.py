"""A signature of the store: when and where it was seen, its logs, what was noted, what is near."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Static

from kb.cases.fixstatus import fix_status
from kb.errors import KbError
from kb.model.case import Case
from kb.model.verdict import Diagnosis
from kb.render.safe import safe
from kb.store.rows import Seen, Shown
from kb.store.summary import timeline
from kb.tui.desk import Desk, Near
from kb.tui.lists.item import Item
from kb.tui.messages import CaseWanted, NotesWanted, ReportWanted
from kb.tui.panes.rows import FIXES, MARKS, Entry, Row, clip, input_name, paragraph
from kb.tui.panes.similar import similar_entries
from kb.tui.screens.page import Halves
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.virtual_list import Entries, Lines

DAYS = 14
"""Rows of the picture of when it was seen."""
PLACES = 12


class SignaturePage(Halves):
    """What happened on the left, what is near on the right.

    Args:
        desk: The session.
        item: The signature.
    """

    KEYS_OF = ("Signature",)
    PANES = ("Sightings", "Near ones: their stacks beside this one's")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Back"),
        Binding("tab", "app.focus_next", "Pane"),
        Binding("a", "annotate", "Note"),
        Binding("c", "new_case", "New case"),
        Binding("y", "copy", "Copy", show=False),
        Binding("d", "declare(True)", "The same problem", show=False),
        Binding("x", "declare(False)", "A different problem", show=False),
    ]

    def __init__(self, desk: Desk, item: Item):
        super().__init__(desk)
        self.item = item
        self.shown: Shown | None = None
        self.days: list[tuple[str, int]] = []
        self.found: Diagnosis | None = None
        self.case: Case | None = None
        self.near: list[Near] = []

    def on_mount(self) -> None:
        """Begin to read."""
        self._head("reading …")
        self.load()

    def on_screen_resume(self) -> None:
        """Notes may have been written meanwhile."""
        if self.shown is not None:
            self.load()

    def _head(self, more: str) -> None:
        sign = MARKS[self.item.verdict][0]
        self.query_one("#head", Static).update(safe(f"{sign} {self.item.title}   {more}"), layout=False)

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """What the store has, then what it means, then what is near."""
        try:
            self.shown = await self.ask(self.desk.base.show, self.item.signature)
            self.days = await self.ask(lambda: timeline(self.desk.base.store, self.item.signature))
            self._fill()
            self.found = await self.ask(self.desk.diagnosis, self.item)
            best = self.found.best if self.found else None
            if best is not None:
                self.item.case, self.item.verdict, self.case = best.case.id, best.standing, best.case
            elif self.item.case:
                self.case = await self.ask(self.desk.case, self.item.case)
            self._fill()
            if self.found is not None:
                self.near = await self.ask(self.desk.near, self.found)
        except KbError as error:
            self.say(error)
            self._head(error.reason)
            return
        self.query_one("#around", Fitted).show(lambda width: similar_entries(self.near, (), width))

    def _fill(self) -> None:
        pane = self.query_one("#problems", Fitted)
        cursor = pane.cursor
        pane.show(lambda width: list(self._entries(width)))
        pane.jump(cursor)
        self._head(f"{self.item.case}: {self.item.verdict or 'linked'}" if self.item.case else "")

    # ---- what is shown

    def _entries(self, width: int) -> Iterator[Entry]:
        shown = self.shown
        if shown is None:
            return
        row = shown.row
        yield Entry([(f"Samples of its logs: {len(shown.evidence)}, Enter opens one", "head")], plain=True)
        for number, each in enumerate(shown.evidence):
            said = f"  {each.seen[:16]}  {clip(each.host or '-', 14)}  {each.size:>8,} bytes  "
            yield Entry([(said, ""), (input_name(each.source, width - len(said)), "dim")], copies=f"sample:{number}")
        if not shown.evidence:
            yield Entry([("  the store keeps no log of it", "dim")], plain=True)
        yield from self._over_time(width)
        yield from self._places("Hosts", {seen.host or "-" for seen in shown.sightings}, width)
        yield from self._places("Kernels", {seen.kernel or "-" for seen in shown.sightings}, width)
        yield from self._notes(width)
        yield Entry([("", "")], plain=True)
        yield Entry([(f"{row.signature}  {row.kind}", "dim")], copies=row.signature)
        if row.key:
            for part in paragraph(row.key, width, "dim"):
                yield Entry(part, copies=row.key)

    def _over_time(self, width: int) -> Iterator[Entry]:
        assert self.shown is not None
        row = self.shown.row
        yield Entry([("", "")], plain=True)
        said = f"Seen ×{row.count:,}, {row.first[:10]} to {row.last[:10]}"
        yield Entry([(said, "head")], plain=True)
        spans = _spans(self.days)
        most = max((count for _, count in spans), default=1)
        for label, count in spans:
            bar = "█" * round(count / most * max(4, width - 36)) or ("▏" if count else "")
            yield Entry(
                [(f"  {label:<22} ", "dim"), (bar, "good"), (f" {count:,}", "" if count else "dim")], plain=True
            )

    def _places(self, name: str, names: set[str], width: int) -> Iterator[Entry]:
        assert self.shown is not None
        which = "host" if name == "Hosts" else "kernel"
        rows = sorted(
            ((sum(seen.count for seen in seens), each, seens) for each in names if (seens := self._at(which, each))),
            reverse=True, key=lambda found: (found[0], found[1]),
        )  # fmt: skip
        yield Entry([("", "")], plain=True)
        yield Entry([(f"{name}: {len(rows)}", "head")], plain=True)
        for count, each, seens in rows[:PLACES]:
            fix = self._fix(each) if which == "kernel" else ""
            first, last = min(seen.first for seen in seens)[:10], max(seen.last for seen in seens)[:10]
            line: Row = [
                (f"  {clip(each, max(12, width - 44))} ", ""), FIXES[fix], (f" {f'×{count:,}':>8}", ""),
                (f"  {first}  {last}", "dim"),
            ]  # fmt: skip
            yield Entry(line, copies=each)
            if fix == "fixed":
                yield Entry([("    seen on a kernel that has the fix", "warn")], plain=True)
        if len(rows) > PLACES:
            yield Entry([(f"  and {len(rows) - PLACES} more", "dim")], plain=True)

    def _at(self, which: str, name: str) -> list[Seen]:
        assert self.shown is not None
        return [seen for seen in self.shown.sightings if (getattr(seen, which) or "-") == name]

    def _fix(self, kernel: str) -> str:
        """Whether a kernel has the fix of the case, by its number."""
        if self.case is None or kernel == "-":
            return ""
        status = fix_status(self.case, kernel).status
        return status if status in FIXES else ""

    def _notes(self, width: int) -> Iterator[Entry]:
        assert self.shown is not None
        yield Entry([("", "")], plain=True)
        yield Entry([(f"Notes: {len(self.shown.annotations)}", "head")], plain=True)
        for note in self.shown.annotations:
            lead: Row = [(f"  {note.time[:16]} {safe(note.author)}: ", "dim")]
            for part in paragraph(note.body, width, "", lead):
                yield Entry(part, copies=note.body)
        if not self.shown.annotations:
            yield Entry([("  none yet: a writes one", "dim")], plain=True)

    # ---- what is done

    @on(Lines.Chosen, "#problems")
    def _open(self) -> None:
        entry = self.query_one("#problems", Entries).current
        if entry is not None and entry.copies.startswith("sample:"):
            number = int(entry.copies.removeprefix("sample:"))
            self.post_message(ReportWanted(replace(self.item, sample=number)))

    def action_annotate(self) -> None:
        """Notes on this signature."""
        self.post_message(NotesWanted(self.item))

    def action_new_case(self) -> None:
        """A case from its report."""
        self.post_message(CaseWanted(self.item))

    def action_copy(self) -> None:
        """Copy what is under the cursor."""
        if isinstance(self.focused, Entries) and self.focused.current is not None:
            entry = self.focused.current
            self.copy(entry.copies or "".join(text for text, _ in entry.row))

    @work(exclusive=True, group="declare")
    async def action_declare(self, same: bool) -> None:
        """Say that the neighbour under the cursor is the same problem, or that it is not."""
        pane = self.query_one("#around", Fitted)
        if self.found is None or not pane.has_focus or pane.current is None or not pane.current.more:
            self.notify("choose a neighbour first: Tab")
            return
        found, subject, cursor = self.found, pane.current.more, pane.cursor
        try:
            await self.ask(self.desk.declare, found, subject, same)
            self.near = await self.ask(self.desk.near, found)
        except KbError as error:
            self.say(error)
            return
        pane.show(lambda width: similar_entries(self.near, (), width))
        pane.jump(cursor)
        self.notify("saved: the same problem" if same else "saved: a different problem")


def _spans(days: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Counts of the days it was seen on; of more than fit, spans of equal numbers of such days, by their ends."""
    if len(days) <= DAYS:
        return days
    size = -(-len(days) // DAYS)
    parts = [days[start : start + size] for start in range(0, len(days), size)]
    return [(f"{part[0][0]} … {part[-1][0][5:]}", sum(count for _, count in part)) for part in parts]
