"""What worker processes do: logs in, answers out. Plain values on both sides; nothing here writes to the store."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from kb import api
from kb.errors import InputError, UsageError
from kb.serve.settings import Place
from kb.serve.upload import Upload

if TYPE_CHECKING:
    from kb.evidence.files import Evidence
    from kb.identity.group import Group
    from kb.model.report import Report
    from kb.model.verdict import Diagnosis

FORMS = {
    "application/x-ndjson": "ndjson",
    "application/json": "json",
    "text/markdown": "markdown",
    "text/plain": "text",
    "text/html": "html",
}
"""Media types that a log is answered in; the first is the one for who does not care."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a log is to be answered."""

    form: str = "ndjson"
    kernel: str | None = None
    notices: bool = False
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Found:
    """A report that is to be recorded, and what those who are told of it want to know."""

    report: Report
    numbers: tuple[int, ...]
    """Its lines in the input, rising."""
    severity: str
    """``harmless``, ``watch``, ``act`` or ``stop``."""
    case: str | None
    """What is known of it best."""
    verdict: str | None
    fixed: bool
    """Whether its kernel has the fix of a case that it matches."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A log's answer."""

    body: bytes
    kinds: tuple[str, ...]
    """Of its reports, in order."""
    known: int
    notes: tuple[str, ...]
    """What was wrong with the input."""
    found: tuple[Found, ...] = ()
    """Themselves, where they are to be recorded."""


@functools.lru_cache(maxsize=2)
def _base(place: Place) -> api.KnowledgeBase:
    return api.KnowledgeBase(place.db, cases=place.cases)


def match(
    place: Place, logs: tuple[Upload, ...], context: tuple[Upload, ...], asked: Asked, keep: bool = False
) -> Answered:
    """What ``kb match`` says of logs.

    Args:
        place: Store and cases.
        logs: The inputs.
        context: Files beside them.
        asked: In what form.
        keep: Give the reports, too.
    """
    notes: list[str] = []
    found = diagnoses(place, logs, context, asked, notes)
    return Answered(
        _rendered(found, asked),
        tuple(each.report.kind for each in found),
        sum(each.known for each in found),
        tuple(notes),
        tuple(map(_found, found)) if keep else (),
    )


def live(place: Place, lines: bytes) -> tuple[Found, ...]:
    """The reports of lines that came in bit by bit."""
    return tuple(map(_found, diagnoses(place, (Upload("-", lines, text=True),), (), Asked(), [])))


def _found(diagnosis: Diagnosis) -> Found:
    from kb.render.answer import severity

    best = diagnosis.best
    return Found(
        diagnosis.report,
        tuple(sorted({at for line in diagnosis.report.lines for at in range(line.number, line.last + 1)})),
        severity(diagnosis),
        best.case.id if best is not None else None,
        best.verdict.value if best is not None else None,
        any(match.fix_status == "fixed" for match in (*diagnosis.matches, *diagnosis.known_fixes)),
    )


def diagnoses(
    place: Place, logs: tuple[Upload, ...], context: tuple[Upload, ...], asked: Asked, notes: list[str]
) -> list[Diagnosis]:
    """The diagnoses of logs, each with the group it is of; ``notes`` gets what was wrong with the inputs."""
    from kb.identity.group import numbered
    from kb.kernel.release import checked

    if asked.kernel is not None:
        checked(asked.kernel)
    beside = _evidence(context)
    base = _base(place)
    reports = _read(logs, asked.notices, notes)
    first = next(reports, None)
    if first is None:
        return []
    from kb.diagnose import Once

    once = Once()
    rest = (each for part in ((first,), reports) for each in part)
    return numbered(once(base.diagnose(each, kernel=asked.kernel, context=beside or ())) for each in rest)


def _read(logs: Iterable[Upload], notices: bool, notes: list[str]) -> Iterator[Report]:
    for each in logs:
        try:
            with _opened(each) as file:
                yield from api.read(file, notices=notices, told=notes.append)
        except InputError as error:
            if not each.text:
                raise
            notes.append(f"{error.reason}; read as text, since its sender says that it is")
            yield from api.reports(each.data, each.name)


class _Named(io.BufferedReader):
    """An input under the name that the sender gave it; where it lies here is nobody's business."""

    def __init__(self, raw: io.RawIOBase, name: str):
        super().__init__(raw)
        self._named = name

    @property
    def name(self) -> str:
        return self._named


def _opened(upload: Upload) -> BinaryIO:
    if upload.path is None:
        return _Named(io.BytesIO(upload.data), upload.name)  # type: ignore[arg-type]
    return _Named(io.FileIO(upload.path), upload.name)


def _evidence(context: tuple[Upload, ...]) -> Evidence | None:
    if not context:
        return None
    from kb.evidence.files import parse_evidence

    sources = [source for each in context for source in api.inputs(_opened(each))]
    return parse_evidence((source.name, source.data) for source in sources)


def _rendered(found: list[Diagnosis], asked: Asked) -> bytes:
    if asked.form in ("ndjson", "json"):
        from kb.render.json import line

        rows = [line(each.to_json()) for each in found]
        text = "".join(f"{row}\n" for row in rows) if asked.form == "ndjson" else f"[{','.join(rows)}]\n"
        return text.encode("ascii")
    if asked.form == "html":
        from kb.serve.pages import answer

        return answer(groups(found), asked.lang).encode("utf-8", "replace")
    from kb.render.markdown import ticket
    from kb.render.text import page

    shown = (
        ticket(group.first, group, lang=asked.lang)
        if asked.form == "markdown"
        else page(group.first, group, lang=asked.lang)
        for group in groups(found)
    )
    return ("\n".join(shown) or "no report in the input\n").encode("utf-8", "replace")


def groups(found: Iterable[Diagnosis]) -> list[Group]:
    """Equal reports as one entry, each before what follows from it."""
    from kb.identity.group import Groups

    made = Groups()
    for each in found:
        made.add(each)
    return list(made.take())


def ask(place: Place, question: str, log: str | None, lang: str) -> dict[str, Any]:
    """The ``kb.reply/1`` object of one question."""
    from kb.chat.conversation import Conversation
    from kb.chat.question import read

    talk = Conversation(_base(place), lang=lang, author="service")  # type: ignore[arg-type]
    if log is not None:
        talk.load(log.encode("utf-8", "replace"), name="log")
    if "\n" in question.strip():
        raise UsageError("a question is one line", help="the log goes into the field log")
    if read(question).kind in ("note", "load", "file_case", "paste"):
        raise UsageError("a question changes nothing", help="notes go to /v1/annotations")
    return talk.ask(question).to_json()


def affected(
    place: Place, case: str | None, kernel: str, modules: tuple[str, ...], files: tuple[str, ...]
) -> dict[str, Any] | None:
    """The ``kb.affected/1`` object of a case, or ``kb.affected-list/1`` without; None where there is no such case."""
    from kb.kernel.release import checked
    from kb.known.answer import affected as of_case
    from kb.known.distribution import kept
    from kb.known.lacking import lacking, modules_of

    checked(kernel)
    base = _base(place)
    logs = kept(base.path)
    if case is None:
        return lacking(base.known, kernel, modules=modules_of(modules), files=files, changelogs=logs).to_json()
    known = base.case(case)
    return of_case(known, kernel, logs) if known is not None else None


def warm(place: Place) -> int:
    """Load what a log needs, so that the first request does not pay for it: the number of cases."""
    log = b"%s: kernel NULL pointer dereference, address: 0000000000000000\n" % b"BUG"  # no log to who reads this file
    return len(diagnoses(place, (Upload("-", log),), (), Asked(), []))
