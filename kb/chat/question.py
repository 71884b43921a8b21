"""A line -> a question: which one is asked, and its arguments, by grammars/chat.lark.

The grammar names the words; two things are decided here. Of several questions in one line the one that stands first
in ``RANKS`` is meant ("what fixed it, and why" asks for the fix). And what may be a typing error is found
(:mod:`kb.chat.spelling`): what it may stand for is asked, never acted on.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from kb.chat.asked import canonical, simplified
from kb.chat.spelling import corrected

RANKS = (
    "exit", "thanks", "help", "paste", "load", "note", "file_case", "show_case", "search", "used", "boss",
    "recovered", "reboot", "severity", "now", "whatif", "changed", "compare", "archive", "duration", "host", "seen",
    "count",
    "affected",
    "excluded", "missing", "sources", "workaround", "verify", "fix", "known", "similar", "request", "lines",
    "mask", "signature", "blamed", "kernel", "when", "who", "why", "zones", "stack", "reports", "cases",
    "happened", "define",
)  # fmt: skip
"""Questions, those that a line with several means first before the others."""

COMMANDS = frozenset("exit thanks help paste load note file_case show_case search".split())
"""What takes the rest of its line as it is."""

_CJK = "\u3400-\u9fff\uf900-\ufaff"
_EDGE = re.compile(rf"(?<=[{_CJK}])(?=[A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?=[{_CJK}])")
_GAP_WORD = re.compile(rf"[A-Za-z_][\w.'-]*|[{_CJK}]+")
_CHINESE = re.compile(f"[{_CJK}]")
_LONGEST = 2000
"""Characters of a line that are read; a question is not longer."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a line asks."""

    text: str
    """As typed."""
    kind: str | None
    """One of ``RANKS``; None where the line has no question word."""
    args: tuple[tuple[str, dict[str, str]], ...] = ()
    """Arguments in the order of the line: name (``release``, ``hex`` ...) and named parts."""
    topics: tuple[str, ...] = ()
    """Terminals of the grammar's topics: ``COMPACTION``."""
    kinds: tuple[str, ...] = ()
    """All questions that stand in the line."""
    strange: tuple[str, ...] = ()
    """Words that the grammar does not know."""
    understood: str | None = None
    """The line as it may have been meant, where it may hold typing errors: to be asked for, never acted on."""
    language: str | None = None
    """``zh`` or ``en``; None where the line has no letters."""

    def first(self, name: str, *parts: str) -> str | None:
        """A part of the first argument of that name."""
        for found in self.all(name):
            for part in parts or tuple(found):
                if part in found:
                    return found[part]
        return None

    def all(self, name: str) -> list[dict[str, str]]:
        """All arguments of that name."""
        return [fields for found, fields in self.args if found == name]

    def has(self, name: str) -> bool:
        """Whether the line holds such an argument."""
        return any(found == name for found, _fields in self.args)


def read(line: str, names: Callable[[str], bool] = lambda _word: False) -> Question:
    """Read one line; nothing raises.

    Args:
        line: As typed.
        names: Whether a word is a name of the log in question: it is then no typing error.
    """
    line = line.strip()[:_LONGEST]
    raw = _parse(line, line)
    if raw.kind in COMMANDS:
        return raw
    text = normal(line)
    found = _parse(text, line)
    if not found.strange:
        return found
    better = corrected(text, lambda word: _covered(word) or names(word))
    return found if better == text else replace(found, understood=better)


def normal(line: str) -> str:
    """A line as it is read: full-width characters, traditional characters and synonyms as the grammar has them."""
    text = canonical(simplified(unicodedata.normalize("NFKC", line)))
    return _EDGE.sub(" ", text)


def _covered(word: str) -> bool:
    """Whether the grammar reads a word as it stands: also inflected forms that a pattern covers (compacted, risks)."""
    return _parse(word, word).strange == ()


def language_of(text: str) -> str | None:
    """``zh`` where a Chinese character stands in it, ``en`` where a letter does, None otherwise."""
    if _CHINESE.search(text):
        return "zh"
    return "en" if re.search("[A-Za-z]{2}", re.sub(r"0x[0-9a-fA-F]+|L\d+", "", text)) else None


def _parse(text: str, typed: str) -> Question:
    from kb.syntax.engine import LineToken, load

    tree = load("chat", "words").parse(text)
    found = [
        (str(node.data), token)
        for node in tree.iter_subtrees()
        for token in node.children
        if isinstance(token, LineToken)
    ]
    found.sort(key=lambda pair: pair[1].index)
    kinds = dict.fromkeys(rule for rule, _token in found if rule in RANKS)
    kind = min(kinds, key=RANKS.index, default=None)
    topics = tuple(token.type for rule, token in found if rule == "topic")
    args = tuple(
        (rule, {name: value.strip() for name, value in token.fields.items()})
        for rule, token in found
        if rule not in ("topic", "start") and (rule not in RANKS or token.fields)
    )
    covered = [token.match.span() for _rule, token in found]
    strange = () if kind in COMMANDS else _strange(text, covered)
    return Question(typed, kind, args, topics, tuple(kinds), strange, None, language_of(typed))


def _strange(text: str, covered: list[tuple[int, int]]) -> tuple[str, ...]:
    """Words outside of every token, as the asker wrote them."""
    rest = list(text)
    for start, end in covered:
        rest[start:end] = " " * (end - start)
    words = dict.fromkeys(found[0].rstrip(".'-") for found in _GAP_WORD.finditer("".join(rest)))
    # One letter or one character says nothing: "5 y", a particle that the grammar lacks. Two make a word.
    chinese = [word for word in words if _CHINESE.match(word)]
    odd = len("".join(chinese)) < 2
    return tuple(word for word in words if (not odd if word in chinese else len(word) > 1))
