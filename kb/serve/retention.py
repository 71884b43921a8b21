"""Forgetting what is older than the service was told to keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from kb.errors import KbError
from kb.serve.guard import say

if TYPE_CHECKING:
    from kb.records import Records

_EVERY = 24 * 3600.0
"""Seconds between two rounds."""


async def run(base: Records, days: int) -> None:
    """Forget, at the start and every day, what was recorded more than some days ago."""
    while True:
        if base.known is not None:
            await to_thread.run_sync(forget, base, days)
        await anyio.sleep(_EVERY)


def forget(base: Records, days: int) -> None:
    """Take out of the store what is older; a store that somebody reads is cleared of its bytes by the next round."""
    try:
        base.forget(before=datetime.now(UTC) - timedelta(days=days))
    except KbError as error:
        say(note=f"not all that is older than {days} days is out of the store: {error.reason}")
