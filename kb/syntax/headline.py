"""Headlines: which bug a line announces, by grammars/headline.lark and the rows of kinds.toml."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kb.log.scan import line_test
from kb.model.log import Line
from kb.syntax import engine


@dataclass(frozen=True, slots=True)
class Row:
    """One row of kinds.toml; the fields are explained at its top."""

    name: str
    kind: str
    title: str
    guilty: tuple[str, ...]
    subtype: str | None = None
    alt: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    joins: frozenset[str] = frozenset()
    late: bool = False
    prelude: bool = False
    bare: bool = False
    solo: bool = False
    needs: str = ""
    lost: bool = False
    variants: tuple[tuple[tuple[tuple[str, "re.Pattern[str]"], ...], Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class Headline:
    """A line that names a bug: its row and the named groups of its terminal."""

    row: Row
    fields: Mapping[str, str]
    text: str


_LIMIT = 4096
"""Characters of a message that are looked at: printk's own bound is 1 kB (2 kB for /dev/kmsg writers)."""


def classify(line: Line) -> Headline | None:
    """The headline that a line is, or None."""
    text = line.text[:_LIMIT]
    return _classify(text.strip()) if line_test()(text) else None


@functools.lru_cache(maxsize=4096)
def _classify(text: str) -> Headline | None:
    tree = engine.parse_lines(engine.load("headline"), [Line(text, 1, 1, b"")])
    token = next(engine.tokens(tree), None)
    return None if token is None else Headline(rows()[token.type], dict(token.fields), text)


@functools.cache
def rows() -> Mapping[str, Row]:
    """All rows of kinds.toml by the name of their terminal."""
    import tomllib

    raw = tomllib.loads((Path(__file__).parent / "kinds.toml").read_text(encoding="utf-8"))
    shared: dict[str, list[dict[str, Any]]] = {}
    for name, row in raw.items():
        for variant in row.get("variant", ()):
            for target in (name, *variant.get("same_for", ())):
                shared.setdefault(target, []).append(variant)
    return {name: _row(name, row, shared.get(name, [])) for name, row in raw.items()}


_CONDITIONS = ("file", "fn", "fn2", "what", "note", "address")


def _row(name: str, row: Mapping[str, Any], variants: list[dict[str, Any]]) -> Row:
    plain = {key: value for key, value in row.items() if key != "variant"}
    return Row(name=name, variants=tuple(_variant(variant) for variant in variants), **_typed(plain))


def _variant(variant: Mapping[str, Any]) -> tuple[tuple[tuple[str, "re.Pattern[str]"], ...], Mapping[str, Any]]:
    conditions = tuple((key, re.compile(variant[key])) for key in _CONDITIONS if key in variant)
    changes = {key: value for key, value in variant.items() if key not in (*_CONDITIONS, "same_for")}
    return conditions, _typed(changes)


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    if "joins" in typed:
        typed["joins"] = frozenset(typed["joins"])
    return typed


def refine(row: Row, fields: Mapping[str, str]) -> Row:
    """The row as the first variant changes it whose conditions all hold for these fields."""
    for conditions, changes in row.variants:
        if all(pattern.search(fields.get(key, "")) for key, pattern in conditions):
            return replace(row, **changes)
    return row
