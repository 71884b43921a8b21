"""Cases against a report: a verdict each, with a mark per predicate. Pure: the same facts and cases, the same answer.

The verdict is Kleene's and over all that a case demands: each ``require`` holds, one ``[[match.any]]`` group holds
whole, no ``refute`` holds. What is not known keeps a case at MAYBE, an unknown refute too: a wrong yes is worse
than none. ``support`` only ranks. Three things make a MAYBE of a YES: a plain mainline or stable release that has
the fix by its own number, a ``support`` on the release that is known to fail, a ``provided``, which no report shows.

One alternative that is known and differs settles the others that spell the same fact: a driver printed as
``field.driver`` is not another one in ``field.driver2``, and code in another file is in no function of this one.

A case without predicates (an imported one) links by signature: its own id or one of the alternative ids. A key is a
kind and a function, which many bugs may share: alone it makes a MAYBE. Whether stack and place agree too is told where
the case's stacks are (kb/recall.py, kb/link.py). What is merely similar is suggested elsewhere.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from kb.cases.fixstatus import cite, fix_status, mended
from kb.cases.predicate import both, either, evaluate, negate
from kb.cases.select import candidates
from kb.kernel.release import Release
from kb.model.case import Case, Predicate, Severity
from kb.model.report import Signature
from kb.model.said import Said
from kb.model.verdict import Facts, Match, PredicateMark, Verdict
from kb.syntax.kinds import Form, kind_of, rows
from kb.words.speak import said

RANKS = {"reviewed": 0, "sighted": 1, "unsighted": 2, "draft": 3, "imported": 4}
"""Status of a case by how far it is trusted; a withdrawn case never matches."""

_SEVERITIES = tuple(Severity)
_EXACT, _ALTERNATIVE = 0.75, 0.6
"""Scores of a link by signature: below what a case whose predicates all hold gets (0.8 and more)."""


def match(
    facts: Facts, signature: Signature, kind: str, cases: Iterable[Case], *, everything: bool = False
) -> tuple[Match, ...]:
    """The cases that explain a report or may do so, best first.

    Args:
        facts: What was computed over the report.
        signature: Its identity, for cases that link by it.
        kind: Its kind; a case is asked only for the kinds it names.
        cases: Candidates.
        everything: Also each MAYBE that nothing but the type speaks for, or that the release speaks against.

    Returns:
        Matches whose verdict is YES or MAYBE: YES first, then by the case's status, then by severity where they are
        sure, then by score. A case that calls itself broader than another one found stands after it. A MAYBE
        that nothing but the type speaks for is left out: a report cut after its first line would be "maybe"
        every case of its kind.
    """
    asked = candidates(cases, kind, facts)
    found = [judge(case, facts, signature, kind, everything=everything) for case in asked]
    shown = (Verdict.YES, Verdict.MAYBE) if everything else (Verdict.YES,)
    return ordered([each for each in found if each is not None and (each.verdict in shown or _speaks(each))])


def ordered(found: Collection[Match]) -> tuple[Match, ...]:
    """Matches, best first, as :func:`match` returns them."""
    sure = {judged.case.id for judged in found if judged.verdict is Verdict.YES}
    return tuple(sorted(found, key=lambda judged: _order(judged, sure)))


_GENERAL = frozenset({"kind", "subtype", "address_kind"})
"""Facts of a report's type, which a hundred bugs share."""


def _speaks(judged: Match) -> bool:
    """Whether a MAYBE has something known to hold among what its case demands, beyond the type of the report, and no
    release that speaks against it: two doubts are no lead.
    """
    if judged.how == "signature":
        return True
    if judged.verdict is not Verdict.MAYBE or (not judged.doubts and _release_differs(judged.marks) is not None):
        return False
    return _tells(judged.marks)


def _tells(marks: Iterable[PredicateMark]) -> bool:
    """Whether something that is demanded beyond the type of a report holds."""
    demanded = (mark for mark in marks if mark.role in ("require", "any") and mark.verdict is Verdict.YES)
    return any(mark.predicate.fact not in _GENERAL for mark in demanded)


def _order(judged: Match, sure: set[str]) -> tuple[bool, bool, int, int, float, str]:
    case = judged.case
    covers = not sure.isdisjoint(case.broader)
    yes = judged.verdict is Verdict.YES
    worse = -_SEVERITIES.index(judged.severity) if yes else 0
    return (not yes, covers, RANKS.get(case.status, len(RANKS)), worse, -judged.score, case.id)


