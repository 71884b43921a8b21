"""Writing sightings: the counts of a signature, of a signature on a host and kernel, and logs as evidence."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable

from kb.model.verdict import Sighting

SAMPLES = 8
"""Logs kept of a signature: the first ones, and the last one."""

LARGEST = 1 << 20
"""Bytes of a log that are kept as evidence: its beginning."""


def pack(evidence: bytes) -> bytes:
    """A log as it is kept; done before the write lock is taken."""
    return zlib.compress(evidence[:LARGEST], 6) if evidence else b""


def add(
    db: sqlite3.Connection, signature: str, *, title: str, kind: str, key: str, alt: Iterable[str], source: str,
    host: str | None, kernel: str | None, seen: str,
) -> tuple[Sighting, int]:  # fmt: skip
    """Count one sighting, within a transaction.

    Returns:
        The sighting, and the signature's row.
    """
    earliest = _earliest(db, signature)
    number, count = db.execute(
        "insert into signatures (signature, key, title, kind, first, last, count) values (?, ?, ?, ?, ?, ?, 1)"
        " on conflict (signature) do update set count = count + 1,"
        " first = min(first, excluded.first), last = max(last, excluded.last) returning id, count",
        (signature, key, title, kind, seen, seen),
    ).fetchone()
    (row,) = db.execute(
        "insert into sightings (signature, host, kernel, source, last_source, first, last, count)"
        " values (?, ?, ?, ?, ?, ?, ?, 1) on conflict (signature, host, kernel) do update set"
        " count = count + 1,"
        " source = iif(excluded.first < first, excluded.source, source),"
        " last_source = iif(excluded.last >= last, excluded.source, last_source),"
        " first = min(first, excluded.first), last = max(last, excluded.last) returning id",
        (number, host or "", kernel or "", source, source, seen, seen),
    ).fetchone()
    db.executemany(
        "insert or ignore into aliases (alias, signature, why) values (?, ?, 'alternative')",
        [(other, number) for other in alt],
    )
    return Sighting(signature, source, host, seen, int(count), earliest, int(row)), int(number)


def _earliest(db: sqlite3.Connection, signature: str) -> Sighting | None:
    row = db.execute(
        "select g.source, g.host, g.first, g.id from signatures s join sightings g on g.signature = s.id"
        " where s.signature = ? order by g.first, g.id limit 1",
        (signature,),
    ).fetchone()
    return Sighting(signature, row[0], row[1] or None, row[2], 1, None, row[3]) if row else None


def sample(
    db: sqlite3.Connection, number: int, seen: str, host: str | None, source: str, text: bytes, packed: bytes
) -> None:
    """Keep a log: the first ``SAMPLES - 1`` different ones, and in the last place the latest."""
    digest = hashlib.sha256(text).digest()
    held = db.execute("select count(*) from evidence where signature = ?", (number,)).fetchone()[0]
    known = db.execute("select 1 from evidence where signature = ? and digest = ?", (number, digest)).fetchone()
    if known is None and held >= SAMPLES:
        db.execute("delete from evidence where id = (select max(id) from evidence where signature = ?)", (number,))
    db.execute(
        "insert or ignore into evidence (signature, seen, host, source, digest, size, text)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (number, seen, host or "", source, digest, len(text), packed),
    )
