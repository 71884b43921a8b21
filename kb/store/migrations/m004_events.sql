-- What was recorded, event by event, so that each counts once; and keys of notes, to the same end.

create table events (
  id integer primary key,               -- 64 bits of the SHA-256 of what names the event
  sighting integer not null references sightings (id),
  count integer not null,               -- sightings of its signature, this one included, when it was recorded
  seen text not null,
  source text not null
);
create index events_sighting on events (sighting);

create table annotation_keys (
  key text primary key,
  annotation text not null unique references annotations (id)
) without rowid;
