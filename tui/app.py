"""The app: screens over one desk."""

import gc
import sys
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from kb.tui.deeds import Deeds
from kb.tui.desk import Desk
from kb.tui.messages import CaseWanted, ListWanted, NotesWanted, ReportWanted, SignatureWanted
from kb.tui.palette import sentences
from kb.tui.screens.page import Page
from kb.tui.screens.triage import Triage


class Tui(Deeds):
    """The triage desk.

    Args:
        desk: What is shown; closed when the app ends.
        home: Whether to begin with the store's home rather than the list; by default where there is no log.
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

    def __init__(self, desk: Desk, *, home: bool | None = None):
        super().__init__()
        if self.console.color_system == "standard":
            from kb.tui.colours import of_sixteen

            for theme in of_sixteen():
                self.register_theme(theme)
            self.stylesheet.set_variables(self.get_css_variables())  # those of the theme as it was are there already
        self.desk = desk
        self.home = not desk.of_log if home is None else home
        self.triage = Triage(desk)
        # a thread that parses lets go of the interpreter after a millisecond rather than five: keys come first
        sys.setswitchinterval(0.001)
        gc.disable()  # what a start makes stays: looking for garbage in it costs a tenth of the time to the first rows

    def on_mount(self) -> None:
        """Begin with the list, or with the store's home."""
        self.set_timer(2.0, self._collect)
        if self.home:
            from kb.tui.screens.home import Home

            self.push_screen(Home(self.desk))
        else:
            self.push_screen(self.triage)

    def _collect(self) -> None:
        gc.freeze()  # and a key never waits for a look at all of it
        gc.enable()

    @on(ListWanted)
    def _list(self, wanted: ListWanted) -> None:
        self.push_screen(self.triage)
        self.triage.begin(wanted.words)

    @on(SignatureWanted)
    def _signature(self, wanted: SignatureWanted) -> None:
        from kb.tui.screens.signature import SignaturePage

        self.push_screen(SignaturePage(self.desk, wanted.item))

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
        """The keys of this view, then those that work everywhere."""
        from kb.tui.help import DEEDS, KEYS
        from kb.tui.screens.help import Help

        if isinstance(self.screen, Help):
            return
        names = self.screen.KEYS_OF if isinstance(self.screen, Page) else ()
        here = {name: KEYS[name] for name in (*names, DEEDS, "Everywhere")}
        self.push_screen(Help(here if names else KEYS))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What can be done here, in sentences, for the command palette."""
        yield SystemCommand("Show the keys of this view", "and all signs", self.action_help)
        active = {each.binding.action: each for each in screen.active_bindings.values()}
        described = {action: each.binding.description for action, each in active.items()}
        for name, more, action in sentences(described):
            yield SystemCommand(name, more, partial(self.run_action, action, active[action].node))
        yield SystemCommand("Switch between light and dark", "the theme", self.action_dark)
        yield SystemCommand("Save a picture of the screen", "an SVG, in this folder", self.deliver_screenshot)

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
        gc.enable()
        self.desk.close()
