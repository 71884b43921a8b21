"""Forgetting: the one exception to "nothing is lost", because the law on personal data gives people that right.

What each kind of row is asked:

- *evidence*: its source, host and time; for a host also whether the log names it anywhere in its text.
- *events* are sightings known one by one, by source and time, and by the host of their row: those that match go, the
  others stay counted.
- *sightings* that no event tells of (an older kb recorded them) are aggregated. Of a row the first and the last are
  known by time and source, those between only by their number. An end that matches goes and takes all between with it;
  the other end stays, counted once. A row whose ends do not match also loses those between when evidence that goes
  shows that one of them was asked for.
- *what people wrote* (notes, unsaved notes, declarations): whether it names the host or the source as a word, or is
  about a signature of which neither sightings nor evidence stay; and its time. A note is one with its edits and
  withdrawals, and with the key under which it was added.

Criteria combine with AND. A time that cannot be read counts as before any date, and a log that cannot be unpacked as
naming every host: in doubt more is removed. A sighting without an event of a source that was neither the first nor the
last of its row and has no evidence leaves no trace but that it was counted, and stays so.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kb.errors import StoreError
from kb.store.base import Store
from kb.store.connection import write
from kb.store.criteria import Wanted
from kb.store.similar import remove_seen


class Kept(NamedTuple):
    """A table of which each row is one thing that happened, and the columns that tell what it is of.

    A column that a table does not have is None and counts as matching: what cannot be told apart goes.
    """

    name: str
    key: str
    signature: str
    """Column with the row id of the signature."""
    source: str | None = None
    host: str | None = None
    time: str | None = None
    log: str | None = None
    """Column with a raw log, packed by zlib."""


class Written(NamedTuple):
    """A table of what people wrote."""

    name: str
    key: tuple[str, ...]
    subjects: tuple[str, ...]
    """Columns that name what it is about: ``signature:kb1:...``, or the bare id."""
    text: tuple[str, ...]
    """Columns that may name a host or a source."""


KEPT = (
    Kept("evidence", "id", "signature", "source", "host", "seen", "text"),
    Kept("outbox", "id", "signature", "source", "host", "time"),
)
"""Tables with a row a thing. A new one that holds sources, hosts or times belongs here; sightings are a case apart."""

WRITTEN = (
    Written("annotations", ("id",), ("subject",), ("body", "author")),
    Written("drafts", ("subject", "author"), ("subject",), ("body", "author")),
    Written("duplicates", ("id",), ("left_id", "right_id"), ("reason", "author")),
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken out of a store, or would be."""

    sightings: int
    """Sightings that are no longer counted."""
    cut: int
    """Rows of sightings that stay with their first or last sighting only."""
    rows: Mapping[str, int]
    """Rows taken out, by table; tables that lose none are left out."""
    subjects: tuple[str, ...]
    """Signatures that lose something, with their titles, then other subjects of notes."""
    dry_run: bool = False

    def __bool__(self) -> bool:
        return bool(self.sightings or self.cut or self.rows)


def forget(
    store: Store,
    *,
    source: str | None = None,
    host: str | None = None,
    before: str | datetime | None = None,
    dry_run: bool = False,
) -> Forgotten:
    """Take out of a store what matches all criteria given, then see to it that its bytes are gone from the file.

    Args:
        store: The store.
        source: Where logs came from, as recorded (``ticket:4711``).
        host: Host name as recorded, small and capital letters alike.
        before: Everything earlier than this time: ISO 8601, UTC where it names no offset.
        dry_run: Do all of it in a transaction that is then rolled back.

    Raises:
        UsageError: No criterion, or a date that is none.
        StoreError: As every write; also when the rows are out but another process keeps the file from being cleared.
    """
    wanted = Wanted(source, host, before)
    result: Forgotten | None = None
    with store.using() as db:
        db.execute("pragma secure_delete = on")
        wanted.register(db)
        try:
            with write(db):
                result = _Forgetting(db, wanted).run(dry_run)
                if dry_run:
                    raise _RollBack
        except _RollBack:
            pass
        assert result is not None
        if not dry_run:
            _clear(store, db)
    return result


@dataclass(frozen=True, slots=True)
class _Row:
    """Sightings of a signature on one host and kernel; time and source of its ends, and whether they match."""

    number: int
    signature: int
    count: int
    first: tuple[str, str]
    last: tuple[str, str]
    one: bool
    two: bool


class _RollBack(Exception):
    """Ends a dry run."""


def _clear(store: Store, db: sqlite3.Connection) -> None:
    """Rebuild the file without the free space in which deleted rows may linger, and empty the log beside it.

    ``secure_delete`` overwrites what this connection deletes; only VACUUM reaches what was deleted before, and what
    SQLite left behind when it moved rows between pages.
    """
    try:
        db.execute("vacuum")
        busy = db.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    except sqlite3.Error as error:
        reason = f"it is out of the store, but its bytes may still lie in the file: {error}"
        raise StoreError(reason, path=str(store.path), help="see to the cause, then repeat the command") from error
    if busy:
        reason = "it is out of the store, but its bytes may still lie in the file: another process is reading the store"
        raise StoreError(reason, path=str(store.path), help="end the other process, then repeat the command")


