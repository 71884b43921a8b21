"""What kb concludes: facts with evidence, matches with verdicts, a diagnosis with its reasoning."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.model.case import Case, Fix, Predicate, Step, Workaround
from kb.model.log import Span
from kb.model.report import Report, Signature


class Verdict(enum.Enum):
    """Three-valued: a fact that the log does not bear makes a claim MAYBE, never NO."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Fact:
    """One named value over a report with the lines it was computed from."""

    name: str
    value: Any
    evidence: tuple[Span, ...] = ()
    assumption: str | None = None
    """What had to be assumed because the log does not print it; None for a plain reading."""
    shown: str | None = None
    """How a person would write the value (``Node 1 Normal: 20 blocks fit``)."""
    where: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    """Of a list: the lines of single items, where they are known."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about a report: flat named facts for predicates, JSON-ready details for readers."""

    values: Mapping[str, Fact] = field(default_factory=dict)
    """Flat names (``order``, ``zones.admitted_by_order_walk``): the vocabulary of case predicates."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """The ``facts`` object of the JSON contract, plain values only."""
    reasoning: tuple["Reason", ...] = ()
    cause: str | None = None
    """One of the documented causes (docs/causes.md), for kinds that have a cause engine."""
    summary: str = ""
    unknown: tuple[str, ...] = ()
    """Missing facts, each named: ``kernel release: cut off after "Tainted: G"``."""
    next_steps: tuple[str, ...] = ()

    def get(self, name: str) -> Fact | None:
        """The fact of that name, or None where the report does not bear it."""
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the reasoning chain: a possible cause, and whether it is excluded."""

    claim: str
    verdict: str
    """``excluded``, ``holds`` or ``unknown``."""
    because: str = ""
    evidence: tuple[Span, ...] = ()
    numbers: tuple[str, ...] = ()
    """Arithmetic a reader can check, one step a line; shown with -v."""


@dataclass(frozen=True, slots=True)
class PredicateMark:
    """A predicate of a case against the facts of a report."""

    predicate: Predicate
    verdict: Verdict
    role: str
    """``require``, ``refute``, ``support`` or ``any``."""
    because: str = ""
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """One case against one report."""

    case: Case
    verdict: Verdict
    score: float
    """0..1, for ranking only."""
    how: str
    """``predicates`` or ``signature``."""
    marks: tuple[PredicateMark, ...] = ()
    fix_status: str = "unknown"
    """``affected``, ``fixed`` or ``unknown``."""
    fix_reason: str = ""

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The case's fixes."""
        return self.case.fixes

    @property
    def workarounds(self) -> tuple[Workaround, ...]:
        """The case's workarounds, each with its caveat."""
        return self.case.workarounds

    @property
    def would_decide(self) -> tuple[Step, ...]:
        """Verification steps that would settle a MAYBE."""
        return self.case.verify


@dataclass(frozen=True, slots=True)
class Similar:
    """A neighbour that similarity suggests; it never links by itself."""

    signature: str
    score: float
    case: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A report, what was computed over it, what is known about it, what to do."""

    report: Report
    signature: Signature
    facts: Facts
    matches: tuple[Match, ...] = ()
    """Verdicts YES and MAYBE, best first."""
    similar: tuple[Similar, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Match | None:
        """The first match, or None."""
        return self.matches[0] if self.matches else None

    @property
    def known(self) -> bool:
        """True when some case says yes."""
        return any(match.verdict is Verdict.YES for match in self.matches)

    def to_json(self) -> dict[str, Any]:
        """The ``kb.report/1`` object, plain values only."""
        from kb.render.json import to_json

        return to_json(self)

    def to_markdown(self) -> str:
        """For a ticket comment."""
        from kb.render.markdown import to_markdown

        return to_markdown(self)

    def to_text(self, *, verbose: bool = False, color: bool = False, width: int = 100) -> str:
        """What ``kb match`` prints for a person."""
        from kb.render.text import to_text

        return to_text(self, verbose=verbose, color=color, width=width)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One report of a signature on a host at a time, as the store keeps it."""

    signature: str
    source: str
    host: str | None
    seen: str
    """UTC, ISO 8601."""
    count: int
    """Sightings of this signature so far, this one included."""
    first: "Sighting | None" = None
    """The earliest sighting of the signature, None when this is it."""
    id: int = 0
    new: bool = True
    """False when it was recorded before: nothing was counted."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a person (or a bot) adds: append-only."""

    id: str
    subject: str
    """``signature:kb1:...`` or ``case:<id>``."""
    author: str
    time: str
    body: str
    span: Span | None = None
    replaces: str | None = None
    retracts: str | None = None
