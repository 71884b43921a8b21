"""Questions about known problems: is my kernel affected, what fixed it, what to do, how to verify."""

from kb.cases.fixstatus import cite, fix_status
from kb.chat.answers.memory import replayed
from kb.chat.claims import case_commits, known_claims, ranges, shown, status_claim
from kb.chat.question import Question
from kb.chat.release import release_of
from kb.chat.reply import Answer, Claim, answer, case
from kb.chat.search import Hit
from kb.chat.state import State
from kb.kernel.release import Release
from kb.model.case import Case, Workaround
from kb.model.verdict import Verdict

_LISTED = 20


def affected(state: State, question: Question) -> Answer:
    """Whether the report's kernel, or the one that the line names, has the problem."""
    p = state.p
    text, made = release_of(question)
    if state.case is None:
        key = "affected.no_case" if state.current is not None else "affected.no_subject"
        lines = (state.current.report.span,) if state.current is not None else ()
        return answer([Claim(p(key), lines)], "unknown")
    if text is None:
        return _report_affected(state)
    release = Release.parse(text)
    if release is None:
        return answer([Claim(p("affected.bad_release", text=text))], "unknown")
    cases = _cases(state)
    claims = [Claim(p("affected.taken", release=f"{release.name}, {text}"))] if made else []
    for known in cases:
        found = fix_status(known, text)
        status, reason = p(f"status.{found.status}"), p.say(found.why)
        line = p("affected.on", release=release.name, status=status, reason=reason)
        claims.append(Claim(line, (), case_commits(known)))
    return answer(claims + _replayed(state, release))


def _cases(state: State) -> list[Case]:
    if state.chosen is not None:
        return [state.chosen]
    assert state.current is not None
    matches = state.current.diagnosis.matches
    sure = [match.case for match in matches if match.verdict is Verdict.YES]
    return sure or [match.case for match in matches[:1]]


def _report_affected(state: State) -> Answer:
    p = state.p
    if state.chosen is not None or state.match is None:
        own = ranges(state, state.chosen) if state.chosen is not None else []
        return answer([*own, Claim(p("affected.which"))], None if own else "nothing_loaded")
    match = state.match
    text = p("affected.report", status=p(f"status.{match.fix_status}"), reason=p.shortly(match.fix_why))
    entry = state.current
    assert entry is not None
    lines = tuple(dict.fromkeys(span for mark in match.marks if mark.role == "require" for span in mark.evidence))
    claims = [Claim(text, lines, case_commits(match.case), state.source(entry))]
    return answer([*claims, *ranges(state, match.case)])


def _replayed(state: State, release: Release) -> list[Claim]:
    """The request of the report on its own zones, by the rule of another kernel."""
    if state.chosen is not None or state.current is None or state.current.report.memory is None:
        return []
    found = replayed(state, release)
    return [found] if found is not None else []


def _no_case(state: State, key: str) -> Answer:
    if state.current is None:
        key = "load.nothing" if not state.logs else "affected.no_subject"
        return answer([Claim(state.p(key))], "nothing_loaded")
    return answer([Claim(state.p(key), (state.current.report.span,), (), state.source(state.current))], "unknown")


def _perhaps(state: State) -> list[Claim]:
    """A case that may or may not be the one is named as such before its advice is given."""
    if state.chosen is None and state.match is not None and state.match.verdict is not Verdict.YES:
        return [Claim(state.p("known.maybe", title=state.match.case.title), (), (case(state.match.case.id),))]
    return []


def fix(state: State, question: Question) -> Answer:
    """The commits that mend it, since when, on which branch."""
    p, known = state.p, state.case
    if known is None:
        return _no_case(state, "fix.no_case")
    claims = _perhaps(state)
    for each in known.fixes:
        branch = "" if each.branch == "mainline" else f" [{each.branch}]"
        claims.append(Claim(p("fix.one", cite=cite(each), branch=branch), (), (case(known.id), each.commit[:12])))
        if each.note:
            claims.append(Claim(p("fix.note", note=each.note), (), (each.commit[:12],), indent=1))
        if each.prerequisites:
            text = p("fix.prerequisites", commits=", ".join(each.prerequisites))
            claims.append(Claim(text, (), (each.commit[:12],), indent=1))
    if not known.fixes:
        claims.append(Claim(p("fix.none"), (), (case(known.id),)))
    if known.workarounds:
        claims.append(Claim(p("fix.meanwhile", count=len(known.workarounds))))
    return answer(claims, None if known.fixes else "unknown")


def workaround(state: State, question: Question) -> Answer:
    """What to do until the fix, each with its risk; where the line names one ("is drop_caches safe"), that one."""
    p, known = state.p, state.case
    if known is None:
        if state.current is not None and state.current.diagnosis.facts.steps:
            steps = state.current.diagnosis.facts.steps
            span = (state.current.report.span,)
            claims = [Claim(p("workaround.no_case"), span), Claim(p("workaround.next"))]
            return answer([*claims, *(Claim(p("verify.next", step=p.say(step)), span, indent=1) for step in steps)])
        return _no_case(state, "workaround.no_case")
    claims = _perhaps(state)
    idle = state.match.idle if state.chosen is None and state.match is not None else ()
    ways = list(enumerate((way for way in known.workarounds if way not in idle), 1))
    for number, way in [each for each in ways if _meant(each[1], question)] or ways:
        claims.append(Claim(p("workaround.one", number=number, do=way.do), (), (case(known.id),)))
        claims.append(Claim(p("workaround.caveat", caveat=way.caveat), (), (case(known.id),), indent=1))
    if not known.workarounds:
        return answer([Claim(p("workaround.none"), (), (case(known.id),))], "unknown")
    return answer(claims)


