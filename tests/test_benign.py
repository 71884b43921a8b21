"""Texts that are no logs hold no report: sources, manuals, this repository's own words about reports."""

import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb import api
from kb.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
_LARGEST = 512 << 10
"""Bytes of a file that is looked at."""
_SHARE = Path("/usr/share")
"""What a distribution brings along: licences, manuals, word lists, changelogs."""


def sources() -> Iterator[Path]:
    """The standard library: half a thousand modules that print, raise and document errors."""
    folder = Path(sysconfig.get_path("stdlib"))
    yield from (path for path in sorted(folder.rglob("*.py")) if "site-packages" not in path.parts)


def manuals() -> Iterator[Path]:
    """Texts of the distribution, where there is one."""
    for folder in ("common-licenses", "doc", "perl", "misc"):
        yield from (path for path in sorted((_SHARE / folder).rglob("*")) if path.suffix != ".gz" and path.is_file())


def own() -> Iterator[Path]:
    """The program's own sources and tables: nearly all headlines stand in them, as patterns and in comments."""
    for pattern in ("kb/**/*.py", "kb/**/*.toml", "tui/**/*.py", "docs/**/*.py"):
        yield from sorted(ROOT.glob(pattern))


def prose() -> Iterator[Path]:
    """The program's documents and cases; what they quote in fences is log text and is meant."""
    yield from sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("cases/*/*.md")])


def unfenced(text: str) -> str:
    """Markdown without its fenced blocks and inline code."""
    return "".join("".join(text.split("```")[::2]).split("`")[::2])


def told(path: Path, data: bytes) -> list[str]:
    try:
        return [f"{path}:{report.headline_line}: {report.title}" for report in api.read(data)]
    except InputError:  # a picture, a database
        return []


def read(path: Path) -> bytes:
    try:
        return b"" if path.stat().st_size > _LARGEST else path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("texts", [sources, manuals, own])
def test_a_text_that_is_no_log_holds_no_report(texts: Callable[[], Iterator[Path]]) -> None:
    assert [line for path in texts() for line in told(path, read(path))] == []


def test_the_documents_hold_no_report_outside_of_what_they_quote() -> None:
    found = [told(path, unfenced(read(path).decode()).encode()) for path in prose()]
    assert [line for lines in found for line in lines] == []


def test_a_condition_in_a_source_text_is_no_warning() -> None:
    """A line of ``if (x && WARN_ON(y))`` that was broken before the second half."""
    assert list(api.read(b"\tif (x &&\n\t    WARN_ON_ONCE(f(a) > b(c)))\n\t\treturn;\n")) == []
