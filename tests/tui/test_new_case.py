from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from kb.tui.screens.new_case import proposed_folder, proposed_id
from tests.tui.driving import WARNING, Flow, drive


async def drafted(here: Flow, case_id: str = "foo-bar-warns") -> None:
    """A new case from the warning, which no packaged case knows."""
    await here.keys("c")
    here.app.screen.query_one("#case-id", Input).value = case_id
    await here.keys("enter")
    await here.shows("on its report the case says")


def test_a_case_from_a_report_matches_it_at_once(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("no case matches; c starts one")
        await drafted(here)
        await here.shows("KB107", "1 finding; ✓ on its report the case says yes")
        await here.keys("escape")
        await here.shows("✓ yes     foo-bar-warns")

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db")
    assert (tmp_path / "foo-bar-warns/match-first.log").read_bytes() == b"".join(WARNING.splitlines(True)[1:14])


def test_findings_stand_at_their_line_and_enter_leads_there(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await drafted(here)
        box = here.app.screen.query_one(TextArea)
        lines = box.text.split("\n")
        number = next(index for index, line in enumerate(lines) if line.startswith("title ="))
        lines[number] = 'title = "It ends in a full stop."'
        box.load_text("\n".join(lines))
        await here.keys("ctrl+s")
        await here.shows("KB004", f"line {number + 1}: the title ends in a full stop")
        await here.keys("tab", "enter")
        assert box.cursor_location == (number, 0)

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db")


def test_text_that_was_not_saved_is_asked_about_before_leaving(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await drafted(here)
        await here.type("x")
        await here.keys("escape")
        await here.shows("not saved: ctrl+s saves")
        await here.keys("escape")
        await here.shows("1 report")

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db")


def test_a_file_that_another_editor_changed_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "foo-bar-warns/case.md"

    async def flow(here: Flow) -> None:
        await drafted(here)
        path.write_text(path.read_text() + "\n- theirs\n")
        await here.type("x")
        await here.keys("ctrl+s")
        await here.shows("+- theirs")
        await here.keys("escape")
        await here.shows("not saved: the file changed meanwhile")

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db")
    assert path.read_text().endswith("- theirs\n")


def test_an_id_that_is_taken_or_malformed_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/case.md").write_text("there")

    async def flow(here: Flow) -> None:
        await here.keys("c")
        box = here.app.screen.query_one("#case-id", Input)
        box.value = "Not An Id"
        await here.keys("enter")
        await here.shows("an id is lower-case words with dashes")
        box.value = "taken"
        await here.keys("enter")
        await here.shows("the file is there already")

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db")
    assert (tmp_path / "taken/case.md").read_text() == "there"


def test_a_near_miss_is_kept_only_when_the_case_no_longer_says_yes(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await drafted(here)
        await here.keys("ctrl+n")
        await here.shows("the case says yes")
        await here.keys("ctrl+s")
        await here.shows("not kept")
        box = here.app.screen.query_one(TextArea)
        box.load_text(box.text.replace("foo_bar", "foo_baz"))
        await here.shows("the case says no")
        await here.keys("ctrl+s")
        await here.shows("kept as near-1.log")

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db")
    assert "foo_baz" in (tmp_path / "foo-bar-warns/near-1.log").read_text()


def test_a_proposed_id_is_one() -> None:
    assert proposed_id("KASAN: use-after-free Read in foo_bar") == "kasan-use-after-free-read-foo"
    assert proposed_id("???") == "new-case"
    assert len(proposed_id("word " * 50)) < 32
    assert len(proposed_id("w" * 50)) == 31


def test_the_folder_proposed_is_the_one_that_is_matched_against(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proposed_folder(()) == "cases"
    monkeypatch.setenv("KB_CASES", os.pathsep.join(["/a/cases", "/b"]))
    assert proposed_folder(()) == "/a/cases"
    assert proposed_folder(("mine",)) == "mine"


def test_saving_keeps_the_rights_of_the_file(tmp_path: Path) -> None:
    from kb.cases.new import replace_file

    path = tmp_path / "case.md"
    path.write_text("old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_no_editor_hands_control_characters_to_the_terminal(tmp_path: Path) -> None:
    def unsafe(here: Flow) -> set[str]:
        return {char for char in here.raw() if char < " " or "\x7f" <= char < "\xa0"}

    async def flow(here: Flow) -> None:
        await drafted(here)
        box = here.app.screen.query_one(TextArea)
        box.load_text(box.text + "\nhostile \x1b]0;title\x07 \x9b31m\u202e")
        box.move_cursor(box.document.end)
        await here.shows("hostile ␛]0;title␇")
        assert not unsafe(here)
        await here.keys("ctrl+n")
        await here.shows("a line that nobody understands ␛]0;title␇")
        assert not unsafe(here)
        await here.keys("ctrl+s", "escape")

    drive(flow, stdin=WARNING, folders=[str(tmp_path)], db=tmp_path / "kb.db", size=(120, 40))


def test_what_is_pasted_into_a_line_of_input_is_refused_when_it_holds_controls(tmp_path: Path) -> None:
    from textual import events

    async def flow(here: Flow) -> None:
        await here.keys("slash")
        box = here.app.screen.query_one("#filter", Input)
        here.app.post_message(events.Paste("a\x1b[31mb"))
        here.app.post_message(events.Paste("foo"))
        await here.until(lambda: box.value, "something is taken")
        assert box.value == "foo"

    drive(flow, stdin=WARNING, db=tmp_path / "kb.db")
