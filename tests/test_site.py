"""The site: it builds without a warning, its commands are commands, its snippets run, its links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kb.cli import build_parser, verbs
from kb.commands.samples import logs
from kb.render import answer
from kb.words import speak

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import conf  # type: ignore[import-not-found]  # noqa: E402
import generate  # type: ignore[import-not-found]  # noqa: E402
import screenshots  # type: ignore[import-not-found]  # noqa: E402

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
PAGES = [page for page in PAGES if "reference/case/" not in str(page)]
_FENCE = re.compile(r"(?ms)^ *```([\w{}-]*)[^\n]*\n(.*?)^ *```$")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fences(page: Path, *languages: str) -> Iterator[str]:
    for language, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def typed(page: Path) -> Iterator[str]:
    """The lines that a reader types."""
    for text in fences(page, "console"):
        yield from (line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))
    for text in fences(page, "", "sh"):
        yield from text.splitlines()


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each call of kb in a line of a shell."""
    line = re.sub(r"(?<=\s)\d(?=[<>])", "", line)  # the descriptor of a redirection is no argument
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("|;&<>"):
            if words and words[0].rpartition("/")[2] in ("kb", "kernel-kb"):
                yield words[1:]
            words = []
        else:
            words.append(word)


COMMANDS = [(page, line) for page in PAGES for line in typed(page) if re.search(r"(^|[\s|])(\S*/)?kb ", line)]


def test_the_pages_hold_commands() -> None:
    assert len(COMMANDS) > 100
    assert {("match", "LOG"), ("scan", "DIR")} <= {
        tuple(each) for each in calls("kb match LOG | head; kb scan DIR 2> x")
    }


@pytest.mark.parametrize(
    ("page", "line"), COMMANDS, ids=[f"{name(page)}: {line.strip()[:60]}" for page, line in COMMANDS]
)
def test_every_command_of_the_documents_is_one(page: Path, line: str) -> None:
    parser = build_parser()
    for words in calls(line):
        if words and words[0] not in verbs(parser) and not words[0].startswith("-"):
            words = ["match", *words]  # `kb LOG`
        try:
            parser.parse_args(words)
        except SystemExit as end:
            if end.code not in (0, None):
                pytest.fail(f"{name(page)}: {line}")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_command_answers_is_written_by_the_command(page: Path) -> None:
    """Outside of what cog writes, a console shows what is typed."""
    text = re.sub(r"(?s)<!-- \[\[\[cog.*?\[\[\[end\]\]\] -->", "", page.read_text(encoding="utf-8"))
    consoles = [block for language, block in _FENCE.findall(text) if language == "console"]
    assert [line for block in consoles for line in block.splitlines() if not line.startswith("$ ")] == []


