"""Questions about what happened elsewhere: sightings, neighbours, notes. Reading never makes a store."""

from typing import TYPE_CHECKING

from kb.chat.question import Question
from kb.chat.reply import Answer, Claim, answer, case
from kb.chat.state import State
from kb.errors import UsageError
from kb.model.verdict import Annotation, Verdict

if TYPE_CHECKING:
    from kb.identity.rank import Neighbour
    from kb.store import Shown

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
