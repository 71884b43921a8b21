"""The app: screens over one desk."""

import sys
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kb.errors import KbError
from kb.model.log import Span
from kb.render.safe import safe_lines
from kb.tui.desk import Desk, Item
from kb.tui.screens.triage import Triage


class Tui(App[None]):
    """The triage desk.

    Args:
        desk: What is shown; closed when the app ends.
    """

    TITLE = "kb"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [  # noqa: RUF012 - as the base class declares it
        (0, "-narrow"),
        (110, "-wide"),
    ]
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
        text = safe_lines(str(error))
        self.notify(text, severity="error", timeout=12, markup=False)

    def copy(self, text: str) -> None:
        """To the clipboard of the terminal (OSC 52), which works over ssh too."""
        if text:
            self.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.notify(f"copied {lines} line{'s' * (lines != 1)}", timeout=2)

    def annotate(self, item: Item, span: Span | None = None) -> None:
        """Notes on a signature."""
        from kb.tui.screens.notes import Notes

        self.push_screen(Notes(self.desk, item, span))

    def new_case(self, item: Item) -> None:
        """A case from a report."""
        from kb.tui.screens.new_case import NewCase

        self.push_screen(NewCase(self.desk, item))

    def refresh_report(self) -> None:
        """The cases changed: judge again what is in sight."""
        from kb.tui.screens.report import ReportScreen

        for screen in self.screen_stack:
            if isinstance(screen, ReportScreen):
                screen.load()
        self.triage.judge_again()

    def action_help(self) -> None:
        """All keys."""
        from kb.tui.screens.help import Help

        if not isinstance(self.screen, Help):
            self.push_screen(Help())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key of the screen by its name, for the command palette."""
        yield SystemCommand("Help", "all keys and signs", self.action_help)
        yield SystemCommand("Light or dark", "switch the theme", self.action_dark)
        for binding in screen.active_bindings.values():
            described = binding.binding
            if described.description and described.action not in ("command_palette",):
                action = partial(self.run_action, described.action, binding.node)
                yield SystemCommand(described.description, f"key {described.key}", action)
        yield SystemCommand("Screenshot", "an SVG of the screen, in this folder", self.deliver_screenshot)

    def action_dark(self) -> None:
        """Light or dark."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def on_unmount(self) -> None:
        """What is being written is finished."""
        self.desk.close()
