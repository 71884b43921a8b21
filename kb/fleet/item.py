"""What is handed from hand to hand: a file to read, how to read all of them, and what came of one."""

from __future__ import annotations

from typing import NamedTuple


class Item(NamedTuple):
    """A file to read."""

    source: str
    """Its name in the results: relative to what all files have in common."""
    place: str
    """Its path, or its URL."""
    size: int = 0
    """Bytes, packed as it is."""
    found: bool = False
    """True where a folder or a pattern named it: it may be no log at all."""


class Columns(NamedTuple):
    """Which columns of a table (Parquet, JSON) hold what; None where there is none."""

    message: str
    host: str | None = None
    time: str | None = None


class Settings(NamedTuple):
    """How files are read; the same for all of a scan."""

    kinds: tuple[str, ...] = ()
    """Only reports of these kinds; empty for all."""
    since: str | None = None
    """Only reports of this day (``YYYY-MM-DD``) or later, and those without a date."""
    sample: int = 3
    """Reports of each signature and day whose text is kept."""
    columns: Columns | None = None
    cases: str | None = None
    """A folder of cases over the packaged ones."""
    timeout: float = 60.0
    """Seconds that a small file may take; a large one gets more (:func:`patience`)."""
    hook: str | None = None
    """``module:function`` that is called with the source of each file before it is read: for tests."""


class Block(NamedTuple):
    """What came of one file."""

    rows: bytes
    """A report a line, as JSON."""
    reports: int = 0
    size: int = 0
    """Bytes of the file."""
    errors: tuple[tuple[str, str], ...] = ()
    """What could not be read: source (of a member, ``file!member``) and why."""


_PER_BYTE = 10 / (1 << 20)
"""Seconds a byte: a packed file may hold fifty times its size, and a byte that is a report costs the most."""


def patience(item: Item, settings: Settings) -> float:
    """Seconds after which a file is given up."""
    return settings.timeout + item.size * _PER_BYTE
