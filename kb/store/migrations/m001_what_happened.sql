-- Signatures, their sightings and evidence, and what people add.

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
