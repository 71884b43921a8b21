"""Questions about what happened elsewhere: sightings, neighbours, notes. Reading never makes a store."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer, case
from kb.chat.state import State
from kb.errors import UsageError
from kb.model.verdict import Annotation, Verdict

if TYPE_CHECKING:
    from kb.identity.rank import Neighbour
    from kb.store import Shown, Store

_SHOWN = 8
_FRAMES = 6


def _stored(state: State, signature: str) -> "Shown | None":
    if state.base.known is None:
        return None
    try:
        return state.base.show(signature)
    except UsageError:
        return None


def seen(state: State, question: Question) -> Answer:
    """Sightings of the report's signature: how often, where, when; and what people noted."""
    p = state.p
    wanted = question.first("signature_id", "id")
    if wanted is None:
        if state.current is None:
            return answer([Claim(p("load.nothing"))], "nothing_loaded")
        wanted = state.current.mark.id
    found = _stored(state, wanted)
    if found is None:  # it may have been noted on without having been recorded
        store = state.base.known
        notes = store.annotations(f"signature:{wanted}") if store is not None else ()
        return answer([Claim(p("seen.none"), (), (wanted,)), *_notes(state, notes)])
    row, cited = found.row, (found.row.signature,)
    claims = [Claim(p("seen.count", count=row.count, first=row.first, last=row.last), (), cited)]
    for one in found.sightings[:_SHOWN]:
        host = one.host or p("seen.unknown_host")
        text = p("seen.where", count=one.count, host=host, last=one.last, source=one.last_source)
        claims.append(Claim(text, (), cited, indent=1))
    return answer([*claims, *_notes(state, found.annotations)])


def _notes(state: State, notes: tuple[Annotation, ...]) -> list[Claim]:
    """The notes that stand: neither replaced nor retracted by a later one."""
    gone = {key for one in notes for key in (one.replaces, one.retracts) if key}
    kept = [one for one in notes if one.id not in gone and one.retracts is None]
    return [
        Claim(state.p("seen.note", author=one.author, time=one.time, body=one.body), (), (f"note {one.id}",), indent=1)
        for one in kept[-_SHOWN:]
    ]


def similar(state: State, question: Question) -> Answer:
    """Cases, reports of this conversation and stored signatures that are like the subject."""
    entry, p = state.current, state.p
    if entry is None:
        return answer([Claim(p("load.nothing"))], "nothing_loaded")
    diagnosis = entry.diagnosis
    claims = [
        Claim(
            p("similar.case", verdict=p(f"verdict.{match.verdict.value}"), title=match.case.title),
            tuple(dict.fromkeys(span for mark in match.marks if mark.verdict is Verdict.YES for span in mark.evidence)),
            (case(match.case.id),),
            state.source(entry),
        )
        for match in diagnosis.matches
    ]
    claims += _neighbours(state)
    known = {match.case.id for match in diagnosis.matches}
    for other in state.base.similar(entry.report, limit=_SHOWN):
        if other.entry.case not in known:
            claims += _explained(state, other)
    return answer(claims or [Claim(p("similar.none"), (entry.report.span,), (), state.source(entry))])


def _neighbours(state: State) -> list[Claim]:
    """Reports of this conversation with the same signature or stack."""
    here = state.current
    assert here is not None
    mark = here.mark
    claims = []
    for entry in state.entries:
        other = entry.mark
        if entry is here or (other.id != mark.id and (other.stack is None or other.stack != mark.stack)):
            continue
        key = "similar.same" if other.id == mark.id else "similar.same_stack"
        text = state.p(key, number=entry.number, title=entry.report.title)
        claims.append(Claim(text, (entry.report.span,), (other.id,), state.source(entry)))
    return claims


def _explained(state: State, other: "Neighbour") -> list[Claim]:
    """A neighbour with its score, and the frames that stand for each other: it suggests, it never links."""
    p, cited = state.p, (case(other.entry.case) if other.entry.case else other.entry.signature,)
    because = p("similar.because", words=p.word(other.because)) if other.because else ""
    claims = [Claim(p("similar.neighbour", score=other.score, title=other.entry.title, because=because), (), cited)]
    names = [other.entry.frames[right] for _left, right in other.alignment.pairs]
    if names:
        shown = " < ".join(names[:_FRAMES]) + (" ..." if len(names) > _FRAMES else "")
        claims.append(Claim(p("similar.frames", count=len(names), names=shown), (), cited, indent=1))
    return claims


