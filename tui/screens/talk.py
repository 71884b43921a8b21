"""Questions about the report that is looked at, in a pane beside it: `kb chat` with the report loaded."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from kb.chat import Conversation
from kb.model.verdict import Diagnosis
from kb.tui.desk import Desk
from kb.tui.panes.rows import Entry, Row, paragraph
from kb.tui.screens.page import Page
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.printable import PRINTABLE

FIRST = "why?"
"""What is asked at once."""


class Talk(Page[None], ModalScreen[None]):
    """What was asked and answered, and a line to ask in.

    Args:
        desk: The session.
        found: The report to talk about.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]

    def __init__(self, desk: Desk, found: Diagnosis):
        super().__init__(desk)
        self.found = found
        self.talk = Conversation(desk.base, author=desk.author)
        self.said: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        """Answers above, the question below."""
        with Vertical(id="talk"):
            yield Fitted(id="answers")
            yield Input(
                placeholder="why? is it known? what can I do now?   esc: back",
                id="ask",
                compact=True,
                restrict=PRINTABLE,
            )

    def on_mount(self) -> None:
        """Load the report; its first lines are the answer to what everybody asks first."""
        self.query_one("#talk").border_title = "Talk about this report"
        self.query_one("#ask").focus()
        self._load()

    @work(group="talk")
    async def _load(self) -> None:
        report = self.found.report
        text = b"\n" * (report.span[0] - 1) + b"".join(line.raw for line in report.lines)
        reply = await self.ask(lambda: self.talk.load(text, name=report.source))
        self._say("", reply.text)
        self._answer(FIRST)

    @on(Input.Submitted, "#ask")
    def _asked(self, event: Input.Submitted) -> None:
        question = event.value.strip()
        event.input.value = ""
        if question:
            self._answer(question)

    @work(group="talk")
    async def _answer(self, question: str) -> None:
        reply = await self.ask(self.talk.ask, question)
        if reply.exit:
            self.app.pop_screen()
        else:
            self._say(question, reply.text)

    def _say(self, question: str, answer: str) -> None:
        """Show an answer from its question on."""
        pane = self.query_one("#answers", Fitted)
        before = pane.count
        self.said.append((question, answer))
        pane.show(self._entries)
        pane.jump(pane.count - 1, -1)
        pane.jump(before)

    def _entries(self, width: int) -> list[Entry]:
        out: list[Entry] = []
        for question, answer in self.said:
            if question:
                out += [Entry([("", "")], plain=True), Entry([("> ", "key"), (question, "key")])]
            for line in answer.split("\n"):
                text = line.lstrip(" ")
                lead: Row = [(" " * (len(line) - len(text)), "")]
                out += [Entry(row, copies=line) for row in paragraph(text, width, "", lead)]
        return out
