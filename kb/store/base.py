"""Class :class:`Store`: record, show, list, annotate, search. Raw sqlite3; sqlite-utils only migrates."""

import hashlib
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from kb.errors import UsageError
from kb.model.case import Case
from kb.model.log import Span
from kb.model.text import plain
from kb.model.verdict import Annotation, Sighting
from kb.store.connection import connect, errors, write

SAMPLES = 8
"""Logs kept of a signature: the first ones, and the last one."""

LARGEST = 1 << 20
"""Bytes of a log that are kept as evidence: its beginning."""

_FIELDS = "signature, key, title, kind, first, last, count"


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A signature and how often it was seen."""

    signature: str
    key: str
    title: str
    kind: str
    first: str
    """UTC, ISO 8601."""
    last: str
    count: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A raw log that bore a signature."""

    seen: str
    host: str | None
    source: str
    size: int
    """Bytes of the log; ``text`` may hold its beginning only."""
    text: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """Sightings of a signature on one host and kernel."""

    host: str | None
    kernel: str | None
    source: str
    """Of the first of them."""
    last_source: str
    first: str
    last: str
    count: int


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a store has on a signature."""

    row: SignatureRow
    sightings: tuple[Seen, ...]
    evidence: tuple[Evidence, ...]
    annotations: tuple[Annotation, ...]
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; a log as text, undecodable bytes replaced."""
        return {
            "schema": "kb.identity.signature/1",
            **asdict(self.row),
            "aliases": list(self.aliases),
            "sightings": [asdict(seen) for seen in self.sightings],
            "evidence": [
                {**asdict(sample), "text": sample.text.decode("utf-8", "replace")} for sample in self.evidence
            ],
            "annotations": [asdict(note) for note in self.annotations],
        }

    def lines(self) -> Iterator[str]:
        """For a person: one line each for the signature, its sightings and its annotations."""
        row = self.row
        yield f"{row.signature}  {row.title}"
        yield f"  {row.kind}, seen {row.count} time{'s' * (row.count != 1)}, {row.first} to {row.last}"
        for seen in self.sightings:
            where = ", ".join(part for part in (seen.host, seen.kernel, seen.last_source) if part)
            yield f"  {seen.count:>6}  {seen.last}  {where}"
        for sample in self.evidence:
            yield f"  log     {sample.seen}  {sample.source}  {sample.size} bytes"
        for note in self.annotations:
            yield f"  note    {note.time}  {note.author}: {note.body}"


def default_path() -> Path:
    """``$KB_DB``, else ``kb.db`` in the platform's folder for a user's data."""
    if named := os.environ.get("KB_DB"):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_data_dir("kb")) / "kb.db"


