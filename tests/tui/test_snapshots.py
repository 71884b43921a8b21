"""Whole screens as text, reviewed as diffs: `pytest --update` rewrites them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.tui.driving import Flow, drive, log

SHOTS = Path(__file__).parent / "__snapshots__"

SCREENS: dict[str, tuple[tuple[int, int], tuple[str, ...], str]] = {
    "triage-80x24": ((80, 24), ("down",), "nofs-high-order-watermark"),
    "evidence-120x40": ((120, 40), ("down", "enter", *["down"] * 9), "1673 pages are left"),
    "allocation-80x24": ((80, 24), ("down", "enter", "2"), "Node 0 Normal (tried first)"),
    "allocation-200x60": ((200, 60), ("down", "enter", "2"), "refuses at order 3"),
    "case-120x40": ((120, 40), ("down", "enter", "3"), "Predicates"),
    "help-80x24": ((80, 24), ("question_mark",), "filter as you type"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_looks_as_reviewed(name: str, tmp_path: Path, update: bool) -> None:
    size, keys, waits = SCREENS[name]
    shot = SHOTS / f"{name}.txt"
    reviewed = "" if update else shot.read_text(encoding="utf-8")

    def text(here: Flow) -> str:
        return here.text() + "\n"

    async def flow(here: Flow) -> None:
        for key in keys:
            await here.keys(key)
            if key == "enter":
                await here.shows("order_walk_refusal")
        await here.shows(waits)
        if update:
            await here.pilot.pause(2)  # the reviewer sees whether all of it is there
            shot.write_text(text(here), encoding="utf-8")
        else:
            with contextlib.suppress(AssertionError):
                await here.until(lambda: text(here) == reviewed)
            assert text(here) == reviewed

    log(tmp_path)
    with contextlib.chdir(tmp_path):  # the screens name no folder: all of what they show is compared
        drive(flow, files=["two.log"], size=size, db=Path("kb.db"))
