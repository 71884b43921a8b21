"""Sightings: the counts of a signature, of a signature on a host and kernel, each event once, and logs as evidence."""

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


def number(event: str) -> int:
    """The row of an event, by its name: 64 bits, as of a signature's id."""
    return int.from_bytes(hashlib.sha256(event.encode("utf-8", "surrogateescape")).digest()[:8], signed=True)


def recorded(db: sqlite3.Connection, event: int) -> Sighting | None:
    """What was returned when an event was recorded, None where it was not; ``first`` is what is the earliest now."""
    row = db.execute(
        "select s.signature, e.source, g.host, e.seen, e.count, g.id from events e"
        " join sightings g on g.id = e.sighting join signatures s on s.id = g.signature where e.id = ?",
        (event,),
    ).fetchone()
    if row is None:
        return None
    signature, source, host, seen, count, sighting = row
    earliest = _earliest(db, signature, but=(sighting, seen)) if count > 1 else None
    return Sighting(signature, source, host or None, seen, count, earliest, sighting, new=False)


def add(
    db: sqlite3.Connection, signature: str, *, title: str, kind: str, key: str, alt: Iterable[str],
    former: Iterable[str], source: str, host: str | None, kernel: str | None, seen: str, event: int | None,
) -> tuple[Sighting, int]:  # fmt: skip
    """Count one sighting, within a transaction.

    Returns:
        The sighting, and the signature's row.
    """
    earliest = _earliest(db, signature)
    owner, count = db.execute(
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
        (owner, host or "", kernel or "", source, source, seen, seen),
    ).fetchone()
    db.executemany(
        "insert or ignore into aliases (alias, signature, why) values (?, ?, ?)",
        [(other, owner, why) for why, others in (("alternative", alt), ("former", former)) for other in others],
    )
    if event is not None:
        db.execute("insert into events values (?, ?, ?, ?, ?)", (event, row, count, seen, source))
    return Sighting(signature, source, host, seen, int(count), earliest, int(row)), int(owner)


def is_first(db: sqlite3.Connection, owner: int, kernel: str | None) -> bool:
    """Whether a signature was seen once on a kernel."""
    row = db.execute("select sum(count) from sightings where signature = ? and kernel = ?", (owner, kernel or ""))
    return int(row.fetchone()[0] or 0) == 1


def _earliest(db: sqlite3.Connection, signature: str, but: tuple[int, str] = (0, "")) -> Sighting | None:
    """The earliest sighting of a signature; ``but`` the one of that row and time, which asks."""
    row = db.execute(
        "select g.source, g.host, g.first, g.id from signatures s join sightings g on g.signature = s.id"
        " where s.signature = ? and (g.id, g.first) != (?, ?) order by g.first, g.id limit 1",
        (signature, *but),
    ).fetchone()
    return Sighting(signature, row[0], row[1] or None, row[2], 1, None, row[3], new=False) if row else None


def sample(
    db: sqlite3.Connection, owner: int, seen: str, host: str | None, source: str, text: bytes, packed: bytes
) -> None:
    """Keep a log: the first ``SAMPLES - 1`` different ones, and in the last place the latest."""
    digest = hashlib.sha256(text).digest()
    held, last, known = db.execute(
        "select count(*), max(id), max(digest = ?) from evidence where signature = ?", (digest, owner)
    ).fetchone()
    if known:
        return
    if held >= SAMPLES:
        db.execute("delete from evidence where id = ?", (last,))
    db.execute(
        "insert into evidence (signature, seen, host, source, digest, size, text) values (?, ?, ?, ?, ?, ?, ?)",
        (owner, seen, host or "", source, digest, len(text), packed),
    )
