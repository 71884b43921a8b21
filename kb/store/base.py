"""Class :class:`Store`: record, show, list, annotate, search. Raw sqlite3; sqlite-utils only migrates."""

import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from kb.errors import UsageError
from kb.model.case import Case
from kb.model.log import Span
from kb.model.text import plain
from kb.model.verdict import Annotation, Sighting
from kb.store import case_index, notes, outbox, sightings
from kb.store.connection import connect, write
from kb.store.rows import Evidence, Seen, Shown, SignatureRow
from kb.store.threads import Connections, Own

Tell = Callable[[Sighting, bool], tuple[str, str] | None]
"""Topic and text of a message on a sighting (:mod:`kb.store.outbox`), by it and whether its signature is new to its
kernel; None for no message."""
_FORMS = ("kb1:", "kb2:")
"""How ids begin."""
_FIELDS = "signature, key, title, kind, first, last, count"


def default_path() -> Path:
    """``$KB_DB``, else ``kb.db`` in the platform's folder for a user's data."""
    if named := os.environ.get("KB_DB"):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_data_dir("kb")) / "kb.db"


class Store:
    """What happened: signatures, sightings, evidence, annotations. A context manager.

    One store may be shared by any number of threads: each gets a connection of its own, opened at its first call and
    closed when the thread ends or the store is closed. Writers wait for each other, readers for nobody. After
    :meth:`close`, from whichever thread, what others are doing is finished and every further call is a StoreError.
    """

    def __init__(self, path: str | Path | None = None, *, opens: Callable[[Path], sqlite3.Connection] = connect):
        self.path = Path(path) if path is not None else default_path()
        self._connections = Connections(self.path, opens)

    def close(self) -> None:
        """Close the file, for all threads."""
        self._connections.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's own connection. Another thread's close() may end it: see :meth:`using`."""
        with self.using() as db:
            return db

    def using(self) -> Own:
        """The calling thread's connection, kept open for the block; SQLite's errors become kb's."""
        return self._connections.own()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock: all of it or nothing."""
        with self.using() as db, write(db):
            yield db

    def rows(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        """What a statement that only reads answers."""
        with self.using() as db:
            return db.execute(sql, tuple(values)).fetchall()

    def record(
        self, signature: str, *, title: str, kind: str, key: str = "", alt: Iterable[str] = (),
        former: Iterable[str] = (), source: str = "-", host: str | None = None, kernel: str | None = None,
        seen: str | None = None, evidence: bytes = b"", event: str | None = None, tell: Tell | None = None,
    ) -> Sighting:  # fmt: skip
        """Store one sighting of a signature; it outlives this process once this returns.

        Args:
            signature: Its id.
            title: Its title, kept from the first sighting.
            kind: Kind of the report.
            key: The key in readable form.
            alt: Ids of its alternative keys.
            former: Ids of keys that other versions made of it.
            source: Where the log came from.
            host: Host it happened on.
            kernel: Release of the kernel that wrote it.
            seen: UTC time in ISO 8601, now by default.
            evidence: The raw log; kept for some sightings of each signature.
            event: Name of what happened: recorded again it changes nothing, and gives what it gave. None always counts.
            tell: Makes the message of it for the outbox.
        """
        number = None if event is None else sightings.number(event)
        seen, source, host = seen or notes.now(), plain(source), plain(host) if host else None
        packed = sightings.pack(evidence)
        with self.writing() as db:
            if number is not None and (known := sightings.recorded(db, number)) is not None:
                return known
            made, owner = sightings.add(
                db, signature, title=title, kind=kind, key=key, alt=alt, former=former, source=source, host=host,
                kernel=kernel, seen=seen, event=number,
            )  # fmt: skip
            if packed:
                sightings.sample(db, owner, seen, host, source, evidence, packed)
            if tell is not None and (message := tell(made, sightings.is_first(db, owner, kernel))) is not None:
                outbox.put(db, owner, source, host or "", *message)
        return made

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
        places = self.rows(
            "select host, kernel, source, last_source, first, last, count from sightings"
            " where signature = ? order by last desc, id",
            (number,),
        )
        logs = self.rows(
            "select seen, host, source, size, text from evidence where signature = ? order by seen, id", (number,)
        )
        aliases = self.rows("select alias from aliases where signature = ? order by alias", (number,))
        return Shown(
            row,
            tuple(Seen(host or None, kernel or None, *rest) for host, kernel, *rest in places),
            tuple(
                Evidence(seen, host or None, src, size, zlib.decompress(text)) for seen, host, src, size, text in logs
            ),
            self._notes(number, row.signature),
            tuple(alias for (alias,) in aliases),
        )

    def _notes(self, number: int, signature: str) -> tuple[Annotation, ...]:
        """Notes on a signature, also those written under an id that it had, or that an older kb would give it."""
        former = self.rows("select alias from aliases where signature = ? and why in ('rekeyed', 'former')", (number,))
        found = [
            note for name in (signature, *(row[0] for row in former)) for note in self.annotations(f"signature:{name}")
        ]
        return tuple(sorted(found, key=lambda note: note.id))

    def _find(self, prefix: str) -> list[Any]:
        """Signatures by prefix of the id (with or without ``kb1:``, ``kb2:``) or by exact alias; at most six."""
        fields = f"s.id, {', '.join('s.' + name for name in _FIELDS.split(', '))}"
        for start in dict.fromkeys((prefix, *(f"{form}{prefix}" for form in _FORMS))):
            exact = self.rows(f"select {fields} from signatures s where signature = ?", (start,))
            found = exact or self.rows(
                f"select {fields} from signatures s where signature >= ? and signature < ? order by signature limit 6",
                (start, start + "\U0010ffff"),
            )
            if found:
                return found
        names = (prefix, *(f"{form}{prefix}" for form in _FORMS))
        for why in ("= 'rekeyed'", "not in ('rekeyed', 'former')", "= 'former'"):
            found = self.rows(
                f"select distinct {fields} from aliases a join signatures s on s.id = a.signature"
                f" where a.alias in (?, ?, ?) and a.why {why} limit 6", names,
            )  # fmt: skip
            if found:
                return found
        return []

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
        rows = self.rows(
            f"select {_FIELDS} from signatures where {' and '.join(where)} order by {column} desc, id desc limit ?",
            (*values, limit),
        )
        return [SignatureRow(*row) for row in rows]

    def annotate(
        self, subject: str, body: str, *, author: str, span: Span | None = None, replaces: str | None = None,
        retracts: str | None = None, key: str | None = None,
    ) -> Annotation:  # fmt: skip
        """Add a note. It is never changed: an edit is a note that ``replaces``, a withdrawal one that ``retracts``.

        With the ``key`` of a note that is there already, nothing is written and that note is returned.
        """
        subject, author, body = plain(subject), plain(author), plain(body)
        with self.writing() as db:
            return notes.keyed(db, key) or notes.add(db, subject, body, author, span, replaces, retracts, key)

    def annotations(self, subject: str) -> tuple[Annotation, ...]:
        """All notes on a subject, oldest first, those that were replaced or retracted too: history is kept."""
        rows = self.rows(f"select {notes.FIELDS} from annotations where subject = ? order by id", (subject,))
        return notes.read(rows)

    def draft(self, subject: str, author: str, body: str | None = None) -> str | None:
        """The unsaved note on a subject; with ``body``, keep that."""
        if body is not None:
            with self.writing() as db:
                db.execute("insert or replace into drafts values (?, ?, ?, ?)", (subject, author, notes.now(), body))
            return body
        rows = self.rows("select body from drafts where subject = ? and author = ?", (subject, author))
        return str(rows[0][0]) if rows else None

    def drafts(self, author: str) -> list[str]:
        """Subjects that an author has an unsaved note on."""
        return [row[0] for row in self.rows("select subject from drafts where author = ? order by subject", (author,))]

    def index_cases(self, cases: Iterable[Case], *, origin: str = "") -> int:
        """Make the case index of one origin say what these cases say; returns how many there are."""
        with self.writing() as db:
            return case_index.put(db, cases, origin)

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, str, str]]:
        """Cases that hold all words: ``(id, status, title)``, best first. Words below three letters go by LIKE."""
        found = case_index.query(words, limit)
        return [tuple(row) for row in self.rows(*found)] if found else []

    def check(self) -> list[str]:
        """SQLite's own examination of the file; empty when it is sound."""
        rows = [*self.rows("pragma integrity_check"), *self.rows("pragma foreign_key_check")]
        return [" ".join(map(str, row)) for row in rows if row[0] != "ok"]
