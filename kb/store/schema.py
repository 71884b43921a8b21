"""The store's tables, as migrations that only go forward. sqlite-utils is imported here, and only when one is due.

One rule for writers of migrations: ``PRAGMA user_version`` is the number of migrations applied, so that opening an
up-to-date store reads one integer and imports nothing.
"""

import sqlite3
from typing import TYPE_CHECKING

from kb.store.schema_history import THIRD

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x6B62_6462
"""``kbdb``: tells a store from any other SQLite file (PRAGMA application_id)."""

VERSION = 3
"""Number of migrations below."""

_FIRST = """
create table signatures (
  id integer primary key,
  signature text not null unique,       -- kb1:...
  key text not null default '',
  title text not null,
  kind text not null,
  first text not null,                  -- UTC, ISO 8601
  last text not null,
  count integer not null default 0
);
create index signatures_last on signatures (last, id);
create index signatures_count on signatures (count, id);
create index signatures_kind on signatures (kind, last);

create table aliases (                  -- alternative keys, and what a person declared a duplicate
  alias text not null,
  signature integer not null references signatures (id),
  why text not null,                    -- alternative, duplicate, rekeyed
  primary key (alias, signature)
) without rowid;
create index aliases_signature on aliases (signature);

create table sightings (                -- aggregated: a row per signature, host and kernel
  id integer primary key,
  signature integer not null references signatures (id),
  host text not null default '',
  kernel text not null default '',
  source text not null default '',      -- of the first one
  last_source text not null default '',
  first text not null,
  last text not null,
  count integer not null,
  unique (signature, host, kernel)
);
create index sightings_last on sightings (last);

create table evidence (                 -- raw logs, sampled: the first, the last, and some between
  id integer primary key,
  signature integer not null references signatures (id),
  seen text not null,
  host text not null default '',
  source text not null default '',
  digest blob not null,                 -- SHA-256 of the text
  size integer not null,                -- bytes of the text
  text blob not null,                   -- zlib
  unique (signature, digest)
);

create table annotations (
  id text primary key,                  -- time-ordered (UUID version 7)
  subject text not null,                -- signature:kb1:... or case:<id>
  author text not null,
  time text not null,
  body text not null,
  first_line integer,
  last_line integer,
  replaces text references annotations (id),
  retracts text references annotations (id)
) without rowid;
create index annotations_subject on annotations (subject, id);
create trigger annotations_no_update before update on annotations
  begin select raise(abort, 'annotations are append-only'); end;
create trigger annotations_no_delete before delete on annotations
  begin select raise(abort, 'annotations are append-only'); end;
-- INSERT OR REPLACE deletes without firing delete triggers unless recursive_triggers is on
create trigger annotations_no_replace before insert on annotations
  when exists (select 1 from annotations where id = new.id)
  begin select raise(abort, 'annotations are append-only'); end;

create table drafts (
  subject text not null,
  author text not null,
  time text not null,
  body text not null,
  primary key (subject, author)
) without rowid;
"""

_SECOND = """
create table case_index (
  number integer primary key,
  id text not null unique,
  title text not null,
  kind text not null,                   -- blanks between
  status text not null,
  summary text not null,
  keywords text not null default '',
  origin text not null default ''
);
create table case_signatures (
  signature text not null,
  case_id text not null,
  primary key (signature, case_id)
) without rowid;
create index case_signatures_case on case_signatures (case_id);
-- trigram, so that Chinese is found too; SQLite splits it at no word boundary
create virtual table case_words using fts5 (
  id, title, summary, keywords, content='case_index', content_rowid='number', tokenize='trigram'
);
create trigger case_words_insert after insert on case_index begin
  insert into case_words (rowid, id, title, summary, keywords)
    values (new.number, new.id, new.title, new.summary, new.keywords);
end;
create trigger case_words_delete after delete on case_index begin
  insert into case_words (case_words, rowid, id, title, summary, keywords)
    values ('delete', old.number, old.id, old.title, old.summary, old.keywords);
end;
create trigger case_words_update after update on case_index begin
  insert into case_words (case_words, rowid, id, title, summary, keywords)
    values ('delete', old.number, old.id, old.title, old.summary, old.keywords);
  insert into case_words (rowid, id, title, summary, keywords)
    values (new.number, new.id, new.title, new.summary, new.keywords);
end;
"""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a store up to date; the caller holds the write lock, so that two processes never migrate at once."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("kb")

    @migrations()
    def m001_what_happened(db: "Database") -> None:
        _run(db.conn, _FIRST)

    @migrations()
    def m002_case_index(db: "Database") -> None:
        _run(db.conn, _SECOND)

    @migrations()
    def m003_history_and_similarity(db: "Database") -> None:
        _run(db.conn, THIRD)

    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute(f"pragma user_version = {VERSION}")


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Statement by statement: ``executescript`` would commit the transaction around a migration."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
