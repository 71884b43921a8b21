"""Single lines: which terminal of a grammar a line is, and the named parts of it. No Lark at run time.

A *line grammar* of ``grammars/`` has one terminal a printk. All its terminals are asked at once by a regular-expression
set (google-re2's ``Set``); the first in the grammar's order whose own pattern fits the whole line wins, which is what
Lark's lexer would have said (tests/syntax/test_lines.py holds the two against each other). The set only nominates: its
patterns are loosened (look-arounds left out, long repeats without their upper bound), so that it is small and fast to
compile, and every nomination is confirmed by the terminal's own pattern, which also gives the fields.

Where the set cannot speak for Python's ``re`` (re2 is not installed, or the line holds characters that the two class
differently) one alternation of all terminals decides.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from kb.model.log import Line
from kb.syntax.engine import LineToken, Tables, tables
from kb.syntax.sets import Nominate, nominator

_GROUP = re.compile(r"\(\?P(<|=)(\w+)")
_ALIKE = re.compile(r"[\t\x20-\x7e]*")
"""Lines in which ``\\w``, ``\\s`` and ``.`` mean the same to re2 as to ``re``."""

_REMEMBERED = 4096
"""Lines of which the terminal is remembered: those of the report that is read, and frames that repeat."""
USUAL = 512
"""Characters of such a line."""

Found = tuple[str, "re.Match[str]"]
"""The name of a terminal and its match over the whole line."""


class Block(NamedTuple):
    """Lines from one that opens a block to the next that does."""

    rule: str | None
    """The rule of the grammar: ``trace``; None for the lines before the first block."""
    tokens: list[LineToken]


class Grammar:
    """The terminals of a line grammar, asked one line at a time.

    Args:
        made: The terminals in the order in which they are asked, and what opens blocks.
    """

    def __init__(self, made: Tables):
        self.names = tuple(name for name, _ in made.terminals)
        self._patterns = tuple(pattern for _, pattern in made.terminals)
        self._loose = made.loose
        self._openers = made.openers
        self._own: list[Callable[[str], re.Match[str] | None] | None] = [None] * len(self.names)
        self._remembered = functools.lru_cache(maxsize=_REMEMBERED)(self.match)

    def recall(self, text: str) -> Found | None:
        """As :meth:`match`: of a line that is asked of more than once, by who splits a log and by who parses it."""
        return self._remembered(text) if len(text) <= USUAL else self.match(text)

    def match(self, text: str) -> Found | None:
        """The terminal that fits the whole line: of several, the one of higher priority, then the first in the file."""
        nominate = self._set
        if nominate is None or _ALIKE.fullmatch(text) is None:
            found = self._alternation.fullmatch(text)
            if found is None or found.lastgroup is None:
                return None
            index = int(found.lastgroup[1:])
            own = self._confirm(index, text)
            return (self.names[index], own) if own is not None else None
        for index in sorted(nominate(text) or ()):
            own = self._confirm(index, text)
            if own is not None:
                return self.names[index], own
        return None

    def tokens(self, lines: Iterable[Line]) -> Iterator[LineToken]:
        """The lines that some terminal fits, in order, each with its place among all."""
        recall = self.recall
        for index, line in enumerate(lines):
            found = recall(line.text)
            if found is not None:
                yield LineToken(found[0], line, index, found[1])

    def blocks(self, lines: Iterable[Line]) -> list[Block]:
        """The same, cut where a line opens a block: the tree that the grammar's rules give."""
        blocks = [Block(None, [])]
        for token in self.tokens(lines):
            rule = self._openers.get(token.type)
            if rule is not None:
                blocks.append(Block(rule, []))
            blocks[-1].tokens.append(token)
        return blocks

    def _confirm(self, index: int, text: str) -> "re.Match[str] | None":
        own = self._own[index]
        if own is None:
            own = self._own[index] = re.compile(self._patterns[index]).fullmatch
        return own(text)

    @functools.cached_property
    def _alternation(self) -> "re.Pattern[str]":
        parts = (f"(?P<t{index}>{_own(index, pattern)})" for index, pattern in enumerate(self._patterns))
        return re.compile("|".join(parts))

    @functools.cached_property
    def _set(self) -> Nominate | None:
        return nominator(self._loose, whole=True)


class Words:
    """The terminals of a word grammar, found inside a text; what is none of them is stepped over."""

    def __init__(self, made: Tables):
        self._names = tuple(name for name, _ in made.terminals)
        self._fields: list[Mapping[str, str]] = []
        parts = []
        for index, (_, pattern) in enumerate(made.terminals):
            groups = dict.fromkeys(found[1] for found in _GROUP.findall(pattern))
            self._fields.append({group: f"t{index}_{group}" for group in groups})
            parts.append(f"(?P<t{index}>{_own(index, pattern)})")
        self._find = re.compile("|".join(parts)).finditer

    def find(self, text: str) -> Iterator[tuple[str, Mapping[str, str], "re.Match[str]"]]:
        """Name of the terminal, the named groups that took part, and the match, from left to right."""
        for match in self._find(text):
            index = int((match.lastgroup or "t0")[1:])
            fields = {name: match[group] for name, group in self._fields[index].items() if match[group] is not None}
            yield self._names[index], fields, match


def _own(index: int, pattern: str) -> str:
    """A pattern whose groups have names that no other terminal's have."""
    return _GROUP.sub(rf"(?P\g<1>t{index}_\g<2>", pattern)


def fields(match: "re.Match[str]") -> dict[str, str]:
    """The named groups that took part in a match."""
    return {name: value for name, value in match.groupdict().items() if value is not None}


@functools.cache
def grammar(name: str) -> Grammar:
    """The line grammar ``grammars/<name>.lark``; made once a process."""
    return Grammar(tables(name, "lines"))


@functools.cache
def words(name: str) -> Words:
    """The word grammar ``grammars/<name>.lark``; made once a process."""
    return Words(tables(name, "words"))
