"""What can be done with the report that is looked at, on whatever screen it is."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from kb.errors import KbError
from kb.render.safe import safe, safe_lines
from kb.tui.in_order import InOrder
from kb.tui.messages import FileWanted, NoteOnAll

if TYPE_CHECKING:
    from kb.model.case import Case
    from kb.model.verdict import Diagnosis
    from kb.tui.desk import Desk
    from kb.tui.lists.item import Item


class Deeds(InOrder[None]):
    """Write, copy, open, talk: keys that mean the same everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("W", "write", "Write the report", show=False),
        Binding("M", "markdown", "Copy Markdown", show=False),
        Binding("O", "source", "Open the case's source", show=False),
        Binding("V", "verify", "Copy the verify steps", show=False),
        Binding("T", "talk", "Talk about it", show=False),
    ]

    desk: "Desk"

    @property
    def looked_at(self) -> "Item | None":
        """The report that is looked at."""
        item: Item | None = getattr(self.screen, "item", None)
        return item

    async def _found(self) -> "Diagnosis | None":
        """Its diagnosis; says why where there is none."""
        item = self.looked_at
        if item is None:
            self.notify("choose a report first")
            return None
        try:
            found = await self.desk.do(self.desk.diagnosis, item)
        except KbError as error:
            self.notify(safe_lines(str(error)), severity="error", markup=False)
            return None
        if found is None:
            self.notify("the store keeps no log of it")
        return found

    async def _known_case(self) -> "Case | None":
        found = await self._found()
        if found is not None and found.best is None:
            self.notify("no case matches this report: c drafts one")
        return found.best.case if found is not None and found.best is not None else None

    def action_write(self) -> None:
        """Write the report to a file: HTML by default."""
        item = self.looked_at
        if item is None:
            self.notify("choose a report first")
        else:
            self._file(FileWanted([item], "kb-report.html"))

    @on(FileWanted)
    def _file(self, wanted: FileWanted) -> None:
        from kb.tui.screens.write_file import WriteFile

        self.push_screen(WriteFile(self.desk, wanted.items, wanted.name))

    @on(NoteOnAll)
    def _note_on_all(self, wanted: NoteOnAll) -> None:
        from kb.tui.screens.note_on_all import NoteAll

        self.push_screen(NoteAll(self.desk, wanted.items))

    @work(exclusive=True, group="deed")
    async def action_markdown(self) -> None:
        """Copy the report as Markdown, for a ticket."""
        found = await self._found()
        if found is not None:
            self.copy_to_clipboard(found.to_markdown())
            self.notify("copied the report as Markdown", timeout=2)

    @work(exclusive=True, group="deed")
    async def action_source(self) -> None:
        """Open the first source of the case that has an address; it is copied, too, for who works over ssh."""
        case = await self._known_case()
        if case is None:
            return
        address = next((each.url for each in case.sources if each.url.startswith(("https://", "http://"))), "")
        if not address:
            self.copy_to_clipboard(case.path)
            self.notify(safe(f"{case.id} names no address; copied its file: {case.path}"), markup=False)
            return
        self.copy_to_clipboard(address)
        opens = self.is_web or not _text_browser()
        if opens:
            self.open_url(address)
        self.notify(safe(f"{'opened and copied' if opens else 'copied'} {address}"), markup=False)

    @work(exclusive=True, group="deed")
    async def action_verify(self) -> None:
        """Copy the commands that confirm the case or rule it out, each with what to expect."""
        case = await self._known_case()
        if case is None:
            return
        steps = [f"# expect: {' '.join(step.expect.split())}\n{step.run}" for step in case.verify]
        if not steps:
            self.notify(safe(f"{case.id} names no steps"), markup=False)
            return
        self.copy_to_clipboard("\n\n".join(steps) + "\n")
        self.notify(f"copied {len(steps)} verify step{'s' * (len(steps) != 1)}", timeout=2)

    @work(exclusive=True, group="deed")
    async def action_talk(self) -> None:
        """Ask about the report, in a pane beside it."""
        from kb.tui.screens.talk import Talk

        found = await self._found()
        if found is not None and not isinstance(self.screen, Talk):
            self.push_screen(Talk(self.desk, found))


_TEXT = ("www-browser", "links", "elinks", "lynx", "w3m")
"""Browsers that would take the terminal from under the app; webbrowser knows them where there is no other one."""


def _text_browser() -> bool:
    try:
        return Path(getattr(webbrowser.get(), "name", "")).name in _TEXT
    except webbrowser.Error:
        return True
