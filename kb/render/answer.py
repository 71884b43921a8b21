"""Diagnosis -> the answer in a few sentences: where, whether it is known, why, one thing to do, where to look next.

Text, Markdown and HTML show these same parts; what is behind them (the chain of reasons, zones, predicates) is theirs.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple

from kb.identity.group import Group, Seen
from kb.identity.incident import misused
from kb.model.case import Case, Fix
from kb.model.log import Line
from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, PredicateMark, Reason, Verdict
from kb.render.advice import DEVICES, filled, next_step, remedy
from kb.render.fixes import fixed_where
from kb.render.safe import spans
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
_STRIP = 20
"""Cells of the strip that shows when the reports of a group came."""
_SPAN = 40
"""Lines of one span that are pointed at, at most."""
_BARS = "▁▂▃▄▅▆▇█"
_DRIVERS = ("driver", "driver2")
_CPUS, _HOSTS, _RANGES, _FIXES, _DOUBTS = 8, 4, 2, 2, 2
_SENTENCE = re.compile(r"(?<=[\w)\]'\"`])[.!?](?= +[A-Z(\[`'\"_])|。")
_ISO = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")


class Part(NamedTuple):
    """One row of the answer."""

    name: str
    """``seen``, ``damaged``, ``printed``, ``known``, ``status``, ``fix``, ``cause``, ``now``, ``risk``, ``then``,
    ``next``."""
    label: str
    text: str
    role: str = ""
    """What it says, for its colour: ``maybe``, ``unknown``, ``title``, or the severity of what is known."""
    short: str = ""
    """What says as much where room is short."""


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
    place = _seen(found.report, words, group, paths)
    if place:
        yield Part("seen", words("label.seen"), place)
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
        yield Part("then", label, _followers(group, words))
    step = "" if group is not None and group.lead is not None else next_step(found, words)
    if step:
        yield Part("next", words("label.next"), step)


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
    if lead is not None and group not in (lead, advising):
        yield Part("now", words("label.now"), words("now.lead", report=lead.number, do=do))
        return
    of = ""
    if advising is not None and advising is not group:
        of = words("now.of", case=way[0].case.id, report=advising.number)
    yield Part("now", words("label.now") if way[0].verdict is Verdict.YES else words("label.if_so"), do + of)
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


# ---- where and when


def _seen(report: Report, words: Words, group: Group | None, paths: bool) -> str:
    """Who, where and when: of one report its task, of several how many, from when to when, on which CPUs and hosts."""
    if group is not None and group.count > 1:
        return _times(group, words, paths)
    lead = group.lead if group is not None else None
    parts = [
        words("seen.part", report=lead.number) if lead is not None else "",
        words("seen.follows", report=report.follows + 1) if report.follows is not None and lead is None else "",
        _device(report, words),
        _name(report.source, paths),
        _clock(report.wall, report.time),
        report.comm or "",
        f"pid {report.pid}" if report.pid is not None else "",
        f"CPU {report.cpu}" if report.cpu is not None else "",
        words("who.host", host=report.host) if report.host else "",
        report.kernel or "",
    ]
    return ", ".join(part for part in parts if part)


def _device(report: Report, words: Words) -> str:
    """The disk, port or card that a report names, and its driver."""
    if report.kind == "notice":  # its line is printed whole
        return ""
    names = tuple(dict.fromkeys(report.fields[key].partition(": ")[0] for key in DEVICES if report.fields.get(key)))
    driver = next((report.fields[key] for key in _DRIVERS if key in report.fields), "")
    if not names:
        return ""
    return words("seen.driven", devices=names, driver=driver) if driver else words("seen.device", devices=names)


def _times(group: Group, words: Words, paths: bool) -> str:
    seen = group.seen
    first, last = (_clock(each.wall, each.time) for each in (seen[0], seen[-1]))
    if first[:10] == last[:10] and _ISO.match(last.replace(" ", "T", 1)):
        last = last[11:]
    cpus = tuple(sorted({each.cpu for each in seen if each.cpu is not None}))
    hosts = tuple(dict.fromkeys(each.host for each in seen if each.host))
    names = tuple(dict.fromkeys(name for each in seen if (name := _name(each.source, paths))))
    parts = [
        words("seen.part", report=group.lead.number) if group.lead is not None else "",
        words("seen.count", count=group.count),
        _device(group.first.report, words),
        f"{first}-{last}" if first and first != last else first,
        words("seen.cpus", cpus=cpus[:_CPUS], more=_more(cpus, _CPUS)) if cpus else "",
        words("seen.hosts", hosts=hosts[:_HOSTS], more=_more(hosts, _HOSTS)) if hosts else "",
        words("seen.files", files=names[:_HOSTS], more=_more(names, _HOSTS)) if names else "",
    ]
    return ", ".join(part for part in parts if part) + (
        words("seen.strip", strip=strip) if (strip := _strip(seen)) else ""
    )


def _name(source: str, paths: bool) -> str:
    return "" if source == "-" else source if paths else PurePath(source).name or source


def _more(items: tuple[object, ...], most: int) -> str:
    return f" +{len(items) - most}" if len(items) > most else ""


def _clock(wall: str | None, time: float | None) -> str:
    """The time of day where the transport tells it, else seconds since boot."""
    if wall:
        iso = _ISO.match(wall)
        return f"{iso[1]} {iso[2]}" if iso is not None else wall.strip()
    return f"{time:.3f} s" if time is not None else ""


def moments(seen: list[Seen]) -> list[float]:
    """When reports came, in seconds from any point: by printk's stamps, else by times of day; empty where unknown."""
    stamps = [each.time for each in seen if each.time is not None]
    if len(stamps) == len(seen):
        return stamps
    clocks = [found[0] for each in seen if (found := _CLOCK.search(each.wall or "")) is not None]
    if len(clocks) < len(seen):
        return []
    return [sum(int(part) * unit for part, unit in zip(one.split(":"), (3600, 60, 1), strict=True)) for one in clocks]


