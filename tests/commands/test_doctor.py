"""``kb doctor``: tells what a report of a fault needs, makes nothing, and never raises."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kb import doctor
from kb.doctor import packages
from kb.doctor.findings import findings
from kb.doctor.packages import LIBRARY, PACKAGES, SPARED, lacking, within
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
    assert (done.returncode, heads) == (0, list(told()[1])[1:-2])
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
    assert code == (4 if part in ("_cases", "_store", "_sqlite") else 0)
    assert f"{part[1:]:<12} failed: RuntimeError: a reason" in capsys.readouterr().out


def test_every_package_that_is_declared_is_told_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {"": project["dependencies"], **project["optional-dependencies"]}
    declared = {(text.split(">")[0], extra) for extra, texts in names.items() for text in texts}
    declared = {(name, extra) for name, extra in declared if extra != "docs"}  # builds the site, kb never imports it
    assert declared == {(name, extra) for name, (extra, _) in PACKAGES.items()}


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


def problems(seen: dict[str, Any]) -> list[tuple[str, bool]]:
    """Parts of an installation that findings name, and whether they are grave, each with something that helps."""
    found = list(findings({**doctor.examine(os.devnull + "/no"), **seen}))
    assert all(one.help for one in found)
    return sorted((one.about, one.grave) for one in found)


SOUND = {
    "store": {"path": "kb.db", "there": True, "writable": True, "private": True, "problem": None, "help": None},
    "cache": {"path": "cache", "there": True, "writable": True, "private": True},
    "locale": {"locale": "C.UTF-8", "encoding": "UTF-8", "stdout": "utf-8"},
    "packages": [],
}


@pytest.mark.parametrize(
    ("part", "change", "grave"),
    [
        ("python", {"lacks": ["sqlite3"]}, True),
        ("python", {"lacks": ["lzma"]}, False),
        ("sqlite", {"fts5": False}, True),
        ("sqlite", {"failed": "ModuleNotFoundError: No module named '_sqlite3'"}, True),
        ("store", {"problem": "damaged", "help": "move it"}, True),
        ("store", {"writable": False}, False),
        ("store", {"private": False}, False),
        ("cache", {"private": False}, False),
        ("cache", {"writable": False}, False),
        ("cases", {"folders": [{"path": "a", "problem": "no such folder"}]}, True),
        ("cases", {"broken": [{}]}, False),
        ("known", {"path": None}, False),
        ("known", {"fit": False}, False),
        ("locale", {"encoding": "ISO-8859-1"}, False),
        ("locale", {"stdout": "ascii"}, False),
    ],
)
def test_what_is_wrong_is_named_with_what_helps(part: str, change: dict[str, Any], grave: bool) -> None:
    assert problems(SOUND) == []
    whole = {**doctor.examine(os.devnull + "/no"), **SOUND}[part]
    if "failed" in change:
        assert [one.grave for one in findings({**doctor.examine(os.devnull + "/no"), **SOUND, part: change})] == [grave]
    else:
        assert problems({**SOUND, part: {**whole, **change}}) == [(part, grave)]


@pytest.mark.parametrize(
    ("name", "extra", "version", "fits", "grave"),
    [
        ("lark", None, None, None, True),
        ("google-re2", None, None, None, False),
        ("capstone", "disasm", None, None, None),  # an extra is nobody's fault
        ("lark", None, "1.1", False, True),
        ("mcp", "mcp", "1.0", False, False),
        ("mcp", "mcp", "2.0", True, None),
    ],
)
def test_a_package_is_wrong_where_kb_cannot_run_on_it(
    name: str, extra: str | None, version: str | None, fits: bool | None, grave: bool | None
) -> None:
    row = {"name": name, "version": version, "extra": extra, "for": "x", "wanted": ">=2", "fits": fits, "problem": None}
    found = problems({**SOUND, "packages": [row]})
    assert found == ([] if grave is None else [("packages", grave)])


@pytest.mark.parametrize(
    ("name", "extra", "grave"), [("lark", None, True), ("google-re2", None, False), ("capstone", "disasm", False)]
)
def test_a_package_that_is_there_but_cannot_be_loaded_is_wrong(name: str, extra: str | None, grave: bool) -> None:
    row = {"name": name, "version": "5", "extra": extra, "for": "x", "wanted": ">=2", "fits": True, "problem": "why"}
    assert problems({**SOUND, "packages": [row]}) == [("packages", grave)]


def test_packages_are_tried_where_they_can_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is cut, one that ends its process, one that prints; the others go on."""
    (tmp_path / "cut.py").write_text("raise ImportError('libx.so.1: cannot open\\n shared object file')\n")
    (tmp_path / "ends.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n")
    (tmp_path / "leaves.py").write_text("import os; os._exit(3)\n")
    (tmp_path / "prints.py").write_text("print('a\\tb')\n")
    (tmp_path / "names.py").write_text("raise ImportError('/lib/\\udce9.so')\n")
    (tmp_path / "binary.py").write_bytes(b"\x7fELF\x00")
    monkeypatch.syspath_prepend(tmp_path)
    found = packages.broken(("cut", "ends", "json", "leaves", "prints", "names", "binary", "nowhere"))
    assert list(found) == ["cut", "ends", "leaves", "names", "binary", "nowhere"]
    assert found["names"] == "ImportError: /lib/\\udce9.so"
    assert found["cut"] == "ImportError: libx.so.1: cannot open shared object file"
    assert ("SIGSEGV" in found["ends"], "exit code 3" in found["leaves"]) == (True, True)


