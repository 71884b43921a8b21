-- Readable names over the tables, for who asks by SQL (Datasette): no row numbers, ids as kb prints them. The table
-- signatures is readable as it is.

create view sightings_named as          -- a row per signature, host and kernel
  select s.signature, s.title, s.kind, g.host, g.kernel, g.count, g.first, g.last, g.source, g.last_source
  from sightings g join signatures s on s.id = g.signature;

create view sightings_by_day as         -- events of a signature a day, UTC
  select substr(e.seen, 1, 10) as day, s.signature, s.title, s.kind, count(*) as count, count(distinct g.host) as hosts
  from events e join sightings g on g.id = e.sighting join signatures s on s.id = g.signature
  group by 1, s.id;

create view hosts as                    -- what each host has seen
  select g.host, sum(g.count) as sightings, count(distinct g.signature) as signatures,
    count(distinct nullif(g.kernel, '')) as kernels, min(g.first) as first, max(g.last) as last
  from sightings g where g.host != '' group by g.host;

create view linked_cases as             -- which case of the store a signature shares a key with
  select s.signature, c.case_id from case_signatures c join signatures s on s.signature = c.signature
  union
  select s.signature, c.case_id from case_signatures c join aliases a on a.alias = c.signature
    join signatures s on s.id = a.signature;

create view unknown_top as              -- what no case of the store shares a key with, the most frequent first
  select s.signature, s.title, s.kind, s.count, s.first, s.last,
    (select count(distinct g.host) from sightings g where g.signature = s.id and g.host != '') as hosts
  from signatures s where s.signature not in (select signature from linked_cases)
  order by s.count desc, s.signature;

-- Seen on a kernel that has a fix of a linked case by its number: a mainline fix from its release on, one of a stable
-- branch from its point release on. Candidates (-rc) are left out. `kb log --regressions` weighs ranges and
-- distributions, too.
create view regressions as
  with numbered (text, branch, point) as (
    select text, major * 1000 + minor, iif(rest glob '*.*' and instr(rest, '.') < instr(rest || '-', '-'),
      cast(substr(rest, instr(rest, '.') + 1) as integer), 0)
    from (
      select text, cast(text as integer) as major, cast(substr(text, instr(text, '.') + 1) as integer) as minor,
        substr(text, instr(text, '.') + 1) as rest
      from (
        select kernel as text from sightings where kernel glob '[0-9]*.[0-9]*' and kernel not glob '*-rc*'
        union
        select json_extract(f.value, '$.since') from imported i, json_each(i.body, '$.fixes') f
        where json_extract(f.value, '$.since') glob '[0-9]*.[0-9]*'
      )
    )
  )
  select distinct s.signature, s.title, s.kind, g.host, g.kernel, l.case_id, json_extract(f.value, '$.commit') as fix,
    json_extract(f.value, '$.since') as since, g.count, g.first, g.last
  from sightings g
    join signatures s on s.id = g.signature
    join linked_cases l on l.signature = s.signature
    join imported i on i.id = l.case_id
    join json_each(i.body, '$.fixes') f
    join numbered seen on seen.text = g.kernel
    join numbered mended on mended.text = json_extract(f.value, '$.since')
  where iif(
    coalesce(json_extract(f.value, '$.branch'), 'mainline') = 'mainline',
    seen.branch > mended.branch or seen.branch = mended.branch and seen.point >= mended.point,
    seen.branch = mended.branch and seen.point >= mended.point
  );
