"""What is to be forgotten, as conditions of SQL."""

import re
import sqlite3
import zlib
from datetime import UTC, datetime

from kb.errors import UsageError


class Wanted:
    """The criteria, as SQL."""

    def __init__(self, source: str | None, host: str | None, before: str | datetime | None):
        if source is None and host is None and before is None:
            help_ = "name a source, a host or a date: --source, --host, --before"
            raise UsageError("nothing says what is to be forgotten", help=help_)
        if "" in (source, host):  # an empty variable of a script: what was recorded without a host is not meant
            raise UsageError("an empty name is nobody's", help="give a source or a host as `kb log` prints them")
        self.source, self.host = source, host
        self.before = None if before is None else _moment(before)
        if before is not None and self.before is None:
            raise UsageError(f"{before!r} is no date", help="write 2026-01-31 or 2026-01-31T12:00:00+01:00")
        self._names = [_word(name) for name in (source, host) if name is not None]
        self._host = _word(host) if host is not None else None

    def register(self, db: sqlite3.Connection) -> None:
        """Make ``kb_time``, ``kb_names`` and ``kb_log_names`` known to a connection."""
        db.create_function("kb_time", 1, _moment)
        db.create_function("kb_names", -1, self._named)
        db.create_function("kb_log_names", 1, self._log_named)

    def _named(self, *texts: object) -> bool:
        """Whether texts name the host and the source that are asked for, those that are."""
        text = " ".join(str(each) for each in texts if each).encode("utf-8", "surrogateescape")
        return bool(self._names) and all(name is not None and name.search(text) for name in self._names)

    def _log_named(self, packed: bytes) -> bool:
        if self._host is None:
            return False
        try:
            return self._host.search(zlib.decompress(packed)) is not None
        except (zlib.error, TypeError):
            return True

    def clause(
        self, source: str | None, host: str | None, time: str | None, log: str | None = None
    ) -> tuple[str, list[str]]:
        """A condition that holds for rows, given the names of their columns, and its values."""
        parts, values = ["1"], []
        if self.source is not None and source:
            parts.append(f"{source} = ?")
            values.append(self.source)
        if self.before is not None and time:
            parts.append(f"coalesce(kb_time({time}) < ?, 1)")
            values.append(self.before)
        if self.host is not None and host:
            parts.append(f"({host} = ? collate nocase{f' or kb_log_names({log})' if log else ''})")
            values.append(self.host)
        return " and ".join(parts), values


def _word(name: str) -> "re.Pattern[bytes] | None":
    """A name as a word of a text; None for one like ``-``, which every text holds. Chinese puts no blank around it."""
    if not any(char.isalnum() for char in name):
        return None
    inner = re.escape(name.encode("utf-8", "surrogateescape"))
    return re.compile(rb"(?<![0-9A-Za-z_])" + inner + rb"(?![0-9A-Za-z_])", re.I)


def _moment(value: str | datetime) -> str | None:
    """A time as text whose order is its order in time (UTC), None where it is none."""
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return when.isoformat(timespec="microseconds")
