"""What one asks first on call: how bad it is, what to do now, what the log tells of it."""

import re

from kb.chat.asked import lines_named
from kb.chat.claims import cause_claim
from kb.chat.named import holdings, named, quotes, spans_of
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer, case
from kb.chat.state import Entry, State
from kb.model.verdict import Verdict
from kb.render.answer import SEVERITIES
from kb.render.answer import answer as first_screen
from kb.render.answer import severity as severity_of

_LISTED = 6
_ROWS = 5


def _worst(state: State) -> Entry:
    """The report that asks most: the one in question before others that ask as much."""
    return max(
        state.entries,
        key=lambda entry: (SEVERITIES.index(severity_of(entry.diagnosis)), entry is state.current, -entry.number),
    )


def _severity(state: State) -> list[Claim]:
    entry = _worst(state)
    found = severity_of(entry.diagnosis)
    text = state.p("triage.severity", title=entry.report.title, means=state.p.facts(f"severity.{found}"))
    best = entry.diagnosis.best
    cited = (case(best.case.id),) if best is not None and best.verdict is Verdict.YES else ()
    return [Claim(text, (entry.report.span,), cited, state.source(entry))]


def severity(state: State, question: Question) -> Answer:
    """How bad it is, and what that asks for."""
    if not state.entries:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    asks_data = [claim for claim in _told(state, question) if "data" in question.text.lower()]
    return answer([*_severity(state), *asks_data, Claim(state.p("triage.next"))])


def reboot(state: State, question: Question) -> Answer:
    """Whether to reboot: what the severity says of that, never more."""
    if not state.entries:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    found = severity_of(_worst(state).diagnosis)
    claim = Claim(state.p(f"reboot.{found}"), (_worst(state).report.span,), (), state.source(_worst(state)))
    return answer([claim, *_severity(state), *_step(state)])


def _step(state: State, *names: str) -> list[Claim]:
    """The first screen's one step with its risk."""
    entry = state.entry
    parts = first_screen(entry.diagnosis, state.p.facts)
    best = entry.diagnosis.best
    return [
        Claim(
            f"{part.label}: {part.text}",
            (entry.report.span,),
            (case(best.case.id),) if best is not None and part.name in ("now", "risk") else (),
            state.source(entry),
            int(part.name == "risk"),
        )
        for part in parts
        if part.name in (names or ("now", "risk", "next"))
    ]


def now(state: State, question: Question) -> Answer:
    """The one step of the first screen, with its risk."""
    if state.chosen is not None:
        from kb.chat.answers.case import workaround

        return workaround(state, question)
    if state.current is None:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    steps = _step(state)
    if not steps:
        return answer([Claim(state.p("triage.no_step")), *_severity(state)], "unknown")
    return answer([*steps, Claim(state.p("triage.more"))])


def boss(state: State, question: Question) -> Answer:
    """What it is, how bad, why, and what is done: for somebody who does not read kernel logs."""
    if state.current is None:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    return answer([*_severity(state), cause_claim(state), *_step(state, "now", "risk", "next")[:2]])


_AFTER = re.compile(r"recover|resum|reset (?:done|success)|back to normal|[Ll]ink is [Uu]p|re-?connected|stall ended")


def recovered(state: State, question: Question) -> Answer:
    """How the log goes on behind the report: whether all is well again no log can say."""
    if state.current is None:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    entry = state.current
    last, count = entry.report.span[1], len(entry.log.lines)
    p, claims = state.p, []
    behind = [(n, entry.log.lines[n - 1].decode("utf-8", "replace")) for n in range(last + 1, count + 1)]
    claims.append(Claim(p("recovered.goes_on", count=count - last), ((last, count),), (), state.source(entry)))
    claims += [Claim(text.strip(), ((n, n),), (), None, 1) for n, text in behind if _AFTER.search(text)][:_ROWS]
    return answer(claims, "unknown")


def told(state: State, question: Question) -> Answer:
    """The lines of the log that tell what was asked for (kb/words/asked.toml)."""
    claims = _told(state, question)
    word = lines_named(normal(question.text))[0][0]
    if not claims:
        return answer(
            [Claim(state.p("told.none", word=word), spans_of(state)), *([holdings(state)] if state.entries else [])],
            "unknown",
        )
    return answer([Claim(state.p("told.lines", word=word)), *claims])


def _told(state: State, question: Question) -> list[Claim]:
    rows = lines_named(normal(question.text))
    if not rows:
        return []
    finds = rows[0][1].finds
    specific = [one.inside for one in named(question, state.logged)]
    claims = quotes(state, [finds], 12)
    kept = [claim for claim in claims if any(one.search(claim.text) for one in specific)]
    return (kept or claims)[:_LISTED]
