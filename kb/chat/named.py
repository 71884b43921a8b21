"""What a question names: it stands in the answer, or the answer opens with "I don't know" and says what the log holds.

A CPU, a pid, a node, a zone, a mask, a word of the log. And the report that a question is about is the one with what
it names: "the second oops", "the one with ceph", "pid 101".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from kb.chat.asked import kinds_named, lines_named
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer
from kb.chat.state import Entry, State
from kb.model.log import Span
from kb.model.report import Report

_QUOTED = 4
"""Lines that are quoted of what is named."""
_TITLES = 6
_LONGEST = 160
"""Characters of a line that is quoted."""


_PID = (
    r"(?i:\b(?:pid|tgid|process|task|caller)\W{{0,3}}{0}\b|\btask \S{{1,20}}:{0}\b|\[[^\]\[]{{1,32}}:{0}\]"
    r"|\bheld by \S{{1,32}}/{0}\b|\(\s{{0,9}}{0}\)|\[\s{{0,9}}T?{0}\])"
)
"""A pid where the kernel prints one: ``PID: 1``, ``kt:1 blocked``, ``[    1]`` and the table's second column."""
_LISTED_AS = re.compile(r"(?m)^ *(?:\d+\.|\[[\w, -]+\])|\[L\d[\d, L.-]*\]")
"""Numbers of an answer that are not what is named: of a list, of lines."""


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that a question names."""

    shown: str
    """As it is told: ``CPU 8``."""
    inside: "re.Pattern[str]"
    """What stands for it, in a line of a log and in an answer."""
    own: tuple[str, int | str] | None = None
    """A field of the report, and its value."""


def named(question: Question, logged: Callable[[str], bool], *, numbers: bool = False) -> list[Named]:
    """The things that a line names; words of English only where the log has them, bare numbers where they count."""
    found = []
    for parts in question.all("cpu"):
        number = parts.get("cpu") or parts.get("cpu2") or ""
        pattern = rf"(?i:\bcpus?\W{{0,3}}{number}\b(?!/)|\b{number}-\.\.\.|\bcpus?=(?:\d+[-,])*{number}\b)"
        found.append(Named(f"CPU {number}", re.compile(pattern), ("cpu", int(number))))
    for parts in question.all("pid"):
        number = parts.get("pid") or parts.get("pid2") or ""
        found.append(Named(f"pid {number}", re.compile(_PID.format(number)), ("pid", int(number))))
    for parts in question.all("node"):
        number = next(iter(parts.values()))
        found.append(Named(f"node {number}", re.compile(rf"(?i:\bnode\W?{number}\b)")))
    for parts in question.all("order"):
        number = next(iter(parts.values()))
        found.append(Named(f"order {number}", re.compile(rf"(?i:\border\W{{0,2}}{number}\b|\b{number} ?阶)")))
    for parts in question.all("zone"):
        found.append(Named(parts["zone"], _whole(parts["zone"])))
    from kb.chat.spelling import english

    if numbers:
        found += [Named(parts["number"], _whole(parts["number"]), ("pid", int(parts["number"])))
                  for parts in question.all("number")]  # fmt: skip
    kinds = _kind_words(question)
    found += [Named(word, _whole(word)) for word in question.strange if word.isascii() and word.lower() not in kinds]
    return [one for one in found if one.shown not in english() or logged(one.shown)]


def _kind_words(question: Question) -> frozenset[str]:
    """Words that name a kind of report, or what of the log is asked for: no names of things."""
    text = normal(question.text)
    found = (*kinds_named(text), *lines_named(text))
    return frozenset(word for typed, _row in found for word in typed.lower().split())


def _whole(word: str) -> "re.Pattern[str]":
    return re.compile(rf"(?<![\w]){re.escape(word)}(?!\w)", re.IGNORECASE)


def is_of(entry: Entry, one: Named) -> bool:
    """Whether a report is the one of what is named: its own CPU, pid, task, function or module."""
    report = entry.report
    if one.own is not None:
        return bool(getattr(report, one.own[0]) == one.own[1])
    names = [report.comm, report.function, report.module, report.host, report.title, *report.fields.values()]
    return any(name and one.inside.search(name) for name in names)


def bears(entry: Entry, one: Named) -> bool:
    """Whether a line of a report holds what is named."""
    return any(one.inside.search(line.text) for line in entry.report.lines)


def of_kind(state: State, question: Question) -> tuple[str | None, list[Entry]]:
    """The kind that a line names, as typed, and the reports of it; None and all reports where it names none."""
    kinds = kinds_named(normal(question.text))
    if not kinds:
        return None, list(state.entries)
    rows = [row for _text, row in kinds]
    found = [
        entry
        for entry in state.entries
        if any(
            (entry.report.kind in row.kinds and (row.has is None or _holds(entry.report, row.has)))
            or (row.line is not None and _holds(entry.report, row.line))
            for row in rows
        )
    ]
    return kinds[0][0], found


_TITLE_WORD = re.compile(r"(?<![a-z0-9_-])[a-z][a-z0-9_-]{2,80}")
_PLAIN = frozenset(
    "many time often number count there were does did this that have with what which report error the and for was has"
    " had its are been any all how you".split()
)
_STEM = 4
"""Letters from which a word may be the beginning of another one: ``iommu``, not ``was`` of ``watchdog``."""


def titled(state: State, text: str) -> tuple[str, list[Entry]] | None:
    """What a line calls reports by words of their titles ("iommu faults"), and those reports."""
    stems = {word: word.removesuffix("s") for word in _TITLE_WORD.findall(text)}
    titles = [(entry, _TITLE_WORD.findall(entry.report.title.lower())) for entry in state.entries]
    hits = {
        word: [
            entry
            for entry, own in titles
            if any(one in (word, stem) or (len(stem) >= _STEM and one.startswith(stem)) for one in own)
        ]
        for word, stem in stems.items()
        if _PLAIN.isdisjoint((word, stem))
    }
    fits = {word: fit for word, fit in hits.items() if fit}
    if not fits:
        return None
    return " ".join(fits), [entry for entry in state.entries if all(entry in fit for fit in fits.values())]


def _holds(report: Report, pattern: "re.Pattern[str]") -> bool:
    return pattern.search(report.title) is not None or any(pattern.search(line.text) for line in report.lines)


def chosen(state: State, question: Question) -> Entry | None:
    """The report that a line is about by what it names; None where it names nothing that tells one."""
    kind, entries = of_kind(state, question)
    things = named(question, state.logged, numbers=not question.has("ordinal"))
    for test in (is_of, bears):
        fit = [entry for entry in entries if all(test(entry, one) for one in things)]
        if fit and (things or kind is not None):
            break
    else:
        fit = entries if kind is not None or not things else []
    place = _place(question)
    if place is not None and not state.listed:
        return fit[place] if -len(fit) <= place < len(fit) else None
    if not fit or not (things or kind is not None):
        return None
    return state.current if state.current in fit else fit[0]


_PLACES = {"first": 0, "1st": 0, "一": 0, "second": 1, "2nd": 1, "二": 1, "两": 1, "third": 2, "3rd": 2, "三": 2,
           "fourth": 3, "4th": 3, "四": 3, "last": -1, "最后一个": -1}  # fmt: skip


def _place(question: Question) -> int | None:
    """Which of several a line means, from 0; the last is -1."""
    for parts in question.all("ordinal"):
        word = (parts.get("word") or parts.get("chinese") or parts.get("step") or "").lower()
        if word in _PLACES:
            return _PLACES[word]
        if word.isdecimal():
            return int(word) - 1
    return None


def placed(question: Question) -> bool:
    """Whether a line says which of several it means."""
    return _place(question) is not None


def holdings(state: State) -> Claim:
    """The reports that there are, in a claim."""
    p = state.p
    titles = [f"{entry.number}. {entry.report.title}" for entry in state.entries[:_TITLES]]
    spans = tuple(entry.report.span for entry in state.entries[:_TITLES])
    more = p("load.more", count=len(state.entries) - _TITLES) if len(state.entries) > _TITLES else ""
    return Claim(p("named.holds", titles="; ".join(titles) + more), spans)


def quotes(state: State, patterns: "list[re.Pattern[str]]", most: int = _QUOTED) -> list[Claim]:
    """Lines of the log that hold one of some patterns, those of the report in question where it has any."""
    if not state.logs:
        return []
    entry = state.current
    log = entry.log if entry is not None else state.logs[-1]
    rows: dict[int, str] = {line.number: line.text for line in entry.report.lines} if entry is not None else {}
    other = {n: row.decode("utf-8", "replace") for n, row in enumerate(log.lines, 1) if n not in rows}
    hits = (
        [(number, text) for number, text in group.items() if any(one.search(text) for one in patterns)]
        for group in (rows, other)
    )
    found = next((group for group in hits if group), [])
    claims = [
        Claim(text.strip()[:_LONGEST], ((number, number),), (), state.source(entry) if entry else None, 1)
        for number, text in found[:most]
    ]
    if len(found) > most:
        claims.append(Claim(state.p("load.more", count=len(found) - most)))
    return claims


def unbound(things: list[Named], text: str) -> list[Named]:
    """What is named and does not stand in an answer."""
    bare = _LISTED_AS.sub("", text)
    return [one for one in things if not any(map(one.inside.search, bare.split("\n")))]


def fitting(state: State, question: Question) -> tuple[str | None, list[Named], list[Entry]]:
    """The kind and the things that a line names, and the reports that have them all."""
    kind, entries = of_kind(state, question)
    things = named(question, state.logged, numbers=False)
    for test in (is_of, bears):
        fit = [entry for entry in entries if all(test(entry, one) for one in things)]
        if fit:
            break
    return kind, things, fit


def of_nothing(state: State, kind: str) -> Answer:
    """No report is of the kind that was named: so it is said, with those that there are."""
    ask = next(example.ask for example in state.examples() if example.kind == "reports")
    return answer([Claim(state.p("named.no_kind", kind=kind)), holdings(state)], "unknown", suggestions=(ask,))


def of_names(state: State, missing: list[Named], *, asked: bool) -> Answer:
    """What the log holds of what was named; it opens with "I don't know" where that does not answer what was asked."""
    p, bare, rest = state.p, [], []
    for one in missing:
        found = quotes(state, [one.inside])
        if found:
            rest += [Claim(p("named.only" if asked else "named.says", name=one.shown)), *found]
        else:
            bare.append(Claim(p("named.nothing", name=one.shown)))
    if bare and not rest:
        rest = [holdings(state)]
    return answer([*bare, *rest], "unknown" if bare or asked else None)


def spans_of(state: State) -> tuple[Span, ...]:
    """The report in question, as a citation."""
    return (state.current.report.span,) if state.current is not None else ()
