"""Which cases need judging: an index over those of a library, so that a thousand more cost a report nothing.

What a case demands is most often a text that a fact must equal (a function, a module, a reason). Cases stand on a shelf
a kind, under one such text each; a report that has another text there cannot be theirs, and never meets them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kb.cases.predicate import decided
from kb.model.case import Case, Predicate
from kb.model.verdict import Facts, Verdict

_TELLING = ("function", "module", "subtype")
"""Facts whose equality tells most cases apart, best first; others are as good as each other."""
_HELD = 4
"""Sets of cases whose index is held."""


class _Shelf(NamedTuple):
    """The cases that speak of one kind, by their places among all."""

    open: list[int]
    """Those that demand no text."""
    by: dict[str, dict[str, list[int]]]
    """By fact and text."""


class _Index:
    """An index over cases, made when they are asked for a second time: a tuple of one report's own is used once."""

    def __init__(self, cases: Sequence[Case]):
        self.cases = cases
        self._asked = False
        self._shelves: dict[str, _Shelf] = {}

    def _make(self) -> None:
        for place, case in enumerate(self.cases):
            key = _key(case)
            for kind in dict.fromkeys(case.kind):
                shelf = self._shelves.setdefault(kind, _Shelf([], {}))
                at = shelf.open if key is None else shelf.by.setdefault(key[0], {}).setdefault(key[1], [])
                at.append(place)

    def of(self, kind: str, facts: Facts) -> list[Case]:
        """The cases of a kind without those that demand another text of one fact."""
        if not self._asked:
            self._asked = True
            return [case for case in self.cases if kind in case.kind]
        if not self._shelves:
            self._make()
        shelf = self._shelves.get(kind)
        if shelf is None:
            return []
        places = list(shelf.open)
        for name, texts in shelf.by.items():
            fact = facts.get(name)
            if fact is not None and isinstance(fact.value, str):
                places += texts.get(fact.value, ())
            else:
                places += [place for some in texts.values() for place in some]
        return [self.cases[place] for place in sorted(places)]


_indices: list[_Index] = []
"""The last first."""


def candidates(cases: Iterable[Case], kind: str, facts: Facts) -> list[Case]:
    """The cases that may explain a report, in their order; of those left out the verdict is a sure no.

    Args:
        cases: Those that are known. The index of a tuple is kept for the next report.
        kind: The report's.
        facts: What was computed over it.
    """
    found = _index(cases).of(kind, facts) if isinstance(cases, tuple) else [each for each in cases if kind in each.kind]
    return [case for case in found if not _ruled_out(case, facts)]


def _index(cases: tuple[Case, ...]) -> _Index:
    for index in tuple(_indices):
        if index.cases is cases:
            return index
    made = _Index(cases)
    _indices[:] = [made, *_indices[: _HELD - 1]]
    return made


def _ruled_out(case: Case, facts: Facts) -> bool:
    """Whether something that is demanded is known to be otherwise, or something of each alternative, or what speaks
    against the case is known to hold: most cases, for most reports, and nobody asks for the words.
    """
    for one in case.require:
        if decided(one, facts) is Verdict.NO:
            return True
    if case.any and all(any(decided(one, facts) is Verdict.NO for one in group) for group in case.any):
        return True
    return any(decided(one, facts) is Verdict.YES for one in case.refute)


def _key(case: Case) -> tuple[str, str] | None:
    """A fact and the text that it must be, None where nothing of the kind is demanded."""
    texts = [each for each in case.require if _is_text(each)]
    texts.sort(key=lambda each: _TELLING.index(each.fact) if each.fact in _TELLING else len(_TELLING))
    return (texts[0].fact, str(texts[0].value)) if texts else None


def _is_text(predicate: Predicate) -> bool:
    """Whether a fact that is a text must be this one, letter by letter: no number that may be written otherwise."""
    value = predicate.value
    telling = predicate.op == "==" and predicate.fact not in ("kind", "kernel")
    return telling and isinstance(value, str) and value[:1].isalpha()
