"""Facts as predicates, ready to paste into a case: one line a fact, or one an item of a list."""

import re
from collections.abc import Iterator
from typing import Any

from kb.facts.vocabulary import known
from kb.model.log import Span
from kb.model.verdict import Fact, Facts

_PLAIN = re.compile(r"[A-Za-z_/][\w.:/@+-]*")
"""Text that the predicate language reads without quotes; what begins with a digit would be a number."""
_WORDS = frozenset({"true", "false", "present", "absent"})
_OF_NO_USE = frozenset({"cpu", "pid", "hardware", "rest", "code", "taint", "flavor"})
"""Fields that differ from sighting to sighting."""
_MOST = 64
"""Items of a list that are told: the stacks of a report may hold thousands of functions."""


def predicates(facts: Facts) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """Each fact that a predicate may name, as a predicate that holds, with its lines.

    Values that the predicate language cannot hold (both kinds of quotes, several lines) come as ``fact present``.
    """
    for name in sorted(facts.values):
        if known(name) and not name.endswith((".absent", ".at_least")) and not _twice(name, facts):
            yield from _lines(name, facts.values[name])


def _twice(name: str, facts: Facts) -> bool:
    """True for a field that is a fact of its own, or of no use to a case."""
    field = name.removeprefix("field.")
    return name == "code" or (field != name and (field in facts.values or field in _OF_NO_USE))


def _lines(name: str, fact: Fact) -> Iterator[tuple[str, tuple[Span, ...]]]:
    value = fact.value
    if value is None:
        yield f"{name} absent", fact.evidence
    elif isinstance(value, tuple | list | frozenset | set):
        items = sorted(value, key=str) if isinstance(value, frozenset | set) else list(value)
        for item in items[:_MOST]:
            text = written(item)
            if text is not None:
                yield f"{name} has {text}", fact.where.get(str(item), fact.evidence)
    else:
        text = written(value)
        yield f"{name} == {text}" if text is not None else f"{name} present", fact.evidence


def written(value: Any) -> str | None:
    """A value as the predicate language writes it, None where it cannot."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text not in _WORDS:
        return text
    if not text.isprintable() or ('"' in text and "'" in text):
        return None
    return f"'{text}'" if '"' in text else f'"{text}"'
