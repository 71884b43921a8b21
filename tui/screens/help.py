"""The help screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer

from kb.tui.help import KEYS, SIGNS
from kb.tui.rows import Entry, paragraph
from kb.tui.widgets.fitted import Fitted


class Help(ModalScreen[None]):
    """All keys on one page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "app.pop_screen", "Back")]

    def compose(self) -> ComposeResult:
        """The page."""
        yield Fitted(id="help")
        yield Footer()

    def on_mount(self) -> None:
        """Scrolls at once."""
        page = self.query_one(Fitted)
        page.focus()
        page.show(help_entries)


def help_entries(width: int) -> list[Entry]:
    """The tables of keys and signs."""
    out: list[Entry] = []
    for name, keys in [*KEYS.items(), ("Signs", SIGNS)]:
        out.append(Entry([(name, "head")], plain=True))
        for key, means in keys:
            out += [Entry(row) for row in paragraph(means, width, "", [(f"  {key:<9} ", "key")])]
    return out
