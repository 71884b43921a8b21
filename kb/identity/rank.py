"""Neighbours of a report among candidates: a cheap measure first, the alignment for the best of them."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from math import fsum
from operator import itemgetter

from kb.identity.align import Alignment, align, most, score, weights
from kb.model.stack import Stack

ALIGNED = 20
"""Candidates that are aligned; the others are told apart by their weighted Jaccard index alone (measured: the right
one is among the first 20 of 100 in every one of 300 queries)."""
FLOOR = 0.2
"""Score below which nothing is suggested."""
_STACK, _NAME = 0.7, 0.3
"""Shares of the stack and of the names in a score."""
_SAME_KEY, _ALTERNATIVE, _SAME_FUNCTION, _SAME_KIND = 1.0, 0.9, 0.6, 0.3
_FORMER = 0.5
"""An older version's key: other bugs may have had it, too."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    signature: str
    kind: str
    frames: tuple[str, ...]
    alt: tuple[str, ...] = ()
    function: str | None = None
    former: tuple[str, ...] = ()

    def stack(self) -> Stack:
        """Its frames as a stack like those that it is compared with."""
        return Stack(self.signature, "", self.kind, self.frames, None, self.function)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A known stack, how near it is and why."""

    entry: Stack
    score: float
    """0..1: 0.7 of what the stacks share and 0.3 of what the names say; the names alone where a stack is missing."""
    alignment: Alignment
    because: str
    """What the names say: ``same key``, ``alternative key``, ``former key``, ``same function``, ``same kind`` or
    nothing."""
    frames: tuple[str, ...]
    """Of the query."""

    def explained(self) -> list[tuple[str, str]]:
        """Both stacks side by side, outwards: ``(ours, theirs)``, empty where one lacks the frame."""
        frames = self.frames
        out: list[tuple[str, str]] = []
        i = j = 0
        for left, right in (*self.alignment.pairs, (len(frames), len(self.entry.frames))):
            out += [(frames[k], "") for k in range(i, left)]
            out += [("", self.entry.frames[k]) for k in range(j, right)]
            if left < len(frames):
                out.append((frames[left], self.entry.frames[right]))
            i, j = left + 1, right + 1
        return out


class Weighed:
    """What the rarity of its frames makes of a stack, whatever it is compared with."""

    __slots__ = ("entry", "greatest", "heavy", "names", "total", "whole")

    def __init__(self, entry: Stack, rarity: Mapping[str, float]):
        self.entry = entry
        self.names = frozenset(entry.frames)
        said = [rarity[name] for name in self.names]
        self.whole = fsum(said)
        """What its frames say together."""
        self.greatest = max(said, default=0.0)
        self.heavy: dict[str, float] = {}
        """What each frame weighs in it (:func:`kb.identity.align.weights`), all its places together."""
        for name, weight in zip(entry.frames, weights(entry.frames, rarity), strict=True):
            self.heavy[name] = self.heavy.get(name, 0.0) + weight
        self.total = fsum(self.heavy.values())

    def at_most(self, other: "Weighed", greatest: float) -> float:
        """What the score of an alignment with another stack is at most: as if what both have stood in the same order.

        The last digits depend on the order of a sum: it is to be compared with some room (:data:`_ROUNDED`).
        """
        shared = self.names & other.names
        if not shared:
            return 0.0
        mine, theirs = fsum([self.heavy[name] for name in shared]), fsum([other.heavy[name] for name in shared])
        return score(mine, theirs, self.total, other.total, greatest)


def rank(
    query: Query,
    entries: Iterable[Stack],
    rarity: Mapping[str, float],
    *,
    limit: int = 10,
    floor: float = FLOOR,
    weighed: MutableMapping[int, Weighed] | None = None,
) -> list[Neighbour]:
    """The nearest entries, best first; of several stacks of one signature or case the nearest stands for all.

    Args:
        query: What is looked for.
        entries: Candidates, each once.
        rarity: :func:`kb.identity.align.idf` of every frame of the query and of the candidates.
        limit: Neighbours wanted.
        floor: Score below which nothing is suggested.
        weighed: Where what was worked out of an entry is kept, by its ``id``: of who asks about the same ones again.
    """
    kept = {} if weighed is None else weighed
    own = Weighed(query.stack(), rarity)
    known = [kept.get(id(entry)) or kept.setdefault(id(entry), Weighed(entry, rarity)) for entry in entries]
    greatest = max([own.greatest, *[each.greatest for each in known]])
    rough = list(zip(_rough(query, own, rarity, known), known, strict=True))
    rough.sort(key=itemgetter(0), reverse=True)
    found: dict[tuple[str, str], Neighbour] = {}
    for _, each in rough[: max(ALIGNED, 2 * limit)]:
        if not _reaches(query, own, each, greatest, floor):
            continue  # most of them: two stacks need not be laid side by side to see that they share little
        entry = each.entry
        neighbour = judge(query, entry, rarity, greatest)
        same = (entry.case, "") if entry.case else ("", entry.signature)
        if neighbour.score >= floor and (same not in found or found[same].score < neighbour.score):
            found[same] = neighbour
    return sorted(found.values(), key=_order)[:limit]


def near_only_with(query: Query, rarity: Mapping[str, float], floor: float) -> list[str]:
    """Frames of a query without one of which no stack reaches a score, unless the names say more than the same kind.

    Its commonest frames are left out: as many as would not do if a stack had all of them, each at its top.

    Args:
        query: What is looked for.
        rarity: :func:`kb.identity.align.idf` of its frames.
        floor: The score.
    """
    heavy = weights(query.frames, rarity)
    greatest, whole = max([rarity[name] for name in query.frames]), fsum(heavy)
    wanted = (floor - _ROUNDED - _NAME * _SAME_KIND) / _STACK
    weight: dict[str, float] = {}
    times: dict[str, int] = {}
    for name, own in zip(query.frames, heavy, strict=True):
        weight[name] = weight.get(name, 0.0) + own
        times[name] = times.get(name, 0) + 1
    left = right = 0.0
    names = sorted(weight, key=rarity.__getitem__)
    for count, name in enumerate(names):
        left += weight[name]
        right += times[name] * weights((name,), rarity)[0]
        if most(left, right, whole, right, greatest) >= wanted:
            return names[count:]
    return []


def can_reach(query: Query, entries: Iterable[Weighed], rarity: Mapping[str, float], floor: float) -> bool:
    """Whether one of these entries may have a score, as far as is seen without laying stacks side by side."""
    own = Weighed(query.stack(), rarity)
    return any(_reaches(query, own, known, own.greatest, floor) for known in entries)


def _reaches(query: Query, own: Weighed, known: Weighed, greatest: float, floor: float) -> bool:
    if not own.names or not known.names:
        return True
    named = _named(query, known.entry)[1]
    return _STACK * own.at_most(known, greatest) + _NAME * named >= floor - _ROUNDED


_ROUNDED = 0.0001
"""Scores are rounded."""


def merged(first: Iterable[Neighbour], second: Iterable[Neighbour], limit: int) -> list[Neighbour]:
    """Neighbours out of two places, best first; what both hold is told by the first."""
    found = list(first)
    held = {each.entry.case for each in found if each.entry.case}
    found += [each for each in second if each.entry.case not in held]
    return sorted(found, key=_order)[:limit]


def _order(neighbour: Neighbour) -> tuple[float, bool, str, str]:
    entry = neighbour.entry
    return (-round(neighbour.score, 4), entry.case is None, entry.case or "", entry.signature)


def judge(query: Query, entry: Stack, rarity: Mapping[str, float], greatest: float | None = None) -> Neighbour:
    """One entry against the query; for ``greatest`` see :func:`kb.identity.align.align`."""
    because, named = _named(query, entry)
    if not query.frames or not entry.frames:
        return Neighbour(entry, round(named * 0.9, 4), Alignment(0.0, ()), because, query.frames)
    alignment = align(query.frames, entry.frames, rarity, greatest)
    return Neighbour(entry, round(_STACK * alignment.score + _NAME * named, 4), alignment, because, query.frames)


def _named(query: Query, entry: Stack) -> tuple[str, float]:
    if entry.signature == query.signature:
        # a key without a function (its stack was lost, or its kind names none) says little more than the kind
        return "same key", _SAME_KEY if query.function or entry.function else _SAME_KIND + 0.2
    if entry.signature in query.alt:
        return "alternative key", _ALTERNATIVE
    if entry.signature in query.former:
        return "former key", _FORMER
    function = entry.function or (entry.frames[0] if entry.frames else None)
    if function is not None and function == (query.function or (query.frames[0] if query.frames else "")):
        return "same function", _SAME_FUNCTION + (0.2 if entry.kind == query.kind else 0.0)
    return ("same kind", _SAME_KIND) if entry.kind == query.kind else ("", 0.0)


def _rough(query: Query, own: Weighed, rarity: Mapping[str, float], entries: Iterable[Weighed]) -> Iterator[float]:
    """Of each the weighted Jaccard index of the frames, and what the names say."""
    for known in entries:
        shared = fsum([rarity[name] for name in known.names & own.names])
        total = own.whole + known.whole - shared
        yield _STACK * (shared / total if total else 0.0) + _NAME * _named(query, known.entry)[1]
