"""When the reports of a log came, on one axis."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from kb.identity.group import Seen

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_SYSLOG = re.compile(r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<time>\d\d:\d\d:\d\d)")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_YEAR = 2000
"""Of dates without one: a leap year."""

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
    try:
        if (iso := _ISO.search(each.wall or "")) is not None:
            when = datetime.fromisoformat(iso[0])
        elif (told := _SYSLOG.search(each.wall or "")) is not None and told["month"] in _MONTHS:
            month = _MONTHS.index(told["month"]) + 1
            when = datetime.fromisoformat(f"{_YEAR}-{month:02}-{int(told['day']):02} {told['time']}")
        else:
            return None
    except ValueError:
        return None
    return (when - datetime(_YEAR, 1, 1)).total_seconds()


def ends(seen: Sequence[Seen]) -> tuple[str, str]:
    """The first and the last time, as the log tells them."""
    return _shown(seen[0]), _shown(seen[-1])


def _shown(each: Seen) -> str:
    if each.wall:
        return each.wall[:19].strip()
    return f"{each.time:.3f} s" if each.time is not None else ""
