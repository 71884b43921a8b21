"""kb scan: every report of every file once, whatever happens to the workers, and no file lost without its name."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from kb import api
from kb.fleet.files import items
from tests.fleet.conftest import ROOT, begun, digest, end, errors, kb, rows, workers

HOOK = {"KB_SCAN_HOOK": "tests.fleet.hooks:misbehave"}
NDJSON = ("--format", "ndjson")


@pytest.fixture(scope="session")
def whole(fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of an undisturbed scan by one process."""
    out = tmp_path_factory.mktemp("whole") / "out"
    kb("scan", fleet, "--out", out, "--jobs", 1, *NDJSON)
    return out


def test_a_scan_finds_what_match_does(fleet: Path, whole: Path) -> None:
    expected = [
        (str(path.relative_to(fleet)), report.span, report.kind, report.title)
        for path in sorted(fleet.rglob("dmesg*"))
        for report in api.read(path)
    ]
    found = [(row["source"], tuple(row["lines"]), row["kind"], row["title"]) for row in rows(whole)]
    assert len(expected) > 8
    assert sorted(found) == sorted(expected)
    assert not errors(whole)


def test_two_processes_leave_the_same_records(fleet: Path, whole: Path, tmp_path: Path) -> None:
    told = kb("scan", fleet, "--out", tmp_path, "--jobs", 2, *NDJSON)
    assert digest(tmp_path) == digest(whole)
    assert re.search(rf"40 of 40 files, \d\.\d MB, {len(rows(whole))} reports", told)


