"""Headlines: which bug a line announces, by grammars/headline.lark and the rows of kinds.toml."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from kb.log.scan import line_test
from kb.model.log import Line
from kb.syntax.formats import is_format
from kb.syntax.kinds import Row, rows
from kb.syntax.lines import Found, fields, grammar


@dataclass(frozen=True, slots=True)
class Headline:
    """A line that names a bug: its row and the named groups of its terminal."""

    row: Row
    fields: Mapping[str, str]
    text: str


_BEHIND = re.compile(
    r"BUG: |general protection fault|Oops|Unable to handle |Internal error: |Kernel panic|[Kk]ernel BUG at "
    r"|WARNING: "
    r"|(?:NMI )?watchdog: |(?:rcu: )?INFO: |PANIC: |divide error: |invalid opcode: "
)
_UNENDED = re.compile(r".*(?:[a-z0-9.)\]!]|login: |assword: |[\w~\]][#$] )\Z", re.S)
"""Where a headline may begin behind text that nobody ended: printk() without a newline, of another context or an older
kernel, puts no blank between; getty and a shell leave theirs behind the prompt."""
_PLACES = 4
"""Places of a line that are tried."""
_USUAL = 512
"""Characters of a line that is remembered."""
_LIMIT = 4096
"""Characters of a message that are looked at: printk's own bound is 1 kB (2 kB for /dev/kmsg writers)."""


def classify(line: Line) -> Headline | None:
    """The headline that a line is, or None."""
    found = classify_text(line.text)
    return None if found is not None and is_format(line, found.fields) else found


def classify_text(text: str) -> Headline | None:
    """The headline that the text of a line is, or None; whether it was printed is not asked."""
    return _remembered(text) if len(text) <= _USUAL else _classify(text[:_LIMIT])


def _classify(text: str) -> Headline | None:
    if not line_test()(text):
        return None
    text = text.strip()
    found = grammar("headline").match(text) or _glued(text)
    return None if found is None else Headline(rows()[found[0]], fields(found[1]), text)


_remembered = functools.lru_cache(maxsize=16384)(_classify)
"""Lines repeat: frames, registers, and whole reports of a storm."""


def _glued(text: str) -> Found | None:
    """The headline that begins where unfinished text ends, None where there is none."""
    places = (at for found in _BEHIND.finditer(text) if _UNENDED.match(text, 0, at := found.start()) is not None)
    for at in islice(places, _PLACES):
        found = grammar("headline").match(text[at:])
        if found is not None and not rows()[found[0]].solo and not rows()[found[0]].prelude:
            return found
    return None
