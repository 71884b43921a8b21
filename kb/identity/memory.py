"""Similarity without a store: a handful of stacks, all compared. For tests, scores and small libraries."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from kb.identity.align import idf
from kb.identity.common import expected
from kb.identity.rank import Neighbour, Query, rank
from kb.model.stack import Stack

FEW = 1_000
"""Stacks that are taken to be known at least: fewer say little of how rare a frame is."""


class Memory:
    """Known stacks in memory."""

    def __init__(self, entries: Iterable[Stack] = ()):
        self.entries: list[Stack] = []
        self._holding: dict[str, list[int]] = defaultdict(list)
        self._keys: dict[str, list[int]] = defaultdict(list)
        self._frequency: Counter[str] = Counter()
        for entry in entries:
            self.add(entry)

    def add(self, entry: Stack) -> None:
        """Know one more stack."""
        number = len(self.entries)
        self.entries.append(entry)
        self._keys[entry.signature].append(number)
        for name in set(entry.frames):
            self._holding[name].append(number)
            self._frequency[name] += 1

    def rarity(self, name: str) -> float:
        """How much a frame says among these stacks."""
        total = max(len(self.entries), FEW)
        return idf(total, expected(name, self._frequency[name], total))

    def nearest(self, query: Query, *, limit: int = 10, floor: float = 0.2) -> list[Neighbour]:
        """The nearest stacks, best first."""
        numbers = {number for name in query.frames for number in self._holding.get(name, ())}
        for key in (query.signature, *query.alt, *query.former):
            numbers.update(self._keys.get(key, ()))
        entries = list(dict.fromkeys(self.entries[number] for number in sorted(numbers)))
        names = {name for entry in entries for name in entry.frames} | set(query.frames)
        return rank(query, entries, {name: self.rarity(name) for name in names}, limit=limit, floor=floor)
