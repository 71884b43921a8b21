"""Editing case.md: lint findings at their line, and what the case says about its report, each time it is saved."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Static, TextArea

from kb.cases.lint import lint
from kb.cases.new import replace_file
from kb.cases.rules import Finding
from kb.errors import CaseError
from kb.model.verdict import Diagnosis, Match
from kb.render.safe import safe
from kb.tui.desk import Desk
from kb.tui.panes.case_view import predicate_entries
from kb.tui.panes.rows import MARKS, Entry
from kb.tui.screens.page import Page
from kb.tui.widgets.virtual_list import Entries, Lines
from kb.tui.widgets.writing import Writing


class Editor(Page[None]):
    """A case file and what is said about it.

    Args:
        desk: The session.
        path: The case's file.
        found: The report the case is tried on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save, lint, match", priority=True),
        Binding("ctrl+e", "editor", "$EDITOR", priority=True),
        Binding("ctrl+n", "near", "Near miss", priority=True),
        Binding("escape", "back", "Back"),
        Binding("tab", "app.focus_next", "Pane", show=False),
    ]

    def __init__(self, desk: Desk, path: Path, found: Diagnosis | None):
        super().__init__(desk)
        self.path, self.found = path, found
        self._seen = b""
        self._leaving = False

    def compose(self) -> ComposeResult:
        """Head, text, findings, keys."""
        yield Static(safe(str(self.path)), id="head", markup=False)
        yield Writing(id="case-text", show_line_numbers=True, tab_behavior="focus", soft_wrap=False, compact=True)
        yield Entries(id="findings")
        yield Footer()

    def on_mount(self) -> None:
        """Read the file."""
        self.query_one(TextArea).focus()
        self.read()

    @work(exclusive=True, group="file")
    async def read(self) -> None:
        """The file as it is, its findings, its verdict."""
        try:
            self._seen = await self.ask(self.path.read_bytes)
        except OSError as error:
            self.say(CaseError(f"cannot be read: {error.strerror}", path=str(self.path)))
            return
        text = self.query_one(TextArea)
        place = text.cursor_location
        text.load_text(self._seen.decode("utf-8", "replace"))
        text.move_cursor(place)
        await self._judge()

    @property
    def changed(self) -> bool:
        """Whether the text is not what the file holds."""
        return self.query_one(TextArea).text != self._seen.decode("utf-8", "replace")

    @work(exclusive=True, group="file")
    async def action_save(self) -> None:
        """Write the file whole, then lint it and match."""
        data = self.query_one(TextArea).text.encode()
        try:
            now = await self.ask(self.path.read_bytes)
            if now != self._seen:
                from kb.tui.screens.changed import Changed

                if not await self.app.push_screen_wait(Changed(self.path, self._seen, now, "write your text over it")):
                    self._say("not saved: the file changed meanwhile", "bad")
                    return
            await self.ask(replace_file, self.path, data)
        except OSError as error:
            self._say(f"NOT saved: {error.strerror or error}", "bad")
            return
        self._seen = data
        self._leaving = False
        await self._judge()

    def _say(self, text: str, role: str) -> None:
        pane = self.query_one("#findings", Entries)
        pane.fill([Entry([(safe(text), role)], plain=True), *pane.entries[1:]])

    async def _judge(self) -> None:
        """Findings, then the predicates on the report."""
        findings, match, error = await self.ask(self._examine)
        head = f"{len(findings)} finding{'s' * (len(findings) != 1)}"
        rows = [finding_entry(finding) for finding in findings]
        role = "bad" if findings else "good"
        if match is not None:
            sign, _ = MARKS[match.verdict.value]
            head += f"; {sign} on its report the case says {match.verdict.value}"
            width = max(40, self.query_one("#findings", Entries).room)
            rows += [entry for mark in match.marks for entry in predicate_entries(mark, match.standing, width)]
        elif error:
            head += f"; {error}"
        self.query_one("#findings", Entries).fill([Entry([(safe(head), role)], plain=True), *rows])

    def _examine(self) -> tuple[list[Finding], Match | None, str]:
        findings = lint(self.path)
        self.desk.add_folder(str(self.path.parent.parent))
        if self.found is None:
            return findings, None, "no report to try it on"
        again = self.desk.diagnose(self.found.report)
        ours = next((match for match in again.matches if match.case.id == self.path.parent.name), None)
        return findings, ours, "" if ours else "✗ on its report the case says no"

    @on(Lines.Chosen, "#findings")
    def _to_line(self) -> None:
        entry = self.query_one("#findings", Entries).current
        if entry is not None and entry.copies.isdigit():
            text = self.query_one(TextArea)
            text.move_cursor((int(entry.copies) - 1, 0), center=True)
            text.focus()

    def action_editor(self) -> None:
        """Hand the file to $VISUAL or $EDITOR; the terminal is theirs until they end."""
        if self.changed:
            self._say("save first (ctrl+s): the editor reads the file", "bad")
            return
        command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        try:
            with self.app.suspend():
                subprocess.run([*command, str(self.path)], check=False)
        except SuspendNotSupported:
            self._say("no other editor can be started from here: edit it in place", "bad")
        except OSError as error:
            self._say(f"cannot start {command[0]}: {error.strerror}", "bad")
        self.read()

    def action_near(self) -> None:
        """A near miss: the sample, changed until the case no longer speaks."""
        from kb.tui.screens.near import NearMiss

        self.app.push_screen(NearMiss(self.desk, self.path))

    def action_back(self) -> None:
        """Leave; unsaved text is asked about once."""
        if self.changed and not self._leaving:
            self._leaving = True
            self._say("not saved: ctrl+s saves, esc again leaves it", "bad")
            return
        self.dismiss()


def finding_entry(finding: Finding) -> Entry:
    """A finding; Enter leads to its line."""
    text = f"line {finding.line}: {finding.reason}" + (f" ({finding.help})" if finding.help else "")
    return Entry([(f" ✗ {finding.rule} ", "bad"), (safe(text), "")], copies=str(finding.line), more=text)
