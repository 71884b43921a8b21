"""Headlines: which bug a line announces, by grammars/headline.lark and the rows of kinds.toml."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from kb.log.scan import line_test
from kb.model.log import Line
from kb.syntax import engine
from kb.syntax.formats import is_format
from kb.syntax.kinds import Row, rows


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
    found = _classify(text.strip()) if line_test()(text) else None
    return None if found is not None and is_format(line, found.fields) else found


@functools.lru_cache(maxsize=4096)
def _classify(text: str) -> Headline | None:
    tree = engine.parse_lines(engine.load("headline"), [Line(text, 1, 1, b"")])
    token = next(engine.tokens(tree), None)
    if token is None:
        return None
    return Headline(rows()[token.type], dict(token.fields), text)
