"""Whether a store can be used: looked at without making, migrating or changing anything, and without raising."""

import os
import sqlite3
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from kb.errors import StoreError
from kb.store.connection import RECOVER, _version, errors, reading
from kb.store.migrate import VERSION

SECONDS = 5.0
"""Time after which the examination of a large file is broken off."""
_ELSEWHERE = "mind the rights of the folder, or name another file with --db or KB_DB"


@dataclass(frozen=True, slots=True)
class Health:
    """What was seen of a store."""

    path: str
    there: bool
    size: int = 0
    """Bytes, with what waits in the write-ahead log."""
    mode: str | None = None
    """Rights, as ``0600``."""
    private: bool | None = None
    """Whether it is the user's own and nobody else's to read: logs name hosts and people."""
    writable: bool | None = None
    """False: sightings cannot be recorded. Of a store that is not there, whether it could be made."""
    schema: int | None = None
    known: int = VERSION
    """Schema that this kb knows."""
    sound: bool | None = None
    """Answer of ``PRAGMA quick_check``; None where it was not asked, or took too long."""
    problem: str | None = None
    """Why it cannot be used."""
    help: str | None = None
    """What can be done about that."""


def examine(path: Path, seconds: float = SECONDS) -> Health:
    """Look at a store.

    Args:
        path: Its file, which need not be there.
        seconds: Bound of the time for ``PRAGMA quick_check``.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        folder = next((each for each in path.absolute().parents if each.exists()), None)
        makes = folder is not None and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
        if makes:
            return Health(str(path), False, writable=True)
        return Health(str(path), False, writable=False, problem=f"no right to write to {folder}", help=_ELSEWHERE)
    except OSError as error:
        return Health(str(path), False, problem=f"cannot be looked at: {error.strerror or error}", help=_ELSEWHERE)
    log = Path(f"{path}-wal")
    size = status.st_size + (log.stat().st_size if log.is_file() else 0)
    own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    schema, sound, problem, help_ = _inside(path, seconds)
    return Health(
        str(path), True, size, f"{stat.S_IMODE(status.st_mode):04o}", own and not status.st_mode & 0o077, writable,
        schema, VERSION, sound, problem, help_,
    )  # fmt: skip


def _inside(path: Path, seconds: float) -> tuple[int | None, bool | None, str | None, str | None]:
    """Schema, soundness, why it cannot be used, and what helps."""
    schema: int | None = None
    try:
        with errors(path):
            connection = reading(path, timeout=1.0)
            try:
                schema = _version(connection, path)
                answer = _checked(connection, seconds)
            finally:
                connection.close()
    except StoreError as error:
        return schema, None, error.reason, error.help
    if answer is not None and answer != "ok":
        return schema, False, f"damaged: {answer}", RECOVER
    return schema, True if answer else None, None, None


def _checked(connection: sqlite3.Connection, seconds: float) -> str | None:
    """The first line of ``PRAGMA quick_check``, None where it takes too long."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    try:
        return str(connection.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    finally:
        connection.set_progress_handler(None, 0)
