"""Diagnosis -> Markdown for a ticket: the claim first, evidence under it, what to do at the end."""

import re
from collections.abc import Iterator
from pathlib import PurePath

from kb.model.verdict import Diagnosis, Match, Verdict
from kb.render.case import severity
from kb.render.safe import safe, spans
from kb.words.speak import Words
from kb.words.speak import words as of_language

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_BREAK = "\u200b"
"""ZERO WIDTH SPACE: parts what a forge would act on, and shows as nothing."""
_ACTS = re.compile(
    r"(?<=[@#!$%&~])(?=\S)"  # mentions, references to issues, requests, snippets, milestones, labels; entities
    r"|(?<=[A-Za-z]:)(?=/)|(?<=/)(?=/)|(?i:(?<=www)(?=\.)|(?<=mailto:)|(?<=xmpp:)|(?<=\bGH)(?=-\d))"  # bare URLs, GH-12
    r"|(?<=:)(?=[\w+-]{1,40}:)|(?<=\[)(?=\w{3,20}:)"  # :emoji:, [vulnerability:12]
)
_OPENS = re.compile(r"[/+=:-]|\d{1,9}[.)]")
"""What would be a command of a forge (/close), a list or a rule at the start of a line."""
_TICKS = re.compile(r"`+")


def to_markdown(diagnosis: Diagnosis, *, lang: str = "en") -> str:
    """A comment for a ticket; log text in it is escaped, so that a hostile log cannot write markup.

    No path of the machine that kb runs on is in it: the input is called by the last part of its path.

    Args:
        diagnosis: What to tell.
        lang: ``en`` or ``zh``; what the log and the cases say stays as it is.
    """
    return "\n".join(_lines(diagnosis, of_language(lang))) + "\n"


def _lines(diagnosis: Diagnosis, words: Words) -> Iterator[str]:
    report, facts = diagnosis.report, diagnosis.facts
    yield f"### {text(report.title)}"
    yield ""
    who = [part for part in (report.comm, f"pid {report.pid}" if report.pid is not None else None) if part]
    kernel = report.kernel or words("ticket.release_unknown")
    task = ", ".join(who) or words("who.unknown_task")
    source = PurePath(report.source).name or report.source
    yield f"{_begun(task)}, {text(kernel)}, {text(source)} {text(spans((report.span,)))}  "
    yield f"{words('ticket.signature')} {code(diagnosis.signature.id)}"
    if report.damage:
        yield f"\n**{words('ticket.damaged')}** {text(words.joined(report.damage))}"
    if facts.cause:
        yield f"\n**{words('ticket.cause', cause=text(facts.cause))}** {text(words.say(facts.conclusion))}"
    if facts.reasoning:
        yield ""
        for reason in facts.reasoning:
            claim = words.say(reason.says) + (f": {words.joined(reason.why)}" if reason.why else "")
            yield f"- *{words.word(reason.verdict)}*: {text(claim)} {text(spans(reason.evidence))}".rstrip()
    yield ""
    if not diagnosis.matches:
        yield words("ticket.no_case")
    for match in diagnosis.matches:
        yield from _match(match, words)
    if facts.missing:
        yield f"\n**{words('ticket.unknown')}** " + "; ".join(text(words.say(entry)) for entry in facts.missing)
    if facts.steps:
        yield f"\n**{words('ticket.next')}**\n"
        yield from (f"- {text(words.say(step))}" for step in facts.steps)


def _match(match: Match, words: Words) -> Iterator[str]:
    case = match.case
    known = {Verdict.YES: words("ticket.known"), Verdict.MAYBE: words("ticket.perhaps")}
    yield f"**{known.get(match.verdict, words('ticket.not_the_case'))} {code(case.id)}:** {text(case.title)}"
    yield ""
    yield f"- {words('label.severity')}: {text(severity(words, match))}"
    yield from (f"- {words('mark.but')}{text(words.say(doubt))}" for doubt in match.doubts)
    for mark in match.marks:
        because = f" ({text(words.say(mark.why))})" if mark.why is not None else ""
        verdict = words.word(mark.verdict.value)
        yield f"- {verdict}: {code(mark.predicate.text)}{because} {text(spans(mark.evidence))}".rstrip()
    reason = f" ({text(words.say(match.fix_why))})" if match.fix_why is not None else ""
    yield f"- {words('label.status')}: {words.word(match.fix_status)}{reason}"
    for fix in case.fixes:
        since = f" (in {'v' if fix.branch == 'mainline' else ''}{text(fix.since)})" if fix.since else ""
        yield f'- {words("label.fix")}: {code(fix.commit[:12])} ("{text(fix.subject)}"){since}'
    for way in case.workarounds:
        yield "- " + words("ticket.workaround", do=code(way.do), caveat=text(way.caveat))
    for step in case.verify:
        yield "- " + words("ticket.check", run=code(step.run), expect=text(step.expect))


def text(value: str) -> str:
    """Text in which nothing is markup, and nothing acts: no mention, no reference, no link, no command."""
    return _SPECIAL.sub(r"\\\1", _ACTS.sub(_BREAK, safe(value).replace("\t", " ")))


def _begun(value: str) -> str:
    """Text at the start of a line."""
    return (_BREAK if _OPENS.match(value) else "") + text(value)


def lines(value: str) -> str:
    """Text of several lines as one paragraph, each on a line of its own, indented as it is."""
    shown = []
    for row in value.split("\n"):
        rest = row.lstrip(" ")
        shown.append("\u00a0" * (len(row) - len(rest)) + _begun(rest))
    return "  \n".join(shown)


def code(value: str) -> str:
    """A code span: shown as it is, and what it holds does nothing."""
    shown = safe(value).replace("\t", " ").strip() or " "
    fence = "`" * (1 + max(map(len, _TICKS.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
