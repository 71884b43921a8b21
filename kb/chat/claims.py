"""Claims that several answers make: a reason, the cause, the matching case, a case in short."""

from kb.cases.fixstatus import cite
from kb.chat.reply import Answer, Claim, answer, case, head
from kb.chat.state import State
from kb.model.case import Case
from kb.model.log import Span
from kb.model.verdict import Match, Reason


def reason_claim(state: State, reason: Reason, key: str) -> Claim:
    """One step of the reasoning chain."""
    p = state.p
    text = p.say(reason.says)
    if reason.why:
        text += f": {p.joined(reason.why)}"
    entry = state.entry
    return Claim(p(key, claim=text), reason.evidence or head(entry.report), (), state.source(entry), 1)


def cause_claim(state: State) -> Claim:
    """The cause in one sentence, with the lines of the zones it names."""
    entry, p = state.entry, state.p
    report, facts = entry.report, entry.diagnosis.facts
    if facts.cause is None:
        return Claim(p("why.no_cause", title=report.title), (report.span,), (), state.source(entry))
    own = facts.get("cause")
    lines: dict[Span, None] = dict.fromkeys(own.evidence if own is not None else head(report))
    named = set(facts.conclusion.quoted()) if facts.conclusion is not None else set()
    for zone in facts.detail.get("zones") or ():
        if f"Node {zone['node']} {zone['zone']}" in named:
            lines.update(dict.fromkeys((first, last) for first, last in zone["evidence"]))
    summary = p.say(facts.conclusion)
    return Claim(p("why.cause", title=report.title, summary=summary), tuple(lines), (), state.source(entry))


_KNOWN = {"yes": "known.yes", "type": "known.type", "maybe": "known.maybe", "no": "known.maybe"}


def known_claims(state: State) -> list[Claim]:
    """The cases that match, and whether the kernel has the fix of the best one."""
    p, matches = state.p, state.entry.diagnosis.matches
    if not matches:
        return [Claim(p("known.none"), (state.entry.report.span,), (), state.source(state.entry))]
    claims = []
    for match in matches[:3]:
        key = _KNOWN[match.standing]
        claims.append(Claim(p(key, title=match.case.title), (), (case(match.case.id),)))
    return claims


def case_commits(found: Case) -> tuple[str, ...]:
    """What an answer about a case cites: it, and the commit of its first fix."""
    return (case(found.id), *(fix.commit[:12] for fix in found.fixes[:1]))


def status_claim(state: State, match: Match) -> Claim:
    """Whether the report's kernel has the fix of a case."""
    p = state.p
    reason = p.shortly(match.fix_why)
    text = p("known.status", status=p(f"status.{match.fix_status}"), reason=reason)
    return Claim(text, (), case_commits(match.case))


def ranges(state: State, known: Case) -> list[Claim]:
    """The kernels that a case says are affected."""
    p, cited = state.p, (case(known.id),)
    return [
        Claim(p("case.affected", kernel=one.kernel, note=f" ({one.note})" if one.note else ""), (), cited, indent=1)
        for one in known.affected
    ]


def shown(state: State, found: Case) -> Answer:
    """A case in short."""
    p, cited = state.p, (case(found.id),)
    claims = [
        Claim(p("case.title", title=found.title), (), cited),
        Claim(p("case.summary", summary=found.summary), (), cited),
        Claim(p("case.status", status=p.word(found.status), kinds=", ".join(found.kind)), (), cited),
    ]
    if found.require:
        texts = "; ".join(one.text for one in found.require)
        claims.append(Claim(p("case.demands", texts=texts), (), cited, indent=1))
    claims += ranges(state, found)
    claims += [Claim(p("fix.one", cite=cite(one), branch=""), (), (case(found.id), one.commit[:12]), indent=1)
               for one in found.fixes]  # fmt: skip
    return answer(claims)
