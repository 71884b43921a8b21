"""A file changed since it was shown: the difference, and a question."""

from difflib import unified_diff
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from kb.render.safe import safe
from kb.tui.panes.rows import Entry
from kb.tui.widgets.virtual_list import Entries


class Changed(ModalScreen[bool]):
    """True when the person goes on with the file as it is now.

    Args:
        path: The file.
        old: What was shown.
        new: What it holds now.
        deed: What going on means: ``append the note to it``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "answer(True)", "Go on"),
        Binding("escape,q", "answer(False)", "Leave it"),
    ]

    def __init__(self, path: Path, old: bytes, new: bytes, deed: str):
        super().__init__()
        self.path, self.old, self.new, self.deed = path, old, new, deed

    def compose(self) -> ComposeResult:
        """Question, difference, keys."""
        text = f"{self.path} changed since it was shown. f: {self.deed}; esc: leave it."
        yield Static(safe(text), id="head", markup=False)
        yield Entries(difference(self.old, self.new), id="difference")
        yield Footer()

    def on_mount(self) -> None:
        """Scroll the difference at once."""
        shown = self.query_one(Entries)
        shown.opens = False
        shown.focus()

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


def difference(old: bytes, new: bytes) -> list[Entry]:
    """A unified diff as entries."""
    before, after = (data.decode("utf-8", "replace").splitlines() for data in (old, new))
    roles = {"+": "good", "-": "bad", "@": "head"}
    lines = list(unified_diff(before, after, "as shown", "as it is now", lineterm=""))
    if not lines:
        return [Entry([("the same lines; only line ends or undecodable bytes differ", "dim")])]
    return [Entry([(safe(line), roles.get(line[:1], ""))]) for line in lines]
