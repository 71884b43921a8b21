"""Export and import: everything goes round, twice changes nothing, damage is named by its line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb import api
from kb.errors import InputError
from kb.imports import vulns
from kb.store import Store
from kb.store.dump import export, load
from kb.store.duplicates import Duplicates
from kb.store.imports import Imports, Item
from tests.imports.test_vulns import DYAD, FIX, LOG, MBOX


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Store]:
    """A store with something in every table."""
    with api.KnowledgeBase(tmp_path / "full.db") as base:
        store = base.store
        known = vulns.known("CVE-2031-1234", MBOX, DYAD, FIX)
        Imports(store).put(
            [Item("vulns", "CVE-2031-1234", b"1" * 16, known), Item("vulns", "CVE-2031-9999", b"2" * 16)]
        )
        for number in range(3):
            (report,) = base.read(LOG.replace(b"4711", b"%d" % (4000 + number)))
            seen = base.record(report, source=f"ticket:{number}", host=f"h{number % 2}").signature
        store.record("kb1:77", title="WARNING in b\u0000\x1b[31m", kind="warning", evidence=b"\xff\x00\x1b[2J")
        first = store.annotate(f"signature:{seen}", "once", author="ann", span=(1, 2))
        store.annotate(f"signature:{seen}", "twice", author="ann", replaces=first.id)
        store.draft("case:x", "ann", "half a thought")
        Duplicates(store).declare(seen, "kb1:77", same=True, author="ann", reason="why")
        yield store


def test_everything_goes_round(full: Store, tmp_path: Path) -> None:
    lines = list(export(full))
    assert {json.loads(line).get("row") for line in lines} == {
        None, "signature", "alias", "sighting", "evidence", "annotation", "draft", "duplicate", "stack", "case", "item",
    }  # fmt: skip
    with Store(tmp_path / "new.db") as new:
        assert load(new, lines) == len(lines) - 1
        assert list(export(new)) == lines
        assert new.show("kb1:77").to_json() == full.show("kb1:77").to_json()
        assert (
            new.search("ring work")
            == full.search("ring work")
            == [("cve-2031-1234", "imported", "foo: cancel the work before the ring goes")]
        )
        assert new.check() == []


def test_taking_it_in_twice_changes_nothing(full: Store, tmp_path: Path) -> None:
    lines = list(export(full))
    load(full, lines)
    assert list(export(full)) == lines


def test_two_stores_are_joined(full: Store, tmp_path: Path) -> None:
    with Store(tmp_path / "other.db") as other:
        other.record("kb1:77", title="WARNING in b", kind="warning", host="elsewhere", seen="2001-01-01T00:00:00Z")
        load(other, export(full))
        row = other.show("kb1:77").row
        assert (row.count, row.first) == (2, "2001-01-01T00:00:00Z")
        assert {seen.host for seen in other.show("kb1:77").sightings} == {None, "elsewhere"}


def test_an_import_goes_on_after_a_move(full: Store, tmp_path: Path) -> None:
    with Store(tmp_path / "new.db") as new:
        load(new, export(full))
        assert Imports(new).seen("vulns") == {"CVE-2031-1234": b"1" * 16, "CVE-2031-9999": b"2" * 16}


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        ([], 1),
        (['{"schema": "kb.report/1"}'], 1),
        (["kernel log"], 1),
        (['{"schema": "kb.export/1"}', '{"row": "signature"}'], 2),
        (['{"schema": "kb.export/1"}', '{"row": "sighting", "signature": "kb1:none"}'], 2),
        (['{"schema": "kb.export/1"}', "[1]"], 2),
        (['{"schema": "kb.export/1"}', '{"row": "draft", "subj'], 2),
    ],
)
def test_damage_is_named_by_its_line(lines: list[str], line: int, tmp_path: Path) -> None:
    with Store(tmp_path / "new.db") as store:
        with pytest.raises(InputError) as caught:
            load(store, lines, "dump")
        assert (caught.value.path, caught.value.line) == ("dump", line)
        assert store.check() == []


def test_rows_of_a_newer_kb_are_passed_over(tmp_path: Path) -> None:
    with Store(tmp_path / "new.db") as store:
        assert load(store, ['{"schema": "kb.export/1", "more": 1}', '{"row": "hologram", "x": 1}']) == 1
