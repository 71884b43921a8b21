"""From quoted reports to what links and what is similar: the part all importers share."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from kb.errors import KbError
from kb.identity.frames import names
from kb.identity.signature import VERSION as KEYS
from kb.identity.signature import identifier, signature
from kb.imports.prose import identifies
from kb.model.report import Report
from kb.model.stack import Stack

VERSION = 3
"""Of what the importers make of a text: raised, everything is read again."""

Bad = Callable[[str, str], None]
"""Takes the name of a record that cannot be used, and why."""

T = TypeVar("T")

_SUMMARY = 400
_STACK = 4
"""Frames from which a stack without a headline is one that can be recognised."""
_KEYWORDS = 40
_SPLAT_LINE = re.compile(r"\s*(?:\[|BUG|WARNING|INFO:|Call Trace|=====|-----|RIP|CPU:|Oops|Unable to)|.*\+0x")


def guarded(make: Callable[[], T], name: str, bad: Bad | None) -> T | None:
    """What a record holds; None where it cannot be used, which ``bad`` is told: one must not cost all the others.

    Raises:
        Exception: Whatever is wrong with the record, where there is no ``bad``.
    """
    try:
        return make()
    except Exception as error:  # a record is foreign text: what is wrong with it can be anything
        if bad is None:
            raise
        reason = error.reason if isinstance(error, KbError) else str(error) or type(error).__name__
        bad(name, reason[:_SUMMARY])
        return None


def digest(*parts: bytes | str) -> bytes:
    """What tells whether an item is as it was when it was imported."""
    made = hashlib.sha256(f"{VERSION}.{KEYS}".encode())
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        made.update(len(data).to_bytes(8) + data)
    return made.digest()[:16]


def links(reports: Iterable[Report]) -> tuple[str, ...]:
    """Ids of all keys that the quoted reports identify the problem by."""
    found: dict[str, None] = {}
    for report in reports:
        if not identifies(report) or (report.kind == "unknown" and len(names(report)) < _STACK):
            continue  # a function alone is no problem
        mark = signature(report)
        found.update(dict.fromkeys((mark.id, *mark.alt)))
        found.update(dict.fromkeys(identifier(f"{report.kind}|{title}") for title in _completed(report)))
    return tuple(found)


def _completed(report: Report) -> list[str]:
    """The titles a KASAN report may have where the line that tells read from write was not quoted."""
    if report.kind != "kasan" or report.corrupted is None or report.function is None:
        return []
    head, _, tail = report.title.partition(" in ")
    if head.endswith((" Read", " Write", "-free")) and not head.endswith("use-after-free"):
        return []
    return [f"{head} {access} in {tail}" for access in ("Read", "Write")]


def stacks(case_id: str, reports: Iterable[Report]) -> tuple[Stack, ...]:
    """The stacks of quoted reports, each once."""
    rows: dict[tuple[str, tuple[str, ...]], Stack] = {}
    for report in reports:
        frames = names(report)
        if not frames:
            continue
        mark = signature(report)
        row = Stack(mark.id, report.title, report.kind, frames, case_id, report.function)
        rows.setdefault((mark.id, frames), row)
    return tuple(rows.values())


def useful(reports: Iterable[Report]) -> list[Report]:
    """Those that say enough to be recognised again, by their name or by at least two frames."""
    return [report for report in reports if identifies(report) or len(names(report)) > 1]


def kinds(reports: Iterable[Report]) -> tuple[str, ...]:
    """Kinds of the reports, each once, in their order."""
    return tuple(dict.fromkeys(report.kind for report in reports))


def keywords(reports: Iterable[Report], *more: str) -> tuple[str, ...]:
    """What somebody may search for: the given words, titles, functions and modules."""
    reports = list(reports)
    words = dict.fromkeys(word for word in more if word)
    for report in reports:
        words.setdefault(report.title)
        if report.module:
            words.setdefault(report.module)
    for report in reports:
        words.update(dict.fromkeys(names(report)[:8]))
    return tuple(words)[:_KEYWORDS]


def summary(text: str) -> str:
    """The first paragraph that a person wrote, on one line, in at most 400 characters."""
    for paragraph in re.split(r"\n(?:[^\S\n]*\n)+", text[:20_000]):
        lines = [line.strip() for line in paragraph.splitlines()]
        said = " ".join(line for line in lines if line)
        if len(said) > 30 and not any(_SPLAT_LINE.match(line) for line in lines[:2]):
            return said if len(said) <= _SUMMARY else said[: _SUMMARY - 2].rsplit(" ", 1)[0] + " …"
    return " ".join(text.split())[:_SUMMARY]


def subsystem(subject: str, files: Iterable[str] = ()) -> str:
    """The subject's prefix, else the folder of the first file: ``net/sched``, ``drm/amdgpu``."""
    head, colon, _ = subject.partition(": ")
    if colon and re.fullmatch(r"[\w/,. +-]{2,40}", head):
        return head.split(",")[0].strip()
    return next((path.rsplit("/", 1)[0] for path in files if "/" in path), "")
