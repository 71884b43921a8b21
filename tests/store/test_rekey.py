"""A newer version of signatures: both ids resolve, and nothing that hung on the old one is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from kb import api
from kb.identity.signature import signature
from kb.imports.rekey import rekey
from kb.model.report import Report, Signature
from kb.recall import recall
from kb.store import Store
from kb.store.dump import export, load
from kb.store.duplicates import Duplicates


def log(function: str, pid: int = 1) -> bytes:
    return (
        f"[1.000001] WARNING: CPU: 0 PID: {pid} at a/b.c:3 {function}+0x1/0x2 [foo]\n[1.000002] Call Trace:\n"
        f"[1.000003]  {function}+0x1/0x2 [foo]\n[1.000004]  foo_top+0x1/0x2 [foo]\n"
    ).encode()


def second(report: Report) -> Signature:
    """A version 2 that does not tell foo_a from foo_b."""
    mark = signature(report)
    name = "foo" if report.function in ("foo_a", "foo_b") else report.function or ""
    made = f"kb2:{name.encode().hex():0<16.16}"
    return replace(mark, id=made, key=f"v2|{name}", version=2, title=f"WARNING in {name}", alt=(f"{made}0",))


def recorded(base: api.KnowledgeBase, function: str, pid: int = 1, host: str = "h1") -> str:
    (report,) = base.read(log(function, pid))
    return base.record(report, host=host, seen=f"2031-01-0{pid}T00:00:00Z").signature


def test_both_ids_resolve_and_everything_is_kept(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        old = recorded(base, "foo_c")
        recorded(base, "foo_c", 2, "h2")
        base.annotate(f"signature:{old}", "seen it before", author="ann")
        before = base.show(old)
        assert rekey(base.store, second).renamed == 1
        for name in (old, "kb2:"):
            after = base.show(name)
            assert after.row.signature.startswith("kb2:")
            assert (after.row.title, after.row.key) == ("WARNING in foo_c", "v2|foo_c")
            assert (after.row.count, after.row.first, after.row.last) == (2, before.row.first, before.row.last)
            assert after.sightings == before.sightings
            assert after.evidence == before.evidence
            assert [note.body for note in after.annotations] == ["seen it before"]
        assert rekey(base.store, second).renamed == 0
        assert base.store.check() == []


def test_two_that_become_one_are_joined(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        first = recorded(base, "foo_a", 1)
        other = recorded(base, "foo_b", 2)
        third = recorded(base, "foo_c", 3)
        base.annotate(f"signature:{first}", "one", author="ann")
        base.annotate(f"signature:{other}", "two", author="bob")
        Duplicates(base.store).declare(other, third, same=True, author="ann")
        assert rekey(base.store, second).renamed == 3
        shown = base.show(first)
        assert shown == base.show(other)
        assert shown.row.count == 2
        assert (shown.row.first, shown.row.last) == ("2031-01-01T00:00:00Z", "2031-01-02T00:00:00Z")
        assert [(seen.host, seen.count) for seen in shown.sightings] == [("h1", 2)]
        assert len(shown.evidence) == 2
        assert [note.body for note in shown.annotations] == ["one", "two"]
        new, renamed = shown.row.signature, base.show(third).row.signature
        duplicates = Duplicates(base.store)
        assert duplicates.same_as(new) == duplicates.same_as(first) == [renamed]
        assert duplicates.same_as(renamed) == duplicates.same_as(third) == [new]
        assert base.store.check() == []


def test_events_come_along_so_that_what_was_recorded_is_still_known(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        told = {}
        for function, pid, host in [("foo_a", 1, "h1"), ("foo_a", 2, "h2"), ("foo_b", 3, "h1"), ("foo_b", 4, "h3")]:
            (report,) = base.read(log(function, pid))
            told[pid] = (report, host, base.record(report, host=host))
        assert rekey(base.store, second).renamed == 2
        new = base.show("kb2:").row
        for report, host, before in told.values():
            after = base.record(report, host=host)
            assert (after.new, after.signature, after.seen) == (False, new.signature, before.seen)
            assert after.host == host
        assert base.show("kb2:").row == new
        assert new.count == 4
        with Store(tmp_path / "other.db") as other:
            load(other, list(export(base.store)))
            load(other, list(export(base.store)))
            assert other.show("kb2:").row == new
        assert base.store.check() == []


def test_a_signature_without_evidence_keeps_its_id(tmp_path: Path) -> None:
    with Store(tmp_path / "kb.db") as store:
        store.record("kb1:00", title="WARNING in x", kind="warning")
        done = rekey(store, second)
        assert (done.renamed, done.untold) == (0, 1)
        assert store.show("kb1:00").row.count == 1


def test_links_to_cases_come_along(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        old = recorded(base, "foo_c")
        base.store.connection.execute("insert into case_signatures values (?, 'case-one')", (old,))
        rekey(base.store, second)
        new = base.show(old).row.signature
        rows = base.store.connection.execute("select signature from case_signatures where case_id = 'case-one'")
        assert {row[0] for row in rows} == {old, new}


def test_with_the_present_version_nothing_changes(tmp_path: Path) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        old = recorded(base, "foo_c")
        assert rekey(base.store).renamed == 0
        assert base.show(old).aliases == base.show(old).aliases
        (report,) = base.read(log("foo_c"))
        assert recall(base.store, report, signature(report)) == ((), ())


def test_a_rename_that_is_interrupted_leaves_that_signature_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        first = recorded(base, "foo_a")
        other = recorded(base, "foo_b")

        def breaks(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("kb.store.rekey._join", breaks)
        with pytest.raises(KeyboardInterrupt):
            rekey(base.store, second)
        monkeypatch.undo()
        assert base.show(other).row.signature == other
        assert rekey(base.store, second).renamed == 1
        assert base.show(first) == base.show(other)