class _Forgetting:
    """One run, within a transaction."""

    def __init__(self, db: sqlite3.Connection, wanted: Wanted):
        self._db = db
        self._wanted = wanted
        self._rows: dict[str, int] = {}
        self._touched: dict[int, None] = {}
        """Row ids of signatures that lose something."""
        self._others: dict[str, None] = {}
        """Other subjects that lose a note."""
        self._sightings = self._cut = 0

    def run(self, dry_run: bool) -> Forgotten:
        self._db.execute("pragma defer_foreign_keys = on")  # notes refer to notes; checked when the transaction ends
        self._forget_sightings(self._shown())
        for table in KEPT:
            self._forget_kept(table)
        with _unguarded(self._db):
            for written in WRITTEN:
                self._forget_written(written)
        self._delete("annotation_keys", "annotation not in (select id from annotations)")
        subjects = [*self._titles(), *self._others]
        for number in self._touched:
            self._settle(number)
        return Forgotten(
            self._sightings, self._cut, {name: count for name, count in self._rows.items() if count}, tuple(subjects),
            dry_run,
        )  # fmt: skip

    def _delete(self, table: str, where: str, values: Iterable[object] = ()) -> int:
        done = self._db.execute(f"delete from {table} where {where}", tuple(values)).rowcount
        self._rows[table] = self._rows.get(table, 0) + done
        return done

    def _matching(self) -> tuple[str, list[str]]:
        """A condition that holds for events that are asked for, and its values."""
        return self._wanted.clause("source", "(select host from sightings g where g.id = sighting)", "seen")

    def _shown(self) -> set[int]:
        """Rows of sightings which evidence shows to hold one of the source that is asked for."""
        if self._wanted.source is None:
            return set()
        where, values = self._wanted.clause("e.source", "e.host", "e.seen")
        rows = self._db.execute(
            "select g.id from sightings g join evidence e on e.signature = g.signature and e.host = g.host"
            f" where coalesce(kb_time(e.seen) between kb_time(g.first) and kb_time(g.last), 1) and {where}",
            values,
        )
        return {row[0] for row in rows}

    def _forget_sightings(self, shown: set[int]) -> None:
        first, values = self._wanted.clause("source", "host", "first")
        last, more = self._wanted.clause("last_source", "host", "last")
        columns = f"id, signature, count, first, source, last, last_source, {first} as one, {last} as two"
        rows = self._db.execute(
            f"select * from (select {columns} from sightings) where one or two", (*values, *more)
        ).fetchall()
        event, wanted = self._matching()
        held = {row[0] for row in self._db.execute(f"select distinct sighting from events where {event}", wanted)}
        for number in (shown | held) - {row[0] for row in rows}:
            rows += self._db.execute(f"select {columns} from sightings where id = ?", (*values, *more, number))
        for number, signature, count, first, source, last, last_source, one, two in rows:
            row = _Row(number, signature, count, (first, source), (last, last_source), bool(one), bool(two))
            self._cut_sighting(row, number in shown)

    def _cut_sighting(self, row: _Row, shown: bool) -> None:
        """Take a row out, or leave of it the events and the ends that do not match."""
        ends = self._ends_of_others(row)
        (named,) = self._db.execute("select count(*) from events where sighting = ?", (row.number,)).fetchone()
        event, values = self._matching()
        kept = named - self._delete("events", f"sighting = ? and {event}", (row.number, *values))
        others = row.count - named
        if others and (row.one or row.two or shown):
            others = min(others, len(ends)) if row.count > 1 else int(not (row.one or row.two))
        stays = kept + others
        if stays == row.count:
            return
        self._touched[row.signature] = None
        self._sightings += row.count - stays
        if not stays:
            self._delete("sightings", "id = ?", (row.number,))
            return
        self._cut += 1
        first, last = row.first, row.last
        if row.one or row.two or not others:
            sql = "select seen, source from events where sighting = ? order by seen {0}, id {0} limit 1"
            left = [end for way in ("asc", "desc") for end in self._db.execute(sql.format(way), (row.number,))]
            left += ends if others else []
            first, last = min(left), max(left)
        self._db.execute(
            "update sightings set first = ?, source = ?, last = ?, last_source = ?, count = ? where id = ?",
            (*first, *last, stays, row.number),
        )

    def _ends_of_others(self, row: _Row) -> list[tuple[str, str]]:
        """The ends of a row, time and source, that do not match and are not those of an event."""
        sql = "select 1 from events where sighting = ? and seen = ? and source = ?"
        return [
            end for end, matches in ((row.first, row.one), (row.last, row.two))
            if not matches and self._db.execute(sql, (row.number, *end)).fetchone() is None
        ]  # fmt: skip

    def _forget_kept(self, table: Kept) -> None:
        where, values = self._wanted.clause(table.source, table.host, table.time, table.log)
        for (number,) in self._db.execute(
            f"select distinct {table.signature} from {table.name} where {where}", values
        ).fetchall():
            self._touched[number] = None
        self._delete(table.name, where, values)

    def _forget_written(self, table: Written) -> None:
        """Take out what names what is asked for, or is about something of which nothing stays."""
        in_time, values = self._wanted.clause(None, None, "time")
        names = f"kb_names({', '.join(table.text)})"
        if self._wanted.source is None and self._wanted.host is None:
            names = "1"
        key = ", ".join(table.key)
        found = set(self._db.execute(f"select {key} from {table.name} where {in_time} and {names}", values))
        for subject in self._bare():
            for column in table.subjects:
                sql = f"select {key} from {table.name} where {in_time} and {column} in (?, ?)"
                found |= set(self._db.execute(sql, (*values, subject, f"signature:{subject}")))
        if table.name == "annotations":
            if names != "1":
                keyed = "annotations join annotation_keys on annotation = id"
                found |= set(self._db.execute(f"select id from {keyed} where {in_time} and kb_names(key)", values))
            found = self._with_edits(found)
        one = " and ".join(f"{column} = ?" for column in table.key)
        for each in sorted(found):
            subjects = self._db.execute(f"select {', '.join(table.subjects)} from {table.name} where {one}", each)
            for subject in subjects.fetchone():
                self._lost_a_note(subject)
            self._delete(table.name, one, each)

    def _bare(self) -> Iterator[str]:
        """Ids, former ones too, of touched signatures that have neither sightings nor evidence any more."""
        for number in self._touched:
            if not self._has_rows(number):
                yield from self._names(number)

    def _has_rows(self, number: int) -> bool:
        tables = ("select 1 from sightings where signature = ?1", "select 1 from evidence where signature = ?1")
        return self._db.execute(" union all ".join(tables) + " limit 1", (number,)).fetchone() is not None

    def _names(self, number: int) -> list[str]:
        rows = self._db.execute(
            "select signature from signatures where id = ?1 union all"
            " select alias from aliases where signature = ?1 and why = 'rekeyed'",
            (number,),
        )
        return [row[0] for row in rows]

    def _with_edits(self, found: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
        """Notes with all that replace or retract them, and all that they replace or retract."""
        links: dict[str, set[str]] = {}
        for note, *olds in self._db.execute(
            "select id, replaces, retracts from annotations where replaces is not null or retracts is not null"
        ):
            for old in olds:
                if old is not None:
                    links.setdefault(note, set()).add(old)
                    links.setdefault(old, set()).add(note)
        todo = [key for (key,) in found]
        seen = set(todo)
        while todo:
            new = links.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return {(key,) for key in seen}

    def _lost_a_note(self, subject: str) -> None:
        name = subject.removeprefix("signature:")
        row = self._db.execute(
            "select id from signatures where signature = ?1 union all"
            " select signature from aliases where alias = ?1 and why = 'rekeyed' limit 1",
            (name,),
        ).fetchone()
        if row is None:
            self._others[subject] = None
        else:
            self._touched[row[0]] = None

    def _titles(self) -> Iterator[str]:
        for number in self._touched:
            row = self._db.execute("select signature, title from signatures where id = ?", (number,)).fetchone()
            yield f"{row[0]}  {row[1]}"

    def _settle(self, number: int) -> None:
        """Make a signature say what is left of it, or take it out with its stacks where nothing is."""
        names = self._names(number)
        notes = [
            row
            for name in names
            for row in self._db.execute("select time from annotations where subject = ?", (f"signature:{name}",))
        ]
        if not notes and not self._has_rows(number):
            for name in names:
                self._rows["stacks"] = self._rows.get("stacks", 0) + remove_seen(self._db, name)
            for table in KEPT:
                self._delete(table.name, f"{table.signature} = ?", (number,))
            self._delete("aliases", "signature = ?", (number,))
            self._delete("signatures", "id = ?", (number,))
            return
        times = (
            self._db.execute(
                "select first from sightings where signature = ?1 union all"
                " select last from sightings where signature = ?1",
                (number,),
            ).fetchall()
            or self._db.execute("select seen from evidence where signature = ?", (number,)).fetchall()
        )
        moments = [row[0] for row in times or notes]
        self._db.execute(
            "update signatures set first = ?, last = ?,"
            " count = (select coalesce(sum(count), 0) from sightings where signature = ?3) where id = ?3",
            (min(moments), max(moments), number),
        )


@contextmanager
def _unguarded(db: sqlite3.Connection) -> Iterator[None]:
    """The tables that people write without the triggers that keep them append-only.

    Within the transaction alone, so that no other program ever sees them without: a rollback, a crash too, brings
    the triggers back.
    """
    names = tuple(table.name for table in WRITTEN)
    guards = db.execute(
        f"select name, sql from sqlite_master where type = 'trigger' and tbl_name in ({','.join('?' * len(names))})",
        names,
    ).fetchall()
    for name, _ in guards:
        db.execute(f'drop trigger "{name}"')
    yield
    for _, sql in guards:
        db.execute(sql)
