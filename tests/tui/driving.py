"""Driving the app without a terminal: a log of our own, one coroutine a flow, the screen as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from kb.api import KnowledgeBase
from kb.tui.app import Tui
from kb.tui.desk import Desk
from kb.tui.feed import Feed
from tests.waiting import LIMIT

CASE = Path(__file__).resolve().parents[2] / "cases/nofs-high-order-watermark"

WARNING = b"""\
[  100.000001] usb 1-1: new high-speed USB device \x1b[31mred\x1b[0m [bold]markup[/bold]
[  101.000000] ------------[ cut here ]------------
[  101.000001] WARNING: CPU: 1 PID: 77 at drivers/foo/bar.c:42 foo_bar+0x10/0x20 [foo]
[  101.000002] Modules linked in: foo
[  101.000003] CPU: 1 PID: 77 Comm: worker Not tainted 6.1.0-18-amd64 #1
[  101.000004] RIP: 0010:foo_bar+0x10/0x20 [foo]
[  101.000005] a line that nobody understands \x1b]0;title\x07
[  101.000006] Call Trace:
[  101.000007]  <TASK>
[  101.000008]  foo_caller+0x33/0x40 [foo]
[  101.000009]  do_syscall_64+0x5b/0xc0
[  101.000010]  entry_SYSCALL_64_after_hwframe+0x64/0xce
[  101.000011]  </TASK>
[  101.000012] ---[ end trace 0000000000000000 ]---
[  200.000000] usb 1-1: USB disconnect
"""


def seed() -> bytes:
    """The packaged sample: an order-5 GFP_NOFS failure of 43 lines."""
    return (CASE / "match-seed.log").read_bytes()


def log(folder: Path) -> str:
    """A log of two reports: a warning of 14 lines from line 2 on, then the seed's failure."""
    path = folder / "two.log"
    path.write_bytes(WARNING + seed())
    return str(path)


class Flow:
    """A running app: keys in, text out."""

    def __init__(self, app: Tui, pilot: Pilot[None]):
        self.app = app
        self.pilot = pilot

    async def keys(self, *keys: str) -> None:
        """Press keys, all at once as from a person who types ahead, and wait until the app has taken them.

        What a thread brings, and what is painted, come later: :meth:`until`.
        """
        for key in keys:
            self.app.post_message(events.Key(_NAMES.get(key, key), key if len(key) == 1 else None))
        await self.pilot.pause(0)
        async with asyncio.timeout(LIMIT):
            await self.app.typed.join()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.keys(*text)

    async def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Wait for what threads and repaints bring; fails with the screen."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            await self.pilot.pause(0.02)
            if holds():
                return
        raise AssertionError(f"never happened: {what}\n{self.text()}")

    async def shows(self, *texts: str) -> None:
        """Wait until the screen holds all these texts."""
        await self.until(lambda: all(text in self.text() for text in texts), " and ".join(texts))

    async def gone(self, text: str) -> None:
        """Wait until the screen holds a text no more."""
        await self.until(lambda: text not in self.text(), f"{text} is gone")

    def text(self) -> str:
        """The screen, a line a row, as a person sees it."""
        # the compositor's strips are what the driver writes: no other way leads to the text of line-API widgets
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def raw(self) -> str:
        """The screen's characters, to see what would reach the terminal."""
        return "".join(s.text for strip in self.app.screen._compositor.render_strips() for s in strip)


_NAMES = {" ": "space", "_": "underscore", "-": "minus", ":": "colon", ".": "full_stop", "/": "slash", "\n": "enter"}


def drive(
    flow: Callable[[Flow], Awaitable[None]],
    *,
    files: Sequence[str] = (),
    stdin: bytes | None = None,
    feed: Feed | None = None,
    db: Path | None = None,
    folders: Sequence[str] = (),
    size: tuple[int, int] = (100, 30),
    home: bool = False,
) -> None:
    """Run a flow to its end in an app of that size."""

    async def run() -> None:
        base = KnowledgeBase(db)
        source = feed if stdin is None else Feed(None, stdin)
        app = Tui(Desk(base, tuple(files), source, None, tuple(folders), "tester"), home=home)
        async with app.run_test(size=size, notifications=True) as pilot:
            here = Flow(app, pilot)
            if files or stdin is not None:
                await here.until(lambda: not app.triage.catalog.busy, "the log is read")
            await flow(here)

    asyncio.run(run())
