"""The index of the pack: an SQLite file with the tables of a store, read where it lies and never written to.

A wheel brings it (``hatch_build.py`` makes it). A checkout makes it in the user's cache folder when it is first asked
for, under a name that tells the pack and the schema: a new pack is a new file.
"""

import contextlib
import functools
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from kb.errors import KbError
from kb.known.pack import ORIGIN, PACKED, Header, known_of, read
from kb.store.base import Store
from kb.store.connection import reading
from kb.store.imports import Known, insert_known
from kb.store.migrate import _FOLDER, APPLICATION_ID, VERSION

BUILT = PACKED.with_name("index.db")
"""Where a wheel has it."""
_OWN = ("m002_case_index.sql", "m003_history_and_similarity.sql")
FORMAT = 2
"""Of the index: raised when what :func:`build` writes changes, so that a cached one is made again."""
_PAGE = 8192
"""Bytes: what is said of a fix fits into one of them."""


_DAY = 86400
_FORGOTTEN = 30 * _DAY
"""Seconds after which the index of another pack that nobody opened is cleared away."""


def build(path: Path, pack: Path = PACKED, more: Iterable[Known] = ()) -> int:
    """Make the index of a pack; returns how many fixes are in it. Needs nothing but Python.

    Args:
        path: Where to; there must be no such file.
        pack: What of.
        more: Fixes besides.
    """
    count = 0
    head, rows = read(pack)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(f"pragma page_size = {_PAGE}; pragma journal_mode = off; pragma synchronous = off;")
        for name in _OWN:
            db.executescript((_FOLDER / name).read_text(encoding="utf-8"))
        db.executescript(
            "drop index imported_commits_case; drop index case_signatures_case; create table pack (head text);"
        )
        db.execute("begin")
        db.execute("insert into pack values (?)", (json.dumps(asdict(head)),))
        db.execute("create table subjects (subject text, case_id text, primary key (subject, case_id)) without rowid")
        for row in rows:
            db.execute("insert or ignore into subjects values (?, ?)", (row["subject"], row["id"].lower()))
            insert_known(db, ORIGIN, known_of(row))
            count += 1
        for each in more:
            insert_known(db, ORIGIN, each)
            count += 1
        db.execute("commit")
        db.executescript(f"pragma application_id = {APPLICATION_ID}; pragma user_version = {VERSION}; analyze; vacuum;")
    return count


def head(index: Store) -> Header:
    """What the index was made from."""
    return Header(**json.loads(index.rows("select head from pack")[0][0]))


@functools.cache
def opened() -> Store | None:
    """The index of the pack that comes with kb; None where there is none and none can be made.

    What is known is a help and no condition: a log is read without it.
    """
    try:
        path = BUILT if BUILT.exists() else _cached()
        return Store(path, opens=reading) if path is not None else None
    except (KbError, OSError, sqlite3.Error):
        return None


def _cached() -> Path | None:
    """The index in the cache folder, made where it is not there yet."""
    import platformdirs

    status = PACKED.stat()
    folder = Path(platformdirs.user_cache_dir("kb"), "known")
    path = folder / f"{FORMAT}-{VERSION}-{status.st_size:x}-{status.st_mtime_ns:x}.db"
    if path.exists() and _own(path):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _DAY:
                os.utime(path)  # it is in use: others leave it
        return path
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, suffix=".new")
    os.close(handle)
    try:
        build(Path(name))
        os.replace(name, path)  # of several that make it at once each makes the same
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    for other in folder.glob("*.db"):  # of another kb on this machine, while it is in use: it stays
        with contextlib.suppress(FileNotFoundError):
            if time.time() - other.stat().st_mtime > _FORGOTTEN:
                other.unlink()
    return path


def _own(path: Path) -> bool:
    """Whether a file is the user's own: what others can write is not what kb knows."""
    status = path.stat()
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
