"""Diagnosis -> Markdown for a ticket: the answer first, what stands behind it folded, the lines of the log quoted."""

import re
from collections.abc import Iterable, Iterator

from kb.identity.group import Group
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.render.answer import answer, evidence, in_module, label_of
from kb.render.case import asks
from kb.render.fixes import fixed_where
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
_QUOTED = 60
"""Lines of the log that a ticket quotes."""


def to_markdown(diagnosis: Diagnosis, *, lang: str = "en") -> str:
    """A comment for a ticket; log text in it is escaped, so that a hostile log cannot write markup.

    The answer stands first; why, the predicates of the case and the lines of the log are folded. No path of the machine
    that kb runs on is in it: the input is called by the last part of its path.

    Args:
        diagnosis: What to tell.
        lang: ``en`` or ``zh``; what the log and the cases say stays as it is.
    """
    return ticket(diagnosis, lang=lang)


def ticket(diagnosis: Diagnosis, group: Group | None = None, *, lang: str = "en") -> str:
    """As :func:`to_markdown`, with the equal reports that the diagnosis stands for.

    Args:
        diagnosis: What to tell.
        group: The group that it is the first of.
        lang: As :func:`to_markdown`.
    """
    return "\n".join(_lines(diagnosis, group, of_language(lang))) + "\n"


def _lines(diagnosis: Diagnosis, group: Group | None, words: Words) -> Iterator[str]:
    report = diagnosis.report
    yield f"### {text(report.title + in_module(report))} {text(spans((report.span,)))}"
    yield ""
    for part in answer(diagnosis, words, group):
        shown = code(part.text) if part.name in ("now", "next") else text(part.text)
        yield f"- **{text(part.label)}** {shown}"
    yield f"- {words('ticket.signature')} {code(diagnosis.signature.id)}"
    yield from _folded(words("head.why"), _why(diagnosis, words))
    for match in diagnosis.matches:
        yield from _folded(label_of(match, words), _match(match, words))
    for match in diagnosis.known_fixes:
        yield from _folded(label_of(match, words), _known_fix(match, words, diagnosis.report.kernel))
    yield from _folded(words("head.unknown"), (f"- {text(words.say(entry))}" for entry in diagnosis.facts.missing))
    yield from _folded(words("head.next"), (f"- {code(words.say(step))}" for step in diagnosis.facts.steps))
    yield from _folded(words("head.evidence"), _quoted(diagnosis))


def _known_fix(match: Match, words: Words, kernel: str | None) -> Iterator[str]:
    yield f"- {code(match.case.id.upper())}: {text(match.case.title)}"
    yield f"- {text(fixed_where(words, match, kernel))}"
    yield from (f"- {words('mark.but')}{text(words.say(doubt))}" for doubt in match.doubts)


def _folded(head: str, rows: Iterable[str]) -> Iterator[str]:
    """Rows behind a line that opens them; nothing where there are none. ``head`` is kb's own: it becomes HTML."""
    rows = list(rows)
    if rows:
        yield from ("", f"<details><summary>{head}</summary>", "", *rows, "", "</details>")


def _why(diagnosis: Diagnosis, words: Words) -> Iterator[str]:
    for reason in diagnosis.facts.reasoning:
        claim = words.say(reason.says) + (f": {words.joined(reason.why)}" if reason.why else "")
        yield f"- *{words.word(reason.verdict)}*: {text(claim)} {text(spans(reason.evidence))}".rstrip()


def _quoted(diagnosis: Diagnosis) -> list[str]:
    """The lines of the log that claims point at, as they were printed."""
    lines = evidence(diagnosis)
    shown = [f"- {line.number} {code(line.text)}" for line in lines[:_QUOTED]]
    return [*shown, *(["- ..."] if len(lines) > _QUOTED else [])]


def _match(match: Match, words: Words) -> Iterator[str]:
    case = match.case
    yield f"{code(case.id)} {text(case.title)}"
    yield ""
    yield _begun(case.summary)
    yield ""
    yield f"- {words('label.severity')}: {text(asks(words, match))}"
    yield from (f"- {words('mark.but')}{text(words.say(doubt))}" for doubt in match.doubts)
    for mark in match.marks:
        if mark.role == "any" and mark.verdict is Verdict.NO:  # an alternative that was not needed
            continue
        because = f" ({text(words.say(mark.why))})" if mark.why is not None else ""
        verdict = words.word(mark.verdict.value)
        yield f"- {verdict}: {code(mark.predicate.text)}{because} {text(spans(mark.evidence))}".rstrip()
    reason = f" ({text(words.say(match.fix_why))})" if match.fix_why is not None else ""
    yield f"- {words('label.status')}: {words.word(match.fix_status)}{reason}"
    for fix in case.fixes:
        since = f" (in {'v' if fix.branch == 'mainline' else ''}{text(fix.since)})" if fix.since else ""
        yield f'- {words("label.fix")}: {code(fix.commit[:12])} ("{text(fix.subject)}"){since}'
    for way in match.workarounds:
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
