"""Keys in their order.

Textual hands a key to the widget that has the focus when the key arrives, and what a key does is messages that come
after. A key that follows at once (typed ahead, pasted, sent over a slow line) would go to the widget that is just about
to be left, or to none while a screen opens, and be lost.
"""

import asyncio
import contextlib

from textual import events, work
from textual.app import App, ReturnType
from textual.message_pump import MessagePump

AT_MOST = 30.0
"""Seconds a key may hold up the next one: whatever goes wrong, the keyboard is not dead."""


class InOrder(App[ReturnType]):
    """An app that takes a key once those before it have had their effect; what threads bring is not waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.typed: asyncio.Queue[events.Key | events.Paste] = asyncio.Queue()
        """Keys that wait; joined when the last one has had its effect."""
        self._taken: events.Key | events.Paste | None = None

    def on_load(self) -> None:
        """From the first key on."""
        self._take()

    async def on_event(self, event: events.Event) -> None:
        """Keys that come from the terminal queue up."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded and event is not self._taken:
            self.typed.put_nowait(event)
        else:
            await super().on_event(event)

    @work(group="typed")
    async def _take(self) -> None:
        while True:
            self._taken = await self.typed.get()
            self.post_message(self._taken)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AT_MOST):
                    await self._quiet()
            self.typed.task_done()

    async def _quiet(self) -> None:
        """Wait until all messages are handled between the focus and the app, where keys and what they do pass by."""
        await _handled(self)
        rounds = 0
        while rounds < 2 and self.is_running:
            focus = self.focused or self.screen
            path = [each for each in focus.ancestors_with_self if isinstance(each, MessagePump)]
            for each in path:
                await _handled(each)
            same = focus is (self.focused or self.screen)
            rounds = rounds + 1 if same and not any(each.message_queue_size for each in path) else 0


async def _handled(pump: MessagePump) -> None:
    """Wait until what a widget has in its queue is handled."""
    passed = asyncio.Event()
    waits = pump.call_later(passed.set)
    while waits and not passed.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(passed.wait(), 0.1)
        waits = pump.is_attached or isinstance(pump, App)  # what was taken away answers no more
