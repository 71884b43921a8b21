"""Opening a store, and the one way to write to it.

Measured with 8 writing processes: WAL with ``BEGIN IMMEDIATE`` loses none of 3,200 transactions; a transaction that
begins deferred and reads before it writes fails at once for nine of ten, because SQLite's busy timeout does not cover
the upgrade of a lock. Hence :func:`write`, and never sqlite-utils' ``atomic()`` from the outside.

WAL needs shared memory between the writers: the file must not lie on a network file system.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kb.errors import StoreCorrupt, StoreError, StoreLocked, StoreTooNew
from kb.model.text import plain
from kb.store.migrate import APPLICATION_ID, VERSION, migrate

TIMEOUT = 30.0
"""Seconds a writer waits for another."""
RECOVER = "move the file away, and get what is in it with `sqlite3 FILE .recover`"
"""What helps where a store is damaged."""


class Connection(sqlite3.Connection):
    """A connection that any text can be given to (:func:`kb.model.text.plain`): to keep it, or to look for it."""

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """As of sqlite3."""
        return super().execute(sql, _plain(parameters))

    def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        """As of sqlite3."""
        return super().executemany(sql, map(_plain, parameters))


def _plain(parameters: Any) -> Any:
    if not isinstance(parameters, tuple | list):
        return parameters
    return [plain(value) if isinstance(value, str) else value for value in parameters]


def connect(path: str | Path, *, timeout: float = TIMEOUT) -> sqlite3.Connection:
    """Open a store, made or migrated where that is due.

    A store that may only be read is opened for reading; writing to it then fails with the reason. Any thread may use
    the connection, one at a time.

    Raises:
        StoreError: StoreLocked, StoreTooNew, StoreCorrupt, or why the file cannot be opened.
    """
    path = Path(path)
    with errors(path):
        new = not path.exists()
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            # logs name hosts and people: the file is the owner's, as ~/.bash_history is
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = _open(path, timeout)
        try:
            _prepare(connection, path, timeout)
        except BaseException:
            connection.close()
            raise
    return connection


def _open(path: Path, timeout: float) -> sqlite3.Connection:
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return _made(path, timeout)
    return reading(path, timeout)


def reading(path: Path, timeout: float = TIMEOUT) -> sqlite3.Connection:
    """A connection that can only read a file that is there; it makes no files beside one that nobody has open."""
    # WAL wants to make its -shm file even to read; "immutable" does without where nobody can write anyway
    options = "mode=ro" if os.path.exists(f"{path}-wal") else "mode=ro&immutable=1"
    return _made(f"{path.resolve().as_uri()}?{options}", timeout, uri=True)


def _made(place: str | Path, timeout: float, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        place, timeout=timeout, isolation_level=None, check_same_thread=False, factory=Connection, uri=uri
    )


def _prepare(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma recursive_triggers = on")
    connection.execute("pragma synchronous = normal")
    version = _version(connection, path)
    if version == VERSION:
        return
    _to_wal(connection, timeout)
    with write(connection):
        # another process may have done it while this one waited for the lock
        if _version(connection, path) < VERSION:
            migrate(connection)


def _to_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Let readers and a writer of the file go on beside each other.

    SQLite does not wait for others here, whatever its timeout is: of two that turn to WAL at once one is told BUSY.
    """
    until = time.monotonic() + timeout
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema's version, 0 of an empty file; refuses what is no store or a newer one."""
    with _at_once(connection):
        version = int(connection.execute("pragma user_version").fetchone()[0])
        owner = int(connection.execute("pragma application_id").fetchone()[0])
        tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID:
        if owner or version or tables:
            help_ = "give another file with --db or KB_DB"
            raise StoreCorrupt("an SQLite database, but not a store of kb", path=str(path), help=help_)
        return 0
    if version > VERSION:
        reason = f"the store has schema {version}, this kb knows {VERSION}"
        raise StoreTooNew(reason, path=str(path), help="upgrade kb, or use another store with --db or KB_DB")
    return version


@contextlib.contextmanager
def _at_once(connection: sqlite3.Connection) -> Iterator[None]:
    """Read one state of the file: between two statements of their own another process may make the store."""
    if connection.in_transaction:
        yield
        return
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


@contextlib.contextmanager
def write(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A transaction that takes the write lock first: all of it or nothing."""
    connection.execute("begin immediate")
    try:
        yield connection
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    try:
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


@contextlib.contextmanager
def errors(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as kb's: reason, place, help."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise translated(error, path) from error


def translated(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """An error of SQLite or the system as one of kb's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    where = str(path)
    if isinstance(error, OSError):
        reason = f"cannot open the store: {error.strerror or error}"
        return StoreError(reason, path=where, help="name another file with --db or KB_DB")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        help_ = "wait for it to end; a store must not lie on a network file system"
        return StoreLocked(f"another process writes to the store for more than {TIMEOUT:.0f} s", path=where, help=help_)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorrupt(f"not a database, or damaged: {error}", path=where, help=RECOVER)
    if code == sqlite3.SQLITE_READONLY:
        return StoreError("the store may only be read", path=where, help="mind the rights of the file and its folder")
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            "the disk is full; nothing was written", path=where, help="make room, then repeat the command"
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError("cannot open the store", path=where, help="mind the rights of the file and its folder")
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(f"the disk fails: {error}", path=where, help="see the kernel log; `kb match` may help")
    return StoreError(f"the store answers: {error}", path=where)
