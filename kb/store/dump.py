"""All of a store as NDJSON and back: for backups, for moving, for joining two stores.

Rows are named by what identifies them outside of this file (ids of signatures and cases, never row numbers). Taking
the same dump in twice changes nothing: of a row that is there already the earlier ``first``, the later ``last`` and
the larger ``count`` win. Events are told apart, so that those of two stores add up, whatever both of them know; only of
sightings that have no event (an older kb recorded them) the larger number must do.
"""

import base64
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from kb.errors import InputError
from kb.model.stack import Stack
from kb.store.base import Store
from kb.store.imports import Known, decode, put_case
from kb.store.sightings import LARGEST, sample
from kb.store.similar import Stacks, insert

SCHEMA = "kb.export/1"
"""``kb schema kb.export/1`` has the fields of each row."""
BATCH = 100
_EVENT = (1 << 64) - 1
Row = dict[str, Any]

_PLAIN: dict[str, tuple[str, tuple[str, ...]]] = {
    "signature": (
        "select {} from signatures order by id", ("signature", "key", "title", "kind", "first", "last", "count"),
    ),
    "alias": (
        "select a.alias, s.signature, a.why from aliases a join signatures s on s.id = a.signature",
        ("alias", "signature", "why"),
    ),
    "sighting": (
        "select s.signature, g.host, g.kernel, g.source, g.last_source, g.first, g.last, g.count,"
        " (select count(*) from events e where e.sighting = g.id)"
        " from sightings g join signatures s on s.id = g.signature order by g.id",
        ("signature", "host", "kernel", "source", "last_source", "first", "last", "count", "events"),
    ),
    "annotation": (
        "select {} from annotations left join annotation_keys on annotation = id order by id",
        ("id", "subject", "author", "time", "body", "first_line", "last_line", "replaces", "retracts", "key"),
    ),
    "draft": ("select {} from drafts", ("subject", "author", "time", "body")),
    "duplicate": (
        "select {} from duplicates order by id", ("id", "left_id", "right_id", "same", "author", "time", "reason"),
    ),
}  # fmt: skip


def export(store: Store) -> Iterator[str]:
    """The store as lines of JSON, the first naming the schema; one moment's state, whoever writes meanwhile."""
    yield _line({"schema": SCHEMA})
    with store.using() as db:
        db.execute("begin")
        try:
            for name, (sql, columns) in _PLAIN.items():
                for values in db.execute(sql.format(", ".join(columns))):
                    row = {"row": name, **dict(zip(columns, values, strict=True))}
                    yield _line(row)
                    if name == "sighting":
                        yield from map(_line, _events(db, row))
            yield from map(_line, _others(store, db))
        finally:
            if db.in_transaction:
                db.execute("rollback")


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True, separators=(",", ":")).replace("\x7f", "\\u007f") + "\n"


def _events(db: sqlite3.Connection, sighting: Row) -> Iterator[Row]:
    """The events of a sighting, directly behind it."""
    where = {name: sighting[name] for name in ("signature", "host", "kernel")}
    for number, count, seen, source in db.execute(
        "select e.id, e.count, e.seen, e.source from signatures s join sightings g on g.signature = s.id"
        " join events e on e.sighting = g.id where s.signature = ? and g.host = ? and g.kernel = ? order by e.id",
        tuple(where.values()),
    ):
        event = f"{number & _EVENT:016x}"
        yield {"row": "event", "event": event, **where, "count": count, "seen": seen, "source": source}


def _others(store: Store, db: sqlite3.Connection) -> Iterator[Row]:
    for signature, seen, host, source, text in db.execute(
        "select s.signature, e.seen, e.host, e.source, e.text from evidence e join signatures s on s.id = e.signature"
        " order by e.id"
    ):
        packed = base64.b64encode(zlib.decompress(text)).decode("ascii")
        yield {"row": "evidence", "signature": signature, "seen": seen, "host": host, "source": source, "text": packed}
    stacks = Stacks(store)
    for row in stacks.seen():
        yield {"row": "stack", **_stack(row)}
    for case_id, origin, body in db.execute("select id, origin, body from imported order by id").fetchall():
        commits = [row[0] for row in db.execute("select hash from imported_commits where case_id = ?", (case_id,))]
        made = [_stack(row) for row in stacks.of_case(case_id)]
        yield {"row": "case", "origin": origin, "case": json.loads(body), "commits": commits, "stacks": made}
    for origin, item, digest, case_id in db.execute("select origin, item, digest, case_id from import_items"):
        yield {"row": "item", "origin": origin, "item": item, "digest": digest.hex(), "case": case_id}


