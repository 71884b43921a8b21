"""Stacks in the store: a table of postings, and candidates by their rarest frames.

Measured at a million signatures (11.8 frames each, 39.6 k functions): candidates with a budget of 3,000 postings take
2 ms and hold the right family for 98 % of queries, with 20,000 they take 9 ms and hold it always. Hence the budget
is small at first and is widened when the best candidate is weak.
"""

import math
import sqlite3
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kb.model.stack import Stack
from kb.model.text import plain
from kb.store.base import Store

BUDGET, WIDE = 3_000, 20_000
"""Postings that are read for one query: at first, and when nothing good was among them."""
CANDIDATES = 100
FEW = 1_000
"""Stacks that a store is taken to hold at least: fewer say little of how rare a frame is."""
STACKS_OF_ONE = 4
"""Different stacks kept of one signature that was seen."""


class Stacks:
    """The stacks of one store."""

    def __init__(self, store: Store):
        self.store = store

    def __len__(self) -> int:
        low, high = self._rows("select (select min(id) from stacks), (select max(id) from stacks)")[0]
        return max(0, high or 0) - min(0, low or 0)

    def add(self, rows: Iterable[Stack]) -> None:
        """Know more stacks; those that are known already cost a look-up."""
        with self.store.writing() as db:
            insert(db, rows)

    def add_seen(self, row: Stack) -> None:
        """Know the stack of a signature that was seen, some of each at most; most calls only read."""
        if not row.frames or row.case is not None:
            return
        names = [plain(name) for name in row.frames]
        ids = dict(self._named(names))
        blob = _packed(ids.get(name, 0) for name in names)  # no frame has the id 0: such a stack is new
        sql = "select count(*), max(frames = ?) from stacks where signature = ? and case_id = ''"
        held, known = self._rows(sql, (blob, row.signature))[0]
        if held < STACKS_OF_ONE and not known:
            self.add([row])

    def frequencies(self, names: Iterable[str]) -> tuple[int, dict[str, int]]:
        """How many stacks there are, and how many of them hold each of these frames."""
        found = self._frequencies(names)
        return max(len(self), FEW), {name: stacks for name, (_, stacks) in found.items()}

    def candidates(
        self, names: Sequence[str], *, budget: int = BUDGET, limit: int = CANDIDATES, cases: bool = False
    ) -> list[Stack]:
        """Stacks that share the rarest frames, those with the rarest in common first.

        Args:
            names: Frames of the query, normalised.
            budget: Postings that may be read: the rarest frames that fit.
            limit: Stacks wanted.
            cases: Only stacks of cases.
        """
        known = self._frequencies(names)
        most = -int(self._rows("select coalesce(min(id), 0) from stacks where id < 0")[0][0]) if cases else 1 << 62
        held = {name: stacks for name, (_, stacks) in known.items()}
        frames = chosen(held, max(len(self), FEW), most, budget)
        if not frames:
            return []
        asked = ",".join("(?,?)" for _ in frames)
        values = [value for name, weight in frames for value in (known[name][0], weight)]
        low, high = (-(1 << 62), -1) if cases else (0, 1 << 62)
        rows = self._rows(
            f"with q (frame, weight) as (values {asked}),"
            " best (stack, weight) as (select p.stack, sum(q.weight) w from q cross join postings p"
            f" on p.frame = q.frame and p.stack between {low} and {high} group by p.stack order by w desc limit ?)"
            f" select {_FIELDS} from best b cross join stacks s on s.id = b.stack",
            (*values, limit),
        )
        return self._read(rows)

    def reads_all(self, names: Sequence[str], budget: int) -> bool:
        """Whether so many postings are all that there are of these frames: a larger budget finds nothing more."""
        return sum(self.frequencies(names)[1].values()) <= budget

    def all(self) -> Iterator[Stack]:
        """All stacks, of cases first."""
        rows = self._rows(f"select {_FIELDS} from stacks s order by s.id")
        yield from _made(
            rows, map(_unpacked, [row[5] for row in rows]), dict(self._rows("select id, name from frames"))
        )

    def keyed(self, signatures: Iterable[str], *, cases: bool = False, limit: int = 50) -> list[Stack]:
        """Stacks by the signature they belong to."""
        wanted = tuple(signatures)
        only = _OF_CASES if cases else "1"
        rows = self._rows(
            f"select {_FIELDS} from stacks s where s.signature in ({','.join('?' * len(wanted))}) and {only}"
            " order by s.id limit ?",
            (*wanted, limit),
        )
        return self._read(rows)

    def seen(self) -> Iterator[Stack]:
        """The stacks of all signatures that were seen."""
        last = 0
        while rows := self._rows(
            f"select {_FIELDS}, s.id from stacks s where s.id > ? order by s.id limit 1000", (last,)
        ):
            last = rows[-1][6]
            yield from self._read(rows)

    def of_case(self, case_id: str) -> list[Stack]:
        """The stacks of a case."""
        return self._read(
            self._rows(
                f"select {_FIELDS} from stacks s where s.case_id = ? and {_OF_CASES} order by abs(s.id)", (case_id,)
            )
        )

    # ---- inside

    def _rows(self, sql: str, values: Iterable[Any] = ()) -> list[Any]:
        return self.store.rows(sql, values)

    def _frequencies(self, names: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Id of each frame that is known, and the stacks that hold it."""
        wanted = list(dict.fromkeys(names))
        rows: list[tuple[str, int, int]] = []
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            rows += self._rows(f"select name, id, stacks from frames where name in ({marks})", part)
        return {name: (number, stacks) for name, number, stacks in rows}

    def _named(self, names: Iterable[str]) -> list[tuple[str, int]]:
        return [(name, number) for name, (number, _) in self._frequencies(names).items()]

    def _read(self, rows: Sequence[Any]) -> list[Stack]:
        unpacked = [_unpacked(row[5]) for row in rows]
        wanted = sorted({number for numbers in unpacked for number in numbers})
        names: dict[int, str] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            names.update(self._rows(f"select id, name from frames where id in ({marks})", part))
        return list(_made(rows, unpacked, names))


def _made(rows: Iterable[Any], frames: Iterable[list[int]], names: Mapping[int, str]) -> Iterator[Stack]:
    """Rows as stacks, their frames by the numbers that were packed into them."""
    name = names.__getitem__
    for (signature, case_id, title, kind, function, *_), numbers in zip(rows, frames, strict=True):
        yield Stack(signature, title, kind, tuple(map(name, numbers)), case_id or None, function or None)


def chosen(held: Mapping[str, int], total: int, most: int, budget: int) -> list[tuple[str, float]]:
    """The rarest frames whose postings fit into a budget, each with what a stack that has it gains.

    Args:
        held: How many stacks hold each frame.
        total: Stacks there are.
        most: Postings of one frame that are read at most.
        budget: Postings that may be read.
    """
    found: list[tuple[str, float]] = []
    spent = 0
    for name, stacks in sorted(held.items(), key=lambda item: (item[1], item[0])):
        cost = min(stacks, most)
        if found and spent + cost > budget:
            break
        spent += cost
        found.append((name, math.log((total + 1.5) / (stacks + 0.5)) + 0.05))
    return found


_OF_CASES = "s.case_id != ''"
"""Said where it is plain, too: an index that is only of such rows is used for no other query."""
_FIELDS = "s.signature, s.case_id, s.title, s.kind, s.function, s.frames"


def insert(db: sqlite3.Connection, rows: Iterable[Stack]) -> None:
    """Add stacks within a transaction; the frequency of each frame goes with them."""
    for row in rows:
        ids = [_frame(db, name) for name in row.frames]
        side = "min(min(id), 0) - 1" if row.case else "max(max(id), 0) + 1"
        made = db.execute(
            "insert or ignore into stacks (id, signature, case_id, title, kind, function, frames)"
            f" values ((select coalesce({side}, {-1 if row.case else 1}) from stacks), ?, ?, ?, ?, ?, ?) returning id",
            (row.signature, row.case or "", row.title, row.kind, row.function or "", _packed(ids)),
        ).fetchone()
        if made is None:
            continue
        unique = sorted(set(ids))
        db.executemany("insert into postings values (?, ?)", [(number, made[0]) for number in unique])
        db.executemany("update frames set stacks = stacks + 1 where id = ?", [(number,) for number in unique])


def remove(db: sqlite3.Connection, case_id: str) -> None:
    """Forget the stacks of a case, within a transaction."""
    _remove(db, "case_id = ? and case_id != ''", case_id)


def remove_seen(db: sqlite3.Connection, signature: str) -> int:
    """Forget the stacks of a signature that was seen, within a transaction; returns how many."""
    return _remove(db, "case_id = '' and signature = ?", signature)


def _remove(db: sqlite3.Connection, where: str, value: str) -> int:
    rows = db.execute(f"select id, frames from stacks where {where}", (value,)).fetchall()
    for number, blob in rows:
        unique = sorted(set(_unpacked(blob)))
        db.executemany("delete from postings where frame = ? and stack = ?", [(frame, number) for frame in unique])
        db.executemany("update frames set stacks = stacks - 1 where id = ?", [(frame,) for frame in unique])
        db.execute("delete from stacks where id = ?", (number,))
    return len(rows)


def _frame(db: sqlite3.Connection, name: str) -> int:
    found = db.execute("select id from frames where name = ?", (name,)).fetchone()
    if found is None:
        found = db.execute("insert into frames (name) values (?) returning id", (name,)).fetchone()
    return int(found[0])


def _packed(numbers: Iterable[int]) -> bytes:
    values = array("I", numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _unpacked(blob: bytes) -> list[int]:
    values = array("I")
    values.frombytes(blob)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()
