"""Report x cases -> diagnosis. Pure: no database, no clock, no file."""

import functools
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kb.facts.reasoned import with_reasons
from kb.facts.report import facts_of
from kb.identity.signature import signature
from kb.matcher import match
from kb.model.case import Case
from kb.model.moved import is_moved, moved_diagnosis
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.parse.again import LONGEST, REMEMBERED, shape
from kb.syntax.kinds import Form, kind_of
from kb.words.speak import said

if TYPE_CHECKING:
    from kb.evidence.files import Evidence

Further = Callable[[Diagnosis], Diagnosis]


def diagnose(
    report: Report,
    cases: Iterable[Case] = (),
    *,
    kernel: str | None = None,
    evidence: "Evidence | None" = None,
    everything: bool = False,
    further: Further | None = None,
) -> Diagnosis:
    """What a report says, what is known about it, what to do.

    Args:
        report: A parsed report.
        cases: The cases to match it against.
        kernel: Release to assume where the log prints none (``uname -r``).
        evidence: What files beside the log hold (:func:`kb.evidence.files.parse_evidence`).
        everything: Also each case that may match and that nothing but the report's kind speaks for.
        further: What else is found out: it says the same of every report of the same text.

    Returns:
        The diagnosis; matches hold the verdicts YES and MAYBE, best first.
    """
    if kernel is not None and report.kernel is None:
        report = replace(report, kernel=kernel)
    known = cases if isinstance(cases, tuple) else tuple(cases)
    alone = evidence is None and report.lines and kind_of(report.kind).form is not Form.NOTICE
    if not alone or len(report.lines) > LONGEST:
        found = _concluded(report, known, evidence, everything)
        return found if further is None else further(found)
    stands = report.kernel, report.damage, report.follows is None  # what is said of it beside its lines
    kept = _kept(shape(report.lines), *stands, everything, further)
    return kept.diagnose(report, known, everything, further)


def _concluded(report: Report, cases: tuple[Case, ...], evidence: "Evidence | None", everything: bool) -> Diagnosis:
    facts = facts_of(report)
    if evidence is not None:
        from kb.evidence.context import with_context

        facts = with_context(facts, report, evidence)
        if evidence.zones and report.kind in ("page_allocation_failure", "allocation_stall", "oom_kill"):
            from kb.facts.allocation.captured import on_captured

            facts = replace(facts, reasoning=(*facts.reasoning, *on_captured(facts, report, evidence)))
    facts = with_reasons(facts)
    mark = signature(report)
    matches = match(facts, mark, report.kind, cases, everything=everything)
    return Diagnosis(report, mark, replace(facts, steps=_steps(facts.steps, matches)), matches)


class _Kept:
    """The diagnosis of the first report of a text, which serves those that equal it (:mod:`kb.parse.again`)."""

    __slots__ = ("_counts", "_first", "_moves")

    def __init__(self) -> None:
        self._first: tuple[Diagnosis, tuple[Case, ...]] | None = None
        self._moves: bool | None = None
        self._counts: bool | None = None
        """Whether it matters to the cases which report it follows; None until one followed another."""

    def diagnose(self, report: Report, cases: tuple[Case, ...], everything: bool, further: Further | None) -> Diagnosis:
        """As :func:`diagnose`: the same text has the same facts, and the same cases say the same of it."""

        def afresh() -> Diagnosis:
            found = _concluded(report, cases, None, everything)
            return found if further is None else further(found)

        if self._first is None:
            found = afresh()
            self._first = found, cases
            return found
        first, asked = self._first
        stays = report.lines[0].number == first.report.lines[0].number  # which says nothing of whether it can be moved
        if (self._moves is False and not stays) or cases != asked or not is_moved(first.report, report):
            return afresh()
        if report.follows != first.report.follows and self._which(asked):
            return afresh()
        again = moved_diagnosis(first, report)
        if self._moves is None and not stays:
            found = afresh()
            self._moves = again == found
            return found
        return again

    def _which(self, cases: tuple[Case, ...]) -> bool:
        if self._counts is None:
            self._counts = any(map(_asks_which, cases))
        return self._counts


def _asks_which(case: Case) -> bool:
    """Whether a case may tell which report another follows, and not just deny those that follow any."""
    asked = (*case.require, *(each for group in case.any for each in group), *case.support, *case.refute)
    return any(each.fact == "follows" and (each.op != "present" or each not in case.refute) for each in asked)


@functools.lru_cache(maxsize=REMEMBERED)
def _kept(*_text: Hashable) -> _Kept:
    """What is remembered of a text."""
    return _Kept()


def _steps(own: tuple[Said, ...], matches: tuple[Match, ...]) -> tuple[Said, ...]:
    """What to run next: what would settle a MAYBE first, then what the facts ask for."""
    if matches and matches[0].verdict is Verdict.MAYBE:
        steps = tuple(said("next.expect", command=step.run, expect=step.expect) for step in matches[0].would_decide)
        return tuple(dict.fromkeys((*steps, *own)))
    return own


class Once:
    """Takes the diagnoses of inputs in their order: what is said of a first cause is not said again of what follows.

    A report that follows from another (``report.follows``) keeps the cases that speak of itself alone.
    """

    def __init__(self) -> None:
        self._told: list[frozenset[str]] = []
        self._source = ""
        self._last = 0

    def __call__(self, found: Diagnosis) -> Diagnosis:
        """The diagnosis, without the cases of its cause."""
        report = found.report
        if kind_of(report.kind).form is Form.NOTICE:  # it has no place among the reports of its input
            return found
        first = report.span[0]
        if report.source != self._source or first < self._last:
            self._told, self._source = [], report.source
        self._last = first
        if report.follows is not None and report.follows < len(self._told):
            told = self._told[report.follows]
            found = replace(
                found,
                matches=tuple(match for match in found.matches if match.case.id not in told),
                known_fixes=tuple(match for match in found.known_fixes if match.case.id not in told),
            )
        self._told.append(frozenset(match.case.id for match in (*found.matches, *found.known_fixes)))
        return found