def counted(times: list[float], cells: int) -> list[int]:
    """How many of some moments fall into each of so many equal parts of the time that they span."""
    start, end = min(times), max(times)
    counts = [0] * cells
    for each in times:
        counts[min(cells - 1, int((each - start) / (end - start or 1) * cells))] += 1
    return counts


def _strip(seen: list[Seen]) -> str:
    """A strip of when the reports of a group came; empty for two, and where their times are not known."""
    times = moments(seen)
    if len(times) < 3 or max(times) == min(times):
        return ""
    counts = counted(times, _STRIP)
    return "".join("·" if not one else _BARS[(one * len(_BARS) - 1) // max(counts)] for one in counts)


def _followers(group: Group, words: Words) -> str:
    """What follows from a report: titles with their lines, the number of others."""
    named = tuple(
        f"{under.first.report.title} {spans((under.seen[0].span,))}" + (f" x {under.count}" if under.count > 1 else "")
        for under in (*group.under, *group.beside)
    )
    return words("then.follow", reports=named)


# ---- what is known


def _case(found: Diagnosis, words: Words) -> Iterator[Part]:
    best = found.best
    if best is None:
        yield Part("known", f"- {words('label.none')}", words("known.none"))
        return
    case, unsure, sure = best.case, _unsure(best, words), best.verdict is Verdict.YES and not best.type_only
    trust = (words(_TRUST[case.status]),) if case.status in _TRUST else ()
    draft = f" ({', '.join((asks_short(best.severity, words), *trust))})"
    others = words("known.others", count=len(found.matches) - 1) if len(found.matches) > 1 else ""
    only = words("known.type_only") if best.type_only and best.verdict is Verdict.YES else ""
    short = only + case.id + (f" ({trust[0]})" if trust else "") + unsure
    role = best.severity if sure else "maybe"
    text = f"{only}{case.id}{draft}: {case.title}{unsure}{others}"
    yield Part("known", label_of(best, words), text, role, short)
    yield Part("status", words("label.status"), status(best, words))


def _unsure(match: Match, words: Words) -> str:
    """What a case that may match depends on."""
    if match.verdict is not Verdict.MAYBE:
        return ""
    open_ = [mark for mark in match.marks if mark.role == "require" and mark.verdict is Verdict.MAYBE]
    doubts = dict.fromkeys((*(_untold(mark, words) for mark in open_), *map(words.say, match.doubts)))
    return words("known.unsure", doubts=tuple(doubts)[:_DOUBTS]) if doubts else ""


def _untold(mark: PredicateMark, words: Words) -> str:
    """What a predicate asks for and the log does not say, in words."""
    if mark.why is not None and mark.why.name != "mark.not_borne":
        return words.say(mark.why)
    from kb.facts.vocabulary import meaning

    return words("known.untold", what=meaning(mark.predicate.fact))


def status(match: Match, words: Words) -> str:
    """Affected or fixed, on which kernels, by which commit since which release."""
    case = match.case
    ranges = tuple(one.kernel for one in case.affected)
    where = words("status.ranges", ranges=ranges[:_RANGES], more=_more(ranges, _RANGES)) if ranges else ""
    said = words("status.unsure") if match.fix_status == "unknown" else words.word(match.fix_status)
    if not case.fixes:
        return (words("status.no_fix") if match.fix_status == "unknown" else said + words("status.and_no_fix")) + where
    first, others = _fixes(case)
    more = tuple(f"{_since(fix)} {fix.commit[:12]}" for fix in others[:_FIXES])
    fix = f'{_since(first)} {first.commit[:12]} ("{first.subject}")'
    return said + words("status.fix", fix=(fix, *more)) + _more(others, _FIXES) + where


def _fixes(case: Case) -> tuple[Fix, tuple[Fix, ...]]:
    first = next((fix for fix in case.fixes if fix.branch == "mainline"), case.fixes[0])
    return first, tuple(fix for fix in case.fixes if fix is not first)


def _since(fix: Fix) -> str:
    """The release of a fix, before its commit: what is cut off at the end of a line is the subject."""
    if not fix.since:
        return ""
    return f"(in {'v' if fix.since[:1].isdigit() and '-' not in fix.since else ''}{fix.since})"


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
    """The claims that hold, beyond who is blamed."""
    return [one for one in reasons if one.verdict == "holds" and not one.name.startswith(("blame.", "taint."))]


def _telling(reasons: Sequence[Reason]) -> list[Reason]:
    """The claims that say most: those that hold, before who is blamed; and he where there is nothing else."""
    holding = [reason for reason in reasons if reason.verdict == "holds"]
    return _own(reasons)[:2] or holding[:1] or [reason for reason in reasons if reason.verdict == "unknown"][:1]


def _claim(reason: Reason, words: Words) -> str:
    return words.say(reason.says) + (f": {words.joined(reason.why)}" if reason.why else "")


def sentence(text: str) -> str:
    """The first sentence of a text, without its full stop."""
    end = _SENTENCE.search(text)
    return text[: end.start()] if end is not None else text.rstrip().removesuffix(".")
