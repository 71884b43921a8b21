"""Forgetting: what was asked for is gone from the rows and from the bytes, what was not stays."""

import sqlite3
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.errors import StoreError, UsageError
from kb.store import Store
from kb.store.duplicates import Duplicates
from kb.store.forget import KEPT, WRITTEN, forget
from kb.store.rekey import Renewed, rekey
from kb.store.sightings import SAMPLES
from kb.store.similar import Stacks

REPORT = b"""\
Nov 28 14:24:16 %s kernel: [    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000058
Nov 28 14:24:16 %s kernel: [    1.000001] Oops: 0000 [#1] PREEMPT SMP NOPTI
Nov 28 14:24:16 %s kernel: [    1.000003] RIP: 0010:some_new_function+0xf/0x20 [mod]
Nov 28 14:24:16 %s kernel: [    1.000004] Call Trace:
Nov 28 14:24:16 %s kernel: [    1.000005]  vfs_frobnicate+0xc7/0x3f0
Nov 28 14:24:16 %s kernel: [    1.000006] ---[ end trace 0000000000000000 ]---
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kb.db") as made:
        yield made


def put(store: Store, day: int, *, source: str = "-", host: str = "", signature: str = "kb1:00", **more: Any) -> None:
    seen = f"2026-01-{day:02}T00:00:00Z"
    store.record(signature, title="WARNING in foo", kind="warning", source=source, host=host, seen=seen, **more)


def sightings(store: Store, signature: str = "kb1:00") -> list[tuple[str | None, int, str, str, str, str]]:
    return [
        (each.host, each.count, each.first[8:10], each.source, each.last[8:10], each.last_source)
        for each in store.show(signature).sightings
    ]


def test_what_a_host_left_behind_is_in_no_byte_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "kb.db"
    with api.KnowledgeBase(path) as base:
        for host in (b"elsewhere", b"secrethost"):
            for number in range(SAMPLES + 3):  # evidence is evicted: rows were deleted before anybody forgot anything
                log = REPORT.replace(b"%s", host) + b"%d\n" % number
                (report,) = base.read(log)
                base.record(report, source=f"{host.decode()}-{number}.log")
        note = base.annotate(report, "secrethost has bad memory", author="chen")
        base.store.draft("case:x", "chen", "ask the owner of SecretHost")
        Duplicates(base.store).declare("kb1:aa", "kb1:bb", same=True, author="chen", reason="both on secrethost.lan")
        assert any(b"secrethost" in each.read_bytes() for each in tmp_path.iterdir())

        done = base.forget(host="secrethost")
        assert (done.sightings, done.rows["annotations"], done.rows["drafts"]) == (SAMPLES + 3, 1, 1)
        assert done.rows["duplicates"] == 1
        assert note not in base.store.annotations(note.subject)
        held = {file.name: file.read_bytes().lower() for file in tmp_path.iterdir()}
        assert [name for name, data in held.items() if b"secrethost" in data] == []
        assert "kb.db" in held
        logs = base.store.connection.execute("select text from evidence").fetchall()
        assert [each for (each,) in logs if b"secrethost" in zlib.decompress(each)] == []
        assert b"elsewhere" in held["kb.db"]
        assert base.store.check() == []


def test_a_signature_that_was_seen_elsewhere_keeps_that_and_its_stacks(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        for number, host in enumerate((b"one", b"two", b"two")):
            (report,) = base.read(REPORT.replace(b"%s", host))
            seen = base.record(report, source=f"ticket:{number}")
        done = base.forget(host="two")
        shown = base.show(seen.signature)
        assert (done.sightings, dict(done.rows)) == (2, {"events": 2, "sightings": 1, "evidence": 1})
        assert (shown.row.count, [each.host for each in shown.sightings], len(shown.evidence)) == (1, ["one"], 1)
        assert len(Stacks(base.store).keyed([seen.signature])) == 1


def test_a_signature_of_which_nothing_is_left_goes_with_its_stacks(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        (report,) = base.read(REPORT.replace(b"%s", b"one"))
        seen = base.record(report)
        base.annotate(report, "a new one", author="chen")
        done = base.forget(host="ONE")
        assert done.subjects == (f"{seen.signature}  {report.title}",)
        assert (done.rows["signatures"], done.rows["stacks"], done.rows["annotations"]) == (1, 1, 1)
        tables = ("signatures", "sightings", "evidence", "annotations", "aliases", "stacks", "postings")
        counts = [base.store.connection.execute(f"select count(*) from {name}").fetchone()[0] for name in tables]
        assert counts == [0] * len(tables)
        assert base.store.connection.execute("select sum(stacks) from frames").fetchone() == (0,)
        assert base.store.check() == []
        with pytest.raises(UsageError, match="no signature"):
            base.show(seen.signature)


def test_a_note_that_names_neither_keeps_a_signature_seen_elsewhere_only_by_it(store: Store) -> None:
    put(store, 1, host="a1")
    store.annotate("signature:kb1:00", "reported upstream", author="chen")
    later = datetime(2026, 2, 1, tzinfo=UTC)
    assert forget(store, host="a1", before=later).rows == {"sightings": 1}
    row = store.show("kb1:00").row
    assert (row.count, row.first == row.last == store.annotations("signature:kb1:00")[0].time) == (0, True)


def test_of_a_row_that_reaches_over_a_date_the_last_sighting_stays(store: Store) -> None:
    for day in (1, 10, 20):
        put(store, day, source=f"ticket:{day}", host="a")
    put(store, 15, host="b")
    put(store, 5, host="c")
    done = forget(store, before="2026-01-15")
    assert sightings(store) == [("a", 1, "20", "ticket:20", "20", "ticket:20"), ("b", 1, "15", "-", "15", "-")]
    assert (done.sightings, done.cut, store.show("kb1:00").row.count) == (3, 1, 2)
    assert store.show("kb1:00").row.first == "2026-01-15T00:00:00Z"


@pytest.mark.parametrize(
    ("sources", "left"),
    [
        ("x", []),
        ("xx", []),
        ("xax", []),
        ("xa", [(None, 1, "02", "a", "02", "a")]),
        ("xaaa", [(None, 1, "04", "a", "04", "a")]),
        ("ax", [(None, 1, "01", "a", "01", "a")]),
        ("abax", [(None, 1, "01", "a", "01", "a")]),
        ("ab", [(None, 2, "01", "a", "02", "b")]),
        ("abc", [(None, 3, "01", "a", "03", "c")]),
    ],
)
def test_of_a_row_the_ends_of_other_sources_stay(store: Store, sources: str, left: list[Any]) -> None:
    """Without evidence, nothing tells of what source those between were."""
    for day, source in enumerate(sources, 1):
        put(store, day, source=source)
    forget(store, source="x")
    rows = store.connection.execute("select count(*) from signatures").fetchone()[0]
    assert (sightings(store) if rows else []) == left


@pytest.mark.parametrize(
    ("sources", "left"),
    [
        ("x", []),
        ("xx", []),
        ("xax", [(None, 1, "02", "a", "02", "a")]),
        ("xaaa", [(None, 3, "02", "a", "04", "a")]),
        ("axbxc", [(None, 3, "01", "a", "05", "c")]),
        ("abx", [(None, 2, "01", "a", "02", "b")]),
        ("abc", [(None, 3, "01", "a", "03", "c")]),
        # capital letters: recorded without an event
        ("Axa", [(None, 2, "01", "a", "03", "a")]),
        ("AxB", [(None, 2, "01", "a", "03", "b")]),
        ("XaB", [(None, 2, "02", "a", "03", "b")]),
        ("XaBc", [(None, 2, "02", "a", "04", "c")]),
        ("aBx", [(None, 1, "01", "a", "01", "a")]),
    ],
)
def test_events_go_one_by_one_and_all_others_stay_counted(store: Store, sources: str, left: list[Any]) -> None:
    """``aBx``: of what no event tells nothing says that it was not of the source that is asked for."""
    for day, source in enumerate(sources, 1):
        put(store, day, source=source.lower(), event=f"{day}" if source.islower() else None)
    forget(store, source="x")
    rows = store.connection.execute("select count(*) from signatures").fetchone()[0]
    assert (sightings(store) if rows else []) == left
    assert store.check() == []


def test_what_was_forgotten_counts_when_it_is_recorded_again(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        (report,) = base.read(REPORT)
        for source in ("ticket:1", "ticket:2", "ticket:1"):
            base.record(report, source=source)
        assert base.forget(source="ticket:1").sightings == 1
        assert [base.record(report, source=source).new for source in ("ticket:1", "ticket:2")] == [True, False]


def test_evidence_tells_that_a_source_stands_between_the_ends(store: Store) -> None:
    for day, source in enumerate("aaxbb", 1):
        put(store, day, source=source, host="h", evidence=source.encode() * day)
    put(store, 9, source="a", host="h", kernel="6.1")
    put(store, 3, source="a", host="other")
    assert forget(store, source="x").sightings == 3
    assert sightings(store) == [
        ("h", 1, "09", "a", "09", "a"),
        ("h", 2, "01", "a", "05", "b"),
        ("other", 1, "03", "a", "03", "a"),
    ]
    assert {each.source for each in store.show("kb1:00").evidence} == {"a", "b"}


def test_criteria_hold_together(store: Store) -> None:
    for day, source, host in ((1, "x", "a"), (2, "y", "b"), (3, "x", "c"), (4, "x", "b")):
        put(store, day, source=source, host=host, signature=f"kb1:0{day}", evidence=b"log of " + host.encode())
    done = forget(store, source="x", host="b")
    assert done.subjects == ("kb1:04  WARNING in foo",)
    assert forget(store, source="x", before="2026-01-02").subjects == ("kb1:01  WARNING in foo",)
    assert len(store.signatures()) == 2


def test_evidence_goes_that_names_the_host_though_it_was_recorded_without(store: Store) -> None:
    put(store, 1, evidence=b"nfs: server FILER1.lan not responding\n")
    put(store, 2, evidence=b"nfs: server filer10 not responding\n")
    assert forget(store, host="filer1").rows == {"evidence": 1}
    assert [each.text for each in store.show("kb1:00").evidence] == [b"nfs: server filer10 not responding\n"]


def test_a_note_goes_with_its_edits_and_its_withdrawal(store: Store) -> None:
    first = store.annotate("case:a", "as db17 shows", author="chen")
    second = store.annotate("case:a", "as a host shows", author="chen", replaces=first.id)
    store.annotate("case:a", "wrong", author="wu", retracts=second.id)
    store.annotate("case:a", "见db17上的日志", author="wu")
    other = store.annotate("case:a", "as db171 shows", author="chen")
    assert forget(store, host="db17").subjects == ("case:a",)
    assert store.annotations("case:a") == (other,)


def test_notes_older_than_the_date_go_and_their_law_is_in_force_again(store: Store) -> None:
    store.annotate("case:a", "seen", author="chen")
    assert not forget(store, before="2020-01-01")
    assert forget(store, before="2100-01-01").rows == {"annotations": 1}
    store.annotate("case:a", "seen", author="chen")
    Duplicates(store).declare("kb1:a", "kb1:b", same=True, author="chen")
    for table in ("annotations", "duplicates"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            store.connection.execute(f"delete from {table}")
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            store.connection.execute(f"update {table} set author = 'x'")


def test_a_run_that_fails_takes_nothing_and_brings_the_law_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, 1, host="a1", evidence=b"x")
    store.annotate("signature:kb1:00", "a1", author="chen")

    def fail(*_: object) -> int:
        raise RuntimeError

    monkeypatch.setattr("kb.store.forget.remove_seen", fail)
    with pytest.raises(RuntimeError):
        forget(store, host="a1")
    assert (store.show("kb1:00").row.count, len(store.annotations("signature:kb1:00"))) == (1, 1)
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        store.connection.execute("delete from annotations")


def test_notes_under_a_former_id_go_with_the_signature(store: Store) -> None:
    put(store, 1, host="a1", evidence=b"x")
    store.annotate("signature:kb1:00", "a note", author="chen")
    rekey(store, lambda *_: Renewed("kb2:00", "k", "t", "warning"))
    forget(store, host="a1")
    assert (store.signatures(), store.annotations("signature:kb1:00")) == ([], ())


def test_a_message_that_waits_goes_with_the_log_that_it_tells_of(store: Store) -> None:
    for day, source in ((1, "ticket:1"), (2, "ticket:2")):  # of one topic the latest is told
        put(store, day, source=source, tell=lambda made, _: ("topic", f"from {made.source}"))
    assert forget(store, source="ticket:1").rows.get("outbox") is None
    assert [row[0] for row in store.rows("select body from outbox")] == ["from ticket:2"]
    assert forget(store, source="ticket:2").rows["outbox"] == 1
    assert store.rows("select body from outbox") == []


def test_a_dry_run_tells_what_a_run_does_and_does_nothing(store: Store) -> None:
    for day in range(1, 6):
        put(store, day, source="x", host=f"h{day % 2}", signature=f"kb1:0{day}", evidence=b"%d" % day)
        store.annotate(f"signature:kb1:0{day}", "n", author="chen")
    before = list(store.connection.iterdump())
    tried = forget(store, host="h1", dry_run=True)
    assert list(store.connection.iterdump()) == before
    done = forget(store, host="h1")
    assert tried.dry_run
    assert not done.dry_run
    assert (tried.sightings, tried.cut, tried.rows, tried.subjects) == (
        done.sightings,
        done.cut,
        done.rows,
        done.subjects,
    )


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"host": ""},
        {"source": "", "before": "2026-01-01"},
        {"before": "yesterday"},
        {"host": "a", "before": "2026-02-30"},
    ],
)
def test_no_criterion_and_no_date_are_refused(store: Store, wanted: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        forget(store, **wanted)


def test_who_still_reads_the_file_is_told_of_and_the_next_run_clears_it(store: Store) -> None:
    put(store, 1, host="secrethost")
    reader = sqlite3.connect(store.path, isolation_level=None)
    reader.execute("begin")
    reader.execute("select * from sightings").fetchall()
    store.connection.execute("pragma busy_timeout = 10")
    with pytest.raises(StoreError, match="another process is reading"):
        forget(store, host="secrethost")
    assert store.signatures() == []
    reader.close()
    assert not forget(store, host="secrethost")
    assert [file for file in store.path.parent.iterdir() if b"secrethost" in file.read_bytes()] == []


def test_no_store_is_made_in_order_to_forget(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base, pytest.raises(UsageError, match="no store"):
        base.forget(host="a")
    assert list(tmp_path.iterdir()) == []


def test_each_table_that_holds_what_happened_or_was_written_is_dealt_with(store: Store) -> None:
    """A new table with a host, a source or a text must be thought of: here, or in KEPT and WRITTEN."""
    telling = {"host", "source", "last_source", "author", "body", "seen", "log"}
    held = {
        name
        for (name,) in store.connection.execute("select name from sqlite_master where type = 'table'")
        if telling & {row[1] for row in store.connection.execute(f"pragma table_info({name})")}
    }
    not_of_people = {"imported"}  # cases from public history
    assert held - not_of_people == {
        "sightings",
        "events",
        *(each.name for each in KEPT),
        *(each.name for each in WRITTEN),
    }


_DAYS, _FEW = st.integers(1, 9), st.sampled_from(["x", "y", "z"])
_RECORDS = st.lists(st.tuples(st.sampled_from(["kb1:00", "kb1:01"]), _DAYS, _FEW, _FEW, st.booleans()), max_size=14)


@given(
    records=_RECORDS,
    source=st.none() | _FEW,
    host=st.none() | _FEW,
    day=st.none() | _DAYS,
    every=st.sampled_from([0, 1, 2]),
)  # fmt: skip
def test_nothing_that_matches_is_left_and_nothing_else_is_touched(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[str, int, str, str, bool]],
    source: str | None,
    host: str | None,
    day: int | None,
    every: int,
) -> None:
    """``every``: 0 no sighting has an event, 1 all have, 2 every other one."""
    if source is None and host is None and day is None:
        return

    def named(number: int) -> bool:
        return every > 0 and number % every == 0

    def asked(of: str, on: str, at: str) -> bool:
        return (
            (source is None or of == source)
            and (host is None or on == host)
            and (day is None or int(at[8:10]) < day)
        )  # fmt: skip

    with Store(tmp_path_factory.mktemp("forget") / "kb.db") as store:
        for number, (signature, at, of, on, logged) in enumerate(records):
            log = b"%d" % number if logged else b""
            event = f"{number}" if named(number) else None
            put(store, at, source=of, host=on, signature=signature, evidence=log, event=event)
        rows = "select signature, host, kernel, source, first, last_source, last, count from sightings"
        before = store.connection.execute(rows).fetchall()
        date = None if day is None else f"2026-01-{day:02}"
        done = forget(store, source=source, host=host, before=date)
        after = store.connection.execute(rows).fetchall()
        for _, on, _, of, first, last_of, last, _ in after:
            assert not asked(of, on, first)
            assert not asked(last_of, on, last)
        logs = store.connection.execute("select source, host, seen from evidence").fetchall()
        assert [row for row in logs if asked(*row)] == []
        could = [row for row in before if (host is None or row[1] == host)]
        assert [row for row in before if row not in could and row not in after] == []
        assert sum(row[7] for row in before) - sum(row[7] for row in after) == done.sightings
        events = store.connection.execute(
            "select e.source, g.host, e.seen from events e join sightings g on g.id = e.sighting"
        ).fetchall()
        stay = [row for number, row in enumerate(records) if named(number)]
        stay = [row for row in stay if not asked(row[2], row[3], f"2026-01-{row[1]:02}")]
        assert sorted(events) == sorted((of, on, f"2026-01-{at:02}T00:00:00Z") for _, at, of, on, _ in stay)
        if every == 1:
            assert sum(row[7] for row in after) == len(stay)
        assert sum(row[7] for row in after) >= len(events)
        kept = {row[0] for row in store.connection.execute("select signature from evidence")}
        counts = dict(store.connection.execute("select id, count from signatures"))
        assert counts == {
            number: sum(row[7] for row in after if row[0] == number)
            for number in {row[0] for row in after} | kept  # a log that stays keeps its signature
        }
        assert store.check() == []
        assert not forget(store, source=source, host=host, before=date)


def test_events_and_keys_go_with_what_they_are_of(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        (report,) = base.read(REPORT.replace(b"%s", b"one"))
        for number in range(3):  # the one in the middle is neither the first nor the last of its row
            base.record(report, source=f"ticket:{number}", seen=f"2026-01-0{number + 1}T00:00:00Z")
        base.annotate(report, "seen before", author="bot", key="ticket:1#1")
        done = base.forget(source="ticket:1")
        assert (done.sightings, done.rows["events"], done.rows["annotation_keys"]) == (1, 1, 1)
        left = base.store.connection.execute("select source from events order by source").fetchall()
        assert left == [("ticket:0",), ("ticket:2",)]
        assert base.record(report, source="ticket:1").new
