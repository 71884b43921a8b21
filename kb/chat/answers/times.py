"""When and how long, and on which host: the clock of the lines, the spans that headlines tell."""

import re
from typing import NamedTuple

from kb.chat.asked import lines_named
from kb.chat.named import fitting, holdings, of_kind, of_names, of_nothing, quotes
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer
from kb.chat.state import Entry, Log, State
from kb.model.log import Line

_ROWS = 6
_WIDE = 160
_CLOCK = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_LONG = re.compile(
    r"(?:stuck for|blocked for more than|for more than|stalls? for|hung for|timed out|took|hogged CPU for >?|for) ?"
    r"(?P<number>\d{1,12}(?:\.\d{1,9})?) ?(?P<unit>us|ms|secs?|seconds?|s)\b"
    r"|\bt=(?P<jiffies>\d{1,18}) jiffies|\} (?P<jiffies2>\d{1,18}) jiffies"
)
"""kernel/watchdog.c, hung_task.c, workqueue.c, rcu/tree_stall.h, mm/page_alloc.c: how long something has lasted."""
_SECONDS = {"us": 1e-6, "ms": 1e-3}


class _Span(NamedTuple):
    """What a line asks for: from and to, in seconds of the day or since boot, both ends included."""

    shown: str
    first: float
    last: float
    of_day: bool

    def holds(self, stamp: float) -> bool:
        """Whether a time lies within; from 23:00 to 1:00 goes over midnight."""
        if self.first > self.last and self.of_day:
            return stamp >= self.first or stamp <= self.last
        return self.first <= stamp <= self.last


def _asked(question: Question) -> _Span | None:
    text = normal(question.text).lower()
    found = [_moment(parts) for parts in question.all("moment")]
    if not found:
        return None
    of_day = found[0].of_day
    if len(found) > 1 and found[1].of_day == of_day:
        return _Span(f"{found[0].shown} - {found[1].shown}", found[0].first, found[1].last, of_day)
    one = found[0]
    if re.search(r"\b(?:before|until|till)\b|以前|之前", text):
        return _Span(one.shown, 0, one.first, of_day)
    if re.search(r"\b(?:after|since|from)\b|以后|之后|起", text):
        return _Span(one.shown, one.first, float("inf"), of_day)
    return one


def _moment(parts: dict[str, str]) -> _Span:
    """One moment: a clock with seconds is a second, without them a minute, an hour alone an hour."""
    stamp = parts.get("stamp") or parts.get("stamp2")
    if stamp is not None:
        value = float(stamp)
        return _Span(f"{stamp} s", value - 0.5, value + 1, False)
    if clock := parts.get("clock"):
        pieces = [int(piece) for piece in clock.split(":")]
        start = pieces[0] * 3600 + pieces[1] * 60 + (pieces[2] if len(pieces) > 2 else 0)
        return _Span(clock, start, start + (0 if len(pieces) > 2 else 59), True)
    hour = int(parts.get("hour") or parts.get("hour2") or 0)
    if "half" in parts:
        hour = hour % 12 + 12 * (parts["half"].lower() == "pm")
    minute = 30 if parts.get("half2") else int(parts["minute"]) if parts.get("minute") else None
    start = hour * 3600 + (minute or 0) * 60
    return _Span(f"{hour:02}:{minute or 0:02}", start, start + (3599 if minute is None else 59), True)


def _clock(line: Line) -> float | None:
    found = _CLOCK.search(line.wall) if line.wall else None
    return None if found is None else int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)


def during(state: State, question: Question) -> Answer:
    """What the log holds of a time: its reports, else its lines."""
    asked, p = _asked(question), state.p
    log = state.current.log if state.current is not None else state.logs[-1]
    assert asked is not None
    when = _clock if asked.of_day else lambda line: line.time
    timed = [(stamp, line) for line in log.records if (stamp := when(line)) is not None]
    if not timed:
        return answer([Claim(p("during.untimed", time=asked.shown)), holdings(state)], "unknown")
    inside = [line for stamp, line in timed if asked.holds(stamp)]
    if not inside:
        first, last = (_shown(line, asked.of_day) for line in (timed[0][1], timed[-1][1]))
        spans = (timed[0][1].span, timed[-1][1].span)
        return answer([Claim(p("during.none", time=asked.shown, first=first, last=last), spans)], "unknown")
    numbers = {line.number for line in inside}
    entries = [one for one in state.entries if one.log is log and any(n.number in numbers for n in one.report.lines)]
    claims = [Claim(p("during.lines", time=asked.shown, count=len(inside), reports=len(entries)))]
    kind, of_it = of_kind(state, question)
    if kind is not None and not any(one in of_it for one in entries):
        claims.insert(0, Claim(p("named.no_kind", kind=kind)))
    elif kind is not None:
        entries = [one for one in entries if one in of_it]
    claims += [
        Claim(f"{one.number}. {one.report.title}", (one.report.span,), (), state.source(one), 1)
        for one in entries[:_ROWS]
    ]
    if not entries:
        claims += [Claim(line.text.strip()[:_WIDE], (line.span,), (), None, 1) for line in inside[:_ROWS]]
    rest = (len(entries) or len(inside)) - _ROWS
    missed = kind is not None and not any(one in of_it for one in entries)
    return answer([*claims, *([Claim(p("load.more", count=rest))] if rest > 0 else [])], "unknown" if missed else None)