_DAYS = {
    "hour": 1 / 24,
    "小时": 1 / 24,
    "day": 1,
    "天": 1,
    "week": 7,
    "周": 7,
    "星期": 7,
    "month": 30,
    "月": 30,
    "year": 365,
}
_PAST = re.compile(
    r"(?i)(?:last|past|最近|过去|这|本|上|this)\s?(?:个)?\s?(?P<count>\d{1,4}|[一二两三四五六七八九十几])?\s?(?:个)?\s?"
    r"(?P<unit>hour|day|week|month|year|小时|天|周|星期|月)"
)
_NUMBERS = {"一": 1, "二": 2, "两": 2, "三": 3, "几": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_DATE = re.compile(r"(?<![\w.:-])(?P<date>(?:19|20)\d\d(?:-\d\d){0,2})(?![\w.:-])")
_FROM = re.compile(r"(?i)\b(?:since|from|after)\b|自|从|以来|以后|之后")
_TO = re.compile(r"(?i)\b(?:before|until|till)\b|以前|之前")
_EVER = 36500
"""Days, further back than any store goes."""


def _since(text: str) -> tuple[str, str]:
    """From when and until when a line asks, UTC, as the store has times; all there is where it names no time."""
    now = datetime.now(UTC)
    if re.search(r"(?i)\btoday\b|今天", text):
        return f"{now:%Y-%m-%d}", "9999"
    if re.search(r"(?i)\byesterday\b|昨天", text):
        return f"{now - timedelta(days=1):%Y-%m-%d}", f"{now:%Y-%m-%d}"
    if found := _PAST.search(text):
        word = found["count"] or "1"
        days = _NUMBERS.get(word) or int(word)
        back = timedelta(days=min(days * _DAYS[found["unit"].lower()], _EVER))
        return f"{now - back:%Y-%m-%dT%H:%M:%S}", "9999"
    if dates := [found["date"] for found in _DATE.finditer(text)]:  # as the beginning of a time that the store has
        first, last = dates[0], dates[-1] + "~"  # behind all that begins so
        if len(dates) > 1:
            return first, last
        return ("", first) if _TO.search(text) else (first, "9999" if _FROM.search(text) else last)
    return "", "9999"


def hosts_of(store: "Store") -> dict[str, str]:
    """The named hosts of a store, by their names in small letters."""
    return {name.lower(): name for (name,) in store.rows("select distinct host from sightings where host != ''")}


def archive(state: State, question: Question) -> Answer:
    """What the store has in all, or of a time, a kind or a host that the line names: the most frequent first."""
    from kb.chat.asked import kinds_named
    from kb.store.summary import most, stats

    p, store, text = state.p, state.base.known, normal(question.text)
    if store is None:
        return answer([Claim(p("archive.none"))], "nothing_loaded")
    since, until = _since(text)
    named = kinds_named(text)
    hosts = hosts_of(store)
    host = next((hosts[word.lower()] for word in question.strange if word.lower() in hosts), None)
    found = [
        one
        for one in most(store, since=since, until=until, host=host)
        if not named or any(one.kind in row.kinds and (not row.has or row.has.search(one.title)) for _, row in named)
    ]
    if since or until != "9999" or named or host:
        of = ", ".join([*(typed for typed, _row in named), *([host] if host else [])]) or p("count.all")
        count = sum(one.count for one in found)
        span = {"since": since or "...", "until": until.rstrip("~") if until != "9999" else "..."}
        claims = [Claim(p("archive.some", count=count, signatures=len(found), of=of, **span))]
    else:
        told = stats(store)
        parts = {name: told[name] for name in ("signatures", "sightings", "hosts", "first", "last")}
        claims = [Claim(p("archive.all", **parts))]
    claims += [
        Claim(
            p("archive.one", count=one.count, title=one.title, hosts=one.hosts, last=one.last),
            (),
            (one.signature,),
            indent=1,
        )
        for one in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        claims.append(Claim(p("load.more", count=len(found) - _SHOWN)))
    return answer(claims)


def note(state: State, question: Question) -> Answer:
    """Append a note to the subject; it is never changed."""
    p, text = state.p, question.first("note", "text") or ""
    if not text:
        return answer([Claim(p("note.empty"))], "nothing_loaded")
    if state.chosen is not None:
        made = state.base.annotate(f"case:{state.chosen.id}", text, author=state.author)
    elif state.current is not None:
        made = state.base.annotate(state.current.report, text, author=state.author)
    else:
        return answer([Claim(p("note.need"))], "nothing_loaded")
    subject = made.subject.replace("case:", "case ").removeprefix("signature:")
    return answer([Claim(p("note.done", subject=state.subject), (), (f"note {made.id}", subject))])
