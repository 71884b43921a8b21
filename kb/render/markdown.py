"""Diagnosis -> Markdown for a ticket: the claim first, evidence under it, what to do at the end."""

import re
from collections.abc import Iterator
from pathlib import PurePath

from kb.model.verdict import Diagnosis, Match, Verdict
from kb.render.safe import safe, spans

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def to_markdown(diagnosis: Diagnosis) -> str:
    """A comment for a ticket; log text in it is escaped, so that a hostile log cannot write markup.

    No path of the machine that kb runs on is in it: the input is called by the last part of its path.
    """
    return "\n".join(_lines(diagnosis)) + "\n"


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    report, facts = diagnosis.report, diagnosis.facts
    yield f"### {text(report.title)}"
    yield ""
    who = [part for part in (report.comm, f"pid {report.pid}" if report.pid is not None else None) if part]
    kernel = report.kernel or "release unknown"
    task = ", ".join(who) or "unknown task"
    source = PurePath(report.source).name or report.source
    yield f"{text(task)}, {text(kernel)}, {text(source)} {text(spans((report.span,)))}  "
    yield f"Signature `{diagnosis.signature.id}`"
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
    yield f"**{word} `{case.id}`:** {text(case.title)}"
    yield ""
    for mark in match.marks:
        because = f" ({text(mark.because)})" if mark.because else ""
        yield f"- {mark.verdict.value}: `{mark.predicate.text}`{because} {text(spans(mark.evidence))}".rstrip()
    yield f"- status: {match.fix_status}" + (f" ({text(match.fix_reason)})" if match.fix_reason else "")
    for fix in case.fixes:
        since = f" (in {'v' if fix.branch == 'mainline' else ''}{fix.since})" if fix.since else ""
        yield f'- fix: `{fix.commit[:12]}` ("{text(fix.subject)}"){since}'
    for way in case.workarounds:
        yield f"- workaround: `{way.do}`, but {text(way.caveat)}"
    for step in case.verify:
        yield f"- check: `{step.run}`, expect {text(step.expect)}"


def text(value: str) -> str:
    """Text in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", safe(value))
