"""What a conversation answers: claims that end in what they rest on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kb.model.log import Span
from kb.model.report import Report
from kb.render.safe import safe, spans

MOST_LINES = 4
"""Spans that a claim shows; all of them stand in ``Reply.citations``."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of an answer, and what it rests on."""

    text: str
    lines: tuple[Span, ...] = ()
    """Physical lines of the log, 1-based, both ends included."""
    others: tuple[str, ...] = ()
    """``case ID``, a commit, a signature, a note, a kernel header."""
    source: str | None = None
    """Name of the log, given where several are loaded."""
    indent: int = 0

    @property
    def citations(self) -> tuple[str, ...]:
        """``L24-31``, ``case nofs-high-order-watermark``, ``97a16fc82a7c`` ..."""
        where = f"{self.source} " if self.source else ""
        return (*(where + _span(span) for span in self.lines), *self.others)

    def __str__(self) -> str:
        """The text with its citations at the end; nothing in it can drive a terminal."""
        cited = [spans(self.lines, MOST_LINES)] if self.lines else []
        if cited and self.source:
            cited = [f"[{self.source} {cited[0][1:]}"]
        cited += [f"[{other}]" for other in self.others]
        return "  " * self.indent + safe(" ".join([self.text, *cited]))


def _span(span: Span) -> str:
    first, last = span
    return f"L{first}" if first == last else f"L{first}-{last}"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one line."""

    text: str
    """For a person, without a line end; safe to print."""
    kind: str
    """The question it was taken for (``why``, ``affected`` ...), ``unknown``, ``nothing_loaded`` or ``error``."""
    citations: tuple[str, ...] = ()
    """What the claims rest on, each once: ``L24-31``, ``case <id>``, commits of 12 digits."""
    subject: str | None = None
    """What the conversation is about after this line: a report's title or a case's id."""
    exit: bool = False
    """The asker wants to leave."""
    understood: str | None = None
    """The line as it may have been meant, where it may hold typing errors: it is asked for, never acted on."""
    language: str = "en"
    suggestions: tuple[str, ...] = ()
    """Questions that kb can answer, where it could not answer this one."""
    by_model: str | None = None
    """Name of the language model that wrote the text; None for kb's own answers."""

    @property
    def known(self) -> bool:
        """Whether the question was answered."""
        return self.kind not in ("unknown", "nothing_loaded", "error")

    def to_markdown(self) -> str:
        """The text for a ticket: nothing in it is markup, and no mention, reference or link in it acts."""
        from kb.render.markdown import lines

        return lines(self.text)

    def to_json(self) -> dict[str, Any]:
        """The ``kb.reply/1`` object, plain values only."""
        return {
            "schema": "kb.reply/1",
            "kind": self.kind,
            "known": self.known,
            "text": self.text,
            "citations": list(self.citations),
            "subject": self.subject,
            "exit": self.exit,
            "understood": self.understood,
            "language": self.language,
            "suggestions": list(self.suggestions),
            "by_model": self.by_model,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """Claims on their way to a reply."""

    claims: tuple[Claim, ...]
    kind: str | None = None
    """Overrides the question's kind."""
    suggestions: tuple[str, ...] = ()
    exit: bool = False
    by_model: str | None = None

    @property
    def text(self) -> str:
        """All claims, a line each."""
        return "\n".join(str(claim) for claim in self.claims)

    @property
    def citations(self) -> tuple[str, ...]:
        """What they rest on, each once, in order."""
        return tuple(dict.fromkeys(cited for claim in self.claims for cited in claim.citations))


def answer(claims: Iterable[Claim], kind: str | None = None, **more: Any) -> Answer:
    """An answer of these claims."""
    return Answer(tuple(claims), kind, **more)


def head(report: Report) -> tuple[Span, ...]:
    """The line that names the bug."""
    return ((report.headline_line, report.headline_line),)


def at(report: Report, *names: str) -> tuple[Span, ...]:
    """The lines that named fields of a report were read from; the headline where none is known."""
    found = dict.fromkeys(line for name in names if (line := report.field_lines.get(name)))
    return tuple((line, line) for line in found) or head(report)


def case(case_id: str) -> str:
    """A case as a citation."""
    return f"case {case_id}"
