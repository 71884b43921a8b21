"""Results in the store: each report once, however often they are loaded."""

from pathlib import Path

from kb import api
from tests.fleet.conftest import kb, rows


def test_results_are_loaded_once(fleet: Path, tmp_path: Path) -> None:
    out, db = tmp_path / "out", tmp_path / "kb.db"
    assert "recorded" in kb("scan", fleet, "--out", out, "--format", "ndjson", "--record", "--db", db)
    found = rows(out)
    assert f"recorded 0, {len(found)} known already" in kb("store", "load", out, "--db", db)
    with api.KnowledgeBase(db) as base:
        seen = base.store.signatures(limit=1000)
        assert sum(row.count for row in seen) == len(found)
        assert {row.signature for row in seen} == {row["signature"] for row in found}
        shown = base.show(found[0]["signature"])
        assert found[0]["evidence"] in [each.text for each in shown.evidence]
        assert base.store.check() == []


def test_other_files_of_the_same_name_count(tmp_path: Path, example: Path) -> None:
    db = tmp_path / "kb.db"
    for n, data in enumerate((example.read_bytes(), example.read_bytes().replace(b"order:5", b"order:4"))):
        log = tmp_path / str(n) / "dmesg"
        log.parent.mkdir()
        log.write_bytes(data)
        told = kb("scan", log, "--out", tmp_path / f"out{n}", "--format", "ndjson", "--record", "--db", db)
        assert "recorded 1\n" in told
