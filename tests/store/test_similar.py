"""Stacks in the store: what the postings answer, and that they stay in step with the stacks."""

from pathlib import Path

import pytest

from kb import api
from kb.identity.rank import Query
from kb.model.case import Case, Fix
from kb.model.stack import Stack
from kb.recall import nearest
from kb.store import Store
from kb.store.duplicates import Duplicates
from kb.store.imports import Imports, Item, Known
from kb.store.similar import STACKS_OF_ONE, Stacks


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "kb.db")


def row(signature: str, *frames: str, case: str | None = None) -> Stack:
    return Stack(signature, f"WARNING in {frames[0]}", "warning", frames, case)


def known(case_id: str, *frames: str, signature: str = "kb1:aa", commit: str = "") -> Known:
    case = Case(
        id=case_id, title=f"fix {frames[0]}", kind=("warning",), status="imported", summary="words",
        fixes=(Fix(commit or "a" * 40, "fix", "6.2"),), signatures=(signature,),
    )  # fmt: skip
    return Known(case, (row(signature, *frames, case=case_id),), (commit,) if commit else ())


def consistent(store: Store) -> None:
    """Each frame's number of stacks, its postings and the stacks themselves say the same."""
    db = store.connection
    counted = dict(db.execute("select frame, count(*) from postings group by frame"))
    stated = {number: stacks for number, stacks in db.execute("select id, stacks from frames") if stacks}
    assert counted == stated
    stacks = Stacks(store)
    names = dict(db.execute("select id, name from frames"))
    held = {(names[frame], stack) for frame, stack in db.execute("select frame, stack from postings")}
    told = set()
    for (number,) in db.execute("select id from stacks").fetchall():
        (found,) = stacks._read(
            stacks._rows("select signature, case_id, title, kind, function, frames from stacks where id = ?", (number,))
        )
        told |= {(name, number) for name in found.frames}
    assert held == told


def test_candidates_share_the_rarest_frames(store: Store) -> None:
    stacks = Stacks(store)
    stacks.add(row(f"kb1:{index:02x}", f"own_{index}", "common_a", "common_b") for index in range(50))
    assert [found.signature for found in stacks.candidates(("own_7", "common_a"), budget=10)] == ["kb1:07"]
    assert stacks.candidates(("own_7", "common_a"), budget=1000)[0].signature == "kb1:07"
    assert len(stacks.candidates(("common_a",), budget=10)) == 50  # the rarest frame is read whatever it costs
    assert stacks.candidates(("unheard_of",)) == []
    consistent(store)


def test_a_stack_comes_back_as_it_went_in(store: Store) -> None:
    made = Stack("kb1:01", "WARNING in a", "warning", ("a", "b", "a", "ünïcode::fn"), None, "a")
    Stacks(store).add([made, made])
    assert Stacks(store).keyed(["kb1:01"]) == [made]


def test_stacks_of_cases_are_a_range_of_their_own(store: Store) -> None:
    Imports(store).put([Item("vulns", "one", b"1", known("case-one", "x", "y"))])
    stacks = Stacks(store)
    stacks.add([row("kb1:01", "x", "y")])
    assert [found.case for found in stacks.candidates(("x",), cases=True)] == ["case-one"]
    assert [found.case for found in stacks.candidates(("x",))] == [None]
    consistent(store)


def test_replaced_and_forgotten_cases_leave_nothing_behind(store: Store) -> None:
    imports = Imports(store)
    imports.put(
        [Item("vulns", "one", b"1", known("case-one", "x", "y")), Item("vulns", "two", b"1", known("case-two", "x"))]
    )
    imports.put([Item("vulns", "one", b"2", known("case-one", "z", signature="kb1:bb"))])
    assert Stacks(store).candidates(("y",), cases=True) == []
    assert imports.by_signature(["kb1:aa"])[0].id == "case-two"
    consistent(store)
    imports.put([Item("vulns", "two", b"2")])  # the record holds no splat any more
    assert imports.get("case-two") is None
    imports.forget("case-one")
    assert (len(imports), store.search("fix"), Stacks(store).candidates(("z",), cases=True)) == (0, [], [])
    consistent(store)


def test_only_some_stacks_of_a_signature_are_kept(store: Store) -> None:
    stacks = Stacks(store)
    for index in range(10):
        stacks.add_seen(row("kb1:01", "a", f"b{index}"))
        stacks.add_seen(row("kb1:01", "a", f"b{index}"))
    assert len(stacks.keyed(["kb1:01"])) == STACKS_OF_ONE
    consistent(store)


def test_the_own_signature_is_no_neighbour_but_its_case_is(store: Store) -> None:
    Imports(store).put([Item("vulns", "one", b"1", known("case-one", "x", "y"))])
    Stacks(store).add([row("kb1:aa", "x", "y"), row("kb1:01", "x", "z")])
    found = nearest(store, Query("kb1:aa", "warning", ("x", "y"), (), "x"))
    assert [(each.entry.case, each.entry.signature) for each in found] == [("case-one", "kb1:aa"), (None, "kb1:01")]
    assert found[0].score == pytest.approx(1.0)
    only = nearest(store, Query("kb1:aa", "warning", ("x", "y"), (), "x"), cases=False)
    assert [each.entry.signature for each in only] == ["kb1:01"]