class Store:
    """What happened: signatures, sightings, evidence, annotations. A context manager; one connection, one thread."""

    def __init__(self, path: str | Path | None = None):
        self.path = Path(path) if path is not None else default_path()
        self.connection = connect(self.path)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with errors(self.path), write(self.connection) as db:
            yield db

    def _rows(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        with errors(self.path):
            return self.connection.execute(sql, tuple(values)).fetchall()

    def record(
        self, signature: str, *, title: str, kind: str, key: str = "", alt: Iterable[str] = (), source: str = "-",
        host: str | None = None, kernel: str | None = None, seen: str | None = None, evidence: bytes = b"",
    ) -> Sighting:  # fmt: skip
        """Store one sighting of a signature; it outlives this process once this returns.

        Args:
            signature: Its id.
            title: Its title, kept from the first sighting.
            kind: Kind of the report.
            key: The key in readable form.
            alt: Ids of its alternative keys.
            source: Where the log came from.
            host: Host it happened on.
            kernel: Release of the kernel that wrote it.
            seen: UTC time in ISO 8601, now by default.
            evidence: The raw log; kept for some sightings of each signature.
        """
        seen, source, host = seen or now(), plain(source), plain(host) if host else None
        packed = zlib.compress(evidence[:LARGEST], 6) if evidence else b""
        with self._writing() as db:
            earliest = _earliest(db, signature)
            number, count = db.execute(
                f"insert into signatures ({_FIELDS}) values (?, ?, ?, ?, ?, ?, 1)"
                " on conflict (signature) do update set count = count + 1,"
                " first = min(first, excluded.first), last = max(last, excluded.last) returning id, count",
                (signature, key, title, kind, seen, seen),
            ).fetchone()
            row = db.execute(
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
            if packed:
                _sample(db, number, seen, host, source, evidence, packed)
        return Sighting(signature, source, host, seen, int(count), earliest, int(row[0]))

    def show(self, prefix: str) -> Shown:
        """All on the signature whose id, or whose alias, starts so.

        Raises:
            UsageError: None does, or several do.
        """
        rows = self._find(prefix)
        if not rows:
            raise UsageError(f"no signature in {self.path} starts with {prefix!r}", help="`kb match --record` stores")
        if len(rows) > 1:
            some = ", ".join(row[1] for row in rows[:5])
            raise UsageError(f"{prefix!r} is the beginning of several: {some}", help="give more of it")
        number, *fields = rows[0]
        row = SignatureRow(*fields)
        sightings = self._rows(
            "select host, kernel, source, last_source, first, last, count from sightings"
            " where signature = ? order by last desc, id",
            (number,),
        )
        logs = self._rows(
            "select seen, host, source, size, text from evidence where signature = ? order by seen, id", (number,)
        )
        aliases = self._rows("select alias from aliases where signature = ? order by alias", (number,))
        return Shown(
            row,
            tuple(Seen(host or None, kernel or None, *rest) for host, kernel, *rest in sightings),
            tuple(
                Evidence(seen, host or None, src, size, zlib.decompress(text)) for seen, host, src, size, text in logs
            ),
            self._notes(number, row.signature),
            tuple(alias for (alias,) in aliases),
        )

    def _notes(self, number: int, signature: str) -> tuple[Annotation, ...]:
        """Notes on a signature, also those written under an id that it had before it was rekeyed."""
        former = self._rows("select alias from aliases where signature = ? and why = 'rekeyed'", (number,))
        found = [
            note for name in (signature, *(row[0] for row in former)) for note in self.annotations(f"signature:{name}")
        ]
        return tuple(sorted(found, key=lambda note: note.id))

    def _find(self, prefix: str) -> list[Any]:
        """Signatures by prefix of the id (with or without ``kb1:``) or by exact alias; at most six."""
        fields = f"s.id, {', '.join('s.' + name for name in _FIELDS.split(', '))}"
        for start in dict.fromkeys((prefix, f"kb1:{prefix}")):
            exact = self._rows(f"select {fields} from signatures s where signature = ?", (start,))
            found = exact or self._rows(
                f"select {fields} from signatures s where signature >= ? and signature < ? order by signature limit 6",
                (start, start + "\U0010ffff"),
            )
            if found:
                return found
        return self._rows(
            f"select distinct {fields} from aliases a join signatures s on s.id = a.signature where a.alias in (?, ?)"
            " limit 6", (prefix, f"kb1:{prefix}"),
        )  # fmt: skip

    def signatures(
        self, *, order: Literal["last", "count"] = "last", kind: str | None = None, words: str | None = None,
        limit: int = 100, after: SignatureRow | None = None,
    ) -> list[SignatureRow]:  # fmt: skip
        """A page of signatures, most recent or most frequent first.

        Args:
            order: What to sort by.
            kind: Only reports of this kind.
            words: Only titles that hold this text.
            limit: Rows of a page.
            after: The last row of the page before; a page costs the same wherever it lies.
        """
        column = {"last": "last", "count": "count"}[order]
        where, values = ["1"], []
        if kind is not None:
            where.append("kind = ?")
            values.append(kind)
        if words is not None:
            where.append("instr(lower(title), lower(?)) > 0")
            values.append(words)
        if after is not None:
            where.append(f"({column}, id) < (?, (select id from signatures where signature = ?))")
            values += [getattr(after, column), after.signature]
        rows = self._rows(
            f"select {_FIELDS} from signatures where {' and '.join(where)} order by {column} desc, id desc limit ?",
            (*values, limit),
        )
        return [SignatureRow(*row) for row in rows]

    def annotate(
        self, subject: str, body: str, *, author: str, span: Span | None = None, replaces: str | None = None,
        retracts: str | None = None,
    ) -> Annotation:  # fmt: skip
        """Add a note. It is never changed: an edit is a note that ``replaces``, a withdrawal one that ``retracts``."""
        subject, author, body = plain(subject), plain(author), plain(body)
        note = Annotation(uuid7(), subject, author, now(), body, span, replaces, retracts)
        with self._writing() as db:
            db.execute(
                "insert into annotations values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (note.id, subject, author, note.time, body, *(span or (None, None)), replaces, retracts),
            )
            db.execute("delete from drafts where subject = ? and author = ?", (subject, author))
        return note

    def annotations(self, subject: str) -> tuple[Annotation, ...]:
        """All notes on a subject, oldest first, those that were replaced or retracted too: history is kept."""
        rows = self._rows(
            "select id, subject, author, time, body, first_line, last_line, replaces, retracts"
            " from annotations where subject = ? order by id",
            (subject,),
        )
        return tuple(
            Annotation(key, about, author, written, body, (first, last) if first else None, replaces, retracts)
            for key, about, author, written, body, first, last, replaces, retracts in rows
        )

    def draft(self, subject: str, author: str, body: str | None = None) -> str | None:
        """The unsaved note on a subject; with ``body``, keep that."""
        if body is not None:
            with self._writing() as db:
                db.execute("insert or replace into drafts values (?, ?, ?, ?)", (subject, author, now(), body))
            return body
        rows = self._rows("select body from drafts where subject = ? and author = ?", (subject, author))
        return str(rows[0][0]) if rows else None

    def index_cases(self, cases: Iterable[Case], *, origin: str = "") -> int:
        """Make the case index of one origin say what these cases say; returns how many there are."""
        with self._writing() as db:
            old = [row[0] for row in db.execute("select id from case_index where origin = ?", (origin,))]
            db.executemany("delete from case_signatures where case_id = ?", [(name,) for name in old])
            db.execute("delete from case_index where origin = ?", (origin,))
            number = 0
            for number, case in enumerate(cases, 1):  # noqa: B007 - the count is what is returned
                db.execute("delete from case_index where id = ?", (case.id,))
                db.execute(
                    "insert into case_index (id, title, kind, status, summary, keywords, origin)"
                    " values (?, ?, ?, ?, ?, ?, ?)",
                    (
                        case.id,
                        case.title,
                        " ".join(case.kind),
                        case.status,
                        case.summary,
                        " ".join(case.keywords),
                        origin,
                    ),
                )
                links = [(signature, case.id) for signature in case.signatures]
                db.executemany("insert or ignore into case_signatures values (?, ?)", links)
        return number

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, str, str]]:
        """Cases that hold all words: ``(id, status, title)``, best first. Words below three letters go by LIKE."""
        parts = words.split()
        if not parts:
            return []
        long = [part for part in parts if len(part) > 2]
        where, values = [], []
        if long:
            where.append("case_words match ?")
            values.append(" ".join('"' + part.replace('"', '""') + '"' for part in long))
        for part in parts:
            if len(part) <= 2:
                where.append("instr(c.id || ' ' || c.title || ' ' || c.summary || ' ' || c.keywords, ?) > 0")
                values.append(part)
        order = "rank, c.id" if long else "c.id"
        source = "case_words join case_index c on c.number = case_words.rowid" if long else "case_index c"
        sql = f"select c.id, c.status, c.title from {source} where {' and '.join(where)} order by {order} limit ?"
        return [tuple(row) for row in self._rows(sql, (*values, limit))]

    def check(self) -> list[str]:
        """SQLite's own examination of the file; empty when it is sound."""
        rows = [*self._rows("pragma integrity_check"), *self._rows("pragma foreign_key_check")]
        return [" ".join(map(str, row)) for row in rows if row[0] != "ok"]


def _earliest(db: sqlite3.Connection, signature: str) -> Sighting | None:
    row = db.execute(
        "select g.source, g.host, g.first, g.id from signatures s join sightings g on g.signature = s.id"
        " where s.signature = ? order by g.first, g.id limit 1",
        (signature,),
    ).fetchone()
    return Sighting(signature, row[0], row[1] or None, row[2], 1, None, row[3]) if row else None


def _sample(
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


def now() -> str:
    """The time, UTC, ISO 8601, to the microsecond so that its order as text is its order in time."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_last_stamp = 0


def uuid7() -> str:
    """A time-ordered id (RFC 9562): 48 bits of milliseconds, then 12 of their fraction, then 62 random ones.

    Within a process ids never go backwards, so that notes keep the order they were written in.
    """
    global _last_stamp
    stamp = time.time_ns() * 4096 // 1_000_000
    _last_stamp = stamp = max(stamp, _last_stamp + 1)
    milliseconds, fraction = divmod(stamp, 4096)
    tail = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
