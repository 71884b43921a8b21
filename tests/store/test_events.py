"""Each event counts once: with a key, by what the log says, between threads, processes and stores."""

import multiprocessing
import sqlite3
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.errors import UsageError
from kb.model.report import Report
from kb.store import Store, migrate
from kb.store.migrate import VERSION


def log(function: str = "foo_a", second: int | None = 1, pid: int = 7) -> bytes:
    lines = [
        f"WARNING: CPU: 0 PID: {pid} at a/b.c:3 {function}+0x1/0x2 [foo]", "Call Trace:",
        f" {function}+0x1/0x2 [foo]", " foo_top+0x1/0x2 [foo]", "---[ end trace 0000000000000000 ]---",
    ]  # fmt: skip
    stamp = "" if second is None else f"[{second:>5}.000001] "
    return "".join(f"{stamp}{line}\n" for line in lines).encode()


def reports(data: bytes) -> list[Report]:
    return list(api.read(data))


def total(base: api.KnowledgeBase) -> int:
    rows = base.store.signatures()
    shown = [base.show(row.signature) for row in rows]
    assert [row.count for row in rows] == [sum(seen.count for seen in each.sightings) for each in shown]
    return sum(row.count for row in rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kb.db"


@pytest.fixture
def base(path: Path) -> api.KnowledgeBase:
    return api.KnowledgeBase(path)


# ---- keys


def test_a_key_that_comes_again_gives_what_it_gave_and_changes_nothing(base: api.KnowledgeBase) -> None:
    one, other = reports(log("foo_a") + log("foo_b"))
    base.record(other)
    first = base.record(one, source="ticket:4711", host="db17", seen="2031-01-01T00:00:00Z", key="ticket:4711#3")
    assert (first.new, first.count) == (True, 1)
    before = (base.show(first.signature), base.store.signatures())
    for again in (one, replace(one, time=99.0), other):
        told = base.record(again, source="elsewhere", host="other", key="ticket:4711#3")
        assert told == replace(first, new=False)
    assert (base.show(first.signature), base.store.signatures()) == before


def test_the_sighting_is_returned_as_it_was_first_not_as_it_stands_now(base: api.KnowledgeBase) -> None:
    def record(number: int) -> object:
        return base.record(reports(log(second=number))[0], source=f"ticket:{number}", key=f"#{number}")

    made = [record(number) for number in range(1, 6)]
    told = [record(number) for number in range(1, 6)]
    assert told == [replace(each, new=False) for each in made]  # type: ignore[type-var]
    assert [each.count for each in told] == [1, 2, 3, 4, 5]  # type: ignore[attr-defined]


def test_a_key_tells_events_apart_that_the_log_does_not(base: api.KnowledgeBase) -> None:
    (report,) = reports(log())
    assert [base.record(report, key=key).count for key in ("a", "b", "a", "c")] == [1, 2, 1, 3]


def test_a_note_with_a_key_is_written_once(base: api.KnowledgeBase) -> None:
    (report,) = reports(log())
    first = base.annotate(report, "seen on db17", author="bot", key="ticket:4711#4")
    base.store.draft("case:x", "ann", "half a thought")
    assert base.annotate(report, "other words", author="bot", key="ticket:4711#4") == first
    assert base.annotate("case:x", "other subject", author="ann", key="ticket:4711#4") == first
    assert base.store.annotations(first.subject) == (first,)
    assert base.store.annotations("case:x") == ()
    assert base.store.draft("case:x", "ann") == "half a thought"


def test_notes_without_a_key_are_written_each_time(base: api.KnowledgeBase) -> None:
    for _ in range(2):
        base.annotate("case:x", "again", author="bot")
    assert len(base.store.annotations("case:x")) == 2


def test_keys_of_sightings_and_of_notes_are_two_things(base: api.KnowledgeBase) -> None:
    (report,) = reports(log())
    assert base.record(report, key="k").new
    assert base.annotate(report, "text", author="bot", key="k").body == "text"


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_a_mistake_of_the_caller(base: api.KnowledgeBase, key: str) -> None:
    (report,) = reports(log())
    with pytest.raises(UsageError, match="key"):
        base.record(report, key=key)
    with pytest.raises(UsageError, match="key"):
        base.annotate(report, "text", author="bot", key=key)
    assert base.known is None


# ---- what the log says


def test_a_log_that_is_read_again_counts_nothing(base: api.KnowledgeBase) -> None:
    data = log("foo_a", 1) + log("foo_b", 2) + log("foo_a", 3)
    assert [base.record(report).new for report in reports(data)] == [True, True, True]
    before = [base.show(row.signature) for row in base.store.signatures()]
    assert [base.record(report).new for report in reports(data)] == [False, False, False]
    grown = data + log("foo_a", 4)
    assert [base.record(report).new for report in reports(grown)] == [False, False, False, True]
    assert total(base) == 4
    assert len(before) == 2


def test_the_same_report_printed_twice_into_one_log_counts_once(base: api.KnowledgeBase) -> None:
    """``dmesg >> FILE`` by cron."""
    assert [base.record(report).new for report in reports(log() + log())] == [True, False]


def test_where_no_time_is_printed_equal_reports_count_by_their_place(base: api.KnowledgeBase) -> None:
    twice, thrice = (log(second=None) * count for count in (2, 3))
    assert [base.record(report).new for report in reports(twice)] == [True, True]
    assert [base.record(report).new for report in reports(twice)] == [False, False]
    assert [base.record(report).new for report in reports(thrice)] == [False, False, True]
    assert total(base) == 3


@pytest.mark.parametrize("second", [1, None])
def test_two_logs_piped_in_both_count_and_one_piped_twice_counts_once(base: api.KnowledgeBase, second: int) -> None:
    """Two boots, the same headline at the same time; the names of both inputs are ``-``."""
    first, other = (log(second=second) + b"[   9.000000] more %d\n" % pid for pid in (1, 2))
    other = other.replace(b"foo_top", b"bar_top")
    for data, new in ((first, True), (other, True), (first, False), (other, False)):
        assert [base.record(report).new for report in reports(data)] == [new]


def test_another_source_or_host_is_another_event(base: api.KnowledgeBase) -> None:
    (report,) = reports(log())
    for source, host, new in [("a", "h", True), ("b", "h", True), ("a", "i", True), ("a", "h", False)]:
        assert base.record(report, source=source, host=host).new is new
    assert total(base) == 3


def test_sightings_that_no_event_names_always_count(path: Path) -> None:
    with Store(path) as store:
        made = [store.record("kb1:00", title="t", kind="k", evidence=b"log") for _ in range(3)]
    assert [(each.count, each.new) for each in made] == [(1, True), (2, True), (3, True)]


def test_the_earliest_sighting_is_told_again_and_a_sighting_is_not_its_own_earliest(path: Path) -> None:
    with Store(path) as store:

        def record(event: str, day: int, host: str) -> object:
            return store.record("kb1:00", title="t", kind="k", host=host, seen=f"2031-01-0{day}", event=event)

        made = [record("a", 5, "x"), record("b", 6, "x"), record("c", 4, "y")]
        told = [record("a", 9, "x"), record("b", 9, "x"), record("c", 9, "y")]
    assert told[0] == replace(made[0], new=False)  # type: ignore[type-var]
    assert told[2] == replace(made[2], new=False)  # type: ignore[type-var]
    assert told[1].first.host == "y"  # type: ignore[attr-defined]


# ---- at once


def test_threads_that_record_the_same_at_once_count_it_once(path: Path) -> None:
    found = [reports(log("foo_a", second))[0] for second in range(1, 9)]
    told: list[bool] = []
    with api.KnowledgeBase(path) as base:
        start = threading.Barrier(8)

        def work() -> None:
            start.wait()
            for number, report in enumerate(found):
                told.append(base.record(report).new)
                told.append(base.record(report, key=f"k{number}").new)
                base.annotate(report, "seen", author="bot", key=f"k{number}")

        workers = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert (sum(told), len(told)) == (16, 8 * 16)
        assert total(base) == 16
        (row,) = base.store.signatures()
        assert len(base.show(row.signature).annotations) == 8


def _record(path: Path) -> None:
    with api.KnowledgeBase(path) as base:
        for second in range(1, 11):
            (report,) = base.read(log("foo_a", second))
            base.record(report)
            base.record(report, key=f"k{second}")
            base.annotate("case:x", f"{second}", author="bot", key=f"k{second}")


def test_processes_that_record_the_same_at_once_count_it_once(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record, args=(path,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 3
    with api.KnowledgeBase(path) as base:
        assert total(base) == 20
        assert sorted(int(note.body) for note in base.store.annotations("case:x")) == list(range(1, 11))
        assert base.store.check() == []


PARSED = {(function, second): reports(log(function, second))[0] for function in ("foo_a", "foo_b") for second in (1, 2)}
EVENTS = st.one_of(
    st.tuples(st.sampled_from(sorted(PARSED)), st.sampled_from(["a", "b", "-"]), st.sampled_from(["h", None])),
    st.sampled_from(["key 1", "key 2"]),
)


@settings(max_examples=40)
@given(st.lists(st.tuples(EVENTS, st.booleans(), st.sampled_from(sorted(PARSED))), max_size=25))
def test_counts_are_the_number_of_distinct_events_in_any_order_from_any_base(
    calls: list[tuple[object, bool, tuple[str, int]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kb.db"
        with api.KnowledgeBase(path) as one, api.KnowledgeBase(path) as two:
            known: dict[object, object] = {}
            for event, first, other in calls:
                base = one if first else two
                if isinstance(event, str):
                    told = base.record(PARSED[other], key=event)
                else:
                    name, source, host = event  # type: ignore[misc]
                    told = base.record(PARSED[name], source=source, host=host)
                assert told.new is (event not in known)
                assert told.id == known.setdefault(event, told.id)
            assert total(one) == total(two) == len(known)


TIMELESS = [log("foo_a", None), log("foo_a", None, pid=8), log("foo_b", None)]


@settings(max_examples=25)
@given(st.lists(st.lists(st.sampled_from(TIMELESS), max_size=5), max_size=4))
def test_without_times_a_text_counts_as_often_as_the_input_that_holds_it_most_often(inputs: list[list[bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder, api.KnowledgeBase(Path(folder) / "kb.db") as base:
        for texts in [*inputs, *inputs]:
            for report in base.read(b"".join(texts)):
                base.record(report)
        assert total(base) == sum(max((texts.count(text) for texts in inputs), default=0) for text in TIMELESS)


# ---- stores of an older kb


def old_store(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store as schema 3 made it: two sightings, a note."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for file in sorted(migrate._FOLDER.glob("m00[123]_*.sql")):
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(migrate, "_FOLDER", folder)
    monkeypatch.setattr(migrate, "VERSION", 3)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("pragma journal_mode = wal")
    migrate.migrate(db)
    db.execute("insert into signatures values (1, 'kb1:00', 'k', 't', 'warning', '2030-01-01', '2030-01-02', 2)")
    db.execute("insert into sightings values (1, 1, 'db17', '6.1', 's', 's', '2030-01-01', '2030-01-02', 2)")
    db.execute("insert into annotations values ('1', 'case:x', 'ann', '2030', 'kept', null, null, null, null)")
    db.close()
    monkeypatch.undo()


def test_a_store_of_schema_3_keeps_its_data_and_counts_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old_store(path, monkeypatch, tmp_path)
    with Store(path) as store:
        assert store.connection.execute("pragma user_version").fetchone() == (VERSION,)
        assert store.show("kb1:00").row.count == 2
        assert [note.body for note in store.annotations("case:x")] == ["kept"]
        told = [
            store.record("kb1:00", title="t", kind="warning", host="db17", kernel="6.1", event="e") for _ in range(2)
        ]
        assert [(each.count, each.new) for each in told] == [(3, True), (3, False)]
        assert store.show("kb1:00").row.count == 3
        assert store.check() == []
