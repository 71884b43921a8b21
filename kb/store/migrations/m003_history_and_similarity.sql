-- Tables of what is similar, what was imported and what people declared to be the same.

create table frames (                   -- names of functions, once
  id integer primary key,
  name text not null unique,
  stacks integer not null default 0     -- stacks that hold it
);

-- Stacks of signatures that were seen have ids above 0, those of cases below: of each frame's postings the cases are
-- one range, so that a million signatures do not stand in the way of the few thousand cases.
create table stacks (
  id integer primary key,
  signature text not null,
  case_id text not null default '',     -- empty: seen, not from a case
  title text not null,
  kind text not null,
  function text not null default '',
  frames blob not null,                 -- ids of frames, innermost first, four bytes each, little endian
  unique (signature, case_id, frames)
);
create index stacks_case on stacks (case_id) where case_id != '';

create table postings (                 -- which stacks hold a frame
  frame integer not null,
  stack integer not null,
  primary key (frame, stack)
) without rowid;

create table imported (                 -- cases from history, whole
  id text primary key,
  origin text not null,                 -- vulns, git, patches, promoted
  body text not null                    -- JSON
) without rowid;
create table imported_commits (         -- by what a case is known: its fixes, first 12 digits
  hash text not null,
  case_id text not null,
  primary key (hash, case_id)
) without rowid;
create index imported_commits_case on imported_commits (case_id);

create table import_items (             -- what an import has dealt with, so that it can go on where it stopped
  origin text not null,
  item text not null,
  digest blob not null,
  case_id text not null default '',     -- empty: nothing in it
  primary key (origin, item)
) without rowid;

create table duplicates (               -- declarations, and their withdrawals: the latest of a pair counts
  id text primary key,                  -- time-ordered (UUID version 7)
  left_id text not null,
  right_id text not null,
  same integer not null,                -- 1 dup, 0 undup
  author text not null,
  time text not null,
  reason text not null default ''
) without rowid;
create index duplicates_left on duplicates (left_id, id);
create index duplicates_right on duplicates (right_id, id);
create trigger duplicates_no_update before update on duplicates
  begin select raise(abort, 'declarations are append-only'); end;
create trigger duplicates_no_delete before delete on duplicates
  begin select raise(abort, 'declarations are append-only'); end;
create trigger duplicates_no_replace before insert on duplicates
  when exists (select 1 from duplicates where id = new.id)
  begin select raise(abort, 'declarations are append-only'); end;