def test_one_that_hangs_is_left_and_the_others_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hangs.py").write_text("import time; time.sleep(60)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(packages, "_PATIENCE", 5.0)
    assert packages.broken(("json", "hangs", "nowhere")) == {
        "hangs": "its import takes more than 5 s",
        "nowhere": "ModuleNotFoundError: No module named 'nowhere'",
    }


def test_where_no_process_can_be_started_the_versions_are_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setattr(packages, "broken", packages.broken.__wrapped__)
    assert {row["name"]: row["version"] for row in packages.look()}["lark"]


def test_each_package_is_tried_by_the_name_that_it_is_imported_by() -> None:
    assert packages.broken(()) == {}
    assert [row["name"] for row in packages.look() if row["problem"]] == []


@pytest.mark.parametrize(
    ("version", "wanted", "answer"),
    [
        ("5.2", "<6,>=5.2.0", True),
        ("5.10.1", "<6,>=5.2", True),
        ("5.1.9", "<6,>=5.2", False),
        ("6.0", "<6,>=5.2", False),
        ("1.1.20251105", "<2,>=1.1", True),
        ("4.0.0rc1", ">=4", True),
        ("0.0.9", ">=0.0.20", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, wanted: str, answer: bool) -> None:
    assert within(version, wanted) is answer


def test_an_import_that_fails_is_told_as_what_is_missing() -> None:
    missing = str(lacking(ModuleNotFoundError("No module named 'lark'", name="lark.lexer")))
    assert "not installed: lark" in missing
    assert "pip install kernel-kb" in missing
    assert "python3-minimal" in str(lacking(ModuleNotFoundError("No module named '_lzma'", name="_lzma")))
    assert "cannot be loaded" in str(lacking(ImportError("libfoo.so: no such file", name="textual")))
    assert lacking(ImportError("cannot import name 'x' from 'kb.api'", name="kb.api")) is None
    assert lacking(ImportError("no name")) is None


def test_what_may_be_missing_is_known_by_its_name() -> None:
    assert set(PACKAGES) > SPARED
    assert set(LIBRARY.values()) <= sys.stdlib_module_names


def test_where_nothing_but_kb_is_installed_every_verb_says_so_and_the_doctor_answers(
    tmp_path: Path, example: Path
) -> None:
    """No site-packages: what a wheel leaves behind that was installed without what it runs on."""
    code = "import sys; sys.path[0] = sys.argv.pop(1); from kb.cli import main; sys.exit(main())"

    def alone(*words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-I", "-S", "-c", code, str(ROOT), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env={"HOME": str(tmp_path)}, input="", capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    for words in (
        ("match", str(example)), ("inputs", str(example)), ("clean", str(example)),
        ("diff", str(example), str(example)), ("ask", "why", str(example)), ("chat", str(example)),
        ("log",), ("stats",), ("export",), ("case", "list"),
        ("verify", "nofs-high-order-watermark"), ("serve",), ("mcp",), ("scan", str(example), "--out", "out"),
    ):  # fmt: skip
        code_, _, said = alone(*words)
        assert (words, code_, "Traceback" in said) == (words, 2, False), said
        assert " -m pip install " in said or "pip install 'kernel-kb[" in said, words
    code_, told_, said = alone("doctor")
    assert (code_, "Traceback" in said) == (4, False)
    assert "not installed, though kb always runs on it: jinja2 (writes the page of kb match --html), lark" in said
    assert "known" in told_
