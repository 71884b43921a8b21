"""The groups of a run -> one page that needs nothing else: a ticket's attachment, and what a service shows.

No script, nothing loaded from anywhere (a content security policy forbids it), every word of the log escaped.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kb.identity.group import Group, Groups
from kb.log.kept import Kept
from kb.model.log import Span
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.pictures.choose import overview, pictures
from kb.pictures.draw import Picture
from kb.pictures.timeline import timeline
from kb.render.answer import MARK, Part, answer, in_module, label_of, severity
from kb.render.case import asks
from kb.render.fixes import fixed_where
from kb.render.html.log import Link, Log, logs
from kb.render.html.svg import svg
from kb.render.safe import safe
from kb.words.speak import Words

_HERE = Path(__file__).parent
_COMMANDS = ("now", "next")
_POLICY = "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'"


def page(groups: Sequence[Group], words: Words, version: str, kept: Kept | None = None) -> str:
    """The page.

    Args:
        groups: Of a run, each before what follows from it.
        words: Of the language to say it in.
        version: Of kb.
        kept: The lines of the inputs; without them only those of the reports are shown.
    """
    groups = list(groups)
    found = logs(groups, kept)
    several = [group for group in groups if group.first.report.kind != "notice"]
    over = [timeline(groups)] if len(groups) > 1 or any(group.count > 1 for group in groups) else []
    known = [group for group in groups if group.first.known]
    style = _style()
    return _templates().get_template("page.html.jinja").render(
        lang=words.language,
        style=Markup(style),
        policy=_POLICY.format(base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()),
        words=words,
        version=version,
        files=tuple(log.name for log in found.values()),
        reports=sum(group.count for group in groups),
        groups=len(groups),
        known=sum(group.count for group in known),
        overview=[_figure(picture, words) for picture in (*over, *overview(several)) if picture is not None],
        entries=[_entry(group, found, words) for group in groups],
        logs=list(found.values()),
    )  # fmt: skip


def whole(found: Iterable[Diagnosis], words: Words, version: str) -> str:
    """The page of some reports, grouped as those of a run are."""
    groups = Groups()
    for each in found:
        groups.add(each)
    return page(list(groups.take()), words, version)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made


def _shown(value: Any) -> Any:
    """What a template prints: log text with its control characters visible; markup that kb made stays as it is."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else safe(value)


@cache
def _style() -> str:
    return (_HERE / "style.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture and what it shows."""

    head: str
    image: Markup


def _figure(picture: Picture, words: Words) -> Figure:
    head = picture.head(words)
    return Figure(head, Markup(svg(picture.drawn(words), head)))


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence with its verdict and the lines that it points at."""

    verdict: str
    label: str
    text: str
    links: list[Link]
    sums: tuple[str, ...] = ()
    code: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What the page says of a group."""

    number: int
    title: str
    severity: str
    links: list[Link]
    parts: list[Claim]
    followers: list[Link]
    figures: list[Figure]
    why: list[Claim]
    matches: list[dict[str, Any]]
    missing: list[str]
    steps: list[str]
    signature: str


def _entry(group: Group, found: dict[str, Log], words: Words) -> Entry:
    first = group.first
    report, log = first.report, found[first.report.source]
    return Entry(
        number=group.number,
        title=report.title + in_module(report),
        severity=severity(first),
        links=log.links((report.span,)),
        parts=[_part(part, first, log) for part in answer(first, words, group) if part.name != "then"],
        followers=[
            Link(under.first.report.title + (f" x {under.count}" if under.count > 1 else ""), f"r{under.number}")
            for under in (*group.under, *group.beside)
        ],
        figures=[_figure(picture, words) for picture in pictures(first)],
        why=list(_why(first, log, words)),
        matches=[
            *(_match(match, log, words) for match in first.matches),
            *(
                {**_match(match, log, words), "asks": fixed_where(words, match, report.kernel)}
                for match in first.known_fixes
            ),
        ],
        missing=list(map(words.say, first.facts.missing)),
        steps=list(map(words.say, first.facts.steps)),
        signature=first.signature.id,
    )


def _part(part: Part, found: Diagnosis, log: Log) -> Claim:
    return Claim(part.role, part.label, part.text, log.links(_behind(part.name, found), 4), code=part.name in _COMMANDS)


def _behind(name: str, found: Diagnosis) -> Iterator[Span]:
    """The lines that a part of the answer rests on."""
    report, facts, best = found.report, found.facts, found.best
    if name == "known" and best is not None:
        yield from (span for mark in best.marks if mark.verdict is Verdict.YES for span in mark.evidence)
    elif name == "cause":
        cause = facts.get("cause")
        yield from cause.evidence if cause is not None else ()
        yield from (span for reason in facts.reasoning if reason.verdict == "holds" for span in reason.evidence)
    elif name in ("seen", "printed"):
        yield report.headline_line, report.headline_line


def _why(found: Diagnosis, log: Log, words: Words) -> Iterator[Claim]:
    for reason in found.facts.reasoning:
        text = words.say(reason.says) + (f": {words.joined(reason.why)}" if reason.why else "")
        label = f"{MARK.get(reason.verdict, '')} {words.word(reason.verdict)}"
        yield Claim(reason.verdict, label, text, log.links(reason.evidence), tuple(map(words.say, reason.sums)))


def _match(match: Match, log: Log, words: Words) -> dict[str, Any]:
    verdict = match.verdict.value
    return {
        "case": match.case,
        "verdict": "maybe" if match.type_only else verdict,
        "label": label_of(match, words),
        "asks": asks(words, match),
        "doubts": list(map(words.say, match.doubts)),
        "marks": [
            Claim(
                mark.verdict.value,
                f"{MARK[mark.verdict.value]} {words.word(mark.verdict.value)}",
                mark.predicate.text + (f" ({words.say(mark.why)})" if mark.why is not None else ""),
                log.links(mark.evidence),
            )
            for mark in match.marks
            if mark.role != "any" or mark.verdict is not Verdict.NO  # an alternative that was not needed
        ],
        "status": words.word(match.fix_status) + (f" ({words.say(match.fix_why)})" if match.fix_why else ""),
        "sources": [
            (one.id, one.text, one.url if one.url.startswith(("https://", "http://")) else "")
            for one in match.case.sources
        ],
    }
