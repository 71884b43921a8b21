"""Dates and times of day as they stand in a log: years, zones and clocks may be missing."""

from __future__ import annotations

import re
from calendar import timegm
from typing import NamedTuple

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d{1,9})?(?: ?(Z|[+-]\d\d:?\d\d)$)?")
_NAMED = re.compile(r"([A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?: (\d{4})$)?")
"""RFC 3164's, and asctime()'s, which has a weekday and a year."""
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
LEAP_YEAR = 2000
"""The year of dates of which none has one: each day is in it."""


class Wall(NamedTuple):
    """A date and a time of day."""

    year: int | None
    rest: tuple[int, ...]
    """Month, day, hours, minutes, seconds."""
    zone: float | None = None
    """Seconds east of UTC; None where it does not say."""
    stands: bool = False
    """Whether the clock stands still while the machine sleeps: that of ``dmesg -T``, which writes a weekday."""

    def seconds(self, year: int = LEAP_YEAR) -> float:
        """Since 1970, as if the zone that is not told were UTC.

        Args:
            year: Of a date without one.
        """
        return timegm((self.year or year, *self.rest)) - (self.zone or 0.0)

    def moments(self, year: int) -> list[float]:
        """Seconds since 1970 at which it may be, near a year where it has none."""
        return [self.seconds(each) for each in ((self.year,) if self.year else (year - 1, year, year + 1))]


def wall_of(text: str | None) -> Wall | None:
    """What a log says; None for a form without date, or for none at all.

    Args:
        text: :attr:`kb.model.report.Report.wall`.
    """
    text = (text or "").strip("[] ")
    if (iso := _ISO.match(text)) is not None:
        year, *rest = map(int, iso.groups()[:6])
        zone = None if iso[7] is None else 0.0
        if iso[7] not in (None, "Z"):
            zone = (-1 if iso[7][0] == "-" else 1) * (int(iso[7][1:3]) * 3600.0 + int(iso[7][-2:]) * 60)
        return Wall(year, tuple(rest), zone) if year and 0 < rest[0] <= 12 else None
    named = _NAMED.match(text)
    month = _MONTHS.find(named[2]) if named is not None else -1
    if named is None or month < 0 or month % 3:
        return None
    rest = [month // 3 + 1, *map(int, named.group(3, 4, 5, 6))]
    return Wall(int(named[7]) if named[7] else None, tuple(rest), None, named[1] is not None)
