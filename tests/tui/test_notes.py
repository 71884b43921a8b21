from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from textual.widgets import TextArea

from kb.store import Store
from tests.tui.driving import CASE, Flow, drive, seed

SUBJECT = "signature:kb1:35cb166c9cbb7e74"


def drafted(db: Path) -> str | None:
    with Store(db) as store:
        return store.draft(SUBJECT, "tester")


def test_a_draft_is_kept_and_is_there_again(tmp_path: Path) -> None:
    db = tmp_path / "kb.db"

    async def write(here: Flow) -> None:
        await here.keys("a")
        await here.shows("no notes yet")
        await here.type("half a thought")
        await here.until(lambda: drafted(db) == "half a thought", "the draft is in the store")
        await here.shows("draft kept")

    async def look(here: Flow) -> None:
        await here.keys("a")
        await here.shows("a draft from before")
        assert here.app.screen.query_one(TextArea).text == "half a thought"

    drive(write, stdin=seed(), db=db)
    with Store(db) as store:
        assert store.annotations(SUBJECT) == ()
    drive(look, stdin=seed(), db=db)


def test_leaving_at_once_keeps_the_draft_too(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("quick")
        await here.keys("escape")
        await here.shows("1 report ")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    assert drafted(tmp_path / "kb.db") == "quick"


def test_quitting_at_once_keeps_the_draft_too(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("quick")
        await here.app.action_quit()

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    assert drafted(tmp_path / "kb.db") == "quick"


def test_a_note_that_is_only_looked_at_is_no_draft(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("first")
        await here.keys("ctrl+s")
        await here.shows("saved ")
        await here.keys("shift+tab", "enter", "escape")
        await here.shows("1 report ")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    assert drafted(tmp_path / "kb.db") is None


def test_a_note_of_several_lines_is_saved_and_the_draft_is_gone(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("one\ntwo")
        await here.keys("ctrl+s")
        await here.shows("saved ", "  two")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        (note,) = store.annotations(SUBJECT)
        assert (note.body, note.author, note.span) == ("one\ntwo", "tester", None)
        assert store.draft(SUBJECT, "tester") is None


def test_it_is_not_saved_when_the_store_refuses_and_the_text_stays(tmp_path: Path) -> None:
    db = tmp_path / "kb.db"
    Store(db).close()
    with sqlite3.connect(db) as other:
        other.execute("create trigger stop before insert on annotations begin select raise(abort, 'no room'); end")

    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("precious")
        await here.keys("ctrl+s")
        await here.shows("NOT saved")
        assert here.app.screen.query_one(TextArea).text == "precious"

    drive(flow, stdin=seed(), db=db)


def test_a_note_on_lines_bears_them(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("enter")
        await here.shows("order_walk_refusal")
        await here.keys("tab", "v", "down", "down", "a")
        await here.shows("lines 1-3")
        await here.type("here")
        await here.keys("ctrl+s")
        await here.shows("saved ")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert [note.span for note in store.annotations(SUBJECT)] == [(1, 3)]


def test_an_edit_replaces_and_the_old_text_stays_in_the_history(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("first")
        await here.keys("ctrl+s")
        await here.shows("saved ")
        await here.keys("shift+tab", "enter")
        await here.shows("editing the note")
        await here.keys("end")
        await here.type(" mended")
        await here.keys("ctrl+s")
        await here.shows("(replaced)")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        old, new = store.annotations(SUBJECT)
        assert (old.body, new.body, new.replaces) == ("first", "first mended", old.id)


def own_cases(folder: Path) -> Path:
    """A folder with a copy of the packaged case, which the tests may write to."""
    shutil.copytree(CASE, folder / CASE.name)
    return folder / CASE.name / "case.md"


def test_filing_appends_to_the_case_and_changes_no_other_byte(tmp_path: Path) -> None:
    path = own_cases(tmp_path / "cases")
    before = path.read_bytes()

    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("seen again")
        await here.keys("ctrl+s")
        await here.shows("saved ")
        await here.keys("ctrl+f")
        await here.shows("filed in")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db", folders=[str(tmp_path / "cases")])
    after = path.read_bytes()
    assert after.startswith(before)
    with Store(tmp_path / "kb.db") as store:
        (note,) = store.annotations(SUBJECT)
    assert after[len(before) :].decode().strip() == f"- {note.time[:10]}, tester: seen again"


def test_a_case_that_changed_meanwhile_shows_the_difference_and_loses_nothing(tmp_path: Path) -> None:
    path = own_cases(tmp_path / "cases")

    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("mine")
        await here.keys("ctrl+s")
        await here.shows("saved ")
        path.write_bytes(path.read_bytes() + b"\n- theirs\n")
        await here.keys("ctrl+f")
        await here.shows("+- theirs")
        await here.keys("escape")
        await here.shows("not filed")
        assert b"mine" not in path.read_bytes()
        await here.keys("ctrl+f")
        await here.shows("+- theirs")
        await here.keys("f")
        await here.shows("filed in")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db", folders=[str(tmp_path / "cases")])
    tail = path.read_text().splitlines()[-3:]
    assert (tail[0], tail[2].endswith("tester: mine")) == ("- theirs", True)


def test_a_note_on_the_case_rather_than_the_signature(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a", "ctrl+o")
        await here.shows("Notes on case:nofs-high-order-watermark")
        await here.type("for all")
        await here.keys("ctrl+s")
        await here.shows("saved ")

    drive(flow, stdin=seed(), db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        assert [note.body for note in store.annotations("case:nofs-high-order-watermark")] == ["for all"]
