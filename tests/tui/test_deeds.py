from __future__ import annotations

from pathlib import Path

import pytest

from kb.store import Store
from tests.tui.driving import WARNING, Flow, drive, log, seed

REPEATED = WARNING * 3 + WARNING.replace(b"foo_bar", b"foo_reset")


def test_equal_reports_are_one_row_and_each_can_be_reached(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.shows("4 reports in 2 rows", "×3")
        await here.keys("z", "down", "down")
        await here.shows("4 reports", "▾ WARNING in foo_bar", "L32")
        assert here.app.triage.list.item is not None
        assert here.app.triage.list.item.span[0] == 32
        await here.keys("z")
        await here.shows("in 2 rows")
        await here.keys("f")
        await here.gone("in 2 rows")

    drive(flow, stdin=REPEATED, size=(120, 30))


def test_what_follows_is_folded_under_its_cause_unless_only_it_passes_the_filter() -> None:
    panic = WARNING + b"[  201.000000] Kernel panic - not syncing: panic_on_warn set ...\n"

    async def flow(here: Flow) -> None:
        await here.shows("2 reports in 1 row", "+1 follows")
        await here.keys("slash")
        await here.type("kind:panic")
        await here.shows("1 of 2 reports", "kernel panic")

    drive(flow, stdin=panic.replace(b"  200.0", b"  101.0").replace(b"  201.0", b"  101.1"), size=(120, 30))


def test_tab_completes_the_filter_and_a_mistyped_one_says_so(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("slash")
        await here.type("kind:wa")
        await here.keys("tab")
        await here.shows("kind:warning", "1 of 2 reports")
        await here.keys("escape", "slash")
        await here.type("knd:oops")
        await here.shows("kind: is")

    drive(flow, files=[log(tmp_path)])


def test_a_row_with_an_unsaved_note_is_marked(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("a")
        await here.type("half a thought")
        await here.shows("draft kept")
        await here.keys("escape")
        await here.shows("✎")

    drive(flow, files=[log(tmp_path)], db=tmp_path / "kb.db")


def test_one_note_goes_to_all_that_are_marked(tmp_path: Path) -> None:
    async def flow(here: Flow) -> None:
        await here.keys("space", "space", "a")
        await here.shows("A note on 2 signatures")
        await here.type("same rack")
        await here.keys("ctrl+s")
        await here.shows("saved on 2 signatures")

    drive(flow, files=[log(tmp_path)], db=tmp_path / "kb.db")
    with Store(tmp_path / "kb.db") as store:
        for signature in ("kb1:35cb166c9cbb7e74", "kb1:d14720ab9c46fa39"):
            assert [note.body for note in store.annotations(f"signature:{signature}")] == ["same rack"]


@pytest.mark.parametrize(("name", "begins"), [("r.html", "<!doctype html>"), ("r.md", "#"), ("r.ndjson", '{"schema"')])
def test_reports_are_written_in_the_format_of_the_name(name: str, begins: str, tmp_path: Path) -> None:
    path = tmp_path / name

    async def flow(here: Flow) -> None:
        await here.keys("down", "W")
        await here.shows("to a file")
        await here.keys("ctrl+a", "ctrl+k")
        await here.type(str(path))
        await here.keys("enter")
        await here.until(path.exists)
        await here.until(lambda: path.stat().st_size > 100)
        if name == "r.md":
            await here.keys("W", "ctrl+a", "ctrl+k")
            await here.type(str(path))
            await here.keys("enter")
            await here.shows("it is there")

    drive(flow, files=[log(tmp_path)], size=(120, 30))
    assert path.read_text(encoding="utf-8").lower().lstrip().startswith(begins)
    assert "page allocation failure" in path.read_text(encoding="utf-8")


def test_markdown_and_verify_steps_are_copied() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("M")
        await here.until(lambda: here.app.clipboard.startswith("### page allocation failure"))
        await here.keys("V")
        await here.until(lambda: here.app.clipboard.startswith("# expect: "))
        await here.keys("O")
        await here.shows("copied")

    drive(flow, stdin=seed())


def test_the_report_is_talked_about_in_a_pane() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("T")
        await here.shows("Talk about this report", "osdmap_set_max_osd")
        await here.type("is it known?")
        await here.keys("enter")
        await here.shows("> is it known?", "case nofs-high-order-watermark")
        await here.keys("escape")
        await here.gone("Talk about")

    drive(flow, stdin=seed(), size=(120, 40))


def test_a_new_case_is_told_of_the_one_that_answers_already() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("c")
        await here.shows("nofs-high-order-watermark already answers yes")

    drive(flow, stdin=seed())
