"""What a decoder of one family of reports found: facts, lines of the reasoning chain, what is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.model.log import Span
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Fact, Reason
from kb.words.speak import said


@dataclass(slots=True)
class Finding:
    """Collected by a decoder; :func:`kb.facts.report.facts_of` puts the findings of a report together."""

    values: dict[str, Fact] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    missing: list[Said] = field(default_factory=list)
    steps: list[Said] = field(default_factory=list)

    def add(self, name: str, value: Any, evidence: Iterable[Span] = (), assumed: Said | None = None) -> None:
        """Keep a fact; one without a value is absent, and the first of a name stands."""
        if value not in (None, "", ()) and name not in self.values:
            self.values[name] = Fact(name, value, tuple(evidence), assumed)

    def say(
        self, claim: Said, why: Iterable[Said | None] = (), evidence: Iterable[Span] = (), sums: Iterable[Said] = ()
    ) -> None:
        """Keep a line of the reasoning chain that holds; what is None of its reasons is left out."""
        self._keep("holds", claim, why, evidence, sums)

    def ask(
        self, claim: Said, why: Iterable[Said | None] = (), evidence: Iterable[Span] = (), sums: Iterable[Said] = ()
    ) -> None:
        """Keep one that may hold."""
        self._keep("unknown", claim, why, evidence, sums)

    def _keep(
        self, verdict: str, claim: Said, why: Iterable[Said | None], evidence: Iterable[Span], sums: Iterable[Said]
    ) -> None:
        because = tuple(part for part in why if part is not None)
        self.reasons.append(Reason(claim, verdict, because, spans(evidence), tuple(sums)))

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


def in_module(function: str, module: str | None) -> Said | str:
    """A function as a sentence names it: with its module, where it is not of the kernel itself."""
    return said("part.function_of_module", function=function, module=module) if module else function
