"""Imported cases in the store: written in batches, read by signature, by id and by words."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from kb.errors import UsageError
from kb.model.case import Affected, Case, Check, Dispute, Fix, Source, Step, Workaround, is_id
from kb.model.stack import Stack
from kb.store.base import Store
from kb.store.similar import Stacks, insert, remove


@dataclass(frozen=True, slots=True)
class Known:
    """A known issue from history."""

    case: Case
    stacks: tuple[Stack, ...]
    """One a splat that it quotes."""
    commits: tuple[str, ...] = ()
    """Hashes it is known by, at least 12 digits each."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing an importer read: a record, a commit, a patch."""

    origin: str
    name: str
    digest: bytes
    """Of its content and of the importer's version: an item with the same one is not read again."""
    known: Known | None = None
    """None: no splat in it."""
    why: str = ""
    """Why it made no case."""


class Imports:
    """The imported cases of one store."""

    def __init__(self, store: Store):
        self.store = store

    def seen(self, origin: str) -> dict[str, bytes]:
        """What an import has dealt with: the digest of each item by name."""
        return dict(self._rows("select item, digest from import_items where origin = ?", (origin,)))

    def put(self, items: Iterable[Item]) -> int:
        """Store a batch: all of it or nothing. Returns the cases written."""
        number = 0
        with self.store.writing() as db:
            for item in items:
                known = item.known
                case_id = known.case.id if known else ""
                old = db.execute(
                    "select case_id from import_items where origin = ? and item = ?", (item.origin, item.name)
                ).fetchone()
                if old and old[0] and old[0] != case_id:
                    _forget(db, old[0])
                if known is not None:
                    put_case(db, item.origin, known)
                    number += 1
                db.execute(
                    "insert or replace into import_items values (?, ?, ?, ?)",
                    (item.origin, item.name, item.digest, case_id),
                )
        return number

    def get(self, case_id: str) -> Case | None:
        """The imported case of that id (small and capital letters alike), or the only one that begins so."""
        name = case_id.lower()
        rows = self._rows("select body from imported where id = ?", (name,)) or self._rows(
            "select body from imported where id >= ? and id < ? limit 2", (name, name + "\U0010ffff")
        )
        return decode(json.loads(rows[0][0])) if len(rows) == 1 else None

    def by_signature(self, signatures: Iterable[str]) -> tuple[Case, ...]:
        """Imported cases that any of these signature ids links to, in the order of their ids."""
        wanted = tuple(dict.fromkeys(signatures))
        rows = self._rows(
            "select distinct i.id, i.body from case_signatures c join imported i on i.id = c.case_id"
            f" where c.signature in ({','.join('?' * len(wanted))}) order by i.id",
            wanted,
        )
        return tuple(decode(json.loads(body)) for _, body in rows)

    def by_commit(self, commit: str) -> Case | None:
        """The imported case that a commit fixes."""
        rows = self._rows(
            "select i.body from imported_commits c join imported i on i.id = c.case_id where c.hash = ?"
            " order by i.id limit 1",
            (commit[:12],),
        )
        return decode(json.loads(rows[0][0])) if rows else None

    def stacks(self, case_id: str) -> list[Stack]:
        """The stacks of an imported case."""
        return Stacks(self.store).of_case(case_id)

    def commits(self, case_id: str) -> list[str]:
        """What an imported case is known by: the first 12 digits of its commits."""
        return [row[0] for row in self._rows("select hash from imported_commits where case_id = ?", (case_id,))]

    def origin(self, case_id: str) -> str | None:
        """Where an imported case came from."""
        rows = self._rows("select origin from imported where id = ?", (case_id,))
        return str(rows[0][0]) if rows else None

    def forget(self, case_id: str) -> None:
        """Take an imported case out: it was promoted. The item stays dealt with.

        Raises:
            UsageError: There is none of that id.
        """
        with self.store.writing() as db:
            if db.execute("select 1 from imported where id = ?", (case_id,)).fetchone() is None:
                raise UsageError(f"no imported case {case_id!r}", help="`kb case search WORDS` finds them")
            _forget(db, case_id)

    def replace(self, known: Known) -> None:
        """Store a case over the one of the same id, which keeps its origin and what it is known by."""
        with self.store.writing() as db:
            row = db.execute("select origin from imported where id = ?", (known.case.id,)).fetchone()
            commits = db.execute("select hash from imported_commits where case_id = ?", (known.case.id,)).fetchall()
            kept = tuple(commit for (commit,) in commits)
            put_case(db, row[0] if row else "", Known(known.case, known.stacks, known.commits or kept))

    def __iter__(self) -> Iterator[Case]:
        for (body,) in self._rows("select body from imported order by id"):
            yield decode(json.loads(body))

    def __len__(self) -> int:
        return int(self._rows("select count(*) from imported")[0][0])

    def _rows(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        return self.store.rows(sql, values)


def put_case(db: Any, origin: str, known: Known) -> None:
    """Store a case within a transaction, over one of the same id."""
    case = known.case
    _forget(db, case.id)
    db.execute(
        "insert into case_index (id, title, kind, status, summary, keywords, origin) values (?, ?, ?, ?, ?, ?, ?)",
        (case.id, case.title, " ".join(case.kind), case.status, case.summary, " ".join(case.keywords), origin),
    )
    insert_known(db, origin, known)


def insert_known(db: Any, origin: str, known: Known) -> None:
    """Store what links and what is near, within a transaction, of a case that is not there; not its words."""
    case = known.case
    # in ASCII, DEL too: what the connection would write out otherwise would be no JSON any more
    body = json.dumps(encode(case), ensure_ascii=True).replace("\x7f", "\\u007f")
    db.execute("insert into imported values (?, ?, ?)", (case.id, origin, body))
    db.executemany(
        "insert or ignore into imported_commits values (?, ?)", [(commit[:12], case.id) for commit in known.commits]
    )
    links = [(signature, case.id) for signature in case.signatures]
    db.executemany("insert or ignore into case_signatures values (?, ?)", links)
    insert(db, known.stacks)


def _forget(db: Any, case_id: str) -> None:
    for table, column in (
        ("imported", "id"), ("imported_commits", "case_id"), ("case_index", "id"), ("case_signatures", "case_id")
    ):  # fmt: skip
        db.execute(f"delete from {table} where {column} = ?", (case_id,))
    remove(db, case_id)


def encode(case: Case) -> dict[str, Any]:
    """A case as plain values, what is empty left out. Predicates are not among them: imported cases have none."""
    skipped = ("require", "any", "refute", "support", "path")
    kept = {key: value for key, value in asdict(case).items() if value or key in _NEEDED}
    return {key: _brief(value) for key, value in kept.items() if key not in skipped}


def _brief(value: Any) -> Any:
    """Tables without what is empty in them, but for what a table needs."""
    if not isinstance(value, tuple | list):
        return value
    return [
        {key: item for key, item in each.items() if item or key in _NEEDED} if isinstance(each, dict) else each
        for each in value
    ]


_NEEDED = frozenset(
    field.name
    for kind in (Case, Affected, Fix, Workaround, Step, Source, Dispute)
    for field in fields(kind)
    if field.default is MISSING and field.default_factory is MISSING
)
"""Fields of a case and of its tables that have no default."""


def decode(values: Mapping[str, Any]) -> Case:
    """The case of :func:`encode`; keys that a newer kb wrote are passed over.

    Raises:
        ValueError: An id that is none, or a value that a case does not hold there.
        TypeError: Something a case needs is missing.
    """
    tables = {"affected": Affected, "fixes": Fix, "workarounds": Workaround, "verify": Step, "sources": Source,
              "disputes": Dispute, "checked": Check}  # fmt: skip
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key in tables:
            made[key] = tuple(_made(tables[key], entry) for entry in value)
        elif key in Case.__dataclass_fields__:
            made[key] = _value(key, value, Case)
    case = Case(**made)
    if not is_id(case.id):
        raise ValueError(f"{case.id[:40]!r} is no id of a case")
    return case


def _made(kind: Any, entry: Mapping[str, Any]) -> Any:
    known = {key: value for key, value in entry.items() if key in kind.__dataclass_fields__}
    return kind(**{key: _value(key, value, kind) for key, value in known.items()})


def _value(key: str, value: Any, kind: Any) -> Any:
    """A text, or texts where the field holds several."""
    form = str(kind.__dataclass_fields__[key].type)
    several = form.startswith("tuple[")
    if value is None and form.endswith("None"):
        return None
    if several and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if not several and isinstance(value, str):
        return value
    raise ValueError(f"{key} of a case is no {'list of texts' if several else 'text'}")
