from __future__ import annotations

from pathlib import Path

from textual.binding import Binding

from kb.tui.help import KEYS, SIGNS
from kb.tui.screens.report import ReportScreen
from kb.tui.screens.triage import Triage
from tests.tui.driving import Flow, drive, seed

DOC = Path(__file__).resolve().parents[2] / "docs/tui.md"


def test_the_document_shows_the_tables_of_the_help_screen() -> None:
    text = DOC.read_text(encoding="utf-8")
    for name, rows in [*KEYS.items(), ("Signs", SIGNS)]:
        table = "\n".join(f"| `{key}` | {means} |" for key, means in rows)
        assert f"### {name}\n\n| | |\n|---|---|\n{table}\n" in text


def test_every_shown_key_of_a_screen_is_in_the_help() -> None:
    told = {part.lower() for rows in KEYS.values() for keys, _ in rows for part in keys.split()}
    for screen in (Triage, ReportScreen):
        for binding in screen.BINDINGS:
            assert isinstance(binding, Binding)
            if binding.show:
                names = {"slash": "/", "escape": "esc", "right_square_bracket": "]", "question_mark": "?"}
                keys = {names.get(key, key) for key in binding.key.split(",")}
                assert keys & (told | {"q"}), binding


def test_the_question_mark_opens_the_help_and_escape_closes_it() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("question_mark")
        await here.shows("filter as you type")
        await here.keys("end")
        await here.shows("the frame blamed")
        await here.keys("escape")
        await here.shows("1 report")

    drive(flow, stdin=seed(), size=(80, 24))


def test_the_command_palette_says_what_can_be_done_in_sentences() -> None:
    async def flow(here: Flow) -> None:
        await here.keys("ctrl+p")
        await here.type("make a case")
        await here.shows("Make a case of this report")
        await here.keys("enter")
        await here.shows("a draft with its predicates proposed")

    drive(flow, stdin=seed())


def test_light_and_dark() -> None:
    async def flow(here: Flow) -> None:
        assert here.app.current_theme.dark
        await here.keys("ctrl+t")
        assert not here.app.current_theme.dark

    drive(flow, stdin=seed())