def _meant(way: Workaround, question: Question) -> bool:
    """Whether a line names this workaround; lines that name none mean all."""
    named = [word.lower() for word in question.strange if "_" in word or word.lower() in ("sysctl", "drop", "caches")]
    named += [{"MIN_FREE": "min_free_kbytes", "EXTFRAG": "extfrag", "COMPACTION": "compact"}[topic]
              for topic in question.topics if topic in ("MIN_FREE", "EXTFRAG", "COMPACTION")]  # fmt: skip
    return not named or any(word in way.do.lower() for word in named)


def verify(state: State, question: Question) -> Answer:
    """The commands that confirm or rule out, those that the kernel has, each with what to expect."""
    p, known = state.p, state.case
    text, _made = release_of(question)
    if text is None and state.current is not None:
        text = state.current.report.kernel
    release = Release.parse(text) if text else None
    claims = _perhaps(state) if known is not None else []
    number = 0
    for step in known.verify if known is not None else ():
        if step.kernel and release is not None and release.within(step.kernel) is Verdict.NO:
            continue
        number += 1
        assert known is not None
        cited = (case(known.id),)
        claims.append(Claim(p("verify.run", number=number, run=step.run), (), cited))
        claims.append(Claim(p("verify.expect", expect=step.expect), (), cited, indent=1))
        if step.means:
            claims.append(Claim(p("verify.means", means=step.means), (), cited, indent=1))
        if step.kernel and release is None:
            claims.append(Claim(p("verify.only", kernel=step.kernel), (), cited, indent=1))
    if known is not None and number:
        claims.append(Claim(p("verify.script", case=known.id)))
    if not number and state.current is not None:
        span = (state.current.report.span,)
        claims += [Claim(p("verify.next", step=p.say(one)), span) for one in state.current.diagnosis.facts.steps]
    if not claims:
        return _no_case(state, "verify.none")
    return answer(claims)


def known(state: State, question: Question) -> Answer:
    """The cases that match, every predicate with its verdict and lines."""
    if state.current is None:
        return _no_case(state, "load.nothing")
    p, claims = state.p, known_claims(state)
    match = state.match
    if match is None:
        return answer(claims)
    for mark in match.marks:
        verdict = {"yes": "no", "no": "yes"}.get(mark.verdict.value, "maybe") if mark.role == "refute" else None
        text = f"not: {mark.predicate.text}" if mark.role == "refute" else mark.predicate.text
        shown = p("known.mark", verdict=p(f"verdict.{verdict or mark.verdict.value}"), text=text)
        claims.append(Claim(shown, mark.evidence, (case(match.case.id),), state.source(state.current), 1))
    return answer([*claims, status_claim(state, match)])


def sources(state: State, question: Question) -> Answer:
    """Who says so, and which claims of the sources the kernel contradicts."""
    p, known = state.p, state.case
    if known is None:
        return _no_case(state, "affected.no_case")
    cited = (case(known.id),)
    claims = [Claim(p("case.source", id=one.id, text=one.text or one.url), (), cited) for one in known.sources]
    for dispute in known.disputes:
        claims.append(Claim(p("case.dispute", claim=dispute.claim), (), cited))
        claims.append(Claim(p("case.finding", finding=dispute.finding), (), cited, indent=1))
    return answer(claims or [Claim(p("case.no_sources"), (), cited)])


def show_case(state: State, question: Question) -> Answer:
    """A case by its id, or by the only beginning of one."""
    wanted = question.first("show_case", "id", "id2") or question.first("case_id", "id") or ""
    found = state.base.case(wanted)
    if found is not None:
        state.show(found)
        return shown(state, found)
    claims = [Claim(state.p("case.no_such", id=wanted))]
    near = [Hit(one.id, one.status, one.title) for one in state.base.cases if one.id.startswith(wanted)]
    return answer([*claims, *(_entries(state, near) if near else [])], "unknown")


def entry_claim(state: State, found: Hit) -> Claim:
    """A case as an entry of a list."""
    text = state.p("case.entry", id=found.id, status=state.p.word(found.status), title=found.title)
    return Claim(text, (), (case(found.id),), indent=1)


def _entries(state: State, found: list[Hit]) -> list[Claim]:
    state.listed = tuple(one.id for one in found[:_LISTED])
    claims = [entry_claim(state, one) for one in found[:_LISTED]]
    if len(found) > _LISTED:
        claims.append(Claim(state.p("load.more", count=len(found) - _LISTED)))
    return claims


def cases(state: State, question: Question) -> Answer:
    """The library."""
    all_cases = [Hit(one.id, one.status, one.title) for one in state.base.cases]
    return answer([Claim(state.p("case.count", count=len(all_cases))), *_entries(state, all_cases)])


def search(state: State, question: Question) -> Answer:
    """Cases that hold the words, best first."""
    from kb.chat.search import search as look

    words = question.first("search", "words", "words2") or ""
    found = look(state.base, words)
    if not found:
        return answer([Claim(state.p("case.not_found", words=words))], "unknown")
    head = Claim(state.p("case.found", count=len(found), words=words))
    return answer([head, *_entries(state, found)])


def file_case(state: State, question: Question) -> Answer:
    """Write a draft of a case from the current report, with its log as first sample."""
    from pathlib import Path

    from kb.cases.new import new_case

    if state.current is None:
        return answer([Claim(state.p("case.file_need"))], "nothing_loaded")
    name = question.first("file_case", "id") or _slug(state.current.report.title)
    path = new_case(Path(state.folder), name.lower().replace("_", "-"), state.current.diagnosis)
    return answer([Claim(state.p("case.filed", path=str(path)), (state.current.report.span,), (case(name),))])


def _slug(title: str) -> str:
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in title.lower()).split()
    return "-".join(words)[:60].rstrip("-") or "case"
