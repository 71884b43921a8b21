"""One note on all signatures that are marked."""

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Static, TextArea

from kb.errors import KbError
from kb.tui.desk import Desk
from kb.tui.lists.item import Item
from kb.tui.panes.rows import Entry, clip
from kb.tui.screens.page import Page
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.writing import Writing


class NoteAll(Page[None]):
    """The signatures above, the note below.

    Args:
        desk: The session.
        items: Rows of the list; a signature that several share gets the note once.
    """

    KEYS_OF = ("Notes",)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save on all"),
        Binding("escape", "app.pop_screen", "Leave"),
        Binding("tab", "app.focus_next", "Pane", show=False),
    ]

    def __init__(self, desk: Desk, items: Sequence[Item]):
        super().__init__(desk)
        self.items = list({item.signature: item for item in items}.values())
        self._saving = False

    def compose(self) -> ComposeResult:
        """Head, signatures, editor, keys."""
        yield Static(f"A note on {len(self.items)} signatures", id="head", markup=False)
        yield Fitted(id="history")
        yield Writing(id="note", tab_behavior="focus", compact=True)
        yield Static("ctrl+s saves it on each of them", id="status", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one("#history", Fitted).show(
            lambda width: [
                Entry([(f"{item.signature}  ", "dim"), (clip(item.title, width - 22), "")]) for item in self.items
            ]
        )
        self.query_one(TextArea).focus()

    @work(exclusive=True, group="save")
    async def action_save(self) -> None:
        """Save; told only when the store has all of them."""
        body = self.query_one(TextArea).text
        if not body.strip() or self._saving:
            return
        self._saving = True
        subjects = [f"signature:{item.signature}" for item in self.items]
        try:
            await self.ask(self.desk.annotate_all, subjects, body)
        except KbError as error:
            self._saving = False
            self.say(error)
            return
        self.notify(f"saved on {len(subjects)} signatures")
        self.app.pop_screen()