def _stack(row: Stack) -> Row:
    return {
        "signature": row.signature, "title": row.title, "kind": row.kind, "frames": list(row.frames),
        "function": row.function,
    }  # fmt: skip


def load(
    store: Store, lines: Iterable[str | bytes], name: str = "-", bad: Callable[[str, str], None] | None = None
) -> int:
    """Take a dump in; returns its rows. A row of a kind that this kb does not know is passed over.

    Args:
        store: Where to.
        lines: What :func:`export` made.
        name: Name of the file, for errors.
        bad: Takes the place (``FILE:LINE``) of each damaged row, and why; the others are taken in. Without it the first
            one raises.

    Raises:
        InputError: No dump, or a damaged one; batches before the damage are in the store.
    """
    numbered = enumerate(lines, 1)
    first = next(numbered, None)
    if first is None or _parsed(first[1], name, 1).get("schema") != SCHEMA:
        raise InputError("not an export of kb: its first line names no schema", path=name, line=1)
    number = 0
    while batch := list(islice(numbered, BATCH)):
        with store.writing() as db:
            for at, text in batch:
                try:
                    _take(db, _parsed(text, name, at), name, at)
                    number += 1
                except InputError as error:
                    if bad is None:
                        raise
                    bad(f"{name}:{at}", error.reason)
    return number


def _take(db: sqlite3.Connection, row: Row, name: str, line: int) -> None:
    """Take one row in: all of it or nothing."""
    db.execute("savepoint row")
    try:
        kind = row.get("row", "")
        _LOADERS.get(kind, _unknown)(db, _checked(row))
    except _DAMAGE as error:
        db.execute("rollback to row")
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"damaged row: {reason[:_REASON]}", path=name, line=line) from None
    finally:
        db.execute("release row")


_DAMAGE = (
    LookupError, TypeError, AttributeError, ValueError, OverflowError,
    sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError,
)  # fmt: skip
"""What a row can be to blame for; a full disk is none of it."""
_REASON = 200
_MOST = 1 << 53
"""Sightings that a row may count: what JSON tells exactly, and what can be summed up."""
_NUMBERS = {
    "count": (0, _MOST),
    "first_line": (1, _MOST),
    "last_line": (1, _MOST),
    "same": (0, 1),
    "events": (0, _MOST),
}
_TEXTS = frozenset(
    "signature key title kind alias why host kernel source last_source first last id subject author time body left_id"
    " right_id reason seen text origin item digest function event".split()
)
_NULL = frozenset("first_line last_line replaces retracts function key".split())
"""Columns that may hold nothing."""


def _checked(row: Row) -> Row:
    """The row, its numbers and texts being such.

    Raises:
        ValueError: One is not.
    """
    for key, value in row.items():
        if value is None and key in _NULL:
            continue
        low, high = _NUMBERS.get(key, (0, 0))
        if key in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high):
            raise ValueError(f"{key} is {_short(value)}")
        if key in _TEXTS and not isinstance(value, str):
            raise ValueError(f"{key} is {_short(value)}, no text")
    return row


def _short(value: Any) -> str:
    return repr(value)[:40] if isinstance(value, str | float | bool | None) else type(value).__name__


def _parsed(text: str | bytes, name: str, line: int) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("not a line of JSON", path=name, line=line, help="give what `kb export` wrote") from None
    if not isinstance(value, dict):
        raise InputError("not a JSON object", path=name, line=line, help="give what `kb export` wrote")
    return value


def _number(db: sqlite3.Connection, signature: str) -> int:
    row = db.execute("select id from signatures where signature = ?", (signature,)).fetchone()
    if row is None:
        raise ValueError(f"no signature {signature!r} before it")
    return int(row[0])


def _load_signature(db: sqlite3.Connection, row: Row) -> None:
    db.execute(
        "insert into signatures (signature, key, title, kind, first, last, count) values (?, ?, ?, ?, ?, ?, ?)"
        " on conflict (signature) do update set first = min(first, excluded.first), last = max(last, excluded.last),"
        " count = max(count, excluded.count)",
        [row[name] for name in _PLAIN["signature"][1]],
    )


def _load_alias(db: sqlite3.Connection, row: Row) -> None:
    values = (row["alias"], _number(db, row["signature"]), row["why"])
    db.execute("insert or ignore into aliases values (?, ?, ?)", values)


