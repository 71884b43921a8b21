"""The store's tables, as migrations that only go forward. sqlite-utils is imported here, and only when one is due.

One rule for writers of migrations: ``PRAGMA user_version`` is the number of migrations applied, so that opening an
up-to-date store reads one integer and imports nothing.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x6B62_6462
"""``kbdb``: tells a store from any other SQLite file (PRAGMA application_id)."""

VERSION = 6
"""Number of files in ``migrations/``, one a migration, in the order of their names."""

_FOLDER = Path(__file__).with_name("migrations")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store up to date; the caller holds the write lock, so that two processes never migrate at once."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("kb")
    for file in sorted(_FOLDER.glob("m*.sql")):
        migrations(name=file.stem)(_script(file))
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute(f"pragma user_version = {VERSION}")


def _script(file: Path) -> "Callable[[Database], None]":
    """The migration of a file, run statement by statement: ``executescript`` would commit the transaction around it."""

    def run(db: "Database") -> None:
        statement = ""
        for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                db.conn.execute(statement)
                statement = ""

    return run
