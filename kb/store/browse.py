"""Reading many signatures at once, for a list that shows a screenful of a million."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kb.store.connection import connect, errors

Order = Literal["last", "first", "count", "title", "kind"]

_FIRST = 500
"""Ids of the first piece: more than a screen holds, read in a millisecond."""
_PIECE = 50_000
_EVENTS = 50_000
"""Events that the sparklines of a page are drawn from."""


@dataclass(frozen=True, slots=True)
class Browsed:
    """A signature as a list shows it."""

    id: int
    """Row id in the store."""
    signature: str
    title: str
    kind: str
    first: str
    """UTC, ISO 8601."""
    last: str
    count: int
    kernel: str | None
    """Release of the kernel that it was seen on last."""
    case: str | None
    """Case that the case index links the signature to."""
    host: str | None = None
    """Host it was seen on last."""
    hosts: int = 0
    """Hosts it was seen on."""


class Browser:
    """A connection that only reads. One thread; :meth:`interrupt` may come from any."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.connection = connect(self.path)
        self.connection.execute("pragma query_only = on")

    def ids(self, order: Order = "last", *, descending: bool = True, words: str = "") -> Iterator["array[int]"]:
        """Row ids in order, in pieces: 8 bytes a signature, so that any row of a million is a look-up away.

        Args:
            order: What to sort by; ``last`` and ``count`` come from an index, the others are sorted first.
            descending: Largest first.
            words: Each must stand in the title or the kind; ``kind:oops`` in the kind, ``host:``, ``kernel:`` and
                ``case:`` in those it was seen on or is linked to; ``since:2026-01-31`` is the earliest last sighting.
        """
        where, values = _where(words)
        way = "desc" if descending else "asc"
        # "+": with a filter, read the table and sort what is left; along the index each row would be looked up
        # (measured on a million signatures: 1.6 s against 0.2 s)
        column = f"+{order}" if where else order
        sql = f"select id from signatures{where} order by {column} {way}, id {way}"
        with errors(self.path):
            cursor = self.connection.execute(sql, values)
            size = _FIRST
            while rows := cursor.fetchmany(size):
                yield array("Q", (row[0] for row in rows))
                size = _PIECE

    def total(self) -> int:
        """Signatures there are."""
        with errors(self.path):
            return int(self.connection.execute("select count(*) from signatures").fetchone()[0])

    def rows(self, ids: Sequence[int]) -> list[Browsed]:
        """The signatures of these row ids, in that order."""
        marks = ",".join("?" * len(ids))
        sql = (
            "select id, signature, title, kind, first, last, count,"
            " (select nullif(kernel, '') from sightings g where g.signature = s.id order by last desc limit 1),"
            " (select case_id from case_signatures c where c.signature = s.signature limit 1),"
            " (select nullif(host, '') from sightings g where g.signature = s.id order by last desc limit 1),"
            " (select count(distinct nullif(host, '')) from sightings g where g.signature = s.id)"
            f" from signatures s where id in ({marks})"
        )
        with errors(self.path):
            found = {row[0]: Browsed(*row) for row in self.connection.execute(sql, list(ids))}
        return [found[number] for number in ids if number in found]

    def spread(self, ids: Sequence[int], cells: int = 8) -> dict[int, list[int]]:
        """Sightings of these row ids a week, the latest week of the store last; of very many events the first ones.

        What was recorded without its events counts in the week it was seen last.
        """
        marks = ",".join("?" * len(ids))
        cell = f"{cells - 1} - cast((julianday(?) - julianday(seen)) / 7 as int)"
        sql = (
            f"select id, {cell} cell, count(*) from (select g.signature id, e.seen seen from sightings g"
            f" join events e on e.sighting = g.id where g.signature in ({marks}) limit {_EVENTS})"
            " group by id, cell having cell >= 0"
        )
        last = cell.replace("seen", "last")
        seen = f"select signature id, {last} cell, count from sightings where signature in ({marks})"
        with errors(self.path):
            newest = self.connection.execute("select max(last) from signatures").fetchone()[0]
            found: dict[int, list[int]] = {}
            for source in (sql, seen):
                rows = list(self.connection.execute(source, [newest, *ids]))
                there = set(found)
                for number, place, count in rows:
                    if number not in there and 0 <= place < cells:
                        found.setdefault(number, [0] * cells)[place] += count
        return found

    def values(self) -> dict[str, set[str]]:
        """Kinds, hosts, kernels and linked cases that there are, at most a thousand of each."""
        asked = {
            "kind": "select distinct kind from signatures",
            "host": "select distinct host from sightings",
            "kernel": "select distinct kernel from sightings",
            "case": "select distinct case_id from case_signatures",
        }
        with errors(self.path):
            return {
                name: {row[0] for row in self.connection.execute(f"{sql} limit 1000") if row[0]}
                for name, sql in asked.items()
            }

    def interrupt(self) -> None:
        """End the statement that runs: what iterates over it gets a StoreError."""
        self.connection.interrupt()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


_FIELDS = {
    "kind": "kind like ? escape '\\'",
    "host": "id in (select signature from sightings where host like ? escape '\\')",
    "kernel": "id in (select signature from sightings where kernel like ? escape '\\')",
    "case": "signature in (select signature from case_signatures where case_id like ? escape '\\')",
}


def _where(words: str) -> tuple[str, list[str]]:
    conditions, values = [], []
    for word in words.split():
        name, _, value = word.partition(":")
        if value and name == "since":
            conditions.append("last >= ?")
            values.append(value.upper())
        elif value and name in _FIELDS:
            conditions.append(_FIELDS[name])
            values.append(_like(value))
        else:
            conditions.append("(title like ? escape '\\' or kind like ? escape '\\')")
            values += [_like(word)] * 2
    return (" where " + " and ".join(conditions) if conditions else ""), values


def _like(word: str) -> str:
    """A pattern of LIKE that holds the word literally; LIKE is blind to the case of ASCII letters."""
    for char in "\\%_":
        word = word.replace(char, "\\" + char)
    return f"%{word}%"
