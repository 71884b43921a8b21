"""``kb case``: test runs what is named, wherever it lies, and says what; facts speaks the language of predicates."""

import shutil
from pathlib import Path

import pytest

from kb.cli import OK, UNUSABLE, USAGE, main

CASE = Path(__file__).parents[2] / "cases" / "panic-init-killed"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of a case under another id, outside the library."""
    place = tmp_path / "of-my-own"
    shutil.copytree(CASE, place)
    text = (place / "case.md").read_text("utf-8").replace('id = "panic-init-killed"', 'id = "of-my-own"')
    (place / "case.md").write_text(text, encoding="utf-8")
    return place


def test_a_case_outside_the_library_is_run(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["case", "test", str(own)]) == OK
    told = capsys.readouterr().err
    assert "kb: 1 cases run" in told
    assert "of-my-own: " in told
    assert ".log: yes" in told
    assert ".log: no" in told


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_path_without_a_case_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["case", "test", str(tmp_path / name)]) == UNUSABLE


def test_a_log_that_must_match_and_does_not_names_the_predicate(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (own / "case.md").read_text("utf-8")
    line = text[: text.index("require")].count("\n") + 1
    (own / "case.md").write_text(text.replace("subtype == init", "subtype == initt"), encoding="utf-8")
    assert main(["case", "test", str(own)]) == UNUSABLE
    told = capsys.readouterr().out
    assert "the case says no" in told
    assert f"case.md:{line}" in told
    assert "subtype == initt: init" in told


def test_a_case_about_another_kind_says_which(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (own / "case.md").read_text("utf-8").replace('kind = ["panic"]', 'kind = ["oops"]')
    (own / "case.md").write_text(text, encoding="utf-8")
    assert main(["case", "test", str(own)]) == UNUSABLE
    assert "the case is about oops, the report is of kind panic" in capsys.readouterr().out


def test_the_facts_of_a_log_are_predicates_with_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log = next(iter(sorted(CASE.glob("match-*.log"))))
    assert main(["case", "facts", str(log)]) == OK
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("# kernel panic: Attempted to kill init!")
    assert any(line.startswith("subtype == init   [L") for line in told)


def test_facts_of_a_log_without_report_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "quiet.log").write_text("all is well\n")
    assert main(["case", "facts", str(tmp_path / "quiet.log")]) == USAGE


def test_an_index_is_written_into_no_package(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = own.parent / "kb/cases"
    shutil.copytree(own, cases / own.name)
    assert main(["case", "index", "--write", "--cases", str(cases)]) == OK
    (cases / "README.md").unlink()
    (cases.parent / "cli.py").touch()
    assert main(["case", "index", "--write", "--cases", str(cases)]) == OK  # anybody may call a file so
    (cases / "README.md").unlink()
    monkeypatch.setattr("kb.cases.library.folder", lambda _name: cases)  # what an installed kb looks like
    assert main(["case", "index", "--write", "--cases", str(cases)]) == USAGE
    assert not (cases / "README.md").exists()
