"""A connection for each thread that uses a store.

SQLite lets threads share a connection, but then they share its transaction, too: what one began another would commit.
So each thread has its own, opened when it first asks. It is closed when its thread ends, or when the store closes:
then by the one who closes the store where it rests, else by its own thread as soon as that is done with it, since a
connection that is closed under a running statement takes the process down with it.
"""

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from kb.errors import StoreError
from kb.store.connection import connect, translated

_INHERITED: list[sqlite3.Connection] = []
"""Connections that a fork has copied into this process: never used, never closed (sqlite.org/howtocorrupt.html 2.6)."""


class _Door:
    """Whether a store may still be used: what its connections share."""

    __slots__ = ("closed", "lock", "path")

    def __init__(self, path: Path, closed: bool = False):
        self.path = path
        self.closed = closed
        self.lock = threading.Lock()

    def refuse_if_closed(self) -> None:
        if self.closed:
            raise StoreError("the store is closed", path=str(self.path), help="open it again: close() ends all use")


class Own:
    """The connection of one thread, which alone keeps it alive; it stays open while a ``with`` block of it runs.

    Raises:
        StoreError: The store is closed (a block within a block of the same thread is still let in), or what SQLite
            and the system raise, with its reason.
    """

    __slots__ = ("__weakref__", "_db", "_door", "_process", "uses")

    def __init__(self, db: sqlite3.Connection, door: _Door):
        self._db = db
        self._door = door
        self._process = os.getpid()
        self.uses = 0

    def __enter__(self) -> sqlite3.Connection:
        with self._door.lock:
            if not self.uses:
                self._door.refuse_if_closed()
            self.uses += 1
        return self._db

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with self._door.lock:
            self.uses -= 1
            over = self._door.closed and not self.uses
        if over:
            self.close()
        if isinstance(error, sqlite3.Error | OSError):
            raise translated(error, self._door.path) from error

    def close(self) -> None:
        """Close it: for a thread other than its own only while it is not in use."""
        self._db.close()

    def __del__(self) -> None:
        if os.getpid() == self._process:
            self.close()
        else:
            _INHERITED.append(self._db)


class Connections:
    """The connections to one file, to be used from any thread, also of a process forked meanwhile.

    Args:
        path: The file; it is opened, and made or migrated where that is due.
        opens: What opens it otherwise.

    Raises:
        StoreError: As :func:`kb.store.connection.connect`.
    """

    def __init__(self, path: Path, opens: Callable[[Path], sqlite3.Connection] = connect):
        self._opens = opens
        self._begin(_Door(path))
        _ALL.add(self)
        self.own()

    def _begin(self, door: _Door) -> None:
        self._door = door
        self._mine = threading.local()
        self._every: weakref.WeakSet[Own] = weakref.WeakSet()

    def own(self) -> Own:
        """The calling thread's connection, for a ``with`` block."""
        found: Own | None = getattr(self._mine, "own", None)
        return found if found is not None else self._open()

    def _open(self) -> Own:
        self._door.refuse_if_closed()
        own = Own(self._opens(self._door.path), self._door)
        with self._door.lock:
            self._door.refuse_if_closed()  # it may have been meanwhile
            self._every.add(own)
        self._mine.own = own
        return own

    def close(self) -> None:
        """Close what rests, and let nobody in any more; what is being used is closed as it is left."""
        with self._door.lock:
            self._door.closed = True
            resting = [own for own in self._every if not own.uses]
        for own in resting:
            own.close()

    def forked(self) -> None:
        """In the child: its parent's connections are none of its own, and its parent's threads hold no lock here."""
        self._begin(_Door(self._door.path, self._door.closed))


_ALL: "weakref.WeakSet[Connections]" = weakref.WeakSet()


def _forked() -> None:
    for each in list(_ALL):
        each.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
