"""The app: screens over one desk."""

import sys
from typing import ClassVar

from kb.tui.desk import Desk, Item
from kb.tui.screens.triage import Triage
from textual.app import App
from textual.binding import Binding, BindingType

from kb.errors import KbError
from kb.model.log import Span


class Tui(App[None]):
    """The triage desk.

    Args:
        desk: What is shown; closed when the app ends.
    """

    TITLE = "kb"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-narrow"), (110, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("ctrl+t", "dark", "Light or dark", show=False),
    ]

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk
        self.triage = Triage(desk)
        # a thread that parses lets go of the interpreter after a millisecond rather than five: keys come first
        sys.setswitchinterval(0.001)

    def on_mount(self) -> None:
        """Begin with the list."""
        self.push_screen(self.triage)

    def open_report(self, item: Item, _index: int) -> None:
        """Show a report."""
        from kb.tui.screens.report import ReportScreen

        self.push_screen(ReportScreen(self.desk, item))

    def say(self, error: KbError) -> None:
        """An error: reason, place and help, as on the command line."""
        self.notify(str(error), severity="error", timeout=12, markup=False)

    def copy(self, text: str) -> None:
        """To the clipboard of the terminal (OSC 52), which works over ssh too."""
        if text:
            self.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.notify(f"copied {lines} line{'s' * (lines != 1)}", timeout=2)

    def annotate(self, item: Item, span: Span | None = None) -> None:
        """Notes on a signature."""

    def new_case(self, item: Item) -> None:
        """A case from a report."""

    def action_dark(self) -> None:
        """Light or dark."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def on_unmount(self) -> None:
        """What is being written is finished."""
        self.desk.close()