def test_parquet_holds_the_same(fleet: Path, whole: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    kb("scan", fleet, "--out", tmp_path, "--format", "parquet")
    assert digest(tmp_path) == digest(whole)
    assert pq.read_table(tmp_path / "errors.parquet").num_rows == 0
    assert sum(pq.read_table(tmp_path / "signatures.parquet")["count"].to_pylist()) == len(rows(whole))


def test_counts_by_signature_host_and_day_are_those_of_the_reports(whole: Path) -> None:
    counted = [json.loads(row) for row in (whole / "signatures.ndjson").read_text().splitlines()]
    assert len({(row["signature"], row["host"], row["day"]) for row in counted}) == len(counted)
    for row in counted:
        same = [each for each in rows(whole) if all(each[name] == row[name] for name in ("signature", "host", "day"))]
        assert row["count"] == len(same)


def test_what_misbehaves_is_named_and_all_else_counts(fleet: Path, whole: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    for name in ("abort.log", "spin.log"):
        (bad / name).write_bytes(b"")
    (bad / "cut.log.gz").write_bytes(gzip.compress(os.urandom(9000))[:5000])
    (bad / "no.gz").write_bytes(b"\x1f\x8bno gzip \0\1\2\3\4\5\6")
    (bad / "picture").write_bytes(bytes(range(256)))
    out = tmp_path / "out"
    kb("scan", fleet, bad, "--out", out, "--jobs", 2, "--timeout", 3, *NDJSON, code=4, env=HOOK)
    found = errors(out)
    assert {name.rpartition("/")[2] for name in found} == {"abort.log", "spin.log", "cut.log.gz", "no.gz"}
    assert next(why for name, why in found.items() if "abort" in name) == f"its worker ended: signal {signal.SIGABRT:d}"
    assert next(why for name, why in found.items() if "spin" in name) == "not read within 3 s"
    assert len(rows(out)) == len(rows(whole))


def test_workers_that_are_killed_lose_nothing(fleet: Path, whole: Path, tmp_path: Path) -> None:
    process = begun(tmp_path, 1, fleet, "--jobs", 2, *NDJSON)
    for _ in range(5):
        for worker in workers(process)[:1]:
            os.kill(worker, signal.SIGKILL)
        time.sleep(0.2)
    assert process.wait() == 0
    assert digest(tmp_path) == digest(whole)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_scan_that_was_stopped_goes_on(fleet: Path, whole: Path, tmp_path: Path, how: signal.Signals) -> None:
    end(begun(tmp_path, 3, fleet, "--jobs", 1, *NDJSON), how)
    assert {path.name for path in tmp_path.iterdir()} <= {".scan"}, "no half result"
    with (tmp_path / ".scan/journal").open("ab") as file:
        file.write(b'{"source": "a row whose file has no end')
    kb("scan", fleet, "--out", tmp_path, *NDJSON, "--resume")
    assert digest(tmp_path) == digest(whole)
    assert "nothing to go on with" in kb("scan", fleet, "--out", tmp_path, *NDJSON, "--resume")
    assert digest(tmp_path) == digest(whole)


def test_a_scan_goes_on_with_its_own_options_only(fleet: Path, tmp_path: Path) -> None:
    end(begun(tmp_path, 1, fleet, "--jobs", 1, *NDJSON), signal.SIGKILL)
    assert "other options" in kb("scan", fleet, "--out", tmp_path, *NDJSON, "--resume", "--kind", "oops", code=2)


def test_kinds_days_and_samples(fleet: Path, whole: Path, tmp_path: Path) -> None:
    kind = rows(whole)[0]["kind"]
    kb("scan", fleet, "--out", tmp_path / "a", "--kind", kind, "--sample", 0, *NDJSON)
    assert len(rows(tmp_path / "a")) == sum(row["kind"] == kind for row in rows(whole))
    assert {row["evidence"] for row in rows(tmp_path / "a")} == {None}

    log = tmp_path / "log"
    line = (
        "{} db17 kernel: ------------[ cut here ]------------\n"
        "{} db17 kernel: WARNING: CPU: 0 PID: 1 at a.c:1 foo+0x1/0x2\n"
    )
    days = ["2026-11-27T10:00:00+00:00", "2026-11-29T00:30:00+01:00", "2026-11-29T10:00:00+00:00"]
    log.write_text("".join(line.format(day, day) + f"{day} db17 kernel: ---[ end trace 0 ]---\n" for day in days))
    kb("scan", log, "--out", tmp_path / "b", "--since", "2026-11-28", "--sample", 1, *NDJSON)
    found = rows(tmp_path / "b")
    assert [(row["day"], row["host"]) for row in found] == [("2026-11-28", "db17"), ("2026-11-29", "db17")]
    assert sorted(path.name for path in (tmp_path / "b/reports").iterdir()) == ["day=2026-11-28", "day=2026-11-29"]
    assert all(row["evidence"].startswith(b"202") for row in found)


def test_names_are_relative_and_members_have_the_name_of_their_archive(fleet: Path, tmp_path: Path) -> None:
    import zipfile

    host = fleet / "host0"
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(host.iterdir()):
            archive.write(path, path.name)
    kb("scan", tmp_path / "all.zip", "--out", tmp_path / "a", *NDJSON)
    kb("scan", f"{fleet}/*[0]", "--out", tmp_path / "b", *NDJSON)
    kb("scan", *sorted(host.iterdir()), "--out", tmp_path / "c", *NDJSON)
    names = {row["source"] for row in rows(tmp_path / "c")}
    assert names
    assert all((host / name).exists() for name in names)
    assert {row["source"] for row in rows(tmp_path / "b")} == {f"host0/{name}" for name in names}
    assert {row["source"] for row in rows(tmp_path / "a")} == {f"all.zip!{name}" for name in names}


def test_kbs_own_store_and_results_beside_the_logs_are_none(tmp_path: Path) -> None:
    """Else the texts in the results would count again, each time that the same folder is read."""
    sample = ROOT / "cases/nofs-high-order-watermark/match-seed.log"
    (tmp_path / "a.log").write_bytes(sample.read_bytes())
    words = ("scan", tmp_path, "--out", tmp_path / "out", "--format", "ndjson", "--record", "--db", tmp_path / "kb.db")
    kb(*words)
    first = rows(tmp_path / "out")
    assert "recorded 0, 1 known already" in kb(*words)
    assert [row["source"] for row in first] == ["a.log"]
    assert rows(tmp_path / "out") == first


@pytest.mark.parametrize("text", ["[1]", '{"schema": "other/1"}', "[" * 200_000, '{"schema": "kb.scan/1"', "", None])
def test_a_folder_with_another_scan_json_is_read_whole(text: str | None, tmp_path: Path) -> None:
    """Whatever lies there by that name, a pipe (None) too: nothing else is passed over for it, or waited for."""
    sample = (ROOT / "cases/nofs-high-order-watermark/match-seed.log").read_bytes()
    (tmp_path / "logs/reports").mkdir(parents=True)
    (tmp_path / "logs/.scan").mkdir()
    if text is None:
        os.mkfifo(tmp_path / "logs/scan.json")
    else:
        (tmp_path / "logs/scan.json").write_text(text)
    (tmp_path / "logs/reports/a.log").write_bytes(sample)
    assert [item.source for item in items([str(tmp_path / "logs")]) if item.source != "scan.json"] == ["reports/a.log"]


def test_what_a_scan_that_was_stopped_has_left_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / ".scan").mkdir()
    for name in (".scan/journal", "reports/part-0.ndjson", "a.log"):
        (tmp_path / name).write_text("a line\n")
    for source in (".", "*", "**"):
        assert [item.source for item in items([str(tmp_path / source)])] == ["a.log"]
    named = items([str(tmp_path / "reports/*")])
    assert [item.source for item in named] == ["part-0.ndjson"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    kb("scan", tmp_path / "none", "--out", tmp_path / "out", code=4)
    kb("scan", f"{tmp_path}/*.gz", "--out", tmp_path / "out", code=4)
    kb("scan", tmp_path / "empty", "--out", tmp_path / "out", *NDJSON, code=3)
    kb("scan", "nosuch://bucket/a", "--out", tmp_path / "out", code=2)
    kb("store", "load", tmp_path / "empty", code=4)
