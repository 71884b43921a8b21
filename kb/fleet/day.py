"""The day of a report, by the time that its transport printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

UNKNOWN = "unknown"
"""Where no date stands: syslog's ``Nov 28 10:00:00`` names no year, and a year is not guessed."""
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d:\d\d(?:[.,]\d{1,9})?) ?(Z|[+-]\d\d:?\d\d)?)?", re.A)
_UNIX = re.compile(r"(\d{9,10})(?:\.\d{1,9})?", re.A)
_CTIME = re.compile(
    r"(?:([A-Za-z]{3})[a-z]{0,6}|(\d{1,2})月) {1,2}(\d{1,2}) \d\d:\d\d:\d\d (?:[A-Z]{3,4} )?(\d{4})", re.A
)
"""asctime(), as ``dmesg -T`` and ``date`` print it."""
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def day_of(wall: str | None) -> str:
    """``YYYY-MM-DD`` in UTC where an offset is printed, else as printed; ``unknown`` where no date stands.

    Args:
        wall: :attr:`kb.model.report.Report.wall`.
    """
    moment = moment_of(wall)
    return moment.date().isoformat() if moment is not None else UNKNOWN


def moment_of(wall: str | None) -> datetime | None:
    """The time that a transport printed, in UTC where it says so; None where it names no full date."""
    if wall is None:
        return None
    text = wall.strip("[] ")
    try:
        if found := _ISO.search(text):
            year, month, day, clock, offset = found.groups()
            moment = datetime.fromisoformat(f"{year}-{month}-{day}T{clock or '00:00:00'}{offset or ''}")
            return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        if found := _UNIX.fullmatch(text):
            return datetime.fromtimestamp(int(found[1]), UTC)
        if found := _CTIME.search(text):
            number = int(found[2]) if found[2] else _MONTHS.index(found[1].lower()) + 1
            return datetime(int(found[4]), number, int(found[3]), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return None
