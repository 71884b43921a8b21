"""A screen is left while the thread behind it still works: nothing breaks, and nothing that was typed is lost."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from kb.store import Store
from kb.tui.screens.triage import REST, Triage
from kb.tui.widgets.log_view import LogView
from kb.tui.widgets.virtual_list import Entries
from tests.tui.driving import Flow, drive, log, seed
from tests.tui.test_notes import SUBJECT, drafted


def test_a_report_is_left_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    async def flow(here: Flow) -> None:
        async def late(_: LogView) -> None:
            """The log's pane is the last to go, and the report is read before the screen itself is gone."""
            gate.set()
            for _turn in range(10):  # each answer of the thread lets what waits for it go on
                await here.app.desk.do(int)

        monkeypatch.setattr(LogView, "on_unmount", late, raising=False)
        here.app.desk.do(gate.wait)
        await here.keys("enter", "escape")
        await here.shows("2 reports")
        await here.until(gate.is_set)
        assert isinstance(here.app.screen, Triage)

    drive(flow, files=[log(tmp_path)], db=tmp_path / "kb.db")


def test_the_cursor_rests_while_an_empty_list_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def flow(here: Flow) -> None:
        async def late(_: Entries) -> None:
            """The pane goes before the screen, whose timer ends in between and is told of behind."""
            here.app.triage._rest()
            await asyncio.sleep(4 * REST)

        await here.shows("nothing yet")
        monkeypatch.setattr(Entries, "on_unmount", late, raising=False)

    drive(flow, db=tmp_path / "kb.db")


def test_a_note_is_saved_though_the_screen_is_left_before_the_store_answers(tmp_path: Path) -> None:
    gate = threading.Event()

    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.shows("no notes yet")
        here.app.desk.do(gate.wait)
        await here.keys(*"seen", "ctrl+s", "ctrl+s", "escape")
        await here.shows("1 report ")
        gate.set()
        await here.keys("a")
        await here.shows("  seen")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert [note.body for note in store.annotations(SUBJECT)] == ["seen"]
    assert drafted(tmp_path / "kb.db") is None


@pytest.mark.parametrize("save", [True, False])
def test_quitting_before_the_store_answers_loses_nothing(tmp_path: Path, save: bool) -> None:
    gate = threading.Event()

    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.shows("no notes yet")
        here.app.desk.do(gate.wait)
        await here.keys(*"seen", *(["ctrl+s"] if save else []))
        await here.app.action_quit()
        threading.Timer(0.3, gate.set).start()

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert [note.body for note in store.annotations(SUBJECT)] == (["seen"] if save else [])
    assert drafted(tmp_path / "kb.db") == (None if save else "seen")
