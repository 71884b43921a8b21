"""Keys that come faster than screens open: each has its effect after the one before, and none is lost."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.widgets import ContentSwitcher, TextArea

from kb.store import Store
from tests.tui.driving import Flow, drive, log, seed
from tests.tui.test_notes import SUBJECT


def test_what_is_typed_while_the_editor_opens_is_in_the_note(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a", *"what I saw", "ctrl+s")
        await here.shows("saved ")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert [note.body for note in store.annotations(SUBJECT)] == ["what I saw"]


def test_what_is_pasted_while_the_editor_opens_is_in_the_note(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        here.app.post_message(events.Key("a", "a"))
        here.app.post_message(events.Paste("first\nsecond"))
        await here.keys("end", *"!")
        assert here.app.screen.query_one(TextArea).text == "first\nsecond!"

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")


def test_a_filter_a_report_and_a_tab_in_one_go(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("/", *"kind:page", "enter", "enter", "2")
        assert here.app.screen.query_one("#panes", ContentSwitcher).current == "view"
        await here.shows("page allocation failure", "Left against needed")

    drive(flow, files=[log(tmp_path)])


def test_keys_after_escape_are_meant_for_the_screen_below(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a", *"half a thought", "escape", "s", "a", *"the other half ")
        await here.shows("the other half half a thought")

    drive(flow, files=[log(tmp_path)], db=tmp_path / "kb.db")


def test_a_note_saved_and_the_subject_changed_at_once_stays_with_its_subject(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a", *"of the signature", "ctrl+s", "ctrl+s", "ctrl+o", *"of the case", "ctrl+s")
        await here.shows("of the case", "saved ")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert [note.body for note in store.annotations(SUBJECT)] == ["of the signature"]
        assert [note.body for note in store.annotations("case:nofs-high-order-watermark")] == ["of the case"]
        assert store.draft(SUBJECT, "tester") is None
