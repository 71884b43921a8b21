"""Bringing signatures to other ids without losing anything that hangs on them.

The old id stays as an alias, so both resolve. Where two old signatures become one, their sightings, evidence and links
are joined. Annotations are append-only and keep the id that they were written under; whoever reads those of a
signature reads those of its former ids, too.
"""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kb.store.base import Store
from kb.store.similar import remove_seen


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a signature is called from now on."""

    signature: str
    key: str
    title: str
    kind: str
    alt: tuple[str, ...] = ()
    former: tuple[str, ...] = ()


Renew = Callable[[str, str, Iterable[bytes]], Renewed | None]
"""From the old id, the kind and the evidence of a signature to its new name; None: it cannot be told, keep it."""


def rekey(store: Store, renew: Renew) -> tuple[int, int]:
    """Rename all signatures that have another name now, each in a transaction of its own.

    Args:
        store: The store.
        renew: Computes the new name from the evidence.

    Returns:
        How many were renamed, and how many could not be told for want of evidence.
    """
    import zlib

    todo = store.rows("select id, signature, kind from signatures order by id")
    renamed = untold = 0
    for number, old, kind in todo:
        logs = store.rows("select text from evidence where signature = ? order by id", (number,))
        texts = [zlib.decompress(row[0]) for row in logs]
        new = renew(old, kind, texts)
        if new is None:
            untold += 1
        elif new.signature != old:
            with store.writing() as db:
                _rename(db, number, old, new)
            renamed += 1
    return renamed, untold


def _rename(db: sqlite3.Connection, number: int, old: str, new: Renewed) -> None:
    still = db.execute("select signature from signatures where id = ?", (number,)).fetchone()
    if still is None or still[0] != old:
        return  # another process did it
    target = db.execute("select id from signatures where signature = ?", (new.signature,)).fetchone()
    if target is None:
        db.execute(
            "update signatures set signature = ?, key = ?, title = ?, kind = ? where id = ?",
            (new.signature, new.key, new.title, new.kind, number),
        )
        home = number
    else:
        home = int(target[0])
        _join(db, number, home)
    db.execute("insert or replace into aliases values (?, ?, 'rekeyed')", (old, home))
    others = (("alternative", new.alt), ("former", new.former))
    rows = [(alias, home, why) for why, aliases in others for alias in aliases]
    db.executemany("insert or ignore into aliases values (?, ?, ?)", rows)
    db.execute(
        "insert or ignore into case_signatures select ?, case_id from case_signatures where signature = ?",
        (new.signature, old),
    )
    db.execute("update or ignore stacks set signature = ? where signature = ? and case_id = ''", (new.signature, old))
    remove_seen(db, old)  # the other has the same stack


def _join(db: sqlite3.Connection, number: int, home: int) -> None:
    """Move all that hangs on one signature to another, then drop the first."""
    db.execute(
        "insert into sightings (signature, host, kernel, source, last_source, first, last, count)"
        " select ?, host, kernel, source, last_source, first, last, count from sightings where signature = ?"
        " on conflict (signature, host, kernel) do update set count = count + excluded.count,"
        " source = iif(excluded.first < first, excluded.source, source),"
        " last_source = iif(excluded.last > last, excluded.last_source, last_source),"
        " first = min(first, excluded.first), last = max(last, excluded.last)",
        (home, number),
    )
    db.execute(
        "update events set sighting = (select h.id from sightings g join sightings h"
        " on h.signature = ? and h.host = g.host and h.kernel = g.kernel where g.id = events.sighting)"
        " where sighting in (select id from sightings where signature = ?)",
        (home, number),
    )
    db.execute("delete from sightings where signature = ?", (number,))
    db.execute("update or ignore evidence set signature = ? where signature = ?", (home, number))
    db.execute("delete from evidence where signature = ?", (number,))
    db.execute("update outbox set signature = ? where signature = ?", (home, number))
    db.execute("update or ignore aliases set signature = ? where signature = ?", (home, number))
    db.execute("delete from aliases where signature = ?", (number,))
    first, last, count = db.execute("select first, last, count from signatures where id = ?", (number,)).fetchone()
    db.execute(
        "update signatures set count = count + ?, first = min(first, ?), last = max(last, ?) where id = ?",
        (count, first, last, home),
    )
    db.execute("delete from signatures where id = ?", (number,))
