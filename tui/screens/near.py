"""The near-miss wizard: the case's own sample is changed until the case no longer says yes, and kept as near-*.log."""

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Footer, Static, TextArea

from kb import api
from kb.cases.format import load
from kb.cases.library import samples
from kb.errors import KbError
from kb.model.verdict import Match
from kb.render.safe import safe
from kb.tui.desk import Desk
from kb.tui.panes.rows import MARKS
from kb.tui.screens.page import Page
from kb.tui.widgets.writing import Writing


class NearMiss(Page[None]):
    """The sample in an editor; after each pause the case is asked again.

    Args:
        desk: The session.
        path: The case's file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save as near-*.log", priority=True),
        Binding("escape", "app.pop_screen", "Back"),
    ]

    def __init__(self, desk: Desk, path: Path):
        super().__init__(desk)
        self.path = path
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Verdict, sample, keys."""
        yield Static("", id="head", markup=False)
        yield Writing(id="sample", soft_wrap=False, show_line_numbers=True, compact=True)
        yield Footer()

    def on_mount(self) -> None:
        """Begin with the sample that matches."""
        found = samples(self.path.parent, "match-*.log")
        text = found[0].read_bytes().decode("utf-8", "replace") if found else ""
        self.query_one(TextArea).load_text(text)
        self.query_one(TextArea).focus()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(0.2, self._judge)

    @work(exclusive=True, group="judge")
    async def _judge(self) -> None:
        try:
            verdict, why = await self.ask(verdict_on, self.path, self.query_one(TextArea).text)
        except KbError as error:
            self.say(error)
            return
        todo = {"yes": "change the detail that tells it apart", "maybe": "better a no"}.get(verdict, "ctrl+s keeps it")
        self.query_one("#head", Static).update(safe(f"{MARKS[verdict][0]} the case says {verdict}: {todo}. {why}"))

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Keep the text, unless the case still says yes."""
        text = self.query_one(TextArea).text
        try:
            verdict, _why = await self.ask(verdict_on, self.path, text)
            if verdict == "yes":
                self.notify("not kept: the case still says yes, so it is no near miss", severity="warning")
                return
            name = await self.ask(keep, self.path.parent, text)
        except (KbError, OSError) as error:
            self.notify(safe(f"not kept: {error}"), severity="error", markup=False)
            return
        self.notify(f"kept as {name}", markup=False)
        self.app.pop_screen()


def verdict_on(path: Path, text: str) -> tuple[str, str]:
    """What a case says of a log (``yes``, ``maybe`` or ``no``), and what hinders it."""
    case = load(path).case
    if case is None:
        return "no", "the case file cannot be used yet"
    said: list[Match] = []
    for found in api.match(text.encode(), cases=(case,)):
        said += found.matches
    verdicts = [match.verdict.value for match in said]
    verdict = next((name for name in ("yes", "maybe") if name in verdicts), "no")
    return verdict, ""


def keep(folder: Path, text: str) -> str:
    """Write the next near-N.log; returns its name."""
    number = 1
    while True:
        path = folder / f"near-{number}.log"
        try:
            with path.open("xb") as stream:
                stream.write(text.encode())
            return path.name
        except FileExistsError:
            number += 1
