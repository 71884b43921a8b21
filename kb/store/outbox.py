"""What others are still to be told of. A message is written in the transaction of what it tells of: neither is lost."""

import sqlite3
import time
from dataclasses import dataclass

from kb.store import notes


@dataclass(frozen=True, slots=True)
class Message:
    """A message that waits."""

    id: str
    body: str
    tries: int
    """How often it was tried before."""


def put(db: sqlite3.Connection, owner: int, source: str, host: str, topic: str, body: str) -> None:
    """Add a message, within a transaction; one of its topic that still waits says this instead.

    Args:
        db: A connection that writes.
        owner: Row of the signature that it is about.
        source: Where the log came from.
        host: Whose log.
        topic: What makes two messages one.
        body: The message.
    """
    db.execute(
        "insert into outbox (id, topic, signature, source, host, time, body) values (?, ?, ?, ?, ?, ?, ?)"
        " on conflict (topic) do update set id = excluded.id, source = excluded.source, host = excluded.host,"
        " time = excluded.time, body = excluded.body",
        (notes.uuid7(), topic, owner, source, host, notes.now(), body),
    )


def due(db: sqlite3.Connection, limit: int = 20) -> list[Message]:
    """Messages that are to be sent now, the oldest first."""
    rows = db.execute("select id, body, tries from outbox where due <= ? order by id limit ?", (time.time(), limit))
    return [Message(*row) for row in rows]


def sent(db: sqlite3.Connection, message: Message) -> None:
    """Take out a message; one that came under its topic since has another id, and stays."""
    db.execute("delete from outbox where id = ?", (message.id,))


def failed(db: sqlite3.Connection, message: Message, wait: float) -> None:
    """Try a message again after some seconds."""
    db.execute("update outbox set tries = tries + 1, due = ? where id = ?", (time.time() + wait, message.id))


def waiting(db: sqlite3.Connection) -> int:
    """How many wait."""
    return int(db.execute("select count(*) from outbox").fetchone()[0])
