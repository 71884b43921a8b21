"""The commands on the store and on history, as a person runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.cli import main
from tests.imports.test_vulns import LOG, MBOX, tree

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs kb with a store of its own; gives exit code, stdout and stderr."""

    def go(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main([*arguments, "--db", str(tmp_path / "kb.db")])
        except SystemExit as error:
            code = int(str(error.code))
        out = capsys.readouterr()
        return code, out.out, out.err

    return go


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "dmesg"
    path.write_bytes(LOG)
    return str(path)


@pytest.fixture
def filled(run: Run, tmp_path: Path) -> Run:
    """With a CVE record imported."""
    code, out, err = run("import", "vulns", str(tree(tmp_path / "vulns")))
    assert (code, out) == (0, "1 read, 1 cases written, 0 passed over\n")
    assert "1/1 read, 1 cases" in err
    return run


def test_an_imported_case_makes_a_log_known(filled: Run, log: str) -> None:
    code, out, _ = filled("match", "--json", log)
    row = json.loads(out)
    assert code == 0
    assert [(match["case"], match["how"]) for match in row["matches"]] == [("cve-2031-1234", "signature")]
    assert row["matches"][0]["fix_status"] == "affected"
    assert row["similar"][0]["case"] == "cve-2031-1234"


def test_similar_explains_by_aligned_frames(filled: Run, log: str) -> None:
    code, out, _ = filled("similar", log)
    assert code == 0
    assert "cve-2031-1234" in out
    assert "        = foo_ring_poll\n        = foo_reset_work\n        + process_one_work\n" in out
    row = json.loads(filled("similar", log, "--json")[1])
    assert row["schema"] == "kb.identity/1"
    assert row["similar"][0]["aligned"] == [
        ["foo_ring_poll", "foo_ring_poll"], ["foo_reset_work", "foo_reset_work"], ["", "process_one_work"],
    ]  # fmt: skip


def test_similar_without_a_store_or_a_report(run: Run, log: str, tmp_path: Path) -> None:
    assert run("similar", log)[0] == 1
    quiet = tmp_path / "quiet"
    quiet.write_text("eth0: up\n")
    assert run("similar", str(quiet))[0] == 3


def test_the_fix_status_of_a_case_on_a_kernel(filled: Run) -> None:
    for kernel, code, status in (("6.1.20", 0, "fixed"), ("6.1.19", 1, "affected"), ("6.1.0-18-amd64", 3, "unknown")):
        got, out, _ = filled("affected", "CVE-2031-1234", "--kernel", kernel)
        assert (got, out.split(":")[0]) == (code, status)
    row = json.loads(filled("affected", "cve-2031", "--kernel", "6.3", "--json")[1])
    assert (row["schema"], row["case"], row["status"]) == ("kb.affected/1", "cve-2031-1234", "fixed")
    assert filled("affected", "nothing", "--kernel", "6.3")[0] == 2


def test_words_find_imported_cases(filled: Run) -> None:
    code, out, _ = filled("case", "search", "foo_reset_work")
    assert (code, out) == (0, "cve-2031-1234  imported   foo: cancel the work before the ring goes\n")
    assert filled("case", "search", "cve-2031")[0] == 0
    assert filled("case", "search", "unheard", "of")[0] == 1


def test_an_imported_case_is_shown_by_its_cve(filled: Run) -> None:
    code, out, _ = filled("case", "show", "CVE-2031-1234")
    assert code == 0
    assert out.startswith("foo: cancel the work before the ring goes\ncve-2031-1234   imported   kasan\n")


def test_a_promoted_case_is_a_folder_that_lints_and_links(
    filled: Run, log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = filled("case", "promote", "cve-2031-1234", "--into", str(tmp_path / "cases"))
    assert (code, Path(out.strip())) == (0, tmp_path / "cases/cve-2031-1234/case.md")
    assert main(["case", "lint", str(tmp_path / "cases")]) == 0
    assert filled("case", "promote", "cve-2031-1234")[0] == 2  # it is imported no more
    monkeypatch.setenv("KB_CASES", str(tmp_path / "cases"))
    code, out, _ = filled("match", "--json", log)  # its key alone is no proof: the predicates are still to be written
    (found,) = json.loads(out)["matches"]
    assert (code, found["case"], found["verdict"]) == (1, "cve-2031-1234", "maybe")
    assert "\ncve-2031-1234 " in "\n" + filled("case", "search", "ring", "goes")[1]


def test_recent_sightings_and_regressions(filled: Run, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(LOG)
    new.write_bytes(LOG.replace(b"6.1.19", b"6.1.25"))
    filled("match", "--record", "--host", "db17", str(old))
    assert filled("log", "--regressions")[:2] == (1, "")
    filled("match", "--record", "--host", "db18", str(new))
    code, out, _ = filled("log", "--regressions")
    assert code == 0
    assert "db18, 6.1.25" in out
    assert "seen again after its fix: cve-2031-1234: 6.1.25 has bbbbbbbbbbbb" in out
    rows = [json.loads(line) for line in filled("log", "--json")[1].splitlines()]
    assert [(row["host"], bool(row["regression"])) for row in rows] == [("db18", True), ("db17", False)]


def test_dup_and_undup(filled: Run, log: str, tmp_path: Path) -> None:
    filled("match", "--record", log)
    other = tmp_path / "other"
    other.write_bytes(LOG.replace(b"foo_", b"bar_"))
    filled("match", "--record", str(other))
    ids = [json.loads(line)["signature"] for line in filled("log", "--json")[1].splitlines()]
    assert filled("undup", *ids)[0] == 2
    code, out, _ = filled("dup", ids[0][:9], ids[1], "--reason", "one driver", "--author", "ann")
    assert (code, out) == (0, f"{ids[0]} = {ids[1]}\n")
    assert f"declared the same as   {ids[1]}" in filled("similar", ids[0])[1]
    assert filled("match", str(other))[0] == 0
    assert filled("undup", *ids)[0] == 0
    assert filled("match", str(other))[0] == 1
    assert filled("dup", ids[0], ids[0])[0] == 2
    assert filled("dup", ids[0], "cve-2031-1234")[0] == 0
    assert filled("match", str(other))[0] == 0


def test_a_store_goes_round_through_files(filled: Run, log: str, tmp_path: Path) -> None:
    filled("match", "--record", log)
    dump = tmp_path / "dump.ndjson"
    assert filled("export", str(dump))[:2] == (0, "")
    assert dump.stat().st_mode & 0o777 == 0o600
    assert main(["import", str(dump), "--db", str(tmp_path / "new.db")]) == 0
    assert main(["match", log, "--db", str(tmp_path / "new.db")]) == 0


@pytest.mark.parametrize("what", ["nonsense", "nonsense more"])
def test_what_cannot_be_imported_says_what_can(run: Run, what: str) -> None:
    code, _, err = run("import", *what.split())
    assert code in (2, 4)
    assert "vulns, git, patches" in err


def test_stats_count(filled: Run, log: str) -> None:
    filled("match", "--record", log)
    row = json.loads(filled("stats", "--json")[1])
    counted = {name: row[name] for name in ("signatures", "sightings", "imported_cases", "stacks")}
    assert counted == {"signatures": 1, "sightings": 1, "imported_cases": 1, "stacks": 2}
    assert (row["by_origin"], row["by_kind"]) == ({"vulns": 1}, {"kasan": 1})
    assert "imported cases" in filled("stats")[1]


@pytest.mark.parametrize("verb", ["stats", "log", "export", "rekey"])
def test_reading_a_store_that_is_not_there_makes_none(run: Run, verb: str, tmp_path: Path) -> None:
    code, _, err = run(verb)
    assert code == 2
    assert "there is no store" in err
    assert not (tmp_path / "kb.db").exists()


def test_escapes_of_a_record_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    text = MBOX.replace("foo: cancel the work", "foo: \x1b[31mcancel the work")
    run("import", "vulns", str(tree(tmp_path / "vulns", text=text)))
    assert "\x1b" not in run("case", "search", "cancel")[1]
    assert "\x1b" not in run("affected", "cve-2031-1234", "--kernel", "6.1")[1]
