"""Notes on a signature or a case: written, kept as a draft, saved, filed into case.md."""

import asyncio
import hashlib
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Footer, Static, TextArea

from kb.cases.new import append_note
from kb.errors import CaseChanged, CaseError, KbError
from kb.model.case import Case
from kb.model.log import Span
from kb.model.verdict import Annotation
from kb.render.safe import safe
from kb.tui.desk import Desk
from kb.tui.lists.item import Item
from kb.tui.panes.rows import Entry, paragraph
from kb.tui.screens.page import Page
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.virtual_list import Entries, Lines
from kb.tui.widgets.writing import Writing

PAUSE = 0.4
"""Seconds without a key after which the draft is kept."""


class Notes(Page[None]):
    """History above, the note that is being written below.

    Args:
        desk: The session.
        item: The row the notes are about.
        span: Lines of the log that the note is about.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save"),
        Binding("ctrl+o", "subject", "Signature/case"),
        Binding("ctrl+f", "file", "File into case.md"),
        Binding("escape", "back", "Back"),
        Binding("tab", "app.focus_next", "Pane", show=False),
    ]

    def __init__(self, desk: Desk, item: Item, span: Span | None = None):
        super().__init__(desk)
        self.item, self.span = item, span
        self.subject = f"signature:{item.signature}"
        self.history: tuple[Annotation, ...] = ()
        self.replaces: str | None = None
        self._seen: tuple[Path, bytes] | None = None
        self._timer: Timer | None = None
        self._kept = ""
        """The text that no draft need be kept of: there is one, or it is saved."""
        self._saving: str | None = None
        self._writing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """Head, history, editor, status, keys."""
        yield Static("", id="head", markup=False)
        yield Fitted(id="history")
        yield Writing(id="note", tab_behavior="focus", compact=True)
        yield Static("", id="status", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Fetch history and draft."""
        self.query_one("#history").border_title = "Notes so far"
        self.query_one("#note").border_title = "A new one"
        self.query_one(TextArea).focus()
        self.fetch()

    @work(exclusive=True, group="notes")
    async def fetch(self) -> None:
        """History and draft of the subject; the case's file as it is shown."""
        try:
            self.history, draft, self._seen = await self.ask(self._stored, self.subject)
        except KbError as error:
            self._status(f"the store cannot be read: {error.reason}")
            self.say(error)
            return
        self._kept = draft or ""
        if draft:
            box = self.query_one(TextArea)
            typed, cursor = box.text, box.cursor_location  # meanwhile
            box.load_text(typed + draft)
            box.move_cursor(cursor)
            self._status("a draft from before; ctrl+s saves it")
        self._show()

    def _stored(self, subject: str) -> tuple[tuple[Annotation, ...], str | None, tuple[Path, bytes] | None]:
        store, seen = self.desk.base.known, self._case_file()
        if store is None:
            return (), None, seen
        return store.annotations(subject), store.draft(subject, self.desk.author), seen

    def _case_file(self) -> tuple[Path, bytes] | None:
        case = self._case()
        if case is None or not case.path:
            return None
        try:
            return Path(case.path), Path(case.path).read_bytes()
        except OSError as error:
            raise CaseError(f"cannot be read: {error.strerror}", path=case.path) from None

    def _case(self) -> Case | None:
        return self.desk.case(self.item.case) if self.item.case else None

    def _show(self) -> None:
        where = f", lines {self.span[0]}-{self.span[1]}" if self.span else ""
        self.query_one("#head", Static).update(safe(f"Notes on {self.subject}{where}   {self.item.title}"))
        self.query_one("#history", Fitted).show(partial(history_entries, self.history))
        if not self._status_text:
            self._status(f"{len(self.history)} notes; what you type is kept as a draft, ctrl+s saves it")

    _status_text = ""

    def _status(self, text: str) -> None:
        self._status_text = text
        self.query_one("#status", Static).update(safe(text))

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self.query_one(TextArea).text != self._kept:
            self._timer = self.set_timer(PAUSE, self._keep)

    @work(exclusive=True, group="draft")
    async def _keep(self) -> None:
        body = self.query_one(TextArea).text
        if body == self._kept:
            return
        try:
            await self.ask(self._write_draft, self.subject, body)
        except KbError as error:
            self._status(f"draft NOT kept: {error.reason}")
            return
        self._kept = body
        self._status("draft kept; ctrl+s saves it")

    def _write_draft(self, subject: str, body: str) -> None:
        self.desk.base.store.draft(subject, self.desk.author, body)

    def _leave_draft(self, subject: str, body: str) -> None:
        """Write a draft and do not wait for it."""

        def told(written: "asyncio.Future[None]") -> None:
            if isinstance(error := written.exception(), KbError):
                self.say(error)

        self.desk.do(self._write_draft, subject, body).add_done_callback(told)

    def leaving(self) -> None:
        """Keep the draft; the keys that follow are meant for what comes next."""
        if self._timer is not None:
            self._timer.stop()
        body = self.query_one(TextArea).text
        if body != self._kept:
            self._leave_draft(self.subject, body)

    def action_save(self) -> None:
        """Save: it is saved when the store says so, and not before."""
        body = self.query_one(TextArea).text
        if not body.strip():
            self._status("nothing to save: the note is empty")
        elif body != self._saving:  # the key again, before the store answered
            if self._timer is not None:
                self._timer.stop()
            self._status("saving …")
            self._saving = self._kept = body  # saving ends the draft
            self.app.run_worker(self._save(self.subject, body, self.replaces))  # to its end, though the screen be left

    async def _save(self, subject: str, body: str, replaces: str | None) -> None:
        author, span = self.desk.author, self.span
        try:
            async with self._writing:
                saving = self.desk.do(
                    lambda: self.desk.base.store.annotate(subject, body, author=author, span=span, replaces=replaces)
                )
                note = await asyncio.shield(saving)  # quitting takes nothing back
        except KbError as error:
            self.say(error)
            if self.left or subject != self.subject:
                self._leave_draft(subject, body)
            else:
                self._kept = ""
                self._status(f"NOT saved: {error.reason}")
            return
        finally:
            self._saving = None
        if not self.left and subject == self.subject:
            self._saved(note)

    def _saved(self, note: Annotation) -> None:
        self.replaces, self._kept = None, ""
        self.history = (*self.history, note)
        box = self.query_one(TextArea)
        if box.text == note.body:  # what was typed meanwhile is the next note
            box.load_text("")
        self._status(f"saved {note.time[11:19]}Z as {note.id}")
        self._show()

    @on(Lines.Chosen, "#history")
    def _edit(self) -> None:
        """Enter on a note edits it: the new text replaces it, the old one stays in the history."""
        note = self._note()
        if note is not None:
            self.replaces, self._kept = note.id, note.body  # no draft of what is saved already
            self.query_one(TextArea).load_text(note.body)
            self.query_one(TextArea).focus()
            self._status(f"editing the note of {note.time[:19]}: ctrl+s saves it as one that replaces it")

    def _note(self) -> Annotation | None:
        entry = self.query_one("#history", Entries).current
        return next((note for note in self.history if entry is not None and note.id == entry.copies), None)

    def action_subject(self) -> None:
        """Write on the case rather than the signature, or the other way round."""
        if not self.item.case:
            self._status("no case matches this report: the note is on its signature")
            return
        self.leaving()
        on_case = self.subject.startswith("case:")
        self.subject = f"signature:{self.item.signature}" if on_case else f"case:{self.item.case}"
        self.query_one(TextArea).load_text("")
        self._kept, self._status_text, self.replaces = "", "", None
        self.fetch()

    @work(exclusive=True, group="file")
    async def action_file(self) -> None:
        """Append the note under the cursor (the last one by default) to the case's file."""
        async with self._writing:  # a note that is being saved is the last one
            note = self._note() or (self.history[-1] if self.history else None)
            if self._seen is None:
                self._status("no case to file into: no case matches, or it has no file")
            elif note is None:
                self._status("no note to file: save one first")
            else:
                await self.file(note, *self._seen)

    async def file(self, note: Annotation, path: Path, seen: bytes) -> None:
        """Append; a file that changed meanwhile is shown with its difference first."""
        digest = hashlib.sha256(seen).hexdigest()
        try:
            await self.ask(append_note, path, digest, as_markdown(note))
        except CaseChanged:
            from kb.tui.screens.changed import Changed

            now = await self.ask(path.read_bytes)
            if await self.app.push_screen_wait(Changed(path, seen, now, "append the note to it")):
                self._seen = (path, now)
                await self.file(note, path, now)
            else:
                self._status("not filed: the file changed; the note is safe in the store")
            return
        except KbError as error:
            self._status(f"NOT filed: {error.reason}")
            self.say(error)
            return
        self._seen = await self.ask(self._case_file)
        self._status(f"filed in {path}")

    def action_back(self) -> None:
        """Leave; what was typed stays as a draft."""
        self.leaving()
        self.app.pop_screen()


