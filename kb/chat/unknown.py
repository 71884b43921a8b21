"""What is said when a line is not understood, and how to leave: "I don't know, but ..."."""

import difflib

from kb.chat.answers.case import entry_claim
from kb.chat.question import Question
from kb.chat.reply import Answer, Claim, answer
from kb.chat.search import search
from kb.chat.state import State

_NEAR = 0.45


def exits(state: State, kind: str) -> Answer:
    """Leaving, helping, and the beginning of a paste."""
    p = state.p
    if kind == "exit":
        return answer([Claim(p("help.bye"))], exit=True)
    if kind == "thanks":
        return answer([Claim(p("help.thanks"))])
    if kind == "paste":
        return answer([Claim(p("help.paste"))])
    claims = [Claim(p("help.exits")), Claim(p("help.intro"))]
    return answer([*claims, *(Claim(example.ask, indent=1) for example in state.examples())])


def haystack(state: State) -> str:
    """All words that the conversation could be about: the log of the subject and the cases in question."""
    parts = []
    if state.current is not None:
        report = state.current.report
        parts += [line.text for line in report.lines]
        parts += [report.title, report.kind, str(dict(state.current.diagnosis.facts.detail))]
    found = state.case
    if found is not None:
        parts += [found.id, found.title, found.summary, found.prose, " ".join(found.keywords)]
        parts += [f"{way.do} {way.caveat}" for way in found.workarounds]
        parts += [f"{step.run} {step.expect} {step.means}" for step in found.verify]
        parts += [f"{fix.subject} {fix.commit} {fix.note}" for fix in found.fixes]
    return "\n".join(parts).lower()


def unknown(state: State, question: Question, kind: str | None) -> Answer:
    """No guess: what was not understood, cases that hold its words, and the nearest question that can be answered."""
    p = state.p
    nearest = _nearest(state, question, kind)
    strange = [word for word in question.strange if word.lower() not in haystack(state) and not state.logged(word)]
    opening = p("unknown.words", words=", ".join(strange[:4])) if strange else p("unknown.sorry")
    if question.understood is not None:
        asked = Claim(p("unknown.meant", text=question.understood))
        first = Claim(p("unknown.meant_words", words=", ".join(strange[:4] or question.strange[:4])))
        return answer([first, asked], "unknown", suggestions=(question.understood,))
    found = search(state.base, " ".join(question.strange), limit=3, least=3.0) if question.strange else []
    claims = []
    if found:
        claims.append(Claim(opening + p("unknown.cases")))
        claims += [entry_claim(state, one) for one in found]
        claims.append(Claim(p("unknown.nearest", question=nearest)))
        state.listed = tuple(one.id for one in found)
    else:
        claims.append(Claim(opening + p("unknown.nearest", question=nearest)))
    claims.append(Claim(p("unknown.none")))
    return answer(claims, "unknown", suggestions=(nearest,))


def _nearest(state: State, question: Question, kind: str | None) -> str:
    """The example of the question it was taken for, else the one whose letters are most like the line's."""
    examples = state.examples()
    for example in examples:
        if example.kind == kind:
            return example.ask
    text = (question.understood or question.text).lower()
    ranked = sorted(examples, key=lambda e: -difflib.SequenceMatcher(None, text, e.ask.lower()).ratio())
    if difflib.SequenceMatcher(None, text, ranked[0].ask.lower()).ratio() >= _NEAR:
        return ranked[0].ask
    first = "why" if state.entries or "load" in state.off else "load"
    return next(example.ask for example in examples if example.kind == first)
