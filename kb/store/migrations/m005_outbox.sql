-- What others are still to be told of, written together with what it tells of.

create table outbox (
  id text primary key,                  -- time-ordered (UUID version 7): by it a receiver knows what comes twice
  topic text not null unique,           -- of what waits under one topic, the latest is told
  signature integer not null references signatures (id),
  source text not null default '',
  host text not null default '',
  time text not null,                   -- UTC, ISO 8601
  body text not null,
  tries integer not null default 0,
  due real not null default 0           -- seconds since 1970 from which on it is tried again
) without rowid;
create index outbox_due on outbox (due);
create index outbox_signature on outbox (signature);
