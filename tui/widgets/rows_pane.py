"""The pane of the triage list: its columns and rows; a log in which no report is, in their place."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from kb.tui.doc import Doc
from kb.tui.panes.rows import input_name
from kb.tui.widgets.log_view import NOWHERE, LogView
from kb.tui.widgets.triage_list import TriageList
from kb.tui.widgets.virtual_list import Lines

NAME = 60
"""Cells of a log's name in the title."""
MARKED = "marked: a one note  d one problem  e export  y copy  Esc unmark"
OTHERS = "L: the other logs"


class RowsPane(Vertical):
    """Titled by what it shows.

    Args:
        rows: The list.
        title: What its rows are.
    """

    def __init__(self, rows: TriageList, title: str):
        super().__init__(id="rows")
        self.list, self.title = rows, title
        self.bare = LogView(id="bare")
        self._several = False

    def compose(self) -> ComposeResult:
        """Columns, rows, the log."""
        yield Static("", id="columns", markup=False)
        yield self.list
        yield self.bare

    def on_mount(self) -> None:
        """Rows are shown."""
        self.look(None)

    @property
    def shown(self) -> Lines:
        """What is shown: the list, or the log."""
        return self.bare if self.bare.display else self.list

    def offer(self) -> bool:
        """Say at the border what can be done with what is shown; whether that is something else than before."""
        said = (OTHERS if self._several else "") if self.bare.display else MARKED if self.list.marked else ""
        changed = said != (self.border_subtitle or "")
        if changed:
            self.border_subtitle = said
        return changed

    def look(self, doc: Doc | None, *, follow: bool = False, several: bool = False) -> None:
        """Show a log; None: the list.

        Args:
            doc: The log.
            follow: Stay at its end, where that is in sight.
            several: It is one of several.
        """
        focused = self.has_focus_within
        self.bare.display = doc is not None
        self.list.display = self.query_one("#columns").display = doc is None
        self.border_title = self.title if doc is None else f"Log: {input_name(doc.name, NAME)}" if several else "Log"
        self._several = several
        self.offer()
        if doc is not None and self.bare.doc is not doc:
            line, last = self.bare.line, self.bare.line >= len(self.bare.doc)
            self.bare.show(doc, NOWHERE, ())
            self.bare.reveal(len(doc) if follow and last else min(line, len(doc)) if follow else 1)
        if focused:
            self.shown.focus()
