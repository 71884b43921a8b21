"""What gets imported when: start-up is paid at every 3 am pipe, and a bot wants no terminal library."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Measured on 3.11, CPU ms over a bare interpreter: logging 20, importlib.metadata 65, asyncio 75, click 55, rich 70,
# sqlite_utils 160, numpy 200, textual 320.
HEAVY = frozenset(
    "logging asyncio importlib.metadata importlib.resources click rich sqlite_utils numpy textual unittest jinja2 "
    "kb.render.html kb.log.kept kb.serve kb.aio kb.mcp anyio fastapi starlette uvicorn pydantic mcp".split()
)
LARKS = frozenset({"logging"})
"""What Lark itself imports; a log with a report needs Lark."""
PAGE = frozenset({"jinja2", "kb.render.html", "kb.log.kept", "asyncio"})
"""What a page needs; Jinja2 itself imports asyncio."""
QUIET = b"[    1.000000] eth0: link up\n[    2.000000] usb 1-1: new device\n"
CLI = "from kb.cli import main\ntry: main({args!r})\nexcept SystemExit: pass\n"


def loaded(code: str, stdin: bytes = b"") -> frozenset[str]:
    """Names of the modules that ``code`` loads into a fresh interpreter."""
    program = (
        "import sys; before = set(sys.modules)\n"
        f"{code}\n"
        "new = sorted(set(sys.modules) - before)\n"
        "import json; sys.stderr.write('\\n' + json.dumps(new))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return frozenset(json.loads(done.stderr.decode().rsplit("\n", 1)[1]))


def within(modules: frozenset[str], names: frozenset[str]) -> list[str]:
    """Those modules that are one of ``names`` or lie inside one."""
    return sorted(m for m in modules if any(m == name or m.startswith(name + ".") for name in names))


def test_importing_kb_loads_nothing_of_kb_but_itself() -> None:
    modules = loaded("import kb; kb.__version__")
    assert within(modules, frozenset({"kb"})) == ["kb"]
    assert within(modules, HEAVY | {"dataclasses", "typing", "re"}) == []


def test_a_type_checker_is_told_the_same_names_from_the_same_homes() -> None:
    """kb/__init__.pyi repeats the table, since a checker cannot follow names that are resolved on first use."""
    import kb

    nodes = ast.parse((ROOT / "kb/__init__.pyi").read_bytes()).body
    told = {alias.asname: node.module for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == kb._HOMES | kb._FORMS
    assert sorted([*kb._HOMES, "__version__"]) == sorted(kb.__all__) == dir(kb)


def test_help_loads_no_parser_and_no_model() -> None:
    modules = loaded(CLI.format(args=["--help"]))
    assert within(modules, HEAVY | {"lark", "re2", "sqlite3", "dataclasses"}) == []


SAYS = frozenset(
    {"kb.diagnose", "kb.matcher", "kb.facts", "kb.syntax", "kb.split", "kb.identity", "kb.words", "kb.cases"}
)
"""What is needed when there is something to say."""
ISO = b"2026-11-28T10:00:00.123456+01:00 db17 kernel: eth0: link up, 1000 Mbps\n" * 3


@pytest.mark.parametrize(
    "log", [QUIET, ISO, b"Nov 28 10:00:00 db17 kernel: eth0: up\n", b"kern  :info  : [    1.000000] a, b\n"]
)
def test_a_quiet_log_is_answered_without_a_parser_or_a_database(log: bytes) -> None:
    for code in (
        CLI.format(args=["match"]),
        CLI.format(args=["match", "--json"]),
        f"import kb; kb.match({log!r}, cases=())",
    ):
        modules = loaded(code, log)
        assert "kb.log" in modules
        assert (
            within(modules, HEAVY | SAYS | {"lark", "sqlite3", "csv", "dataclasses", "pathlib", "kb.log.containers"})
            == []
        )


def test_a_report_is_matched_without_front_ends_and_database_layers(example: Path) -> None:
    modules = loaded(CLI.format(args=["match", "--json", str(example)]))
    assert "kb.matcher" in modules
    assert within(modules, HEAVY - LARKS | {"kb.fleet", "pebble"}) == []


def test_a_page_alone_loads_its_templates(example: Path) -> None:
    modules = loaded(CLI.format(args=["match", "--html", "-o", "/dev/null", str(example)]))
    assert "jinja2" in modules
    assert within(modules, HEAVY - LARKS - PAGE) == []


def test_pictures_are_loaded_where_they_are_drawn(example: Path) -> None:
    assert within(loaded(CLI.format(args=["match", str(example)])), frozenset({"kb.pictures"})) == []
    assert within(loaded(CLI.format(args=["match", "-v", str(example)])), frozenset({"kb.pictures"})) != []


def test_a_match_by_the_api_loads_what_the_command_does(example: Path) -> None:
    modules = loaded(f"import kb; kb.match(open({str(example)!r}, 'rb').read())")
    assert within(modules, (HEAVY - LARKS) | {"argparse"}) == []


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Absolute names of all that a file imports, at its top or anywhere in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def lazy_names(path: Path) -> Iterator[str]:
    """What a file takes of the package by names that the package resolves on first use."""
    import kb

    lazy = {*kb._HOMES, *kb._FORMS}
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "kb":
            yield from {node.attr} & lazy
        elif isinstance(node, ast.ImportFrom) and node.module == "kb":
            yield from {alias.name for alias in node.names} & lazy


def test_the_public_names_are_no_way_around_the_contracts() -> None:
    """import-linter sees that a module imports kb, not what it takes of it: a Diagnosis and a sentence alone may."""
    taken = {(str(path.relative_to(ROOT)), name) for path in sources("kb", "tui") for name in lazy_names(path)}
    forms = {("kb/model/verdict.py", name) for name in ("to_json", "to_markdown", "to_text")}
    assert taken == {*forms, ("kb/model/said.py", "english")}


@pytest.mark.parametrize("path", sources("kb", "tui", "tests", "bench", "docs"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_terminal_program_has_one_name(path: Path) -> None:
    """In a checkout tui/ could be imported as ``tui`` too: two copies of every widget class."""
    assert [name for name in imports(path) if name.split(".")[0] in ("tui", "grammars", "cases")] == []


def test_only_the_command_line_knows_the_terminal_program() -> None:
    """import-linter cannot see it: kb.tui joins the package only at run time."""
    knowing = {path.relative_to(ROOT) for path in sources("kb") for name in imports(path) if name.startswith("kb.tui")}
    assert knowing <= {Path("kb/commands/tui.py")}


def test_lark_is_known_to_its_loaders_only() -> None:
    knowing = {str(p.relative_to(ROOT)) for p in sources("kb") for name in imports(p) if name.split(".")[0] == "lark"}
    assert knowing <= {"kb/syntax/engine.py", "kb/cases/predicate.py", "kb/chat/question.py"}


@pytest.mark.parametrize("first", ["kb.KnowledgeBase", "kb.Verdict", "kb.KbError", "__import__('kb.diagnose')"])
def test_match_is_a_function_whatever_was_used_before_it(first: str) -> None:
    """Importing the module kb.match binds that very name in the package: the function must win."""
    loaded(f"import kb; {first}; assert kb.match(b'') == [], kb.match; from kb import match; assert match(b'') == []")
