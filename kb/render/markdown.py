"""Diagnosis -> Markdown for a ticket: the claim first, evidence under it, what to do at the end."""

import re
from collections.abc import Iterator

from kb.model.verdict import Diagnosis, Match, Verdict
from kb.render.safe import safe, spans

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


def to_markdown(diagnosis: Diagnosis) -> str:
    """A comment for a ticket; log text in it is escaped, so that a hostile log cannot write markup."""
    return "\n".join(_lines(diagnosis)) + "\n"


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    report, facts = diagnosis.report, diagnosis.facts
    yield f"### {text(report.title)}"
    yield ""
    who = [part for part in (report.comm, f"pid {report.pid}" if report.pid is not None else None) if part]
    kernel = report.kernel or "release unknown"
    task = ", ".join(who) or "unknown task"
    yield f"{_begun(task)}, {text(kernel)}, {text(report.source)} {text(spans((report.span,)))}  "
    yield f"Signature {code(diagnosis.signature.id)}"
    if report.corrupted:
        yield f"\n**Damaged report:** {text(report.corrupted)}"
    if facts.cause:
        yield f"\n**Cause: {text(facts.cause)}.** {text(facts.summary)}"
    if facts.reasoning:
        yield ""
        for reason in facts.reasoning:
            because = f": {reason.because}" if reason.because else ""
            yield f"- *{reason.verdict}*: {text(reason.claim + because)} {text(spans(reason.evidence))}".rstrip()
    yield ""
    if not diagnosis.matches:
        yield "No known case matches."
    for match in diagnosis.matches:
        yield from _match(match)
    if facts.unknown:
        yield "\n**Unknown:** " + "; ".join(text(entry) for entry in facts.unknown)
    if facts.next_steps:
        yield "\n**Next:**\n"
        yield from (f"- {text(step)}" for step in facts.next_steps)


def _match(match: Match) -> Iterator[str]:
    case = match.case
    word = {Verdict.YES: "Known case", Verdict.MAYBE: "Perhaps the known case"}.get(match.verdict, "Not the case")
    yield f"**{word} {code(case.id)}:** {text(case.title)}"
    yield ""
    for mark in match.marks:
        because = f" ({text(mark.because)})" if mark.because else ""
        yield f"- {mark.verdict.value}: {code(mark.predicate.text)}{because} {text(spans(mark.evidence))}".rstrip()
    yield f"- status: {match.fix_status}" + (f" ({text(match.fix_reason)})" if match.fix_reason else "")
    for fix in case.fixes:
        since = f" (in {'v' if fix.branch == 'mainline' else ''}{text(fix.since)})" if fix.since else ""
        yield f'- fix: {code(fix.commit[:12])} ("{text(fix.subject)}"){since}'
    for way in case.workarounds:
        yield f"- workaround: {code(way.do)}, but {text(way.caveat)}"
    for step in case.verify:
        yield f"- check: {code(step.run)}, expect {text(step.expect)}"


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
