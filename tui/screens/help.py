"""The help screen."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer

from kb.tui.help import KEYS, SIGNS
from kb.tui.panes.rows import Entry, paragraph
from kb.tui.widgets.fitted import Fitted


class Help(ModalScreen[None]):
    """Keys on one page.

    Args:
        keys: Tables by name; all of them by default.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "app.pop_screen", "Back")]

    def __init__(self, keys: Mapping[str, tuple[tuple[str, str], ...]] = KEYS):
        super().__init__()
        self.keys = keys

    def compose(self) -> ComposeResult:
        """The page."""
        yield Fitted(id="help")
        yield Footer()

    def on_mount(self) -> None:
        """Scrolls at once."""
        page = self.query_one(Fitted)
        page.opens = False
        page.focus()
        page.show(lambda width: help_entries(width, self.keys))


def help_entries(width: int, keys: Mapping[str, tuple[tuple[str, str], ...]] = KEYS) -> list[Entry]:
    """The tables of keys and signs."""
    out: list[Entry] = []
    for name, rows in [*keys.items(), ("Signs", SIGNS)]:
        out.append(Entry([(name, "head")], plain=True))
        for key, means in rows:
            out += [Entry(row) for row in paragraph(means, width, "", [(f"  {key:<9} ", "key")])]
    return out
