"""What people declared to be one problem. Declarations are kept for ever; the latest of a pair counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kb.store.base import Store
from kb.store.notes import now, uuid7

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
        with self.store.writing() as db:
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
        """Every id that is declared to be the same problem, directly or through others, in the order of nearness.

        Signatures go by their present ids, whatever they were called when it was declared.
        """
        if not self.store.rows("select 1 from duplicates limit 1"):  # asked for each report, and hardly ever filled
            return []
        found = [self._present(subject)]
        for each in found:
            found += [other for other in self._pairs(each) if other not in found and len(found) < _MOST]
        return found[1:]

    def _pairs(self, subject: str) -> list[str]:
        latest: dict[tuple[str, str], Declaration] = {}
        for name in (subject, *self._former(subject)):
            for each in self._read("left_id = ?1 or right_id = ?1", (name,)):
                pair = sorted((self._present(each.left), self._present(each.right)))
                before = latest.get((pair[0], pair[1]))
                if before is None or before.id < each.id:
                    latest[pair[0], pair[1]] = each
        pairs = sorted((each.id, left, right) for (left, right), each in latest.items() if each.same)
        others = [right if left == subject else left for _, left, right in pairs]
        return list(dict.fromkeys(other for other in others if other != subject))

    def _former(self, signature: str) -> list[str]:
        """Ids that a signature had before it was rekeyed."""
        sql = (
            "select a.alias from aliases a join signatures s on s.id = a.signature"
            " where a.why = 'rekeyed' and s.signature = ?"
        )
        return [row[0] for row in self.store.rows(sql, (signature,))]

    def _present(self, subject: str) -> str:
        """The id that a signature has now."""
        sql = (
            "select s.signature from aliases a join signatures s on s.id = a.signature"
            " where a.why = 'rekeyed' and a.alias = ? limit 1"
        )
        rows = self.store.rows(sql, (subject,))
        return str(rows[0][0]) if rows else subject

    def _read(self, where: str, values: Iterable[Any]) -> list[Declaration]:
        sql = f"select id, left_id, right_id, same, author, time, reason from duplicates where {where} order by id"
        rows = self.store.rows(sql, values)
        return [Declaration(key, left, right, bool(same), *rest) for key, left, right, same, *rest in rows]
