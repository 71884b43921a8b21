"""``kb doctor``: tells what a report of a fault needs, makes nothing, and never raises."""

import ast
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kb import doctor
from kb.store import Store
from tests.test_cli import ROOT, kb


def told(*args: str, **env: str) -> tuple[int, dict[str, Any]]:
    done = kb("doctor", "--json", *args, env=env)
    return done.returncode, json.loads(done.stdout)


def test_it_names_all_parts_and_makes_no_store(tmp_path: Path) -> None:
    code, found = told("--db", str(tmp_path / "kb.db"), KB_MAX_INPUT="5")
    assert (code, found["schema"], found["problems"]) == (0, "kb.doctor/1", [])
    assert [name for name, part in found.items() if isinstance(part, dict) and "failed" in part] == []
    assert (found["sqlite"]["fts5"], found["sqlite"]["json"]) == (True, True)
    assert (found["store"]["there"], found["environment"]["KB_MAX_INPUT"]) == (False, "5")
    assert (found["cases"]["cases"] > 100, found["cases"]["broken"]) == (True, [])
    assert {each["name"]: bool(each["version"]) for each in found["packages"]}["lark"]
    assert list(tmp_path.iterdir()) == []


def test_the_text_tells_the_same_for_a_person_who_will_paste_it(tmp_path: Path) -> None:
    with Store(tmp_path / "kb.db"):
        pass
    env = {"HOME": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    done = kb("doctor", "--db", str(tmp_path / "kb.db"), env=env)
    text = done.stdout.decode("ascii")
    heads = [line.split()[0] for line in text.splitlines() if not line.startswith(" ")]
    assert (done.returncode, heads) == (0, list(told()[1])[1:-1])
    assert "~/kb.db" in text
    assert str(tmp_path) not in text
    assert "mode 0600 (private)" in text


def test_a_store_that_cannot_be_used_is_4(tmp_path: Path) -> None:
    bad = tmp_path / "kb.db"
    bad.write_bytes(b"no database" * 100)
    done = kb("doctor", "--db", str(bad))
    assert (done.returncode, b"cannot be used: not a database" in done.stderr) == (4, True)
    assert b"not a database" in done.stdout
    code, found = told(KB_DB=str(bad))
    assert (code, len(found["problems"])) == (4, 1)


def test_a_folder_of_cases_that_is_not_there_is_4_and_a_broken_case_is_named(tmp_path: Path) -> None:
    code, found = told(KB_CASES=str(tmp_path / "absent"))
    assert (code, found["cases"]["cases"], "absent" in found["problems"][0]) == (4, None, True)
    broken = tmp_path / "one" / "case.md"
    broken.parent.mkdir()
    broken.write_text("no fence here\n")
    code, found = told("--cases", str(tmp_path))
    assert (code, [each["path"] for each in found["cases"]["broken"]]) == (0, [str(broken)])
    assert found["cases"]["folders"][-1]["cases"] == 0
    assert str(broken) in kb("doctor", "--cases", str(tmp_path)).stdout.decode()


@pytest.mark.parametrize("part", ["_packages", "_cases", "_store", "_sqlite", "_terminal"])
def test_a_part_that_fails_says_why_and_the_rest_is_told(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a reason")

    from kb.cli import main

    monkeypatch.setattr(doctor, part, fail)
    code = main(["doctor", "--db", str(tmp_path / "kb.db")])
    assert code == (4 if part in ("_cases", "_store") else 0)
    assert f"{part[1:]:<12} failed: RuntimeError: a reason" in capsys.readouterr().out


def test_every_package_that_is_declared_is_told_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {"": project["dependencies"], **project["optional-dependencies"]}
    declared = {(text.split(">")[0], extra) for extra, texts in names.items() for text in texts}
    declared = {(name, extra) for name, extra in declared if extra != "docs"}  # builds the site, kb never imports it
    assert declared == {(name, extra) for name, (extra, _) in doctor.PACKAGES.items()}


def test_every_environment_variable_that_kb_reads_is_told_of() -> None:
    """Found as strings in calls and look-ups of os.environ."""
    read = set()
    for path in [*ROOT.glob("kb/**/*.py"), *ROOT.glob("tui/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_bytes())):
            parts: list[ast.expr] = []
            if isinstance(node, ast.Call) and "environ" in ast.unparse(node.func):
                parts = node.args[:1]
            elif isinstance(node, ast.Subscript) and "environ" in ast.unparse(node.value):
                parts = [node.slice]
            elif isinstance(node, ast.Compare) and "environ" in ast.unparse(node.comparators[0]):
                parts = [node.left]
            read |= {part.value for part in parts if isinstance(part, ast.Constant)}
    assert read == set(doctor.ENVIRONMENT)


def test_it_does_not_import_what_it_tells_of() -> None:
    from tests.test_imports import CLI, loaded, within

    modules = loaded(CLI.format(args=["doctor", "--db", os.devnull + "/no"]))
    assert within(modules, frozenset("textual rich sqlite_utils prompt_toolkit capstone elftools llm".split())) == []
