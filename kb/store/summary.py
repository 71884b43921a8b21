"""What a store holds, and what was seen last."""

from dataclasses import dataclass
from typing import Any

from kb.store.base import Store


@dataclass(frozen=True, slots=True)
class Recent:
    """Sightings of a signature on one host and kernel, as the log lists them."""

    last: str
    """UTC, ISO 8601."""
    count: int
    signature: str
    title: str
    kind: str
    host: str | None
    kernel: str | None
    source: str
    cases: tuple[str, ...]
    """Ids of cases that the signature links to."""


def recent(store: Store, *, limit: int = 20, offset: int = 0) -> list[Recent]:
    """What was seen last, newest first."""
    rows = store.rows(
        "select g.last, g.count, s.signature, s.title, s.kind, g.host, g.kernel, g.last_source, s.id"
        " from sightings g join signatures s on s.id = g.signature"
        " order by g.last desc, g.id desc limit ? offset ?",
        (limit, offset),
    )
    return [
        Recent(last, seen, name, title, kind, host or None, kernel or None, source, _cases(store, number, name))
        for last, seen, name, title, kind, host, kernel, source, number in rows
    ]


def _cases(store: Store, number: int, signature: str) -> tuple[str, ...]:
    rows = store.rows(
        "select case_id from case_signatures where signature = ?1 union select c.case_id from aliases a"
        " join case_signatures c on c.signature = a.alias where a.signature = ?2 and a.why <> 'former' order by 1",
        (signature, number),
    )
    return tuple(row[0] for row in rows)


@dataclass(frozen=True, slots=True)
class Frequent:
    """A signature by how often it was seen."""

    signature: str
    title: str
    kind: str
    count: int
    hosts: int
    last: str
    """UTC, ISO 8601."""


def most(store: Store, *, since: str = "", until: str = "9999", host: str | None = None) -> list[Frequent]:
    """What was seen most, with how often.

    Args:
        store: Where it was recorded.
        since: Events from then on, UTC, ISO 8601 or the beginning of one; those of an older kb that kept none count in
            no span.
        until: Events before then.
        host: Only on this host.
    """
    where, values = ["e.seen >= ?", "e.seen < ?"], [since, until]
    if host is not None:
        where.append("g.host = ?")
        values.append(host)
    rows = store.rows(
        "select s.signature, s.title, s.kind, count(*) n, count(distinct nullif(g.host, '')), max(e.seen)"
        " from events e join sightings g on g.id = e.sighting join signatures s on s.id = g.signature"
        f" where {' and '.join(where)} group by s.id order by n desc, s.title",
        values,
    )
    return [Frequent(*row) for row in rows]


def timeline(store: Store, signature: str) -> list[tuple[str, int]]:
    """Events of a signature a day (UTC, ``2026-01-31``), oldest first."""
    rows = store.rows(
        "select substr(e.seen, 1, 10) day, count(*) from signatures s join sightings g on g.signature = s.id"
        " join events e on e.sighting = g.id where s.signature = ? group by day order by day",
        (signature,),
    )
    return [(day, count) for day, count in rows]


def stats(store: Store) -> dict[str, Any]:
    """Counts by name; sizes in bytes."""
    one = {
        "signatures": "select count(*) from signatures",
        "sightings": "select coalesce(sum(count), 0) from sightings",
        "hosts": "select count(distinct host) from sightings where host != ''",
        "kernels": "select count(distinct kernel) from sightings where kernel != ''",
        "evidence": "select count(*) from evidence",
        "evidence_bytes": "select coalesce(sum(length(text)), 0) from evidence",
        "annotations": "select count(*) from annotations",
        "declared_duplicates": "select count(*) from duplicates",
        "stacks": "select count(*) from stacks",
        "frames": "select count(*) from frames",
        "imported_cases": "select count(*) from imported",
        "first": "select min(first) from signatures",
        "last": "select max(last) from signatures",
    }
    found: dict[str, Any] = {"schema": "kb.stats/1", "store": str(store.path)}
    with store.using() as db:
        for name, sql in one.items():
            found[name] = db.execute(sql).fetchone()[0]
        found["bytes"] = store.path.stat().st_size
        found["by_origin"] = dict(db.execute("select origin, count(*) from imported group by origin"))
        found["by_kind"] = dict(
            db.execute("select kind, sum(count) n from signatures group by kind order by n desc limit 20")
        )
    return found