def test_what_resembles_is_suggested_and_never_links(tmp_path: Path) -> None:
    log = (
        b"[1.000001] WARNING: CPU: 0 PID: 1 at a/b.c:3 foo_other+0x1/0x2 [foo]\n[1.000002] Call Trace:\n"
        b"[1.000003]  foo_other+0x1/0x2 [foo]\n[1.000004]  foo_mid+0x1/0x2 [foo]\n[1.000005]  foo_top+0x1/0x2 [foo]\n"
    )
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        Imports(base.store).put([Item("vulns", "one", b"1", known("case-one", "foo_gone", "foo_mid", "foo_top"))])
        (report,) = base.read(log)
        diagnosis = base.diagnose(report)
        assert diagnosis.matches == ()
        assert [each.case for each in diagnosis.similar] == ["case-one"]
        base.record(report)
        base.record(report)
        assert [each.case for each in base.diagnose(report).similar] == ["case-one"]
        (near,) = base.similar(diagnosis.signature.id)
        assert near.explained() == [
            ("foo_other", ""), ("", "foo_gone"), ("foo_mid", "foo_mid"), ("foo_top", "foo_top"),
        ]  # fmt: skip


LOG = b"[1.000001] WARNING: CPU: 0 PID: 1 at a/b.c:3 foo_a+0x1/0x2\n[1.000002] Call Trace:\n"


def test_of_cases_that_link_equally_the_one_with_the_nearest_stack_comes_first(tmp_path: Path) -> None:
    log = LOG + b"[1.000003]  foo_a+0x1/0x2\n[1.000004]  foo_mid+0x1/0x2\n[1.000005]  foo_top+0x1/0x2\n"
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        (report,) = base.read(log)
        mark = base.diagnose(report).signature.id
        Imports(base.store).put([
            Item("vulns", "a", b"1", known("case-a", "foo_a", "bar", "baz", signature=mark)),
            Item("vulns", "b", b"1", known("case-b", "foo_a", "foo_mid", "foo_top", signature=mark)),
        ])  # fmt: skip
        assert [match.case.id for match in base.diagnose(report).matches] == ["case-b", "case-a"]


def test_a_declared_duplicate_links_to_the_other_s_case(tmp_path: Path) -> None:
    log = LOG + b"[1.000003]  foo_a+0x1/0x2\n"
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        Imports(base.store).put([Item("vulns", "a", b"1", known("case-a", "other", signature="kb1:0b"))])
        (report,) = base.read(log)
        mark = base.record(report).signature
        assert not base.diagnose(report).known
        duplicates = Duplicates(base.store)
        duplicates.declare(mark, "kb1:0b", same=True, author="ann")
        assert [match.case.id for match in base.diagnose(report).matches] == ["case-a"]
        duplicates.declare(mark, "kb1:0b", same=False, author="ann")
        assert not base.diagnose(report).known
        duplicates.declare(mark, "case:case-a", same=True, author="ann")
        assert base.diagnose(report).known


def test_reading_makes_no_store(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        for report in base.read(b"[1.000001] BUG: soft lockup - CPU#0 stuck for 22s! [a:1]\n"):
            assert base.diagnose(report).similar == ()
    assert not (tmp_path / "kb.db").exists()


def test_duplicates_are_declared_chained_and_taken_back(store: Store) -> None:
    duplicates = Duplicates(store)
    duplicates.declare("kb1:02", "kb1:01", same=True, author="ann", reason="one root cause")
    duplicates.declare("kb1:02", "kb1:03", same=True, author="ann")
    assert duplicates.same_as("kb1:01") == ["kb1:02", "kb1:03"]
    assert duplicates.same_as("kb1:03") == ["kb1:02", "kb1:01"]
    duplicates.declare("kb1:01", "kb1:02", same=False, author="bob", reason="they are not")
    assert duplicates.same_as("kb1:01") == []
    assert duplicates.same_as("kb1:03") == ["kb1:02"]
    told = [(each.same, each.author, each.reason) for each in duplicates.history("kb1:02", "kb1:01")]
    assert told == [(True, "ann", "one root cause"), (False, "bob", "they are not")]


@pytest.mark.parametrize(
    "sql",
    ["update duplicates set same = 0", "delete from duplicates",
     "insert or replace into duplicates select id, 'x', 'y', 1, 'z', time, '' from duplicates"],
)  # fmt: skip
def test_declarations_are_append_only(store: Store, sql: str) -> None:
    Duplicates(store).declare("kb1:01", "kb1:02", same=True, author="ann")
    with pytest.raises(Exception, match="append-only"):
        store.connection.execute(sql)
    assert Duplicates(store).same_as("kb1:01") == ["kb1:02"]