def as_markdown(note: Annotation) -> str:
    """A note as a list entry of case.md."""
    first, *rest = note.body.strip().split("\n")
    about = f" (lines {note.span[0]}-{note.span[1]})" if note.span else ""
    return "\n".join([f"- {note.time[:10]}, {note.author}{about}: {first}", *(f"  {line}".rstrip() for line in rest)])


def history_entries(history: tuple[Annotation, ...], width: int) -> list[Entry]:
    """Notes, oldest first; those that were replaced or withdrawn are marked."""
    if not history:
        return [Entry([("no notes yet", "dim")], plain=True)]
    gone = {note.replaces: "replaced" for note in history if note.replaces}
    gone |= {note.retracts: "withdrawn" for note in history if note.retracts}
    out: list[Entry] = []
    for note in history:
        state = f"  ({gone[note.id]})" if note.id in gone else ""
        where = f"  lines {note.span[0]}-{note.span[1]}" if note.span else ""
        head = f"{note.time[:16].replace('T', ' ')}  {safe(note.author)}{where}{state}"
        out.append(Entry([(head, "head" if not state else "dim")], copies=note.id, more=note.body))
        for row in paragraph(note.body, width, "dim" if state else "", [("  ", "")]):
            out.append(Entry(row, copies=note.id, more=note.body))
    return out
