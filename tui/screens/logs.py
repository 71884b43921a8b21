"""The logs that were handed in, those without a report too: one is chosen and shown whole."""

from collections import Counter
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from kb import api
from kb.render.safe import safe
from kb.tui.desk import Desk
from kb.tui.doc import Doc
from kb.tui.panes.rows import Entry, Row, clip, input_name
from kb.tui.screens.page import Page
from kb.tui.widgets.fitted import Fitted
from kb.tui.widgets.virtual_list import Lines

OTHERS = "others"
"""Name of the row that stands for the files that are no logs."""


class Logs(Page[Doc | None], ModalScreen[Doc | None]):
    """A row a log: its lines, its reports, its name and what was wrong with it. What else an archive holds, settings
    and numbers, is one row until that is chosen.

    Args:
        desk: The session.
        reports: How many reports were found in each, by its name.
    """

    KEYS_OF = ("Triage",)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "Back")]

    def __init__(self, desk: Desk, reports: Counter[str]):
        super().__init__(desk)
        self.reports = reports
        logs = sorted(desk.docs.values(), key=lambda doc: not reports[doc.name])  # what an archive holds is long
        aside = {doc.name for doc in logs if not (reports[doc.name] or doc.notes) and api.no_log(doc.name)}
        self.folded = 1 < len(aside) < len(logs)
        self.logs = [doc for doc in logs if not self.folded or doc.name not in aside]
        self.others = [doc for doc in logs if self.folded and doc.name in aside]

    def compose(self) -> ComposeResult:
        """The rows."""
        yield Fitted(id="logs")

    def on_mount(self) -> None:
        """Fill them."""
        pane = self.query_one("#logs", Fitted)
        without = sum(not self.reports[doc.name] for doc in self.logs)
        others = f"; {len(self.others)} other files" if self.others else ""
        pane.border_title = f"Logs: {len(self.logs)}, {without} without a report{others}"
        pane.border_subtitle = "Enter shows one whole   Esc: back"
        pane.show(self._entries)
        pane.focus()

    def _entries(self, width: int) -> list[Entry]:
        if self.folded:
            said = f"{len(self.others):>10,} files of the archive that are no logs by their names: Enter lists them"
            return [*self._rows(self.logs, width), Entry([(clip(said, width).rstrip(), "dim")], name=OTHERS)]
        return self._rows([*self.logs, *self.others], width)

    def _rows(self, logs: list[Doc], width: int) -> list[Entry]:
        rows: list[Entry] = []
        for number, doc in enumerate(logs):
            found = self.reports[doc.name]
            row: Row = [
                (f"{len(doc):>10,} line{'s' * (len(doc) != 1):1}  ", ""),
                (f"{found:>5,} report{'s' * (found != 1):1}  " if found else " " * 15, ""),
                (input_name(doc.name, max(20, width - 33)), "key" if found else ""),
            ]  # fmt: skip
            rows.append(Entry(row, copies=doc.name, name=str(number)))
            rows += [Entry([(" " * 33 + safe(note), "warn")], plain=True) for note in doc.notes]
        return rows

    @on(Lines.Chosen, "#logs")
    def _choose(self) -> None:
        entry = self.query_one("#logs", Fitted).current
        if entry is None:
            return
        if entry.name == OTHERS:
            self.folded = False
            self.query_one("#logs", Fitted).again()
        else:
            self.dismiss([*self.logs, *self.others][int(entry.name)])
