"""Export and import: everything goes round, twice changes nothing, damage is named by its line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import api
from kb.errors import InputError
from kb.imports import vulns
from kb.render.schema import schema
from kb.store import Store
from kb.store.dump import export, load
from kb.store.duplicates import Duplicates
from kb.store.imports import Imports, Item
from kb.store.notes import uuid7
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
        store.annotate(f"signature:{seen}", "twice", author="ann", replaces=first.id, key="ticket:2#1")
        store.draft("case:x", "ann", "half a thought")
        Duplicates(store).declare(seen, "kb1:77", same=True, author="ann", reason="why")
        yield store


def test_everything_goes_round(full: Store, tmp_path: Path) -> None:
    lines = list(export(full))
    assert {json.loads(line).get("row") for line in lines} == {
        None, "signature", "alias", "sighting", "event", "evidence", "annotation", "draft", "duplicate", "stack",
        "case", "item",
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


def test_each_line_is_what_its_schema_says(full: Store) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from tests.render.test_schema import strict

    check = jsonschema.Draft202012Validator(strict(schema("kb.export/1")))
    lines = [json.loads(line) for line in export(full)]
    assert [error.message[:200] for line in lines for error in check.iter_errors(line)] == []
    assert not check.is_valid({**lines[1], "more": 1})
    assert set(schema("kb.export/1")["$defs"]) == {line["row"] for line in lines[1:]}


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


def recorded(path: Path, *events: str, unnamed: int = 0, host: str = "h") -> Store:
    store = Store(path)
    for event in [*events, *[None] * unnamed]:
        store.record("kb1:77", title="WARNING in b", kind="warning", host=host, event=event)
    return store


def counts(store: Store) -> tuple[int, dict[str | None, int]]:
    shown = store.show("kb1:77")
    return shown.row.count, {seen.host: seen.count for seen in shown.sightings}


def test_events_that_both_stores_know_count_once_and_all_others_add_up(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one.db", "a", "b", "c")
    two = recorded(tmp_path / "two.db", "b", "c", "d", "e")
    recorded(tmp_path / "two.db", "x", "y", host="other")
    for _ in range(2):
        load(one, list(export(two)))
        assert counts(one) == (7, {"h": 5, "other": 2})
    load(two, list(export(one)))
    assert counts(two) == counts(one)
    assert not one.record("kb1:77", title="t", kind="k", host="h", event="e").new
    assert one.record("kb1:77", title="t", kind="k", host="h", event="f").count == 8
    assert one.check() == two.check() == []


def test_of_sightings_without_an_event_the_larger_number_counts(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one.db", "a", unnamed=4)
    two = recorded(tmp_path / "two.db", "a", "b", unnamed=7)
    load(one, list(export(two)))
    assert counts(one) == (9, {"h": 9})
    load(two, list(export(one)))
    assert counts(two) == (9, {"h": 9})


def test_a_dump_of_a_kb_without_events_is_read(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in export(recorded(tmp_path / "one.db", "a", "b", unnamed=3))]
    old = [{k: v for k, v in row.items() if k != "events"} for row in lines if row.get("row") != "event"]
    store = recorded(tmp_path / "two.db", "c")
    for _ in range(2):
        load(store, map(json.dumps, old))
        assert counts(store) == (6, {"h": 6})


def test_an_event_that_is_known_elsewhere_stays_where_it_is(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one.db", "a", host="db17")
    load(one, list(export(recorded(tmp_path / "two.db", "a", "b", host="h"))))
    assert counts(one) == (2, {"db17": 1, "h": 1})


def test_a_note_whose_key_is_taken_is_not_lost(tmp_path: Path) -> None:
    with Store(tmp_path / "one.db") as one, Store(tmp_path / "two.db") as two:
        mine = one.annotate("case:x", "mine", author="ann", key="k")
        other = two.annotate("case:x", "theirs", author="bob", key="k")
        two.annotate("case:x", "edited", author="bob", replaces=other.id)
        for _ in range(2):
            load(one, list(export(two)))
            assert {note.body for note in one.annotations("case:x")} == {"mine", "theirs", "edited"}
        assert one.annotate("case:x", "again", author="ann", key="k") == mine
        load(two, list(export(one)))
        assert two.annotate("case:x", "again", author="ann", key="k") == other


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
        (['{"schema": "kb.export/1"}', '{"row": "event", "event": "xyz"}'], 2),
        (
            [
                '{"schema": "kb.export/1"}',
                '{"row": "event", "event": "00000000000000ff", "signature": "kb1:none", "host": "", "kernel": "",'
                ' "count": 1, "seen": "2031", "source": "-"}',
            ],
            2,
        ),
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


def spoilt(full: Store, kind: str, **changes: object) -> str:
    """A row of that kind with other values."""
    row = next(json.loads(line) for line in export(full) if json.loads(line).get("row") == kind)
    return json.dumps({**row, **changes})


SPOILT: list[tuple[str, dict[str, object]]] = [
    *(("sighting", {"count": count}) for count in (-5, "x", 10**30, 1.5, True, None, [], 2**63)),
    *(("signature", {"count": count}) for count in (-5, "x", 10**30, 1.5, True, None)),
    *(("sighting", {"events": events}) for events in (-1, "x", 10**30, 99, None)),
    *(("event", {"event": event}) for event in (5, "xyz", "f", "f" * 17, "ff" * 40, None)),
    ("event", {"count": -1}), ("event", {"seen": 5}), ("event", {"host": "nowhere"}),
    ("signature", {"signature": 7}), ("signature", {"title": None}), ("signature", {"title": ["x"]}),
    ("signature", {"first": 5}), ("sighting", {"signature": "kb1:none"}), ("sighting", {"host": {"a": 1}}),
    ("annotation", {"first_line": -1}), ("annotation", {"last_line": 10**30}), ("annotation", {"id": None}),
    ("annotation", {"replaces": "none-such", "id": "new"}), ("annotation", {"body": 5}),
    ("evidence", {"text": "?"}), ("evidence", {"text": 5}), ("evidence", {"text": "QUFB" * 400_000}),
    ("stack", {"frames": "abc"}), ("stack", {"frames": []}), ("stack", {"frames": [1]}),
    ("stack", {"frames": ["f"] * 100_000}), ("item", {"digest": "xyz"}), ("item", {"digest": 5}),
    ("case", {"case": []}), ("case", {"case": {}}), ("case", {"case": None}), ("case", {"commits": "abc"}),
    ("case", {"stacks": [5]}), ("duplicate", {"id": "new", "same": 2}), ("duplicate", {"id": 5}), ("alias", {"why": 1}),
    ("draft", {"body": None}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes"), SPOILT)
def test_a_bad_row_is_named_counted_and_skipped(
    kind: str, changes: dict[str, object], full: Store, tmp_path: Path
) -> None:
    lines = list(export(full))
    before = list(lines)
    lines.insert(len(lines), spoilt(full, kind, **changes))
    told: list[tuple[str, str]] = []
    with Store(tmp_path / "new.db") as new:
        assert load(new, lines, "dump", bad=lambda place, why: told.append((place, why))) == len(before) - 1
        assert [place for place, _ in told] == [f"dump:{len(lines)}"]
        assert len(told[0][1]) < 300
        assert list(export(new)) == before
        assert new.check() == []
        with pytest.raises(InputError, match="damaged row"):
            load(new, lines, "dump")


@pytest.mark.parametrize("case_id", ["../../evil", "/etc/x", ".hidden", "a/b", "-rf", "", 5])
def test_an_imported_case_s_id_is_no_path(case_id: object, full: Store, tmp_path: Path) -> None:
    row = next(json.loads(line) for line in export(full) if json.loads(line).get("row") == "case")
    row["case"]["id"] = case_id
    told: list[str] = []
    with Store(tmp_path / "new.db") as new:
        assert load(new, ['{"schema": "kb.export/1"}', json.dumps(row)], bad=lambda place, _: told.append(place)) == 0
        assert len(Imports(new)) == 0
    assert told == ["-:2"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_row_the_others_are_taken_in(data: st.DataObject, full: Store, tmp_path: Path) -> None:
    lines = list(export(full))
    row = json.loads(data.draw(st.sampled_from(lines[1:])))
    key = data.draw(st.sampled_from(sorted(row)))
    row[key] = data.draw(VALUES)
    if data.draw(st.booleans()):
        del row[data.draw(st.sampled_from(sorted(row)))]
    mixed = [lines[0], json.dumps(row), *lines[1:], "[" * 100_000, "\x00", "{", json.dumps(row)]
    with Store(tmp_path / f"{uuid7()}.db") as new:
        load(new, mixed, bad=lambda place, why: None)
        assert new.check() == []
        assert {case.id for case in Imports(new)} >= {"cve-2031-1234"}
        for shown in new.signatures():
            "\n".join(new.show(shown.signature).lines())
        list(export(new))
