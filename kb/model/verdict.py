"""What kb concludes: facts with evidence, matches with verdicts, a diagnosis with its reasoning."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import kb
from kb.model.case import Case, Fix, Predicate, Step, Workaround
from kb.model.log import Span
from kb.model.report import Report, Signature
from kb.model.said import Said, Value, joined


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
    assumed: Said | None = None
    """What had to be assumed because the log does not print it; None for a plain reading."""
    wording: Said | str | None = None
    """How a person would write the value (``Node 1 Normal: 20 blocks fit``)."""
    where: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    """Of a list: the lines of single items, where they are known."""

    @property
    def assumption(self) -> str | None:
        """What had to be assumed, in English."""
        return str(self.assumed) if self.assumed is not None else None

    @property
    def shown(self) -> str | None:
        """How a person would write the value, in English."""
        return str(self.wording) if self.wording is not None else None


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
    conclusion: Said | None = None
    """The cause, or what the report is about, in a sentence."""
    missing: tuple[Said, ...] = ()
    """Missing facts, each named: ``unknown.<fact>...``."""
    steps: tuple[Said, ...] = ()
    """What to run or to look at next."""

    @property
    def summary(self) -> str:
        """The conclusion in English."""
        return str(self.conclusion) if self.conclusion is not None else ""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Missing facts in English: ``kernel release: the log does not print it``."""
        return tuple(map(str, self.missing))

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to run or to look at next, in English."""
        return tuple(map(str, self.steps))

    def get(self, name: str) -> Fact | None:
        """The fact of that name, or None where the report does not bear it."""
        return self.values.get(name)


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of the reasoning chain: a possible cause, and whether it is excluded."""

    says: Said
    """The claim; its name is the reason's name."""
    verdict: str
    """``excluded``, ``holds`` or ``unknown``."""
    why: tuple[Said, ...] = ()
    evidence: tuple[Span, ...] = ()
    sums: tuple[Said, ...] = ()
    """Arithmetic a reader can check, one step a line; shown with -v."""

    @property
    def name(self) -> str:
        """The stable name: ``gfp.forbids_waiting``."""
        return self.says.name

    @property
    def values(self) -> Mapping[str, Value]:
        """The values of the claim."""
        return self.says.values

    @property
    def claim(self) -> str:
        """The claim in English."""
        return str(self.says)

    @property
    def because(self) -> str:
        """Why, in English."""
        return joined(self.why)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The arithmetic in English."""
        return tuple(map(str, self.sums))


@dataclass(frozen=True, slots=True)
class PredicateMark:
    """A predicate of a case against the facts of a report."""

    predicate: Predicate
    verdict: Verdict
    role: str
    """``require``, ``refute``, ``support`` or ``any``."""
    why: Said | None = None
    evidence: tuple[Span, ...] = ()

    @property
    def because(self) -> str:
        """Why, in English."""
        return str(self.why) if self.why is not None else ""


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
    fix_why: Said | None = None
    doubts: tuple[Said, ...] = ()
    """Why a link by signature, or a case whose predicates all hold, is no YES."""
    severity: str = "watch"
    """What it asks of who is on call: the case's word, else that of the report's kind."""
    type_only: bool = False
    """True where the type of the report alone speaks for the case: it tells what such reports are, not why this one."""
    idle: tuple[Workaround, ...] = ()
    """Workarounds of the case that this report rules out (:attr:`Workaround.when`)."""

    @property
    def standing(self) -> str:
        """How sure it is, in a word: ``yes``, ``type`` for a yes that the type alone speaks for, ``maybe``, ``no``."""
        return "type" if self.type_only and self.verdict is Verdict.YES else self.verdict.value

    @property
    def fix_reason(self) -> str:
        """Why that, in English."""
        return str(self.fix_why) if self.fix_why is not None else ""

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The case's fixes."""
        return self.case.fixes

    @property
    def workarounds(self) -> tuple[Workaround, ...]:
        """The case's workarounds that may help here, each with its caveat."""
        return tuple(way for way in self.case.workarounds if way not in self.idle)

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
    known_fixes: tuple[Match, ...] = ()
    """Fixes that come with kb as facts and that no case among the matches stands for, best first."""
    similar: tuple[Similar, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    group: int = 1
    """Number of the first report of the run that is equal to this one; its own where it is the first."""
    of: int = 1
    """How many equal reports there are in the run (in a live one: up to this one)."""
    incident: int = 1
    """The group that stands for the incident that it is of; its own where there is no other of it."""

    @property
    def best(self) -> Match | None:
        """The first match, or None."""
        return self.matches[0] if self.matches else None

    @property
    def known(self) -> bool:
        """True when some case or known fix says yes."""
        return any(match.verdict is Verdict.YES for match in (*self.matches, *self.known_fixes))

    def to_json(self) -> dict[str, Any]:
        """The ``kb.report/1`` object, plain values only."""
        return kb.to_json(self)

    def to_markdown(self, *, lang: str = "en") -> str:
        """For a ticket comment, in English or Chinese (``zh``); tells no path of this machine."""
        return kb.to_markdown(self, lang=lang)

    def to_text(self, *, verbose: int = 0, color: bool = False, width: int = 100, lang: str = "en") -> str:
        """What ``kb match`` prints for a person (``verbose``: 0 to 2), in English or Chinese (``zh``)."""
        return kb.to_text(self, verbose=verbose, color=color, width=width, lang=lang)


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
