"""A new case from a report: where, and what it is called."""

import contextlib
import os
import re
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from kb.cases.new import new_case
from kb.errors import KbError
from kb.model.verdict import Diagnosis, Verdict
from kb.render.safe import safe
from kb.tui.desk import Desk
from kb.tui.lists.item import Item
from kb.tui.screens.page import Page
from kb.tui.widgets.printable import PRINTABLE

LONGEST = 31
"""Letters of an id that is proposed: it stands in columns, and people type it."""
Draft = tuple[Path, Diagnosis | None]
"""The file of a new case, and the report it was made from."""


class NewCase(Page[Draft], ModalScreen[Draft]):
    """Two lines to fill in, both proposed; its result is what was made of them."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Leave")]

    def __init__(self, desk: Desk, item: Item):
        super().__init__(desk)
        self.item = item

    def compose(self) -> ComposeResult:
        """Id and folder."""
        with Vertical(id="box"):
            yield Static("New case from this report: a draft with its predicates proposed and its log as a sample.")
            yield Static("", id="known", markup=False)
            yield Static("id")
            yield Input(proposed_id(self.item.title), id="case-id", compact=True, restrict=PRINTABLE)
            yield Static("folder of cases")
            yield Input(proposed_folder(self.desk.folders), id="folder", compact=True, restrict=PRINTABLE)
            yield Static("enter makes it, esc leaves", id="status", markup=False)

    def on_mount(self) -> None:
        """The id comes first."""
        self.query_one("#case-id").focus()
        self.query_one("#known").display = False
        self.tell_known()

    @work(exclusive=True, group="known")
    async def tell_known(self) -> None:
        """Say when a case answers yes already: a second one would say the same."""
        with contextlib.suppress(KbError):
            found = await self.ask(self.desk.diagnosis, self.item)
            best = found.best if found is not None else None
            if best is not None and best.verdict is Verdict.YES:
                told = self.query_one("#known", Static)
                told.display = True
                told.update(safe(f"✓ {best.case.id} already answers yes: {best.case.title}. Better add to that one."))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.make()

    @work(exclusive=True, group="make")
    async def make(self) -> None:
        """Write the draft."""
        folder = Path(self.query_one("#folder", Input).value).expanduser()
        case_id = self.query_one("#case-id", Input).value.strip()
        if not re.fullmatch(r"[a-z0-9]+(?:[-.][a-z0-9]+)*", case_id):
            self.query_one("#status", Static).update("an id is lower-case words with dashes: nvme-timeout-ebs")
            return
        try:
            found = await self.ask(self.desk.diagnosis, self.item)
            path = await self.ask(new_case, folder, case_id, found)
            await self.ask(self.desk.add_folder, str(folder))
        except KbError as error:
            self.query_one("#status", Static).update(safe(f"{error.reason}: {error.help or error.path}"))
            return
        self.dismiss((path, found))


def proposed_id(title: str) -> str:
    """An id out of a title: lower-case words with dashes, fewer than 32 characters."""
    words = [word for word in re.findall(r"[a-z0-9]+", title.lower()) if word not in ("in", "at", "of", "on", "the")]
    name = ""
    for word in words:
        if len(name) + len(word) + bool(name) > LONGEST:
            break
        name = f"{name}-{word}" if name else word
    return name or "".join(words[:1])[:LONGEST] or "new-case"


def proposed_folder(folders: tuple[str, ...]) -> str:
    """Where cases go: ``--cases``, the first of ``$KB_CASES``, else ``cases`` here."""
    if folders:
        return folders[0]
    named = [part for part in os.environ.get("KB_CASES", "").split(os.pathsep) if part]
    return named[0] if named else "cases"
