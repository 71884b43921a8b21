"""What a report says beyond its stack: named values, decoded, each with its meaning and its lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kb.facts.vocabulary import NAMES
from kb.model.log import Span
from kb.model.verdict import Diagnosis

_SAID = frozenset({"kind", "title", "frames", "modules", "follows", "corrupted", "field.rest", "field.code", "code",
                   "taint_words", "taint_modules"})  # fmt: skip
"""Facts that every screen shows elsewhere."""
_MOST = 6


@dataclass(frozen=True, slots=True)
class Field:
    """A named value."""

    name: str
    value: str
    means: str
    """What the name stands for; empty where the name says it."""
    evidence: tuple[Span, ...]


def fields(found: Diagnosis) -> tuple[Field, ...]:
    """The facts of a report: what was computed first, then what stands in its lines by name."""
    rows = [
        Field(name, shown(fact.value), NAMES.get(name, ""), fact.evidence)
        for name, fact in found.facts.values.items()
        if name not in _SAID and not name.startswith("reason.") and fact.value not in (None, "", ())
    ]
    known = {(row.value, row.evidence) for row in rows if not row.name.startswith("field.")}
    rows = [row for row in rows if not row.name.startswith("field.") or (row.value.strip(), row.evidence) not in known]
    return tuple(sorted(rows, key=lambda row: (row.name.startswith("field."), row.name in _EVERY)))


_EVERY = frozenset({"subtype", "function", "module", "kernel", "arch", "comm", "taint", "workqueue", "pc",
                    "memory.present", "fuzzed"})  # fmt: skip
"""Facts that reports of all kinds bear: behind those of the kind's own."""


def shown(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list | frozenset | set):
        return _listed(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _listed(values: Iterable[Any]) -> str:
    items = [shown(value) for value in values]
    more = len(items) - _MOST
    return ", ".join(items[:_MOST]) + (f", {more} more" if more > 0 else "")
