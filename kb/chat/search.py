"""Cases by words: those that hold all of them, else those of the library that hold at least half, best first."""

import re
from typing import TYPE_CHECKING, NamedTuple

from kb.model.case import Case

if TYPE_CHECKING:
    from kb.api import KnowledgeBase

_WORD = re.compile(r"[a-z0-9_][\w.-]+|[\u3400-\u9fff]{2,}")


class Hit(NamedTuple):
    """A case found."""

    id: str
    status: str
    title: str


def words_of(text: str) -> tuple[str, ...]:
    """What to look for: words of two characters and more, Chinese runs by pairs of characters."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text.lower()):
        if word[0] >= "\u3400":
            found.update(dict.fromkeys(word[index : index + 2] for index in range(len(word) - 1)))
        else:
            found[word.strip(".-")] = None
    return tuple(found)


def search(base: "KnowledgeBase", text: str, *, limit: int = 20, least: float = 1.0) -> list[Hit]:
    """Cases that hold half of the words or more; those that hold all of them (imported ones too) where there are such.

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
    best = [Hit(one.id, one.status, one.title) for _, one in sorted(ranked, key=lambda pair: (-pair[0], pair[1].id))]
    if least > 1.0:
        return best[:limit]
    whole = [Hit(*row) for row in base.search(" ".join(text.split()), limit=limit)]
    place = {hit.id: number for number, hit in enumerate(best)}
    return sorted(whole, key=lambda hit: place.get(hit.id, len(place)))[:limit] or best[:limit]


def _holds(text: str, word: str) -> bool:
    """Whether a text holds a word; a short one ("xfs", "blue") as a whole word only."""
    if len(word) > 4 or not word.isascii():
        return word in text
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def _score(found: Case, words: tuple[str, ...], least: float) -> float:
    """Zero unless half of the words stand in the case; a word in the title counts more than one in the prose."""
    fields = (
        (5.0, f"{found.id} {found.title}"),
        (4.0, " ".join(found.keywords)),
        (3.0, f"{found.summary} {found.subsystem} {' '.join(found.kind)}"),
        (2.0, " ".join(f"{fix.commit} {fix.subject}" for fix in found.fixes)),
        (2.0, " ".join(way.do for way in found.workarounds)),
        (1.0, found.prose),
    )
    texts = [(weight, text.lower()) for weight, text in fields]
    score, held = 0.0, 0
    for word in words:
        best = max((weight for weight, text in texts if weight >= least and _holds(text, word)), default=0.0)
        score += best
        held += best > 0
    return score if held * 2 >= len(words) else 0.0
