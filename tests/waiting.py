"""Waiting for what other threads and processes do: for a condition, as long as a busy machine may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT = 300.0
"""Seconds after which a test gives up on what hangs. Nothing is judged by it: a busy machine may take most of that."""


def wait_for(holds: Callable[[], T], what: str | Callable[[], str]) -> T:
    """Ask until the answer is true, and return it.

    Args:
        holds: Asked again and again.
        what: What never happened, for the failure.
    """
    end = time.monotonic() + LIMIT
    while not (answer := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what if isinstance(what, str) else what()}")
        time.sleep(0.02)
    return answer
