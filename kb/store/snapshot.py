"""Stacks in memory: who asks a store for the neighbours of report after report while it does not change, asks a copy.

The copy is of one connection and one state of the file: SQLite's own counters tell when either side wrote. It is made
only once several questions came to one state, and only of a store that is small; else the tables are asked.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from kb.model.stack import Stack
from kb.store.base import Store
from kb.store.similar import BUDGET, CANDIDATES, FEW, Stacks, chosen

_ASKED = 6
"""Questions to one state of a store before it is copied: a log of a few reports must not wait for it."""
_MOST = 20_000
"""Stacks that are copied: some ten megabytes."""

_NOWHERE = array("i")


class Snapshot:
    """What :class:`kb.store.similar.Stacks` answers, of one state of a store.

    Args:
        rows: All its stacks.
    """

    def __init__(self, rows: Iterable[Stack]):
        self._stacks = list(rows)
        self._postings: tuple[dict[str, array[int]], dict[str, array[int]]] = ({}, {})
        """By frame: places of stacks that were seen, and of those of cases. Arrays, which the collector of garbage
        does not look into: there are ten thousands."""
        self.rarity: dict[str, float] = {}
        """How much frames say: kept here by who computes it."""
        self.weighed: dict[int, Any] = {}
        """What was worked out of a stack, by its ``id``: the same."""
        self.answers: dict[Any, Any] = {}
        """Neighbours that were asked for: the same."""
        self._keys: dict[str, list[int]] = {}
        self._functions: dict[str, list[int]] = {}
        """Places by the function that a stack is blamed on, else its first frame."""
        self._cases = 0
        for place, stack in enumerate(self._stacks):
            self._keys.setdefault(stack.signature, []).append(place)
            self._cases += stack.case is not None
            function = stack.function or next(iter(stack.frames), None)
            if function is not None:
                self._functions.setdefault(function, []).append(place)
            postings = self._postings[stack.case is not None]
            for name in set(stack.frames):
                places = postings.get(name)
                if places is None:
                    postings[name] = array("i", (place,))
                else:
                    places.append(place)

    def __len__(self) -> int:
        return len(self._stacks)

    def frequencies(self, names: Iterable[str]) -> tuple[int, dict[str, int]]:
        """As :meth:`kb.store.similar.Stacks.frequencies`."""
        seen, cases = self._postings
        held = {name: len(seen.get(name, _NOWHERE)) + len(cases.get(name, _NOWHERE)) for name in names}
        return max(len(self), FEW), {name: count for name, count in held.items() if count}

    def candidates(
        self, names: Sequence[str], *, budget: int = BUDGET, limit: int = CANDIDATES, cases: bool = False
    ) -> list[Stack]:
        """As :meth:`kb.store.similar.Stacks.candidates`."""
        if not self._postings[cases]:
            return []
        total, held = self.frequencies(names)
        most = self._cases if cases else 1 << 62
        weights: dict[int, float] = {}
        for name, weight in chosen(held, total, most, budget):
            for place in self._postings[cases].get(name, _NOWHERE):
                weights[place] = weights.get(place, 0.0) + weight
        best = nlargest(limit, weights, key=weights.__getitem__) if len(weights) > limit else weights
        return [self._stacks[place] for place in best]

    def keyed(self, signatures: Iterable[str], *, cases: bool = False, limit: int = 50) -> list[Stack]:
        """As :meth:`kb.store.similar.Stacks.keyed`."""
        places = sorted(place for key in set(signatures) for place in self._keys.get(key, ()))
        found = [self._stacks[place] for place in places]
        return [stack for stack in found if stack.case is not None or not cases][:limit]

    def bearing(self, names: Iterable[str], functions: Iterable[str], *, cases: bool, most: int) -> list[Stack] | None:
        """Stacks that hold one of these frames or stand for one of these functions; None for more than so many."""
        places = {place for function in functions for place in self._functions.get(function, ())}
        for name in names:
            places.update(self._postings[cases].get(name, _NOWHERE))
            if len(places) > most:
                return None
        return [self._stacks[place] for place in places]

    def reads_all(self, names: Sequence[str], budget: int) -> bool:
        """As :meth:`kb.store.similar.Stacks.reads_all`."""
        return sum(self.frequencies(names)[1].values()) <= budget


def stacks_of(store: Store) -> Stacks | Snapshot:
    """The stacks of a store: in memory where they have been asked for often enough since it last changed."""
    stacks = Stacks(store)
    with store.using() as db:
        state = (db.execute("pragma data_version").fetchone()[0], db.total_changes)
        known, asked, copy = getattr(db, "stacks", (None, 0, None))
        if known != state:
            asked, copy = 0, None
        if copy is None and asked >= _ASKED and len(stacks) <= _MOST:
            copy = Snapshot(stacks.all())
        db.stacks = (state, asked + 1, copy)  # type: ignore[attr-defined]
    return stacks if copy is None else copy
