"""The app: screens over one desk."""

import sys
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kb.tui.desk import Desk
from kb.tui.in_order import InOrder
from kb.tui.messages import CaseWanted, NotesWanted, ReportWanted
from kb.tui.screens.page import Page
from kb.tui.screens.triage import Triage


class Tui(InOrder[None]):
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

    @on(ReportWanted)
    def _report(self, wanted: ReportWanted) -> None:
        from kb.tui.screens.report import ReportScreen

        self.push_screen(ReportScreen(self.desk, wanted.item, self.triage.list))

    @on(NotesWanted)
    def _notes(self, wanted: NotesWanted) -> None:
        from kb.tui.screens.notes import Notes

        self.push_screen(Notes(self.desk, wanted.item, wanted.span))

    @on(CaseWanted)
    def _case(self, wanted: CaseWanted) -> None:
        from kb.tui.screens.editor import Editor
        from kb.tui.screens.new_case import Draft, NewCase

        def edit(draft: Draft | None) -> None:
            if draft is not None:
                self.push_screen(Editor(self.desk, *draft), self._judge_again)

        self.push_screen(NewCase(self.desk, wanted.item), edit)

    def _judge_again(self, _: None) -> None:
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

    async def action_quit(self) -> None:
        """Quit; no screen loses what was typed."""
        for screen in self.screen_stack:
            if isinstance(screen, Page):
                screen.leaving()
        await super().action_quit()

    def on_unmount(self) -> None:
        """What is being written is finished."""
        self.desk.close()
