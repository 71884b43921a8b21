"""Headlines: which bug a line announces, by grammars/headline.lark and the rows of kinds.toml."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from kb.log.scan import line_test
from kb.model.log import Line
from kb.syntax.formats import is_format
from kb.syntax.kinds import Row, rows
from kb.syntax.lines import fields, grammar


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
    found = classify_text(line.text)
    return None if found is not None and is_format(line, found.fields) else found


def classify_text(text: str) -> Headline | None:
    """The headline that the text of a line is, or None; whether it was printed is not asked."""
    text = text[:_LIMIT]
    return _classify(text.strip()) if line_test()(text) else None


@functools.lru_cache(maxsize=4096)
def _classify(text: str) -> Headline | None:
    found = grammar("headline").match(text)
    return None if found is None else Headline(rows()[found[0]], fields(found[1]), text)
