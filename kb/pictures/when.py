"""When the reports of a log came, on one axis."""

from collections.abc import Callable, Sequence

from kb.identity.group import Seen
from kb.model.wall import wall_of

Clock = Callable[[Seen], float | None]
"""Seconds from a point that all reports have in common."""


def clock(seen: Sequence[Seen]) -> Clock | None:
    """What places all of these reports: their dates, else printk's stamps of one boot; None where nothing does."""
    if seen and all(_dated(each) is not None for each in seen):
        return _dated
    stamps = [each.time for each in sorted(seen, key=lambda each: each.number)]
    if stamps and None not in stamps and len({each.source for each in seen}) == 1 and stamps == sorted(stamps):  # type: ignore[type-var]
        return lambda each: each.time
    return None


def _dated(each: Seen) -> float | None:
    wall = wall_of(each.wall)
    return None if wall is None else wall.seconds()


def ends(seen: Sequence[Seen]) -> tuple[str, str]:
    """The first and the last time, as the log tells them."""
    return _shown(seen[0]), _shown(seen[-1])


def _shown(each: Seen) -> str:
    if each.wall:
        return each.wall[:19].strip()
    return f"{each.time:.3f} s" if each.time is not None else ""
