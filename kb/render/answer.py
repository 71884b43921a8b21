"""Diagnosis -> the answer in a few sentences: where, whether it is known, why, one thing to do, where to look next.

Text, Markdown and HTML show these same parts; what is behind them (the chain of reasons, zones, predicates) is theirs.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kb.identity.group import Group
from kb.identity.incident import misused
from kb.model.case import Case, Fix
from kb.model.log import Line
from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, PredicateMark, Reason, Verdict
from kb.render.advice import bare, filled, next_steps, remedy
from kb.render.fixes import fixed_where
from kb.render.safe import spans
from kb.render.seen import more, seen
from kb.syntax.kinds import Severity, kind_of
from kb.words.speak import Words

MARK = {"holds": "✓", "excluded": "✗", "unknown": "?", "yes": "✓", "no": "✗", "maybe": "?"}
SEVERITIES = tuple(one.value for one in Severity)
"""From the least to the worst."""
TYPE_ONLY = "≈"
"""The mark of a match that only the type of the report speaks for."""
_TRUST = {"unsighted": "trust.unsighted", "draft": "trust.draft", "imported": "trust.imported"}
"""Statuses that are told with a case."""
_ASKS = {"harmless": "asks.harmless", "watch": "asks.watch", "act": "asks.act", "stop": "asks.stop"}
_SPAN = 40
"""Lines of one span that are pointed at, at most."""
_RANGES, _FIXES, _RELEASES, _DOUBTS = 2, 2, 3, 2
_SENTENCE = re.compile(r"(?<=[\w)\]'\"`])[.!?](?= +[A-Z(\[`'\"_])|。")


class Part(NamedTuple):
    """One row of the answer."""

    name: str
    """``seen``, ``damaged``, ``printed``, ``known``, ``status``, ``fix``, ``cause``, ``now``, ``risk``, ``then``,
    ``next``."""
    label: str
    text: str
    role: str = ""
    """What it says, for its colour: ``maybe``, ``unknown``, ``title``, or the severity of what is known."""
    shorter: tuple[str, ...] = ()
    """What is said where there is less room, the fullest first: each is whole."""


def answer(found: Diagnosis, words: Words, group: Group | None = None, *, paths: bool = False) -> list[Part]:
    """The parts of the answer that there are, in the order in which they are read.

    Args:
        found: The diagnosis.
        words: Of the language to say it in.
        group: The equal reports that it stands for.
        paths: Name the inputs as they were given; else the last part of their paths.
    """
    return list(_parts(found, words, group, paths))


def _parts(found: Diagnosis, words: Words, group: Group | None, paths: bool) -> Iterator[Part]:
    place = seen(found.report, words, group, paths)
    if place:
        yield Part("seen", words("label.seen"), place[0], shorter=place[1:])
    if found.report.damage:
        text = words("damaged.because", damage=found.report.damage)
        yield Part("damaged", words("label.damaged"), text, "unknown")
    if found.report.kind == "notice":  # nobody need have run, but which device it is stands only in the line
        yield Part("printed", words("label.printed"), found.report.headline)
    if group is None or group.lead is None or (found.best is not None and not found.best.type_only):
        yield from _case(found, words)
    yield from _fix(found, words)
    yield from _why(found, words)
    yield from _advice(found, words, group)
    if group is not None and (group.under or group.beside):
        label = words("label.with") if group.beside else words("label.then")
        yield Part("then", label, *_followers(group, words))
    steps = () if group is not None and group.lead is not None else next_steps(found, words)
    if steps:
        yield Part("next", words("label.next"), steps[0], shorter=tuple(map(bare, steps)))


def _why(found: Diagnosis, words: Words) -> Iterator[Part]:
    """The cause where one is known, and what this report itself tells: which of the many that such reports have."""
    cause = cause_of(found, words)
    if found.facts.cause == "undetermined":  # what is missing is no cause
        yield Part("cause", words("label.found"), cause, "title")
    elif found.facts.cause is not None:
        yield Part("cause", words("label.cause"), cause, "title")
    elif _explains(found) and found.best is not None and not found.best.type_only:
        own = "; ".join(_claim(reason, words) for reason in _own(found.facts.reasoning)[:1])
        if own:
            yield Part("found", words("label.found"), own, "title")
        yield Part("cause", words("label.cause"), cause, "title")
    elif cause:
        yield Part("found", words("label.found"), sentence(cause) if _explains(found) else cause, "title")


def _advice(found: Diagnosis, words: Words, group: Group | None) -> Iterator[Part]:
    """The one thing to do now: within an incident that of the gravest case, which its other reports point to."""
    lead = group if group is None or group.lead is None else group.lead
    advising = lead.advice if lead is not None and lead.advice is not None else group
    by = found if advising is None else advising.first
    way = remedy(by)
    first = lead.first if lead is not None else found
    if misused(first.report) and (way is None or by is not first):
        yield Part("now", words("label.now"), words("now.fuzzed") if _fuzzed(first) else words("now.memory_first"))
        return
    if way is None:
        return
    do = filled(way[1].do, by.report)
    command = bare(do)
    if lead is not None and group not in (lead, advising):
        said, short = (words("now.lead", report=lead.number, do=each) for each in (do, command))
        yield Part("now", words("label.now"), said, shorter=(short,))
        return
    of = ""
    if advising is not None and advising is not group:
        of = words("now.of", case=way[0].case.id, report=advising.number)
    label = words("label.now") if way[0].verdict is Verdict.YES else words("label.if_so")
    yield Part("now", label, do + of, shorter=(command + of,))
    if way[1].caveat:
        yield Part("risk", words("label.risk"), way[1].caveat)


def _fuzzed(found: Diagnosis) -> bool:
    fact = found.facts.get("fuzzed")
    return fact is not None and fact.value is True


def _fix(found: Diagnosis, words: Words) -> Iterator[Part]:
    """The first known fix, where no case is sure."""
    if not found.known_fixes or (found.best is not None and found.best.verdict is Verdict.YES):
        return
    match = found.known_fixes[0]
    verdict = match.verdict.value
    label = words("fix.near") if match.how == "near" else words.word(verdict)
    where = fixed_where(words, match, found.report.kernel)
    yield Part("fix", f"{MARK[verdict]} {label}", f"{match.case.id.upper()}: {where}", verdict)


def in_module(report: Report) -> str:
    """The module of the function that a title names, in brackets."""
    return f" [{report.module}]" if report.module and report.function else ""


def label_of(match: Match, words: Words) -> str:
    """How sure a case is of a report, with its mark: known, known by its type only, perhaps."""
    if match.verdict is not Verdict.YES:
        return f"{MARK[match.verdict.value]} {words('label.perhaps')}"
    return f"{TYPE_ONLY} {words('label.type')}" if match.type_only else f"{MARK['yes']} {words('label.known')}"


def asks_short(severity: str, words: Words) -> str:
    """A severity in a word or two."""
    return words(_ASKS[severity]) if severity in _ASKS else severity


def severity_of_kind(kind: str) -> str:
    """What reports of a kind ask of who is on call, where no case says otherwise."""
    return kind_of(kind).severity.value


def severity(found: Diagnosis) -> str:
    """What a report asks of who is on call: ``harmless``, ``watch``, ``act`` or ``stop``."""
    if found.best is not None and found.best.verdict is Verdict.YES and found.best.severity in SEVERITIES:
        return found.best.severity
    own = found.facts.detail.get("severity") if found.report.kind == "notice" else None
    return own if own in SEVERITIES else kind_of(found.report.kind).severity.value


def evidence(found: Diagnosis) -> list[Line]:
    """The lines of the report that its claims and the predicates of its best case point at."""
    marks = found.best.marks if found.best is not None else ()
    pointed = [span for reason in found.facts.reasoning for span in reason.evidence]
    pointed += [span for mark in marks if mark.verdict is Verdict.YES for span in mark.evidence]
    numbers = {found.report.headline_line}
    for first, last in pointed:
        numbers.update(range(first, min(last, first + _SPAN) + 1))
    return [line for line in found.report.lines if line.number in numbers]


# ---- what is known


def _followers(group: Group, words: Words) -> tuple[str, str, tuple[str, ...]]:
    """What follows from a report: titles with their lines, the number of others; then fewer of them."""
    named = tuple(
        f"{under.first.report.title} {spans((under.seen[0].span,))}" + (f" x {under.count}" if under.count > 1 else "")
        for under in (*group.under, *group.beside)
    )
    forms = [words(name, reports=named) for name in ("then.follow", "then.two", "then.one")]
    return forms[0], "", tuple(forms[1:])


def _case(found: Diagnosis, words: Words) -> Iterator[Part]:
    best = found.best
    if best is None:
        yield Part("known", f"- {words('label.none')}", words("known.none"))
        return
    case, sure = best.case, best.verdict is Verdict.YES and not best.type_only
    trust = (words(_TRUST[case.status]),) if case.status in _TRUST else ()
    asks = f"{case.id} ({', '.join((asks_short(best.severity, words), *trust))})"
    short = case.id + (f" ({trust[0]})" if trust else "")
    others = words("known.others", count=len(found.matches) - 1) if len(found.matches) > 1 else ""
    doubts = _doubts(best, words)
    unsure, doubt = (words("known.unsure", doubts=some) if some else "" for some in (doubts, doubts[:1]))
    text = f"{asks}: {case.title}{unsure}{others}"
    titled = (f"{asks}: {case.title}{doubt}", *(() if doubts else (asks,)))
    forms = (*titled, f"{short}{unsure}", f"{short}{doubt}", short, case.id)
    yield Part("known", label_of(best, words), text, best.severity if sure else "maybe", forms)
    yield Part("status", words("label.status"), *status(best, words))


def _doubts(match: Match, words: Words) -> tuple[str, ...]:
    """What a case that may match depends on."""
    if match.verdict is not Verdict.MAYBE:
        return ()
    open_ = [mark for mark in match.marks if mark.role == "require" and mark.verdict is Verdict.MAYBE]
    return tuple(dict.fromkeys((*(_untold(mark, words) for mark in open_), *map(words.say, match.doubts))))[:_DOUBTS]


def _untold(mark: PredicateMark, words: Words) -> str:
    """What a predicate asks for and the log does not say, in words."""
    if mark.why is not None and mark.why.name != "mark.not_borne":
        return words.say(mark.why)
    from kb.facts.vocabulary import meaning

    return words("known.untold", what=meaning(mark.predicate.fact))


def status(match: Match, words: Words) -> tuple[str, str, tuple[str, ...]]:
    """Affected or fixed, on which kernels, by which commit since which release; its colour; the same in less room."""
    case = match.case
    ranges = tuple(one.kernel for one in case.affected)
    where = words("status.ranges", ranges=ranges[:_RANGES], more=more(ranges, _RANGES)) if ranges else ""
    said = words("status.unsure") if match.fix_status == "unknown" else words.word(match.fix_status)
    if not case.fixes:
        said = words("status.no_fix") if match.fix_status == "unknown" else said + words("status.and_no_fix")
        return said + where, "", (said,)
    (first, releases), *others = _commits(case)
    rest = tuple(_cited(fix.commit[:12], since) for fix, since in others[:_FIXES])
    commit, left = first.commit[:12], more(tuple(others), _FIXES)
    titled = said + words("status.fix", fix=(_cited(f'{commit} ("{first.subject}")', releases), *rest)) + left
    cited = said + words("status.fix", fix=(_cited(commit, releases), *rest)) + left
    one = said + (
        words("status.one_fix", commit=commit, releases=releases[:1]) if releases else words("status.fix", fix=commit)
    )
    least = said + words("status.release", releases=releases[:1]) if releases else one
    forms = (cited + where, cited, said + words("status.fix", fix=_cited(commit, releases)), one, least)
    return titled + where, "", forms


def _commits(case: Case) -> list[tuple[Fix, tuple[str, ...]]]:
    """The fixes of a case, that of mainline first, each with the releases that have it."""
    first = next((fix for fix in case.fixes if fix.branch == "mainline"), case.fixes[0])
    since: dict[str, list[str]] = {}
    for fix in (first, *case.fixes):
        since.setdefault(fix.commit, []).append(_release(fix))
    heads = {fix.commit: fix for fix in reversed((first, *case.fixes))}
    return [(heads[commit], tuple(dict.fromkeys(filter(None, names)))) for commit, names in since.items()]


def _release(fix: Fix) -> str:
    """The release that a fix came with, as the kernel's tags have it."""
    return f"v{fix.since}" if fix.since and fix.since[:1].isdigit() and "-" not in fix.since else fix.since or ""


