"""A log with its newest lines first: ``journalctl -r``, ``tac``, a viewer's download."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.exports.records import PRINTK, Record, nanoseconds, ordered
from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_ISO = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?")
_SYSLOG = re.compile(rb"(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? ")
_MONTHS = b"JanFebMarAprMayJunJulAugSepOctNovDec"
_LINES = 60
_FALLS = 3
"""Steps back in time, and none forward, in the first lines: a reboot is one, two CPUs at once are some."""
_YEAR = 12 * 31 * 24 * 3600 * 10**9
"""Nanoseconds of a year whose months have 31 days each."""
_NOTE = "the newest lines come first: put in order, line numbers are those of the ordered text"


def needed(head: bytes) -> bool:
    """Whether the first lines go back in time."""
    falls, before, times = 0, None, _Times()
    for row in head.split(b"\n", _LINES)[:-1]:
        at = times.of(row)
        if at is None:
            continue
        if before is not None and at > before:
            return False
        falls += before is not None and at < before
        before = at
    return falls >= _FALLS


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The lines, oldest first."""
    yield Member("", pieces(ordered(_records(lines_of(read)), walk, name)), text=True, note=_NOTE)


def _records(rows: Iterator[bytes]) -> Iterator[Record]:
    """Each line with a time, and those behind it that have none: a message of several."""
    line, at, times = b"", None, _Times()
    for row in rows:
        row = row if row.endswith(b"\n") else row + b"\n"
        when = times.of(row)
        if when is None and line and len(line) < 1 << 16:
            line += row
            continue
        if line:
            yield Record("-", None if at is None else at[0], None if at is None else at[1], line)
        line, at = row, when
    if line:
        yield Record("-", None if at is None else at[0], None if at is None else at[1], line)


class _Times:
    """When lines were printed, the newest first: syslog's dates have no year, so that one far ahead is of the last."""

    def __init__(self) -> None:
        self._before: int | None = None
        self._years = 0

    def of(self, row: bytes) -> tuple[int, int] | None:
        """As :func:`_time`, each year before that of the first line."""
        at = _time(row)
        if at is None or _SYSLOG.match(row) is None:
            return at
        if self._before is not None and at[0] - self._before > _YEAR // 2:
            self._years -= 1
        elif self._before is not None and self._before - at[0] > _YEAR // 2:  # two lines at once, the other way round
            self._years += 1
        self._before = at[0]
        return at[0] + self._years * _YEAR, at[1]


def _time(row: bytes) -> tuple[int, int] | None:
    """When a line was printed: nanoseconds (of some year) by its date, microseconds by printk's stamp."""
    row = row[:300]
    printk = PRINTK.search(row.decode("latin-1"))
    since = int(printk[1] + printk[2]) if printk is not None else 0
    found = _SYSLOG.match(row)
    if found is not None and (month := _MONTHS.find(found[1])) >= 0:
        seconds = ((month // 3 * 31 + int(found[2])) * 24 + int(found[3])) * 3600 + int(found[4]) * 60 + int(found[5])
        return seconds * 10**9 + int((found[6] or b"0").ljust(9, b"0")), since
    iso = _ISO.search(row, 0, 60)
    stamp = nanoseconds(iso[0].decode("ascii")) if iso is not None else None
    if stamp is not None:
        return stamp, since
    return (0, since) if printk is not None else None
