"""A process that runs kb and nothing else: how Python collects garbage in it."""

import atexit
import gc

YOUNG = 200_000
"""Objects that may be made before the collector of garbage looks for cycles, of which kb makes few: two a report, by
which some 30 MB are waited for at the most. A large log's tables and memories are fewer; by Python's own bound (700) it
would look 75 times at what a start makes, and between any two reports at what they leave."""
_LASTING = 10_000
"""The same for a program that goes on for days: servers and screens leave cycles at each request and key."""


def own() -> None:
    """Look for cycles seldom, and not at the end: Python looks twice at all there is before it lets it go."""
    gc.set_threshold(YOUNG)
    atexit.register(gc.freeze)


def last() -> None:
    """Go on for days: look for cycles as often as frameworks that leave some need."""
    gc.set_threshold(_LASTING)
