"""What the documents say is what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import generate  # type: ignore[import-not-found]  # noqa: E402

CLI = (ROOT / "docs/cli.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def helps() -> dict[tuple[str, ...], str]:
    """Every command's help."""
    return {words: generate.kb(*words, "--help") for words in generate.commands()}


def test_the_walk_finds_commands_and_theirs(helps: dict[tuple[str, ...], str]) -> None:
    assert {(), ("match",), ("case",), ("case", "lint")} <= set(helps)


def test_every_command_is_documented(helps: dict[tuple[str, ...], str]) -> None:
    missing = [" ".join(words) for words in helps if f"\n## {' '.join(('kb', *words))}\n" not in CLI]
    assert missing == []


def test_every_option_is_documented(helps: dict[tuple[str, ...], str]) -> None:
    """Holds on every Python; that the pages are verbatim is checked on one (docs/generate.py)."""
    options = {(*words, option) for words, text in helps.items() for option in re.findall(r"--[a-z][\w-]*", text)}
    sections = {part.split("\n", 1)[0]: part for part in CLI.split("\n## ")}
    assert [o for o in sorted(options) if o[-1] not in sections.get(" ".join(("kb", *o[:-1])), "")] == []


def test_every_command_and_option_says_what_it_does(helps: dict[tuple[str, ...], str]) -> None:
    """A help line without words is an option without documentation."""
    bare = []
    for words, text in helps.items():
        lines = text.splitlines()
        for line, after in zip(lines, [*lines[1:], ""], strict=True):
            alone = re.fullmatch(r"  (?:-\w(?: [A-Z]+)?, )?--[\w-]+(?: \[?[\w.{},/-]+\]?)*", line.rstrip())
            if alone and not after.startswith("          "):
                bare.append((*words, line.strip()))
    assert bare == []


def test_generated_parts_are_current() -> None:
    run = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "grammars").glob("*.md")])


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_inside_the_repository_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


IN_EXAMPLES = {
    "cases/foo-put-twice", "cases/my-case", "kb/log/containers/archives/bundle.py", "kb/pictures/depth.py",
    "tests/pictures/test_depth.py", "tests/log/containers/test_bundle.py", "tests/kinds/cache_creation.txt",
}  # fmt: skip
"""What the examples of the documents make."""


@pytest.mark.parametrize("path", sorted({*documents(), *(ROOT / "docs").rglob("*.md")}), ids=lambda path: path.name)
def test_a_place_of_the_tree_that_a_document_names_is_there(path: Path) -> None:
    """Outside of blocks of code; what lies at the top is installed below kb/ (ARCHITECTURE.md)."""
    text = re.sub(r"(?ms)^ *(`{3,4}).*?^ *\1$", "", path.read_text(encoding="utf-8"))
    named = set(
        re.findall(r"(?<![\w/.])((?:kb|docs|tests|grammars|contrib|examples|bench|tui|cases)/[\w./-]*[\w/])", text)
    )
    gone = {
        place
        for place in named
        for inner in [re.sub(r"^kb/(?=tui|cases|grammars)", "", place)]
        if not (ROOT / place).exists()
        and not (ROOT / inner).exists()
        and not any(place.startswith(made) for made in IN_EXAMPLES)
    }
    assert gone == set()


def test_every_package_has_a_row_among_the_rooms() -> None:
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## The house")[2].partition("\n\n`")[0]
    rooms = set(re.findall(r"`([\w/.]+)`", "".join(row.split("|")[1] for row in table.splitlines() if row[:1] == "|")))
    folders = {f"kb/{path.parent.name}/" for path in (ROOT / "kb").glob("*/__init__.py")}
    assert folders - rooms == set()
    assert {room for room in rooms if not (ROOT / room).exists()} == set()


def test_every_target_of_make_is_a_step_of_run() -> None:
    targets = re.search(r"(?m)^TARGETS = (.*)$", (ROOT / "Makefile").read_text())
    assert targets is not None
    script = (ROOT / "run").read_text()
    steps = {name for group in re.findall(r"(?m)^ *([a-z][a-z| -]*)\)", script) for name in group.split(" | ")}
    assert set(targets[1].split()) <= steps


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"(?m)^## (.*)$", (ROOT / "CHANGELOG.md").read_text())
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