def _shown(line: Line, of_day: bool) -> str:
    return (line.wall or "").strip("[] ") if of_day else f"{line.time} s"


class _Long(NamedTuple):
    """How long a report says that something lasted."""

    entry: Entry
    line: Line
    seconds: float
    jiffies: bool


def duration(state: State, question: Question) -> Answer:
    """How long what is named lasted, as the reports tell it; the longest first where that is asked."""
    p, text = state.p, normal(question.text).lower()
    if not state.entries:
        return answer([Claim(p("triage.no_report"))], "unknown")
    kind, things, entries = fitting(state, question)
    if not entries:
        return of_names(state, things, asked=False) if things else of_nothing(state, kind or "")
    found = [one for entry in entries if (one := _long(entry)) is not None]
    if not found:
        return answer([Claim(p("duration.none")), holdings(state)], "unknown")
    if re.search(r"longest|most|max|最长|最久", text):
        longest = {one.jiffies: one for one in sorted(found, key=lambda one: one.seconds)}
        found = [one for one in found if one in longest.values()]  # how long a jiffy is, the log does not say
    claims = [
        Claim(
            p(
                "duration.one",
                number=one.entry.number,
                long=p("duration.jiffies", count=round(one.seconds)) if one.jiffies else f"{one.seconds:g} s",
                line=one.line.text.strip()[:_WIDE],
            ),
            (one.line.span,),
            (),
            state.source(one.entry),
        )
        for one in found[:_ROWS]
    ]
    rest = len(found) - _ROWS
    return answer([*claims, *([Claim(p("load.more", count=rest))] if rest > 0 else [])])


def _long(entry: Entry) -> _Long | None:
    for line in entry.report.lines:
        found = _LONG.search(line.text)
        if found is None:
            continue
        jiffies = found["jiffies"] or found["jiffies2"]
        if jiffies is not None:
            return _Long(entry, line, float(jiffies), True)
        return _Long(entry, line, float(found["number"]) * _SECONDS.get(found["unit"], 1), False)
    return None


def host(state: State, question: Question) -> Answer:
    """The machines that the lines name, those of a kind of report or of lines where such are named, and the store's."""
    p = state.p
    kind, things, entries = fitting(state, question)
    among = entries if kind is not None or (things and entries) else None
    tells = [] if among is not None else lines_named(normal(question.text))
    hosts = _hosts(state, among, tells[0][1].finds if tells else None)
    if tells and not hosts and not quotes(state, [tells[0][1].finds]):
        return answer([Claim(p("told.none", word=tells[0][0])), holdings(state)], "unknown")
    claims = []
    for name, (log, span) in list(hosts.items())[:_ROWS]:
        count = sum(entry.report.host == name for entry in (state.entries if among is None else among))
        source = log.name if len(state.logs) > 1 else None
        claims.append(Claim(p("host.one", host=name, count=count), (span,), (), source))
    if len(hosts) > _ROWS:
        claims.append(Claim(p("load.more", count=len(hosts) - _ROWS)))
    if state.current is not None and state.current.report.hardware:
        entry = state.current
        number = entry.report.field_lines.get("hardware")
        where = ((number, number),) if number else (entry.report.span,)
        claims.append(Claim(p("who.hardware", hardware=entry.report.hardware), where, (), state.source(entry)))
    if state.current is not None:
        from kb.chat.answers.store import seen

        claims += [claim for claim in seen(state, question).claims if claim.text != p("seen.none")]
    return answer(claims or [Claim(p("host.none"))], None if claims else "unknown")


def _hosts(
    state: State, among: list[Entry] | None, finds: "re.Pattern[str] | None"
) -> dict[str, tuple[Log, tuple[int, int]]]:
    """The machines of some reports (None: of all lines, or of those that a pattern finds), each with its place."""
    if among is not None:
        places = [(one.report.host, one.log, one.report.span) for one in among]
    else:
        places = [
            (line.host, log, line.span)
            for log in state.logs
            for line in log.records
            if finds is None or finds.search(line.text)
        ]
    found: dict[str, tuple[Log, tuple[int, int]]] = {}
    for host, log, span in places:
        if host:
            found.setdefault(host, (log, span))
    return found
