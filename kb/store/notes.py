"""What people add: notes, which are append-only, and drafts of them."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kb.model.log import Span
from kb.model.verdict import Annotation

FIELDS = "id, subject, author, time, body, first_line, last_line, replaces, retracts"


def add(
    db: sqlite3.Connection, subject: str, body: str, author: str, span: Span | None = None,
    replaces: str | None = None, retracts: str | None = None, key: str | None = None,
) -> Annotation:  # fmt: skip
    """Write a note, within a transaction; the draft of it is done with."""
    note = Annotation(uuid7(), subject, author, now(), body, span, replaces, retracts)
    db.execute(
        f"insert into annotations ({FIELDS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (note.id, subject, author, note.time, body, *(span or (None, None)), replaces, retracts),
    )
    if key is not None:
        db.execute("insert into annotation_keys values (?, ?)", (key, note.id))
    db.execute("delete from drafts where subject = ? and author = ?", (subject, author))
    return note


def keyed(db: sqlite3.Connection, key: str | None) -> Annotation | None:
    """The note that was written with a key."""
    if key is None:
        return None
    sql = f"select {FIELDS} from annotations where id = (select annotation from annotation_keys where key = ?)"
    found = read(db.execute(sql, (key,)))
    return found[0] if found else None


def read(rows: Iterable[Any]) -> tuple[Annotation, ...]:
    """The notes of rows that hold ``FIELDS``."""
    return tuple(
        Annotation(key, about, author, written, body, (first, last) if first else None, replaces, retracts)
        for key, about, author, written, body, first, last, replaces, retracts in rows
    )


def now() -> str:
    """The time, UTC, ISO 8601, to the microsecond so that its order as text is its order in time."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_last_stamp = 0
_stamping = threading.Lock()


def uuid7() -> str:
    """A time-ordered id (RFC 9562): 48 bits of milliseconds, then 12 of their fraction, then 62 random ones.

    Within a process ids never go backwards, so that notes keep the order they were written in.
    """
    global _last_stamp
    stamp = time.time_ns() * 4096 // 1_000_000
    with _stamping:
        _last_stamp = stamp = max(stamp, _last_stamp + 1)
    milliseconds, fraction = divmod(stamp, 4096)
    tail = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
