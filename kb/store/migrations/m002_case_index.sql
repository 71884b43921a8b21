-- Cases as far as a search and a link need them.

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