STANDS_FOR = {
    r"(?<= )(LOG|boot\.log|console\.log|panic\.log|/var/log/kern\.log)(?= |$)": "dmesg.txt",
    r"/logs/\*/dmesg-\*\.gz": "*.log",
    r"(?<= )/logs(?= )": ".",
    r"(?<= )cases/nofs-high-order-watermark/match-seed\.log": "dmesg.txt",
}
"""What the documents call a log, and where it lies for the tests."""
ASKS_FOR = {
    r"kb (serve|tui|watch|mcp|chat)\b": "a terminal or ^C: tests/serve, tests/tui and tests/chat run them",
    r"s3://|--dask|\.parquet|--debuginfo": "a cluster, object storage, debug information: tests/fleet runs them",
    r"kb import (vulns|git|patches|changelog) ": "the history of others: tests/imports runs them",
    r"kb forget (?!.*--(yes|dry-run))": "somebody who answers",
    r"^eval ": "the shell that the completions are of",
}
"""Commands that are only read here, and why."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", list(dict.fromkeys(page for page, _ in COMMANDS if page.name != "CONTRIBUTING.md")), ids=name
)
def test_the_commands_of_a_page_run_one_after_the_other(page: Path) -> None:
    """Those that cog writes with their answers are run by the check of the documents."""
    text = page.read_text(encoding="utf-8")
    if "generate.session" in text or "generate.help_pages" in text:
        assert "```console" in text
        return
    sandbox = generate.Sandbox()
    (sandbox.folder / "cases").mkdir()
    sandbox.run("kb match --record --brief dmesg.txt")
    for line in (line.strip() for where, line in COMMANDS if where == page):
        if any(re.search(pattern, line) for pattern in ASKS_FOR):
            continue
        for pattern, instead in STANDS_FOR.items():
            line = re.sub(pattern, instead, line)
        if line.startswith("./run"):
            continue
        code = "; test $? -le 4" if " lint" in line else ""  # an untouched draft does not pass
        sandbox.run(re.sub(r"\s+#\s.*$", "", line) + code)


def snippets() -> list[tuple[Path, str]]:
    pages = [page for page in PAGES if page.name != "CONTRIBUTING.md"]  # has a test of its own
    return [(page, text) for page in pages for text in fences(page, "python")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the commands of the documents find, and nobody's settings."""
    for name_, data in logs().items():
        (tmp_path / name_).write_bytes(data)
    for variable in [each for each in os.environ if each.startswith("KB_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("page", "text"), snippets(), ids=[name(page) for page, _ in snippets()])
def test_every_snippet_runs(page: Path, text: str, home: Path) -> None:
    said: list[str] = []
    log = (home / "dmesg.txt").read_bytes()
    ticket: Any = SimpleNamespace(comment=said.append, id="4711")
    exec(compile(text, name(page), "exec"), {"__name__": "snippet", "log": log, "attachment": log, "ticket": ticket})
    if "ticket.comment" in text:
        assert "nofs\\-high" in said[0] or "nofs-high" in said[0]


def test_the_readme_is_one_screen_with_a_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    pictures = re.findall(r"(?s)!\[[^\]]*\]\(([^)]+\.svg)\)", text)
    assert pictures
    made = {f"{name}.svg" for name in screenshots.SHOTS} | set(generate.PICTURES)
    assert {Path(each).name for each in pictures} <= made


@pytest.mark.parametrize("page", ["json", "http"])
def test_every_field_of_the_reference_says_what_it_means(page: str) -> None:
    """The words are those of the schemas in kb/schemas, of the forms and the parameters in kb/serve."""
    rows = re.findall(r"(?m)^\| (`[^`]+`) \|.*?\| ([^|]*) \|$", (ROOT / f"docs/reference/{page}.md").read_text("utf-8"))
    assert len(rows) > 50
    assert [name_ for name_, means in rows if not means.removesuffix("(may be absent)").strip()] == []


SIGNS = {"en": ("how-to/on-call.md", "tutorial.md"), "zh": ("zh/on-call.md", "zh/tutorial.md")}


@pytest.mark.parametrize("language", SIGNS)
def test_the_signs_that_pages_explain_are_those_of_an_answer(language: str) -> None:
    said = speak.words(language)
    signs = [f"✓ {said('label.known')}", f"? {said('label.perhaps')}", f"{answer.TYPE_ONLY} {said('label.type')}"]
    signs.append(f"- {said('label.none')}")
    assert answer.MARK["yes"] + answer.MARK["maybe"] == "✓?"
    for page in SIGNS[language]:
        text = (ROOT / "docs" / page).read_text("utf-8")
        shown = [sign for sign in signs if f"`{sign}`" not in text]
        assert shown == ([signs[0]] if "tutorial" in page else []), page
        assert "`~" not in text


def test_every_page_stands_in_the_table_of_contents() -> None:
    listed = set()
    for index in ("index.md", "decisions/index.md"):
        page = ROOT / "docs" / index
        for text in fences(page, "{toctree}"):
            rows = (row.strip() for row in text.splitlines())
            listed |= {(page.parent / f"{row}.md").resolve() for row in rows if row and row[0] != ":"}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - listed - {ROOT / "docs/index.md"} == set()


def test_links_to_texts_lead_to_pages_of_the_site() -> None:
    """Sphinx warns of others, and is not at hand in each run."""
    sources = {page: conf.SOURCES.get(page, page) for page in PAGES if page.is_relative_to(ROOT / "docs")}
    lead = {
        (name(source), link[1])
        for source in sources.values()
        for link in conf._LINK.finditer(_FENCE.sub("", source.read_text(encoding="utf-8")))
        if link[1].endswith(".md") and (source.parent / link[1]).resolve() not in (*sources, *conf.PAGES)
    }
    assert lead == set()


def asked(page: Path) -> list[list[str]]:
    """The commands of each section of a page, without the language of the answer and the words of questions."""
    sections = re.split(r"(?m)^## ", page.read_text(encoding="utf-8"))
    lines = [re.findall(r"(?m)^\$ (.*)$", text) for text in sections]
    return [[re.sub(r'"[^"]*"| --lang zh', "", line) for line in section] for section in lines]


@pytest.mark.parametrize(
    ("chinese", "english"), [("zh/tutorial.md", "tutorial.md"), ("zh/on-call.md", "how-to/on-call.md")]
)
def test_pages_in_chinese_say_what_the_english_ones_do(chinese: str, english: str) -> None:
    """Section by section, with the same commands."""
    assert asked(ROOT / "docs" / chinese) == asked(ROOT / "docs" / english)


@pytest.mark.extra
def test_the_service_answers_what_the_page_of_its_operator_asks(home: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    page = ROOT / "docs/how-to/operator.md"
    text = page.read_text(encoding="utf-8").partition("<!-- served -->")[2]
    found = _FENCE.search(text)
    assert found is not None
    lines = [line.removeprefix("$ ") for line in found[2].splitlines()]
    assert lines[0].startswith("kb serve ")
    from tests.serve.conftest import start

    server = start(home)
    try:
        for line in lines[1:]:
            assert line.startswith("curl "), line
            asked = line.replace("http://127.0.0.1:8741", server.url.rstrip("/"))
            command = ["sh", "-c", asked.replace("curl ", "curl -sS --fail-with-body --noproxy '*' ", 1)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            assert done.stdout
    finally:
        server.stop()


@pytest.mark.extra
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="Sphinx is not installed: ./run check-all brings it")
    pytest.importorskip("furo")
    pytest.importorskip("myst_parser")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(ROOT / "docs"),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "zh/tutorial.html").exists()
    links = {
        (page, link)
        for page in tmp_path.rglob("*.html")
        for link in re.findall(r'(?:href|src)="(?!https?:|mailto:|data:|#|//)([^"#?]+)', page.read_text("utf-8"))
    }
    dead = sorted(f"{page.relative_to(tmp_path)}: {link}" for page, link in links if not (page.parent / link).exists())
    assert dead == []
    python = (tmp_path / "reference/python.html").read_text("utf-8")
    import kb

    assert [each for each in kb.__all__ if each != "__version__" and f'id="kb.{each}"' not in python] == []
    assert ">Type<" not in python, "a sentence with a colon is no type and its name"