def judge(case: Case, facts: Facts, signature: Signature, kind: str, *, everything: bool = True) -> Match | None:
    """One case against a report, NO included; None when the case does not speak of such reports at all.

    Without ``everything`` a MAYBE that :func:`match` leaves out is told as briefly as a NO.
    """
    if kind not in case.kind or case.status == "withdrawn":
        return None
    if not case.require and not case.any:
        return _by_signature(case, facts, signature, kind)
    marks = _marks(case, facts)
    verdict = _verdict(case, marks, facts)
    left_out = verdict is Verdict.MAYBE and not everything and not _tells(marks)
    if verdict is Verdict.NO or left_out:  # whether the kernel has their fix is nobody's question
        return Match(case, verdict, _score(verdict, marks), "predicates", tuple(marks))
    doubts = _held_back(case, marks, facts) if verdict is Verdict.YES else ()
    verdict = Verdict.MAYBE if doubts else verdict
    made = _made(case, facts, verdict, _score(verdict, marks), "predicates", tuple(marks))
    return replace(made, doubts=doubts, severity=_severity(case, kind), type_only=_type_only(marks, kind))


_TYPE = frozenset({"kind", "subtype"})


def _type_only(marks: list[PredicateMark], kind: str) -> bool:
    """Whether what holds of a case's demands is the type of the report: its kind, subtype, and what its title
    begins with.

    A notice is its own type: the case says what the message means, and there is no more to know.
    """
    held = [mark for mark in marks if mark.role in ("require", "any") and mark.verdict is Verdict.YES]
    if kind_of(kind).form is Form.NOTICE:
        return False
    return all(mark.predicate.fact in _TYPE or _begins_title(mark.predicate, kind) for mark in held)


def _begins_title(predicate: Predicate, kind: str) -> bool:
    """Whether a pattern of a title is how each title of a kind begins: ``BUG: Bad page state*``."""
    if predicate.fact != "title" or predicate.op != "matches":
        return False
    start = str(predicate.value).rstrip("*")
    return any(row.kind == kind and row.title.partition("{")[0].startswith(start) for row in rows().values())


def _severity(case: Case, kind: str) -> str:
    return case.severity or kind_of(kind).severity


def _by_signature(case: Case, facts: Facts, signature: Signature, kind: str) -> Match | None:
    exact = signature.id in case.signatures
    if not exact and set(signature.alt).isdisjoint(case.signatures):
        return None
    judged = _made(case, facts, Verdict.MAYBE, _EXACT if exact else _ALTERNATIVE, "signature")
    return replace(judged, doubts=(said("link.key_only"),), severity=_severity(case, kind))


def relinked(judged: Match, facts: Facts, verdict: Verdict, doubts: tuple[Said, ...]) -> Match:
    """A link by signature once its stack and place are looked at."""
    made = _made(judged.case, facts, verdict, judged.score, judged.how)
    return replace(made, doubts=doubts, severity=judged.severity)


def _made(
    case: Case, facts: Facts, verdict: Verdict, score: float, how: str, marks: tuple[PredicateMark, ...] = ()
) -> Match:
    kernel = facts.get("kernel")
    release = str(kernel.value) if kernel is not None and kernel.value is not None else None
    status, why = fix_status(case, release, facts, verdict)
    idle = tuple(way for way in case.workarounds if any(evaluate(p, facts).verdict is Verdict.NO for p in way.when))
    return Match(case, verdict, score, how, marks, status, why, idle=idle)


def _marks(case: Case, facts: Facts) -> list[PredicateMark]:
    """Every predicate judged, in the order of the file: require, any groups, refute, support."""

    def mark(predicate: Predicate, role: str) -> PredicateMark:
        verdict, why, evidence = evaluate(predicate, facts)
        return PredicateMark(predicate, verdict, role, why, evidence)

    return [
        *(mark(predicate, "require") for predicate in case.require),
        *(mark(predicate, "any") for group in case.any for predicate in group),
        *(mark(predicate, "refute") for predicate in case.refute),
        *(mark(predicate, "support") for predicate in case.support),
    ]


