"""One base, many threads: each call works from any of them, counts are exact, and closing is clean."""

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kb import api
from kb.errors import StoreError
from kb.store import Store
from kb.store.connection import connect
from kb.store.dump import export
from kb.store.notes import uuid7

THREADS = 12
TURNS = 8


def log(function: str, second: int) -> bytes:
    return (
        f"[{second}.000001] WARNING: CPU: 0 PID: 7 at a/b.c:3 {function}+0x1/0x2 [foo]\n[{second}.000002] Call Trace:\n"
        f"[{second}.000003]  {function}+0x1/0x2 [foo]\n[{second}.000004]  foo_top+0x1/0x2 [foo]\n"
    ).encode()


def run(work: Callable[[int], object], threads: int = THREADS) -> list[BaseException]:
    """Do it on so many threads at once; what they raised."""
    raised: list[BaseException] = []
    start = threading.Barrier(threads)

    def body(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:
            raised.append(error)

    workers = [threading.Thread(target=body, args=(number,), daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert not any(worker.is_alive() for worker in workers)
    return raised


def opened(path: Path) -> int:
    """Connections that this process has to a store, by their write-ahead logs.

    Of the file itself SQLite keeps descriptors for later use: to close one would drop the locks of all of them.
    """
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no /proc: open files cannot be counted")
    links = []
    for entry in folder.iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:  # the descriptor of the listing itself
            continue
    return links.count(f"{path}-wal")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return (tmp_path / "kb.db").resolve()


@pytest.fixture
def base(path: Path) -> Iterator[api.KnowledgeBase]:
    with api.KnowledgeBase(path) as base:
        yield base


def test_every_call_works_from_every_thread_at_once_and_counts_are_exact(base: api.KnowledgeBase) -> None:
    def work(number: int) -> None:
        for turn in range(TURNS):
            (report,) = base.read(log(f"foo_{turn % 4}", 1 + number * TURNS + turn))
            assert base.diagnose(report).report is report
            sighting = base.record(report, host=f"h{number}")
            base.annotate(report, f"{number} {turn}", author="bot")
            base.similar(report)
            base.search("nofs")
            base.case("nofs-high-order-watermark")
            assert base.show(sighting.signature).row.signature == sighting.signature

    assert run(work) == []
    rows = base.store.signatures()
    assert [row.count for row in rows] == [THREADS * TURNS // 4] * 4
    shown = [base.show(row.signature) for row in rows]
    assert sum(seen.count for each in shown for seen in each.sightings) == THREADS * TURNS
    bodies = [note.body for each in shown for note in each.annotations]
    assert sorted(bodies) == sorted(f"{number} {turn}" for number in range(THREADS) for turn in range(TURNS))
    assert base.store.check() == []


def test_the_cases_are_loaded_once(base: api.KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    loads, load = [], api.library

    def slow(*args: object) -> object:
        loads.append(args)
        time.sleep(0.05)
        return load()

    monkeypatch.setattr(api, "library", slow)
    assert run(lambda _number: base.cases or base.case("x")) == []
    assert len(loads) == 1


def test_the_store_is_opened_once(path: Path) -> None:
    with api.KnowledgeBase(path) as base:
        stores: list[Store] = []
        assert run(lambda _number: stores.append(base.store)) == []
        assert len({id(store) for store in stores}) == 1


def test_the_connections_of_threads_that_ended_are_closed(base: api.KnowledgeBase, path: Path) -> None:
    base.store.check()
    before = opened(path)
    assert run(lambda _number: base.store.check()) == []
    assert opened(path) == before == 1


def test_closing_closes_the_connections_of_threads_that_go_on(path: Path) -> None:
    base, go, ready = api.KnowledgeBase(path), threading.Event(), threading.Barrier(3)

    def rest() -> None:
        base.store.check()
        ready.wait()
        go.wait()

    resting = [threading.Thread(target=rest, daemon=True) for _ in range(2)]
    for thread in resting:
        thread.start()
    ready.wait()
    held = opened(path)
    base.close()
    left = opened(path)
    go.set()
    for thread in resting:
        thread.join()
    assert (held, left) == (2, 0)


def test_closing_while_others_work_is_a_store_error_to_them_and_loses_nothing(path: Path) -> None:
    base, told = api.KnowledgeBase(path), []
    enough = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            enough.wait()
            return base.close()
        for turn in range(1 << 30):
            (report,) = base.read(log(f"foo_{turn % 4}", turn + 1))
            base.diagnose(report)
            told.append(base.record(report, host=f"h{number}"))
            base.annotate(report, "seen", author="bot")
            if turn == 3:
                enough.set()
        return None

    raised = run(work)
    assert [type(error) for error in raised] == [StoreError] * (THREADS - 1)
    assert all("closed" in str(error) and str(path) in str(error) for error in raised)
    assert opened(path) == 0
    with Store(path) as store:
        counted = sum(row.count for row in store.signatures())
        # what a thread was doing may have been finished without its being told
        assert len(told) <= counted <= len(told) + THREADS
        assert store.check() == []


def test_what_is_being_read_when_the_store_closes_is_read_to_its_end(path: Path) -> None:
    with Store(path) as store:
        for number in range(300):
            store.record(f"kb1:{number:04}", title="t", kind="k")
        lines: list[str] = []
        begun, go = threading.Event(), threading.Event()

        def read() -> None:
            for line in export(store):
                lines.append(line)
                if len(lines) == 10:
                    begun.set()
                    go.wait()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        begun.wait()
    assert opened(path) == 1
    go.set()
    reader.join()
    assert sum('"row":"sighting"' in line for line in lines) == 300
    assert opened(path) == 0


def test_a_closed_base_stays_closed(path: Path) -> None:
    base = api.KnowledgeBase(path)
    store = base.store
    base.close()
    base.close()
    for use in (store.check, lambda: base.store, lambda: base.search("nofs"), lambda: base.show("kb1:")):
        with pytest.raises(StoreError, match="closed") as caught:
            use()
        assert caught.value.help
    assert len(base.cases) > 0


def test_a_base_that_was_never_used_is_not_made_after_it_was_closed(path: Path) -> None:
    base = api.KnowledgeBase(path)
    base.close()
    with pytest.raises(StoreError, match="closed"):
        _ = base.store
    assert not path.exists()


def _in_child(store: Store) -> None:
    for _ in range(20):
        store.record("kb1:00", title="t", kind="k", host="child")
    store.close()


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_has_connections_of_its_own(path: Path) -> None:
    with Store(path) as store:
        store.record("kb1:00", title="t", kind="k", host="parent")
        children = [multiprocessing.get_context("fork").Process(target=_in_child, args=(store,)) for _ in range(3)]
        for child in children:
            child.start()
        for _ in range(20):
            store.record("kb1:00", title="t", kind="k", host="parent")
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0] * 3
        store.record("kb1:00", title="t", kind="k", host="parent")
        assert {seen.host: seen.count for seen in store.show("kb1:00").sightings} == {"parent": 22, "child": 60}
        assert store.check() == []


def test_ids_of_notes_made_by_many_threads_differ_and_go_on_in_each() -> None:
    made: dict[int, list[str]] = {}
    assert run(lambda number: made.update({number: [uuid7() for _ in range(500)]})) == []
    assert len({each for ids in made.values() for each in ids}) == THREADS * 500
    assert all(ids == sorted(ids) for ids in made.values())


def test_many_may_make_a_store_at_once(tmp_path: Path) -> None:
    """SQLite tells all but one of them at once that the file is locked, whatever the time is that they would wait."""
    together = threading.Barrier(8)

    def make(path: Path) -> None:
        together.wait()
        with contextlib.closing(connect(path)):
            pass

    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            path = tmp_path / f"{number}.db"
            assert list(pool.map(make, [path] * 8)) == [None] * 8
