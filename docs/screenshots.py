"""Pictures of every view of the triage desk: docs/screenshots/*.svg, by `./run screenshots`; tests hold them against
what the program shows.

Each is made by pressing keys in the app itself, over a log and a store that are made here, always the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from textual.app import App
from textual.pilot import Pilot

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDER = HERE / "screenshots"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CASES = ROOT / "cases"
SEED = CASES / "nofs-high-order-watermark/match-seed.log"

_SPLAT = (HERE / "pictured/warning.txt").read_text("utf-8")
_QUIET = "[  610.000000] usb 1-1: USB disconnect\n"
_OOPS = (HERE / "pictured/null.txt").read_text("utf-8")


@dataclass(frozen=True)
class Shot:
    """A picture: what is pressed, and what must stand on the screen first."""

    keys: tuple[str, ...]
    waits: tuple[str, ...]
    stored: bool = False
    size: tuple[int, int] = (120, 36)
    log: str = ""
    """Its log, below the repository; one of many reports where it names none."""


def _typed(text: str) -> tuple[str, ...]:
    names = {" ": "space", ":": "colon"}
    return tuple(names.get(char, char) for char in text)


SHOTS: dict[str, Shot] = {
    "triage": Shot((), ("1 known", "foo_bar")),
    "triage-80x24": Shot((), ("1 known",), size=(80, 24)),
    "triage-unfolded": Shot(("end", "z"), ("▾ BUG", "Fatal exception")),
    "filter": Shot(("slash", *_typed("kind:")), ("kind:warning",)),
    "filter-mistyped": Shot(("slash", *_typed("knd:oops")), ("kind: is",)),
    "keys": Shot(("question_mark",), ("filter as you type",)),
    "palette": Shot(("ctrl+p",), ("Filter the rows",)),
    "report": Shot(("down", "down", "enter"), ("order_walk_refusal",)),
    "write": Shot(("W",), ("kb-report.html",)),
    "new-case": Shot(("down", "down", "c"), ("already answers yes",)),
    "talk": Shot(("down", "down", "T"), ("watermark",)),
    "notes": Shot(("a", *_typed("seen again")), ("draft kept",)),
    "home": Shot((), ("New this week  2", "Rising  1", "db17", "the disk"), stored=True),
    "home-80x24": Shot((), ("New this week  2", "Rising  1"), stored=True, size=(80, 24)),
    "signatures": Shot(("l",), ("4 signatures", "foo_bar"), stored=True),
    "signature": Shot(("enter",), ("Kernels: 2", "Near ones", "0.40"), stored=True),
    **{
        name: Shot(("enter", "2"), waits, size=size, log=path)
        for name, path, waits, size in (
            ("view-allocation", "cases/nofs-high-order-watermark/match-seed.log", ("What if",), (120, 48)),
            ("view-allocation-80x24", "cases/nofs-high-order-watermark/match-seed.log", ("What if",), (80, 24)),
            ("view-memory", "cases/oom-global-memory-short/match-anon.log", ("killed: rss",), (120, 48)),
            ("view-lockup", "docs/pictured/lockup.log", ("stuck",), (120, 36)),
            ("view-stall", "cases/rcu-kthread-starved/match-rt-task.log", ("CPU",), (120, 36)),
            ("view-hung", "docs/pictured/hung.log", ("demo_flush",), (120, 36)),
            ("view-oops", "docs/pictured/oops.log", ("faulted",), (120, 48)),
            ("view-object", "docs/pictured/kasan.log", ("freed",), (120, 48)),
            ("view-locks", "cases/lockdep-report/match-circle.log", ("lock",), (120, 36)),
            ("view-fields", "docs/pictured/disk.log", ("nvme",), (120, 36)),
        )
    },
}


def log(folder: Path) -> Path:
    """A log of several reports: repeats, a panic behind its cause, a known problem."""
    parts = [_SPLAT.format(at=10.0 + 70 * number, name="foo_bar") for number in range(5)]
    parts.append(_SPLAT.format(at=400.0, name="foo_reset"))
    seed = SEED.read_text(encoding="utf-8")
    path = folder / "server.log"
    path.write_text("".join([*parts, _QUIET, seed, _OOPS.format(at=700.0, later=700.5)]), encoding="utf-8")
    return path


def store(path: Path) -> None:
    """A store of four signatures: two that are new, one that rises, one that is old."""
    from kb.api import KnowledgeBase

    seen: list[tuple[str, str, Sequence[float], str]] = [
        (
            _SPLAT.format(at=10.0, name="foo_bar"),
            "foo_bar",
            (60, 50, 40, 11, 10, 9, 3, 2.5, 2, 1.5, 1, 0.5),
            "6.1.0-18",
        ),
        (_SPLAT.format(at=10.0, name="foo_reset"), "foo_reset", (2, 1), "6.1.0-18"),
        (_OOPS.format(at=10.0, later=10.5).rsplit("\n", 2)[0] + "\n", "mount", (1,), "6.1.0-18"),
        (SEED.read_text(encoding="utf-8"), "seed", (40, 35, 30), "3.10.0"),
    ]
    with KnowledgeBase(path) as base:
        for text, name, days, _kernel in seen:
            for number, ago in enumerate(days):
                when = (NOW - timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
                moved = text.replace("6.1.0-18", "6.1.0-21") if ago < 2 else text
                for report in list(base.read(moved.encode()))[:1]:
                    host = f"db{17 + number % 3}"
                    base.record(report, source=f"ticket:{4700 + number}", host=host, seen=when, key=f"{name}{number}")
        base.store.annotate("case:nofs-high-order-watermark", "the disk team knows", author="ann")


async def _quiet(app: App[None], pilot: Pilot[None], texts: Sequence[str]) -> None:
    """Wait until the texts are shown, nothing moves any more and nothing is being worked at: on a slow machine a log is
    read for longer than a screen rests, and rows show behind what is opened over them. A screen that rests without
    them gets none any more: that is told at once.
    """

    def shown() -> str:
        return "\n".join("".join(part.text for part in strip) for strip in app.screen._compositor.render_strips())

    def idle() -> bool:
        return all(
            worker.is_finished or worker.group == "typed" for worker in app.workers
        )  # keys are always waited for

    before, same = "", 0
    for _ in range(600):
        await pilot.pause(0.05)
        now = shown()
        same = same + 1 if now == before and idle() else 0
        before = now
        if same > 8 and all(text in now for text in texts):
            return
        if same > 60:
            break
    raise SystemExit(f"never shown: {texts}\n{before}")


async def picture(shot: Shot, folder: Path) -> str:
    """The SVG of a shot."""
    path = Path("kb.db" if shot.stored else "none.db")  # the pictures name no folder
    if shot.stored:
        store(folder / path)
    if shot.log:
        named = folder / Path(shot.log).name
        named.write_bytes((ROOT / shot.log).read_bytes())
    else:
        named = log(folder)
    files = () if shot.stored else (named.name,)
    with contextlib.chdir(folder):
        return await _taken(shot, path, files)


async def _taken(shot: Shot, path: Path, files: tuple[str, ...]) -> str:
    from kb.api import KnowledgeBase
    from kb.tui.app import Tui
    from kb.tui.desk import Desk

    with mock.patch("textual.constants.COLOR_SYSTEM", "truecolor"):  # whatever terminal they are made in
        app = Tui(Desk(KnowledgeBase(path), files, author="ann", now=lambda: NOW))
    async with app.run_test(size=shot.size, notifications=True) as pilot:
        await _quiet(app, pilot, ())
        for key in shot.keys:
            await pilot.press(key)
            await app.typed.join()
            await pilot.pause(0.05)
        await _quiet(app, pilot, shot.waits)
        _still(app)
        await pilot.pause(0.1)
        return normal(app.export_screenshot(title="kb"))


def _still(app: App[None]) -> None:
    """A cursor that blinks is there in every picture."""
    from textual.widgets import Input, TextArea

    for box in app.screen.query(Input):
        box.cursor_blink = False
    for area in app.screen.query(TextArea):
        area.cursor_blink = False


def normal(svg: str) -> str:
    """The picture without what differs from run to run: names of elements, fonts from elsewhere, times of day."""
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"\b\d{4}-\d\d-\d\d(?=&#160;ann:)", "2026-03-10", svg)  # a note's day is the one it is written on
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"\d\d:\d\d:\d\dZ", "12:00:00Z", svg)


async def main() -> None:
    """Make all of them, or those that are named."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SHOTS:
        with tempfile.TemporaryDirectory() as folder:
            (FOLDER / f"{name}.svg").write_text(await picture(SHOTS[name], Path(folder)), encoding="utf-8")
        print(f"docs/screenshots/{name}.svg")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    asyncio.run(main())
