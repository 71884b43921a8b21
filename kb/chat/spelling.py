"""Typing errors: a word one slip away from a word of the chat grammar may stand for that word.

Never one that is in a dictionary of English or in the grammar, that holds digits or underscores, or that belongs to
what a command takes as it is (a note's text, a file's name).
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

Covered = Callable[[str], bool]

WORD = re.compile(r"(?<![\w./:-])[A-Za-z]{3,20}(?![\w/:-])")
_PATTERN_WORD = re.compile(r"(?<![\\\w?<])([a-z]{3,})(?![\w>])(\?)?")
_PATTERN_STEM = re.compile(r"(?<![\\\w?<])([a-z]{3,})\(\?:([a-z|]{1,60})\)(\?)?")


@cache
def vocabulary() -> tuple[str, ...]:
    """The English words of the grammar's own terminals, in its order: what typing errors are corrected to."""
    from kb.syntax.engine import load

    words: dict[str, None] = {}
    # words that mean nothing by themselves come last: of two that are as near the one that asks is meant
    for terminal in sorted(load("chat", "words").terminals, key=lambda one: one.name == "FILLER"):
        if not terminal.name.startswith(("PATH", "HEX", "GFP")):
            words.update(dict.fromkeys(_spelled(terminal.pattern.to_regexp())))
    return tuple(words)


@cache
def english() -> frozenset[str]:
    """Words of English, of the trade and of its kinds: none of them is a typing error."""
    path = Path(__file__).parent.parent / "words" / "english.txt"
    rows = path.read_text(encoding="utf-8").splitlines()
    return frozenset(row for row in rows if not row.startswith("#")) | _trade()


def _trade() -> frozenset[str]:
    from kb.chat.asked import kind_words, line_words

    patterns = [row.pattern.pattern for row in kind_words()] + [row.pattern.pattern for row in line_words()]
    return frozenset(word for pattern in patterns for word in re.findall("[a-z]{3,}", pattern))


def _spelled(pattern: str) -> Iterator[str]:
    """The words that stand in a pattern, with their endings: ``risks?``, ``mitigat(?:e|ion)``."""
    for stem, endings, optional in _PATTERN_STEM.findall(pattern):
        yield from (stem + ending for ending in endings.split("|"))
        if optional:
            yield stem
    for word, optional in _PATTERN_WORD.findall(_PATTERN_STEM.sub(" ", pattern)):
        yield word
        if optional and len(word) > 3:
            yield word[:-1]


def corrected(text: str, covered: Covered) -> str:
    """The text with words that are one slip away from a word of the grammar replaced by it.

    Args:
        text: A line.
        covered: Whether the grammar or the log knows a word as it stands.
    """
    known = frozenset(vocabulary())

    def better(found: "re.Match[str]") -> str:
        word = found[0]
        if word.lower() in known or word.isupper() or word.lower() in english() or covered(word):
            return word
        return _nearest(word.lower()) or word

    return WORD.sub(better, text)


@cache
def _nearest(word: str) -> str | None:
    """The word of the grammar that is nearest, None where none is near enough.

    A word of three letters may have two neighbours swapped; longer ones may have one slip, from eight letters on two.
    """
    allowed = 2 if len(word) >= 8 else 1
    best: tuple[int, bool, int, str] | None = None
    for number, other in enumerate(vocabulary()):
        if abs(len(other) - len(word)) > allowed or (len(word) == 3 and sorted(other) != sorted(word)):
            continue
        distance = slips(word, other, allowed)
        # A letter lost, doubled or swapped is likelier than one typed for another: "wich" is which, not with.
        replaced = len(other) == len(word) and sorted(other) != sorted(word)
        if distance <= allowed and (best is None or (distance, replaced, number) < best[:3]):
            best = (distance, replaced, number, other)
    return best[3] if best is not None else None


def slips(one: str, two: str, most: int) -> int:
    """Optimal string alignment distance: letters lost, added, changed, or swapped with their neighbour.

    Args:
        one: A word.
        two: Another.
        most: What is larger than this need not be exact.
    """
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(two, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