def _held_back(case: Case, marks: list[PredicateMark], facts: Facts) -> tuple[Said, ...]:
    """Why a case whose predicates all hold is no YES."""
    provided = (said("link.provided", condition=case.provided),) if case.provided else ()
    return (*provided, *_by_release(case, marks, facts))


def _by_release(case: Case, marks: list[PredicateMark], facts: Facts) -> tuple[Said, ...]:
    """Why a release keeps back the YES of a case whose predicates all hold."""
    differs = _release_differs(marks)
    if differs is not None:
        return (said("link.release_differs", predicate=differs.predicate.text, why=differs.why),)
    kernel = facts.get("kernel")
    release = Release.parse(str(kernel.value)) if kernel is not None else None
    if release is None or release.family != "mainline":
        return ()
    fix = mended(case, release, facts)
    return (said("fix.there", release=release.name, fix=cite(fix)),) if fix is not None else ()


def _release_differs(marks: Iterable[PredicateMark]) -> PredicateMark | None:
    """The ``support`` on the releases known to fail that this release fails."""
    for mark in marks:
        if mark.role == "support" and mark.predicate.fact == "kernel" and mark.verdict is Verdict.NO:
            return mark
    return None


def _verdict(case: Case, marks: list[PredicateMark], facts: Facts) -> Verdict:
    parts = [mark.verdict for mark in marks if mark.role == "require"]
    parts += [negate(mark.verdict) for mark in marks if mark.role == "refute"]
    if case.any:
        parts.append(either(_alternatives(case, [mark for mark in marks if mark.role == "any"], facts)))
    return both(parts)


_PLACE = ("module", "function")
"""Facts that say where the code is, as ``field.file`` does."""


def _alternatives(case: Case, marks: list[PredicateMark], facts: Facts) -> list[Verdict]:
    """The verdict of each ``[[match.any]]`` group; what is known and differs in one settles the others."""
    differ = {mark.predicate.fact for mark in marks if mark.verdict is Verdict.NO}

    def settled(mark: PredicateMark) -> Verdict:
        name = mark.predicate.fact
        if mark.verdict is not Verdict.MAYBE:
            return mark.verdict
        if name in _PLACE and "field.file" in differ:
            return Verdict.NO
        same = [other for other in differ if other != name and other.rstrip(_DIGITS) == name.rstrip(_DIGITS)]
        others = (evaluate(replace(mark.predicate, fact=other), facts).verdict for other in same)
        return Verdict.NO if Verdict.NO in others else Verdict.MAYBE

    rest = iter([settled(mark) for mark in marks])
    return [both([next(rest) for _ in group]) for group in case.any]


_DIGITS = "0123456789"


def deciding(judged: Match) -> tuple[PredicateMark, ...]:
    """The predicates that keep a case from YES, in the order of the file: what its author has to look at."""
    whole = _verdict_of_groups(judged) is Verdict.YES
    return tuple(
        mark
        for mark in judged.marks
        if (mark.role == "require" and mark.verdict is not Verdict.YES)
        or (mark.role == "refute" and mark.verdict is not Verdict.NO)
        or (mark.role == "any" and mark.verdict is not Verdict.YES and not whole)
    )


def _verdict_of_groups(judged: Match) -> Verdict:
    """YES where one ``[[match.any]]`` group holds whole, or there is none."""
    alternatives = iter([mark.verdict for mark in judged.marks if mark.role == "any"])
    groups = [both([next(alternatives) for _ in group]) for group in judged.case.any]
    return either(groups) if groups else Verdict.YES


def _score(verdict: Verdict, marks: list[PredicateMark]) -> float:
    """0..1, for ranking only: how much is known to hold, how much the case asks for, how much supports it."""
    worth = {Verdict.YES: 1.0, Verdict.MAYBE: 0.5, Verdict.NO: 0.0}
    asked = [worth[mark.verdict] for mark in marks if mark.role in ("require", "any")]
    support = [worth[mark.verdict] for mark in marks if mark.role == "support"]
    helped = sum(support) / len(support) if support else 0.5
    if verdict is Verdict.YES:
        return round(0.8 + 0.15 * (1 - 0.5 ** len(asked)) + 0.05 * helped, 4)
    if verdict is Verdict.MAYBE:
        return round(0.1 + 0.4 * sum(asked) / len(asked) + 0.1 * helped, 4)
    return 0.0
