"""What a decoder of one family of reports found: facts, lines of the reasoning chain, what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.model.log import Span
from kb.model.report import Report
from kb.model.verdict import Fact, Reason


@dataclass(slots=True)
class Finding:
    """Collected by a decoder; :func:`kb.facts.report.facts_of` puts the findings of a report together."""

    values: dict[str, Fact] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)

    def add(self, name: str, value: Any, evidence: Iterable[Span] = (), assumption: str | None = None) -> None:
        """Keep a fact; one without a value is absent, and the first of a name stands."""
        if value not in (None, "", ()) and name not in self.values:
            self.values[name] = Fact(name, value, tuple(evidence), assumption)

    def say(self, claim: str, because: str = "", evidence: Iterable[Span] = (), numbers: Iterable[str] = ()) -> None:
        """Keep a line of the reasoning chain that holds."""
        self.reasons.append(Reason(claim, "holds", because, spans(evidence), tuple(numbers)))

    def ask(self, claim: str, because: str = "", evidence: Iterable[Span] = (), numbers: Iterable[str] = ()) -> None:
        """Keep one that may hold."""
        self.reasons.append(Reason(claim, "unknown", because, spans(evidence), tuple(numbers)))

    @property
    def detail(self) -> Mapping[str, Any]:
        """The values as the ``facts`` object of the JSON contract has them."""
        return {name: fact.value for name, fact in self.values.items()}


def spans(evidence: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in the order of the log, each once, empty ones (line 0) left out."""
    return tuple(sorted({span for span in evidence if span[0] > 0}))


def at(report: Report, *fields: str) -> tuple[Span, ...]:
    """The lines that fields of a report were read from; its headline where none of them tells."""
    lines = [report.field_lines[name] for name in fields if name in report.field_lines]
    return spans((line, line) for line in lines or [report.headline_line])


def hexadecimal(text: str | None) -> int | None:
    """A hexadecimal number with or without ``0x``; None for anything else (a ``Code:`` dump is no number)."""
    try:
        return int(text, 16) if text and len(text) <= 18 else None
    except ValueError:
        return None
