"""Cases by words: a ranked look through the cases in memory, and the store's full-text index where there is one."""

import re
from typing import TYPE_CHECKING

from kb.model.case import Case

if TYPE_CHECKING:
    from kb.api import KnowledgeBase

_WORD = re.compile(r"[a-z0-9_][\w.-]+|[\u3400-\u9fff]{2,}")


def words_of(text: str) -> tuple[str, ...]:
    """What to look for: words of two characters and more, Chinese runs by pairs of characters."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text.lower()):
        if word[0] >= "\u3400":
            found.update(dict.fromkeys(word[index : index + 2] for index in range(len(word) - 1)))
        else:
            found[word.strip(".-")] = None
    return tuple(found)


def search(base: "KnowledgeBase", text: str, *, limit: int = 20, least: float = 1.0) -> list[Case]:
    """Cases that hold half of the words or more, best first; a word in the title counts more than one in the prose.

    Args:
        base: Whose cases.
        text: The words.
        limit: Cases to return at most.
        least: Weight below which a word does not count: 3 leaves out commands, commits and prose.
    """
    words = words_of(text)
    if not words:
        return []
    ranked = [(score, found) for found in base.cases if (score := _score(found, words, least)) > 0]
    best = [found for _score, found in sorted(ranked, key=lambda pair: (-pair[0], pair[1].id))]
    return best[:limit]


def _score(found: Case, words: tuple[str, ...], least: float) -> float:
    """Zero unless half of the words stand in the case."""
    fields = (
        (5.0, f"{found.id} {found.title}"),
        (4.0, " ".join(found.keywords)),
        (3.0, f"{found.summary} {found.subsystem} {' '.join(found.kind)}"),
        (
            2.0,
            " ".join((*(f"{fix.commit} {fix.subject}" for fix in found.fixes), *(way.do for way in found.workarounds))),
        ),
        (1.0, found.prose),
    )
    texts = [(weight, text.lower()) for weight, text in fields]
    score, held = 0.0, 0
    for word in words:
        best = max((weight for weight, text in texts if weight >= least and word in text), default=0.0)
        score += best
        held += best > 0
    return score if held * 2 >= len(words) else 0.0
