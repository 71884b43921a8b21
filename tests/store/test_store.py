"""The store: many writers, killed writers, and every way a file can be of no use."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import kb
from kb.cases.predicate import parse
from kb.errors import StoreCorrupt, StoreError, StoreLocked, StoreTooNew, UsageError
from kb.model.case import Case
from kb.store import Store, default_path
from kb.store.connection import connect, write
from kb.store.migrate import VERSION
from kb.store.notes import uuid7
from kb.store.sightings import SAMPLES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep/er/kb.db"


def put(store: Store, signature: str = "kb1:00", **more: object) -> object:
    return store.record(signature, title="WARNING in foo", kind="warning", **more)  # type: ignore[arg-type]


def test_a_store_is_made_on_first_use_and_is_its_owners(path: Path) -> None:
    with Store(path) as store:
        assert store.check() == []
        assert store.connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert store.connection.execute("pragma user_version").fetchone() == (VERSION,)
    assert path.stat().st_mode & 0o777 == 0o600


def test_opening_one_that_is_up_to_date_imports_no_migrations(path: Path) -> None:
    Store(path).close()
    code = f"import sys; from kb.store import Store; Store({str(path)!r}); assert 'sqlite_utils' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(kb.__file__).parent.parent)


def test_where_it_lies_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_path().name == "kb.db"
    monkeypatch.setenv("KB_DB", "/elsewhere/x.db")
    assert default_path() == Path("/elsewhere/x.db")


def test_sightings_are_counted_and_the_earliest_is_told(path: Path) -> None:
    with Store(path) as store:
        one = store.record("kb1:00", title="t", kind="k", source="ticket:1", host="a", seen="2026-01-02T00:00:00Z")
        two = store.record("kb1:00", title="t", kind="k", source="ticket:2", host="b", seen="2026-01-01T00:00:00Z")
        three = store.record("kb1:00", title="t", kind="k", source="ticket:3", host="a", seen="2026-01-03T00:00:00Z")
        assert (one.count, one.first) == (1, None)
        assert (two.count, getattr(two.first, "source", None)) == (2, "ticket:1")
        assert (three.count, getattr(three.first, "source", None)) == (3, "ticket:2")
        shown = store.show("kb1:00")
    assert (shown.row.first, shown.row.last, shown.row.count) == ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z", 3)
    assert [(s.host, s.count, s.source, s.last_source) for s in shown.sightings] == [
        ("a", 2, "ticket:1", "ticket:3"),
        ("b", 1, "ticket:2", "ticket:2"),
    ]


def test_evidence_is_kept_to_the_byte_and_sampled_first_and_last(path: Path) -> None:
    logs = [b"\xff\x00 log %d\r\n" % number for number in range(SAMPLES + 5)]
    with Store(path) as store:
        for number, log in enumerate([*logs, logs[0]]):
            put(store, evidence=log, seen=f"2026-01-01T00:00:{number:02}Z")
        held = [sample.text for sample in store.show("00").evidence]
    assert held == [*logs[: SAMPLES - 1], logs[-1]]


def test_a_signature_is_found_by_prefix_and_by_alias(path: Path) -> None:
    with Store(path) as store:
        put(store, "kb1:aa11", alt=["kb1:ffff"])
        put(store, "kb1:aa22")
        for prefix in ("kb1:aa11", "aa11", "aa1", "kb1:ffff", "ffff"):
            assert store.show(prefix).row.signature == "kb1:aa11"
        with pytest.raises(UsageError, match="several: kb1:aa11, kb1:aa22"):
            store.show("aa")
        with pytest.raises(UsageError, match="starts with"):
            store.show("bb")


def test_pages_of_signatures_hold_each_once(path: Path) -> None:
    with Store(path) as store:
        for number in range(25):
            put(store, f"kb1:{number:02}", seen=f"2026-01-01T00:00:{number // 3:02}Z")
        for order in ("last", "count"):
            seen, after = [], None
            while page := store.signatures(order=order, limit=4, after=after):
                seen += [row.signature for row in page]
                after = page[-1]
            assert sorted(seen) == [f"kb1:{number:02}" for number in range(25)]
        assert store.signatures(kind="oops") == []
        assert len(store.signatures(words="warning IN")) == 25


@pytest.mark.parametrize(
    "sql",
    [
        "update annotations set body = 'x'",
        "delete from annotations",
        "insert or replace into annotations select id, subject, author, time, 'x', 1, 1, null, null from annotations",
    ],
)
def test_annotations_are_append_only_for_every_program(path: Path, sql: str) -> None:
    with Store(path) as store:
        note = store.annotate("case:a", "seen on db17", author="chen", span=(3, 9))
    other = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        other.execute(sql)
    other.close()
    with Store(path) as store:
        assert store.annotations("case:a") == (note,)


def test_an_edit_is_a_new_note_and_saving_clears_the_draft(path: Path) -> None:
    with Store(path) as store:
        assert store.draft("case:a", "chen", "half a sen") == "half a sen"
        first = store.annotate("case:a", "one", author="chen")
        assert store.draft("case:a", "chen") is None
        second = store.annotate("case:a", "two", author="chen", replaces=first.id)
        assert [(n.body, n.replaces) for n in store.annotations("case:a")] == [("one", None), ("two", first.id)]
        with pytest.raises(StoreError):
            store.annotate("case:a", "three", author="chen", retracts="no such note")
        assert second.id > first.id


def test_ids_of_notes_are_in_the_order_of_time() -> None:
    ids = [uuid7() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert {(len(i), i[14], i[19] in "89ab") for i in ids} == {(36, "7", True)}


def test_cases_are_found_by_words_chinese_too_and_the_index_follows(path: Path) -> None:
    one = Case("nofs", "High-order GFP_NOFS fails", ("a",), "reviewed", "walk", keywords=("内存碎片", "水位"),
               require=(parse("order >= 1"),), signatures=("kb1:00",))  # fmt: skip
    two = Case("nvme", "nvme timeout", ("b",), "imported", "APST")
    with Store(path) as store:
        assert store.index_cases([one, two]) == 2
        for words in ("gfp_nofs", "high-order walk", "内存碎片", "水位", "水位 GFP_NOFS", 'nofs"'[:4]):
            assert [found[0] for found in store.search(words)] == ["nofs"]
        assert store.search('"') == [] == store.search("")
        assert store.index_cases([two]) == 1
        assert (store.search("gfp_nofs"), store.search("apst")) == ([], [("nvme", "imported", "nvme timeout")])
        assert store.check() == []


def _record(path: Path, number: int, times: int) -> None:
    with Store(path) as store:
        for turn in range(times):
            put(store, f"kb1:{turn % 5}", host=f"h{number}", evidence=b"log %d %d" % (number, turn))
            store.annotate("case:a", f"{number} {turn}", author="bot")


def test_many_processes_make_one_store_and_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record, args=(path, number, 30)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    with Store(path) as store:
        assert sum(row.count for row in store.signatures()) == 4 * 30
        assert len({note.body for note in store.annotations("case:a")}) == 4 * 30
        assert store.check() == []


def test_a_killed_writer_loses_nothing_it_was_told_is_stored(path: Path) -> None:
    program = (
        "import sys; from kb.store import Store; s = Store(sys.argv[1]); n = 0\n"
        "while True:\n    n += 1; s.annotate('case:a', str(n), author='bot'); print(n, flush=True)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, cwd=Path(kb.__file__).parent.parent
    )
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(40)]
    child.send_signal(signal.SIGKILL)
    told += [int(line) for line in child.stdout.read().split()]
    child.wait()
    child.stdout.close()
    with Store(path) as store:
        assert {str(number) for number in told} <= {note.body for note in store.annotations("case:a")}
        assert store.check() == []


def test_a_transaction_that_fails_leaves_nothing(path: Path) -> None:
    db = connect(path)
    with pytest.raises(sqlite3.Error), write(db):
        db.executemany("insert into drafts values ('a', 'b', ?, 'd')", [("c",), (abs,)])
    assert db.execute("select count(*) from drafts").fetchone() == (0,)
    db.close()


def test_a_store_of_a_newer_kb_is_refused_untouched(path: Path) -> None:
    Store(path).close()
    other = sqlite3.connect(path)
    other.execute(f"pragma user_version = {VERSION + 1}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match=f"schema {VERSION + 1}") as caught:
        Store(path)
    assert "upgrade" in (caught.value.help or "")
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_bytes(b"not a database at all\n" * 100)
    with pytest.raises(StoreCorrupt):
        Store(text)
    assert text.read_bytes() == b"not a database at all\n" * 100


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    other = sqlite3.connect(path)
    other.execute("create table bookmarks (url)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="not a store of kb"):
        Store(path)
    assert path.read_bytes() == before


def test_a_damaged_page_is_told_as_damage(path: Path) -> None:
    with Store(path) as store:
        for number in range(200):
            put(store, f"kb1:{number:04}", evidence=os.urandom(500))
    data = bytearray(path.read_bytes())
    data[4096 : len(data)] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreCorrupt), Store(path) as store:
        put(store)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_store_that_may_only_be_read_can_be_read(path: Path) -> None:
    with Store(path) as store:
        put(store)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with Store(path) as store:
            assert store.show("00").row.count == 1
            with pytest.raises(StoreError, match="may only be read"):
                put(store)
    finally:
        path.parent.chmod(0o700)


def test_a_connection_for_reading_says_so_when_it_is_written_to(path: Path) -> None:
    with Store(path) as store:
        put(store)
        store.connection.execute("pragma query_only = on")
        with pytest.raises(StoreError, match="may only be read"):
            put(store)


def test_a_full_disk_writes_nothing_and_says_so(path: Path) -> None:
    with Store(path) as store:
        put(store)
        pages = store.connection.execute("pragma page_count").fetchone()[0]
        store.connection.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(StoreError, match="disk is full"):
            put(store, evidence=os.urandom(200_000))
        assert store.show("00").row.count == 1
        assert store.check() == []


def test_a_lock_that_is_held_too_long_is_told(path: Path) -> None:
    holder = connect(path)
    with Store(path) as store:
        store.connection.execute("pragma busy_timeout = 10")
        with write(holder), pytest.raises(StoreLocked, match="another process"):
            put(store)
    holder.close()


def test_a_folder_or_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError):
        Store(tmp_path / "file/kb.db")