def _load_sighting(db: sqlite3.Connection, row: Row) -> None:
    """Its sightings without an event; those with one count as they come, unless they are known."""
    named = [row[name] for name in ("host", "kernel", "source", "last_source", "first", "last")]
    number = _number(db, row["signature"])
    alone = row["count"] - row.get("events", 0)
    if alone < 0:
        raise ValueError(f"{row['events']} events of {row['count']} sightings")
    known = "(select count(*) from events e where e.sighting = sightings.id)"
    db.execute(
        "insert into sightings (signature, host, kernel, source, last_source, first, last, count)"
        " values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (signature, host, kernel) do update set"
        " source = iif(excluded.first < first, excluded.source, source),"
        " last_source = iif(excluded.last > last, excluded.last_source, last_source),"
        " first = min(first, excluded.first), last = max(last, excluded.last),"
        f" count = {known} + max(count - {known}, excluded.count)",
        [number, *named, alone],
    )
    db.execute(
        "update signatures set count = (select sum(count) from sightings where signature = ?1) where id = ?1", (number,)
    )


def _load_event(db: sqlite3.Connection, row: Row) -> None:
    number = int.from_bytes(bytes.fromhex(row["event"]), signed=True)
    if len(row["event"]) != _EVENT.bit_length() // 4:
        raise ValueError(f"event is {row['event'][:40]!r}, no 16 digits")
    sighting = db.execute(
        "select g.id, s.id from signatures s join sightings g on g.signature = s.id"
        " where s.signature = ? and g.host = ? and g.kernel = ?",
        (row["signature"], row["host"], row["kernel"]),
    ).fetchone()
    if sighting is None:
        raise ValueError(f"no sighting of {row['signature']!r} before it")
    made = db.execute(
        "insert or ignore into events values (?, ?, ?, ?, ?)",
        (number, sighting[0], row["count"], row["seen"], row["source"]),
    )
    if made.rowcount:
        db.execute("update sightings set count = count + 1 where id = ?", sighting[:1])
        db.execute("update signatures set count = count + 1 where id = ?", sighting[1:])


def _load_annotation(db: sqlite3.Connection, row: Row) -> None:
    *values, key = [row.get(name) for name in _PLAIN["annotation"][1]]
    if db.execute("select 1 from annotations where id = ?", (row["id"],)).fetchone() is None:
        db.execute(f"insert into annotations values ({','.join('?' * len(values))})", values)
    if key is not None:
        # no note is lost: one whose key another bears already comes in without it
        db.execute("insert or ignore into annotation_keys values (?, ?)", (key, row["id"]))


def _load_draft(db: sqlite3.Connection, row: Row) -> None:
    db.execute("insert or ignore into drafts values (?, ?, ?, ?)", [row[name] for name in _PLAIN["draft"][1]])


def _load_duplicate(db: sqlite3.Connection, row: Row) -> None:
    if db.execute("select 1 from duplicates where id = ?", (row["id"],)).fetchone() is None:
        values = [row[name] for name in _PLAIN["duplicate"][1]]
        db.execute("insert into duplicates values (?, ?, ?, ?, ?, ?, ?)", values)


def _load_evidence(db: sqlite3.Connection, row: Row) -> None:
    text = base64.b64decode(row["text"], validate=True)
    if len(text) > LARGEST:
        raise ValueError(f"a log of more than {LARGEST} bytes")
    number = _number(db, row["signature"])
    sample(db, number, row["seen"], row["host"], row["source"], text, zlib.compress(text, 6))


def _row(row: Row, case_id: str | None = None) -> Stack:
    frames = _texts(_checked(row)["frames"])
    if not frames or len(frames) > _FRAMES:
        raise ValueError(f"a stack of {len(frames)} frames")
    return Stack(row["signature"], row["title"], row["kind"], frames, case_id, row.get("function"))


def _load_stack(db: sqlite3.Connection, row: Row) -> None:
    insert(db, [_row(row)])


_FRAMES = 1000


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{_short(values)} where a list of texts belongs")
    return tuple(values)


def _load_case(db: sqlite3.Connection, row: Row) -> None:
    case = decode(row["case"])
    known = Known(case, tuple(_row(stack, case.id) for stack in row["stacks"]), _texts(row["commits"]))
    put_case(db, row["origin"], known)


def _load_item(db: sqlite3.Connection, row: Row) -> None:
    values = (row["origin"], row["item"], bytes.fromhex(row["digest"]), row["case"])
    db.execute("insert or replace into import_items values (?, ?, ?, ?)", values)


def _unknown(db: sqlite3.Connection, row: Row) -> None:
    """A row of a newer kb: the schema only grows."""


_LOADERS: dict[str, Callable[[sqlite3.Connection, Row], None]] = {
    "signature": _load_signature,
    "alias": _load_alias,
    "sighting": _load_sighting,
    "event": _load_event,
    "annotation": _load_annotation,
    "draft": _load_draft,
    "duplicate": _load_duplicate,
    "evidence": _load_evidence,
    "stack": _load_stack,
    "case": _load_case,
    "item": _load_item,
}
