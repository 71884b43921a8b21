"""What a store says of the last days: signatures that are new, rise or are frequent; where they were seen; notes.

Row ids, for :meth:`kb.store.browse.Browser.rows`. Each question reads what an index leads to, a bounded part of it.
"""

from dataclasses import dataclass

from kb.store.browse import Browser
from kb.store.connection import errors

_ASKED = 500
"""Signatures seen of late whose events are counted."""
_EVENTS = 200_000

MOST = 8
"""Signatures of a section, where not asked for more: so many may stand for more than there are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A host or a kernel, and what was seen there."""

    name: str
    count: int
    """Sightings."""
    signatures: int
    last: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note, as a list shows it."""

    subject: str
    author: str
    time: str
    body: str
    title: str
    """Of the signature; empty for a case."""


def new(store: Browser, since: str, limit: int = MOST) -> list[int]:
    """Signatures first seen since, the most frequent first."""
    return _ids(
        store,
        "select id from signatures where last >= ?1 and first >= ?1 order by count desc, id limit ?2",
        since,
        limit,
    )


def rising(store: Browser, since: str, before: str, limit: int = MOST) -> list[int]:
    """Signatures seen earlier that came at least twice as often since as in an equal span before.

    Args:
        store: The store.
        since: Where the span begins, UTC.
        before: Where the one before it begins.
        limit: At most so many.
    """
    sql = (
        "select id from (select s.id id, e.seen seen from (select id from signatures where last >= ?1 and first < ?1"
        f" order by last desc limit {_ASKED}) s join sightings g on g.signature = s.id"
        f" join events e on e.sighting = g.id where e.seen >= ?2 limit {_EVENTS}) group by id"
        " having sum(seen >= ?1) >= 2 and sum(seen >= ?1) >= 2 * sum(seen < ?1)"
        " order by sum(seen >= ?1) - sum(seen < ?1) desc, id limit ?3"
    )
    return _ids(store, sql, since, before, limit)


def top(store: Browser, limit: int = MOST) -> list[int]:
    """The most frequent signatures."""
    return _ids(store, "select id from signatures order by count desc, id desc limit ?", limit)


def by_id(store: Browser, signatures: list[str]) -> list[int]:
    """The rows of signatures that are named."""
    marks = ",".join("?" * len(signatures))
    return _ids(store, f"select id from signatures where signature in ({marks})", *signatures)


def places(store: Browser, column: str, since: str, limit: int = 6) -> list[Place]:
    """Hosts or kernels with the most sightings that were seen since.

    Args:
        store: The store.
        column: ``host`` or ``kernel``.
        since: UTC.
        limit: At most so many.
    """
    name = {"host": "host", "kernel": "kernel"}[column]
    sql = (
        f"select {name}, sum(count), count(distinct signature), max(last) from sightings"
        f" where last >= ? and {name} != '' group by {name} order by 2 desc, 1 limit ?"
    )
    with errors(store.path):
        return [Place(*row) for row in store.connection.execute(sql, [since, limit])]


def notes(store: Browser, limit: int = 6) -> list[Note]:
    """The latest notes."""
    sql = (
        "select a.subject, a.author, a.time, a.body, coalesce((select title from signatures s"
        " where s.signature = substr(a.subject, 11)), '')"
        " from (select * from annotations order by id desc limit ?) a"
    )
    with errors(store.path):
        return [Note(*row) for row in store.connection.execute(sql, [limit])]


def _ids(store: Browser, sql: str, *values: object) -> list[int]:
    with errors(store.path):
        return [row[0] for row in store.connection.execute(sql, list(values))]
