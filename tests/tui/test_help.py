from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from rich.color import ColorSystem
from textual.binding import Binding
from textual.dom import DOMNode

import kb.tui
from kb.tui.help import KEYS, SIGNS
from kb.tui.palette import SENTENCES, sentences
from kb.tui.screens.report import ReportScreen
from kb.tui.screens.triage import Triage
from tests.tui.driving import WARNING, Flow, drive, seed

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


def test_every_key_of_every_screen_and_pane_has_a_sentence_in_the_palette() -> None:
    named = {}
    for module in pkgutil.walk_packages(kb.tui.__path__, "kb.tui."):
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if each.__module__.startswith("kb.tui.") and issubclass(each, DOMNode):
                named |= {key.action: key.description for key in each.__dict__.get("BINDINGS", ())}
    told = {action: name for name, _, action in sentences(named)}
    assert "new_case" in told
    assert [action for action, name in told.items() if action not in SENTENCES] == []


def test_the_palette_offers_the_sliders_only_where_there_are_some() -> None:
    def offered(here: Flow) -> set[str]:
        return {command.title for command in here.app.get_system_commands(here.app.screen)}

    async def flow(here: Flow) -> None:
        await here.keys("enter", "2")  # a warning
        await here.shows("2 Trace")
        assert "Move the slider up" not in offered(here)
        await here.keys("right_square_bracket")  # an allocation
        await here.shows("2 Allocation", "min_free_kbytes")
        assert "Move the slider up" in offered(here)

    drive(flow, stdin=WARNING + seed())


def test_light_and_dark() -> None:
    async def flow(here: Flow) -> None:
        assert here.app.current_theme.dark
        await here.keys("ctrl+t")
        assert not here.app.current_theme.dark

    drive(flow, stdin=seed())


@pytest.mark.parametrize("keys", [(), ("ctrl+t",)], ids=["dark", "light"])
def test_a_terminal_of_sixteen_colours_tells_refused_from_admitted(
    keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "standard")

    async def flow(here: Flow) -> None:
        await here.shows("1 report")
        await here.keys(*keys, "enter", "2")
        await here.shows("2 Allocation", "left, and too little")
        strips = here.app.screen._compositor.render_strips()
        parts = [part for strip in strips for part in strip if part.text.strip() == "███"]
        shown = [
            part.style.color.downgrade(ColorSystem.STANDARD).number for part in parts if part.style and part.style.color
        ]
        assert [(number or 0) % 8 for number in shown[:2]] == [2, 1]  # green, red; 8 more is the bright one

    drive(flow, stdin=seed())
