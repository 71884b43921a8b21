"""Reports to a file: the end of its name says the format."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from kb.errors import KbError
from kb.model.verdict import Diagnosis
from kb.render.safe import safe
from kb.tui.desk import Desk
from kb.tui.lists.item import Item
from kb.tui.screens.page import Page
from kb.tui.widgets.printable import PRINTABLE

FORMATS = (".html", ".md", ".json", ".ndjson")


class WriteFile(Page[None], ModalScreen[None]):
    """One line to fill in.

    Args:
        desk: The session.
        items: The reports to write.
        name: The file proposed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Leave")]

    def __init__(self, desk: Desk, items: Sequence[Item], name: str):
        super().__init__(desk)
        self.items, self.proposed = items, name
        self._over = ""

    def compose(self) -> ComposeResult:
        """What, where, how it went."""
        count = len(self.items)
        with Vertical(id="box"):
            yield Static(
                f"Write {count} report{'s' * (count != 1)} to a file: .html (a page), .md, .ndjson (a line each)"
            )
            yield Input(self.proposed, id="file", compact=True, restrict=PRINTABLE)
            yield Static("enter writes it, esc leaves", id="status", markup=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one("#file").focus()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.write()

    @work(exclusive=True, group="write")
    async def write(self) -> None:
        """Write; a file that is there is asked about once."""
        path = Path(self.query_one("#file", Input).value.strip()).expanduser()
        status = self.query_one("#status", Static)
        if path.suffix not in FORMATS:
            status.update(f"the name says the format: it ends in {', '.join(FORMATS)}")
            return
        if path.exists() and self._over != str(path):
            self._over = str(path)
            status.update("it is there: enter again writes over it")
            return
        try:
            found = [each for item in self.items if (each := await self.ask(self.desk.diagnosis, item)) is not None]
            if not found:
                status.update("the store keeps no log of these")
                return
            await self.ask(_write, path, found)
        except (KbError, OSError) as error:
            status.update(safe(f"not written: {error}"))
            return
        lacking = len(self.items) - len(found)
        more = f"; of {lacking} the store keeps no log" if lacking else ""
        self.notify(safe(f"written: {path}{more}"), markup=False)
        self.app.pop_screen()


def _write(path: Path, found: Sequence[Diagnosis]) -> None:
    path.write_text(_text(path.suffix, found), encoding="utf-8", errors="backslashreplace")


def _text(suffix: str, found: Sequence[Diagnosis]) -> str:
    if suffix == ".html":
        from kb import __version__
        from kb.render.html.document import whole
        from kb.words.speak import words

        return whole(found, words("en"), __version__)
    if suffix == ".md":
        return "\n\n".join(each.to_markdown() for each in found)
    from kb.render.json import line

    return "".join(line(each.to_json()) + "\n" for each in found)
