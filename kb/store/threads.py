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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import StoreError
from kb.store.connection import connect

_INHERITED: list[sqlite3.Connection] = []
"""Connections that a fork has copied into this process: never used, never closed (sqlite.org/howtocorrupt.html 2.6)."""


class _Own:
    """The connection of one thread; nobody but the thread itself keeps it alive."""

    __slots__ = ("__weakref__", "db", "process", "uses")

    def __init__(self, db: sqlite3.Connection):
        self.db = db
        self.uses = 0
        self.process = os.getpid()

    def __del__(self) -> None:
        if os.getpid() == self.process:
            self.db.close()
        else:
            _INHERITED.append(self.db)


class Connections:
    """The connections to one file, to be used from any thread, also of a process forked meanwhile.

    Args:
        path: The file; it is opened, and made or migrated where that is due.

    Raises:
        StoreError: As :func:`kb.store.connection.connect`.
    """

    def __init__(self, path: Path):
        self.path = path
        self._closed = False
        self._begin()
        _ALL.add(self)
        with self.use():
            pass

    def _begin(self) -> None:
        self._mine = threading.local()
        self._every: weakref.WeakSet[_Own] = weakref.WeakSet()
        self._lock = threading.Lock()

    @contextmanager
    def use(self) -> Iterator[sqlite3.Connection]:
        """The calling thread's connection, which stays open until the block is left.

        Raises:
            StoreError: The store is closed; a block within a block of the same thread is still let in.
        """
        own = self._enter()
        try:
            yield own.db
        finally:
            self._leave(own)

    def close(self) -> None:
        """Close what rests, and let nobody in any more; what is being used is closed as it is left."""
        with self._lock:
            self._closed = True
            resting = [own for own in self._every if not own.uses]
        for own in resting:
            own.db.close()

    def _enter(self) -> _Own:
        own: _Own = getattr(self._mine, "own", None) or self._open()
        with self._lock:
            if not own.uses:
                self._refuse_if_closed()
            own.uses += 1
        return own

    def _open(self) -> _Own:
        self._refuse_if_closed()
        own = self._mine.own = _Own(connect(self.path))
        with self._lock:
            self._refuse_if_closed()
            self._every.add(own)
        return own

    def _leave(self, own: _Own) -> None:
        with self._lock:
            own.uses -= 1
            over = self._closed and not own.uses
        if over:
            own.db.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise StoreError("the store is closed", path=str(self.path), help="open it again: close() ends all use")


_ALL: "weakref.WeakSet[Connections]" = weakref.WeakSet()


def _forked() -> None:
    """In the child: its parent's connections are none of its own, and its parent's threads hold no lock here."""
    for each in list(_ALL):
        each._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