def _cited(commit: str, releases: tuple[str, ...]) -> str:
    """A commit with the releases behind it, as many as fit into a row."""
    return f"{commit} (in {', '.join(releases[:_RELEASES])}{more(releases, _RELEASES)})" if releases else commit


# ---- why, and what to do


def cause_of(found: Diagnosis, words: Words) -> str:
    """The cause in one sentence: the engine's, else the known case's, else what holds of the chain of reasons."""
    facts, best = found.facts, found.best
    if facts.cause is not None:
        return f"{words.say(facts.conclusion)} [{words.word(facts.cause)}]"
    if best is not None and _explains(found):
        return best.case.summary
    return "; ".join(_claim(reason, words) for reason in _telling(facts.reasoning))


def _explains(found: Diagnosis) -> bool:
    """Whether the known case tells the cause: one that covers narrower ones knows less than what this report says."""
    best = found.best
    if best is None or best.verdict is not Verdict.YES or not best.case.summary:
        return False
    return not ((best.case.broader or best.type_only) and _own(found.facts.reasoning))


def _own(reasons: Sequence[Reason]) -> list[Reason]:
    """The claims that hold, beyond who is blamed and which check it was."""
    return [
        one for one in reasons if one.verdict == "holds" and not one.name.startswith(("blame.", "check.", "taint."))
    ]


def _telling(reasons: Sequence[Reason]) -> list[Reason]:
    """The claims that say most: those that hold, before who is blamed; and he where there is nothing else."""
    holding = [reason for reason in reasons if reason.verdict == "holds"]
    stated = [reason for reason in holding if reason.name.startswith("check.")]
    return (
        _own(reasons)[:2]
        or stated[:1]
        or holding[:1]
        or [reason for reason in reasons if reason.verdict == "unknown"][:1]
    )


def _claim(reason: Reason, words: Words) -> str:
    return words.say(reason.says) + (f": {words.joined(reason.why)}" if reason.why else "")


def sentence(text: str) -> str:
    """The first sentence of a text, without its full stop."""
    end = _SENTENCE.search(text)
    return text[: end.start()] if end is not None else text.rstrip().removesuffix(".")
