"""What all screens have in common."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen, ScreenResultType
from textual.timer import Timer, TimerCallback
from textual.widgets import Footer, Static

from kb.errors import KbError
from kb.render.safe import safe_lines
from kb.tui.desk import Desk
from kb.tui.widgets.fitted import Fitted

T = TypeVar("T")


class Page(Screen[ScreenResultType]):
    """A screen that asks a thread, tells errors and copies text.

    Args:
        desk: The session.
    """

    KEYS_OF: ClassVar[tuple[str, ...]] = ()
    """Tables of keys (:mod:`kb.tui.help`) that `?` shows; all of them where none is named."""

    def __init__(self, desk: Desk):
        super().__init__()
        self.desk = desk

    async def ask(self, work: Callable[..., T], *args: object) -> T:
        """What the working thread answers. Once the screen has been left, whoever waits is cancelled: widgets are taken
        away before the screen and its workers are.
        """
        try:
            return await self.desk.do(work, *args)
        finally:
            if self.left:
                raise asyncio.CancelledError

    def set_timer(
        self, delay: float, callback: TimerCallback | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """A timer that does nothing once the screen has been left: one that ends then is told of when the screen is
        unmounted, and its widgets are before it.
        """
        if callback is not None:
            callback = partial(self._unless_left, callback)
        return super().set_timer(delay, callback, name=name, pause=pause)

    def _unless_left(self, act: TimerCallback) -> object:
        return None if self.left else act()

    @property
    def left(self) -> bool:
        """Whether the person has gone from here, or quit."""
        return not self.app.is_running or self not in self.app.screen_stack

    def leaving(self) -> None:
        """The person quits: keep what would be lost."""

    def say(self, error: KbError) -> None:
        """An error: reason, place and help, as on the command line."""
        text = safe_lines(str(error))
        self.notify(text, severity="error", timeout=12, markup=False)

    def copy(self, text: str) -> None:
        """To the clipboard of the terminal (OSC 52), which works over ssh too."""
        if text:
            self.app.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.notify(f"copied {lines} line{'s' * (lines != 1)}", timeout=2)


class Halves(Page[None]):
    """A page of the store: a head, two panes beside one another, the keys."""

    PANES: ClassVar[tuple[str, str]]
    """Titles of ``#problems``, which has the focus, and of ``#around``."""

    def compose(self) -> ComposeResult:
        """Head, two panes, keys."""
        yield Static("", id="head", markup=False)
        with Container(id="home"):
            yield Fitted(id="problems")
            yield Fitted(id="around")
        yield Footer()

    def on_mount(self) -> None:
        """Name the panes."""
        for pane, title in zip(("#problems", "#around"), self.PANES, strict=True):
            self.query_one(pane).border_title = title
        self.query_one("#problems").focus()
