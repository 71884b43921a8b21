"""What the words of an answer mean: kinds, causes, facts, reasons, GFP flags, taint letters, terms of the field.

From the tables that the program works with and the documents are made of; nothing is said here a second time.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_WORDS = Path(__file__).parent / "words"
_SECTION = re.compile(r"(?m)^## (\w+)\n")
_PLACE = re.compile(r"\{(\w+)(?::([^{}|]*)(\|[^{}]*)?)?\}")
"""A place of a template: its name, and how it is filled or the first of two words to choose from."""
_TERMINAL = re.compile(r"([A-Z0-9_]+)(?:\.\d+)?: ")


@dataclass(frozen=True, slots=True)
class Explained:
    """What a word means."""

    word: str
    what: str
    """``kind``, ``cause``, ``fact``, ``reason``, ``flag``, ``taint`` or ``term``."""
    means: str
    printed: tuple[str, ...] = ()
    """Where the kernel prints it, and with which words."""
    example: str = ""
    see: str = ""
    """Where more is told."""


def explain(word: str) -> list[Explained]:
    """All that a word means; capitals do not matter, except to taint letters."""
    wanted = _even(word)
    return [one for one in everything() if _even(one.word) == wanted and (one.what != "taint" or one.word == word)]


def _even(word: str) -> str:
    return word.strip().casefold().replace("-", "_").replace(" ", "_")


@functools.cache
def everything() -> tuple[Explained, ...]:
    """All that is known, by table."""
    return (*_kinds(), *_causes(), *_facts(), *_reasons(), *_flags(), *_taints(), *_terms())


@functools.cache
def terms() -> Mapping[str, Mapping[str, str]]:
    """terms.toml as it stands."""
    return tomllib.loads((_WORDS / "terms.toml").read_text(encoding="utf-8"))


def _terms() -> Iterator[Explained]:
    for name, row in terms().items():
        printed = (row["printed"],) if "printed" in row else ()
        yield Explained(name, "term", row["means"], printed, see="docs/terms.md")


def _kinds() -> Iterator[Explained]:
    from kb.syntax.kinds import kinds, rows

    comments = headlines()
    own: dict[str, list[str]] = {}
    for name, row in rows().items():
        own.setdefault(row.kind, []).append(name)
    for kind in kinds().values():
        printed = dict.fromkeys(comments[name] for name in own.get(kind.name, ()) if name in comments)
        titles = [rows()[name].title for name in own.get(kind.name, ())]
        means = f"{kind.means} (severity: {kind.severity.value})"
        example = _PLACE.sub(_named, titles[0]) if titles else ""
        yield Explained(kind.name, "kind", means, tuple(printed), example, "docs/kinds.md")


def _named(place: "re.Match[str]") -> str:
    """What stands for a place of a template where nothing fills it: the word of one, or the name.

    What is joined to the word before it brings its own blank, and need not be there.
    """
    if place[3] is not None:
        return place[2]
    name = "FUNCTION" if place[1] == "fn" else place[1].upper()
    joined = place.string[: place.start()][-1:]
    return f" [{name}]" if joined.isalnum() or joined == "}" else name


@functools.cache
def headlines() -> Mapping[str, str]:
    """Where the kernel prints each headline, by the terminal of grammars/headline.lark: the comment above it."""
    import kb

    text = ""
    for place in map(Path, kb.__path__):
        for folder in (place / "grammars", place.parent / "grammars"):
            if not text and (folder / "headline.lark").is_file():
                text = (folder / "headline.lark").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    comment: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("//"):
            comment = [*(comment if inside else ()), line.lstrip("/ ")]
            inside = True
            continue
        inside = False
        terminal = _TERMINAL.match(line)
        if terminal is not None and comment and not comment[0].startswith("--"):
            found[terminal[1]] = " ".join(comment)
    return found


def _causes() -> Iterator[Explained]:
    parts = _SECTION.split((_WORDS / "causes.md").read_text(encoding="utf-8"))[1:]
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        means = " ".join(body.replace("**", "").split())
        yield Explained(name, "cause", means.removeprefix("Means: "), see="docs/causes.md")


def _facts() -> Iterator[Explained]:
    from kb.facts.vocabulary import NAMES, PREFIXES

    for name, means in (*NAMES.items(), *PREFIXES.items()):
        yield Explained(name, "fact", means, see="docs/facts.md")


def _reasons() -> Iterator[Explained]:
    from kb.words.speak import reasons

    for name, claim in reasons().items():
        yield Explained(name, "reason", _PLACE.sub(_named, claim), see="docs/facts.md")


def _flags() -> Iterator[Explained]:
    from kb.kernel.gfp import tables

    latest = tables()[-1]
    told = tomllib.loads((_WORDS / "flags.toml").read_text(encoding="utf-8"))
    bits: dict[str, list[str]] = {}
    for table in tables():
        where = f"RHEL {table.el}, kernel {table.since}" if table.el is not None else f"v{table.since}"
        for name, value in (*table.bits.items(), *table.masks.items()):
            rows = bits.setdefault(name, [])
            if value and not any(row.startswith(f"{value:#x},") for row in rows):
                rows.append(f"{value:#x}, first in {where}")
    for name, rows in bits.items():
        means = told.get(name, "a GFP flag or mask")
        if name not in latest.bits and name not in latest.masks and "(to v" not in means:
            means += " (of older kernels)"
        yield Explained(name, "flag", means, tuple(rows), see="include/linux/gfp_types.h (gfp.h to v6.0)")


def _taints() -> Iterator[Explained]:
    from kb.kernel.taint import TAINTS

    for letter, taint in TAINTS.items():
        printed = (f"TAINT_{taint.name}, bit {taint.bit}, in `Tainted: G  {letter}` and /proc/sys/kernel/tainted",)
        yield Explained(letter, "taint", str(taint.says), printed, see="Documentation/admin-guide/tainted-kernels.rst")
