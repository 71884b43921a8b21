"""The copy of a store's stacks in memory answers what its tables answer, and no longer than they do."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from kb.identity.rank import Query
from kb.model.stack import Stack
from kb.recall import GOOD, nearest
from kb.store import Store
from kb.store.similar import Stacks
from kb.store.snapshot import _ASKED, Snapshot, stacks_of


def some(count: int, seed: int = 1) -> list[Stack]:
    rng = random.Random(seed)
    words = [f"fn_{number}" for number in range(80)]
    made = []
    for number in range(count):
        frames = tuple(rng.sample(words, rng.randint(1, 9)))
        case = f"case-{number}" if rng.random() < 0.5 else None
        made.append(Stack(f"kb1:{number:04x}", f"oops in {frames[0]}", rng.choice(("oops", "bug")), frames, case))
    return made


def queries(count: int) -> list[Query]:
    return [Query(f"kb1:ff{number:02x}", row.kind, row.frames) for number, row in enumerate(some(count, 2))]


def fresh(path: Path, query: Query) -> list[object]:
    """The answer of somebody who has not asked before."""
    with Store(path) as store:
        return list(nearest(store, query))


def test_the_copy_answers_as_the_tables_do(tmp_path: Path) -> None:
    with Store(tmp_path / "kb.db") as store:
        stacks = Stacks(store)
        stacks.add(some(300))
        copy = Snapshot(stacks.all())
        assert len(copy) == len(stacks)
        for query in queries(40):
            assert copy.frequencies(query.frames) == stacks.frequencies(query.frames)
            for cases in (True, False):
                for budget in (3, 100, 3000):
                    mine = copy.candidates(query.frames, budget=budget, cases=cases, limit=10_000)
                    theirs = stacks.candidates(query.frames, budget=budget, cases=cases, limit=10_000)
                    assert set(mine) == set(theirs)
                    assert copy.reads_all(query.frames, budget) == stacks.reads_all(query.frames, budget)


def test_what_is_near_is_the_same_whoever_answers(tmp_path: Path) -> None:
    path = tmp_path / "kb.db"
    with Store(path) as store:
        Stacks(store).add(some(300))
        for query in queries(30):
            assert nearest(store, query) == fresh(path, query)
        assert isinstance(stacks_of(store), Snapshot)
        for query in queries(30):
            assert nearest(store, query) == fresh(path, query)


def near(rows: list[Stack], rng: random.Random) -> Query:
    """A query that has a stack's frames, some lost and some between, of its function or of none."""
    row = rng.choice(rows)
    frames = [name for name in row.frames if rng.random() < 0.8]
    frames.insert(rng.randint(0, len(frames)), rng.choice(("fn_1", "another", "schedule")))
    return Query("kb1:fffe", rng.choice(("oops", "bug")), tuple(frames), (), rng.choice((row.function, None)))


def test_where_nothing_can_be_near_nothing_would_have_been_found(tmp_path: Path) -> None:
    path, rng = tmp_path / "kb.db", random.Random(3)
    rows = [replace(row, function=row.frames[-1] if rng.random() < 0.5 else None) for row in some(300)]
    asked = [near(rows, rng) for _ in range(120)]
    with Store(path) as store:
        Stacks(store).add(rows)
        for query in queries(_ASKED + 1):
            nearest(store, query)
        found = [nearest(store, query, cases=True, floor=GOOD) for query in asked]
    for query, told in zip(asked, found, strict=True):
        with Store(path) as store:
            assert told == nearest(store, query, cases=True, floor=GOOD)
    assert any(found)
    assert not all(found)


def test_a_store_that_changes_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "kb.db"
    rows = some(60)
    with Store(path) as store, Store(path) as other:
        Stacks(store).add(rows[:50])
        asked = queries(_ASKED + 3)
        for query in asked:
            nearest(store, query)
        assert isinstance(stacks_of(store), Snapshot)
        for writer, row in ((store, rows[50]), (other, rows[51])):
            Stacks(writer).add([row])
            assert isinstance(stacks_of(store), Stacks)
            found = nearest(store, Query("kb1:ffff", row.kind, row.frames))
            assert row in [each.entry for each in found]
            for query in asked:
                assert nearest(store, query) == fresh(path, query)
        with other.writing() as db:
            db.execute("delete from postings")
            db.execute("delete from stacks")
        assert nearest(store, asked[0]) == []
