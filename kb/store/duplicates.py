"""What people declared to be one problem. Declarations are kept for ever; the latest of a pair counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kb.store.base import Store, now, uuid7
from kb.store.connection import errors, write

_MOST = 200
"""Ids that one problem may be known by: a bound against declarations that chain everything together."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Two ids (``kb1:...`` or ``case:<id>``) are one problem, or are not after all."""

    id: str
    left: str
    right: str
    same: bool
    author: str
    time: str
    """UTC, ISO 8601."""
    reason: str = ""


class Duplicates:
    """The declarations of one store."""

    def __init__(self, store: Store):
        self.store = store

    def declare(self, left: str, right: str, *, same: bool, author: str, reason: str = "") -> Declaration:
        """Say that two ids are one problem, or take that back."""
        first, second = sorted((left, right))
        made = Declaration(uuid7(), first, second, same, author, now(), reason)
        with errors(self.store.path), write(self.store.connection) as db:
            db.execute(
                "insert into duplicates values (?, ?, ?, ?, ?, ?, ?)",
                (made.id, first, second, int(same), author, made.time, reason),
            )
        return made

    def history(self, left: str, right: str) -> list[Declaration]:
        """All that was declared of a pair, oldest first."""
        first, second = sorted((left, right))
        return self._read("left_id = ? and right_id = ?", (first, second))

    def same_as(self, subject: str) -> list[str]:
        """Every id that is declared to be the same problem, directly or through others, in the order of nearness."""
        found = [subject]
        for each in found:
            for other in self._pairs(each):
                if other not in found and len(found) < _MOST:
                    found.append(other)
        return found[1:]

    def _pairs(self, subject: str) -> list[str]:
        names = [subject, *self._aliases(subject)]
        latest: dict[tuple[str, str], Declaration] = {}
        for name in names:
            for each in self._read("left_id = ?1 or right_id = ?1", (name,)):
                latest[each.left, each.right] = each
        pairs = sorted((each for each in latest.values() if each.same), key=lambda each: each.id)
        others = [each.right if each.left in names else each.left for each in pairs]
        return list(dict.fromkeys(other for other in others if other not in names))

    def _aliases(self, subject: str) -> list[str]:
        """Ids that a signature had before it was rekeyed, and has now."""
        with errors(self.store.path):
            rows = self.store.connection.execute(
                "select a.alias from aliases a join signatures s on s.id = a.signature"
                " where a.why = 'rekeyed' and s.signature = ?1"
                " union select s.signature from aliases a join signatures s on s.id = a.signature"
                " where a.why = 'rekeyed' and a.alias = ?1",
                (subject,),
            ).fetchall()
        return [row[0] for row in rows if row[0] != subject]

    def _read(self, where: str, values: Iterable[Any]) -> list[Declaration]:
        sql = f"select id, left_id, right_id, same, author, time, reason from duplicates where {where} order by id"
        with errors(self.store.path):
            rows = self.store.connection.execute(sql, tuple(values)).fetchall()
        return [Declaration(key, left, right, bool(same), *rest) for key, left, right, same, *rest in rows]
