"""The case index: cases as far as a search and a link need them."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from kb.model.case import Case


def put(db: sqlite3.Connection, cases: Iterable[Case], origin: str) -> int:
    """Make the index of one origin say what these cases say, within a transaction; returns how many there are."""
    old = [row[0] for row in db.execute("select id from case_index where origin = ?", (origin,))]
    db.executemany("delete from case_signatures where case_id = ?", [(name,) for name in old])
    db.execute("delete from case_index where origin = ?", (origin,))
    number = 0
    for number, case in enumerate(cases, 1):  # noqa: B007 - the count is what is returned
        db.execute("delete from case_index where id = ?", (case.id,))
        db.execute(
            "insert into case_index (id, title, kind, status, summary, keywords, origin) values (?, ?, ?, ?, ?, ?, ?)",
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


def query(words: str, limit: int) -> tuple[str, list[Any]] | None:
    """The statement that finds ``(id, status, title)`` of the cases that hold all words; None where there are none."""
    parts = words.split()
    if not parts:
        return None
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
    return sql, [*values, limit]
