"""What all views have in common, and the sections that several of them show."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from kb.model.log import Span
from kb.model.report import Report, Trace
from kb.model.verdict import Diagnosis
from kb.pictures.tables.code import listing
from kb.pictures.tables.fields import fields
from kb.render.safe import safe, spans
from kb.render.safe import width as cells
from kb.tui.doc import Doc
from kb.tui.panes.claims import frame_entry, spelt
from kb.tui.panes.rows import REASONS, Entry, Row, clip, paragraph, text_of
from kb.words.speak import words

WORDS = words("en")
FRAMES = 14
"""Frames of a stack that stands beside something else."""
_AROUND = 6
"""Lines of the log before and behind a report."""
_NAME = 18
_FEW = 14
"""Rows that are few."""
_STACKS = {"main": "Stack", "allocated": "Allocated by", "freed": "Freed by"}


@dataclass(frozen=True, slots=True)
class Scene:
    """What a view may show: the report, the log that it stands in, its kin there."""

    found: Diagnosis
    doc: Doc
    kin: tuple[Diagnosis, ...] = ()
    """Reports of the same log that are seen together with it, itself among them."""
    beside: tuple[tuple[str, str, Span], ...] = ()
    """Reports before and behind it: what they are to it, title, lines."""


class View:
    """Rows for a width. A subclass may keep what keys change.

    Args:
        scene: What to show.
    """

    TITLE: ClassVar[str] = "Report"
    """Of its tab and its frame."""

    def __init__(self, scene: Scene):
        self.scene = scene
        self.found = scene.found
        self.report = scene.found.report
        self._rest: tuple[int, list[Entry]] | None = None

    def rows(self, width: int) -> Iterator[Entry]:
        """What it shows."""
        raise NotImplementedError

    def rest(self, width: int) -> Iterator[Entry]:
        """What stands behind it and is not changed by keys."""
        return iter(())

    def content(self, width: int) -> list[Entry]:
        """All of it, cut to the width; a report of which there is little to show as it was printed."""
        if self._rest is None or self._rest[0] != width:
            self._rest = width, [fitted(entry, width) for entry in self.rest(width)]
        rows = [fitted(entry, width) for entry in self.rows(width)] + self._rest[1]
        if len(rows) < _FEW:
            rows += [fitted(entry, width) for entry in printed(self.found, width)]
        return rows

    @property
    def keys(self) -> tuple[str, ...]:
        """Those of :meth:`press` that mean something to it."""
        return ()

    def press(self, key: str, entry: Entry | None) -> bool:
        """Take a key: ``left``, ``right``, ``reset``, ``sort`` or ``reverse``; False where it means nothing here."""
        return False


def fitted(entry: Entry, width: int) -> Entry:
    """An entry in the width there is: what is longer ends in dots, and tabs are blanks."""
    text = text_of(entry.row)
    if "\t" in text:
        entry = replace(entry, row=[(part.replace("\t", " "), role) for part, role in entry.row])
    if (len(text) if text.isascii() else cells(text)) <= width:
        return entry
    row: Row = []
    room = width
    for part, role in entry.row:
        if room > 0:
            row.append((clip(part, room) if cells(part) > room else part, role))
            room -= cells(part)
    return replace(entry, row=row)


def head(text: str) -> Entry:
    """A heading."""
    return Entry([(safe(text), "head")], plain=True)


def section(name: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries under a heading; nothing where there are none."""
    rows = list(entries)
    if rows:
        yield head(name)
        yield from rows


def line(number: int) -> tuple[Span, ...]:
    """Evidence of one line."""
    return ((number, number),) if number > 0 else ()


def prose(
    text: str, width: int, role: str = "", lead: Row | None = None, evidence: tuple[Span, ...] = (), more: str = ""
) -> Iterator[Entry]:
    """A paragraph."""
    for row in paragraph(text, width, role, lead or [(" ", "")]):
        yield Entry(row, evidence, more=more or text)


def access(found: Diagnosis, width: int, *groups: str) -> Iterator[Entry]:
    """What was accessed: the headline, then the claims about it (:func:`reasons`)."""
    report = found.report
    text = clip(report.headline, width - 3).rstrip()
    yield Entry([("   ", ""), (text, "bad")], line(report.headline_line), more=report.headline)
    yield from reasons(found, width, *groups)


def reasons(found: Diagnosis, width: int, *families: str) -> Iterator[Entry]:
    """Lines of the reasoning chain whose names begin so, with why."""
    for reason in found.facts.reasoning:
        if reason.name.split(".")[0] not in families:
            continue
        mark, role = REASONS.get(reason.verdict, ("·", "dim"))
        more = "\n".join((spelt(reason), *reason.numbers))
        yield from prose(reason.claim, width, "key", [(f" {mark} ", role)], reason.evidence, more)
        if reason.because:
            yield from prose(reason.because, width, "", [("   ", "")], reason.evidence, more)
        for number in reason.numbers:
            yield from prose(number, width, "dim", [("   = ", "dim")], reason.evidence, more)


def stack(report: Report, trace: Trace, most: int = FRAMES) -> Iterator[Entry]:
    """The innermost frames of a stack; the one blamed is marked."""
    for frame in trace.frames[:most]:
        yield frame_entry(report, frame)
    rest = len(trace.frames) - most
    if rest > 0:
        yield Entry([(f"   {rest} more frames", "dim")], line(trace.frames[most].line))


def stacks(report: Report, most: int = FRAMES, *roles: str) -> Iterator[Entry]:
    """The stacks of these roles, or all."""
    for trace in report.traces:
        if not roles or trace.role in roles:
            name = _STACKS.get(trace.role) or f"Stack: {trace.role.replace('_', ' ')}"
            who = ", ".join(
                part for part in (trace.task or "", f"CPU {trace.cpu}" if trace.cpu is not None else "") if part
            )
            yield from section(name + (f" ({who})" if who else ""), stack(report, trace, most))


def decoded(found: Diagnosis, width: int, most: int = 60) -> Iterator[Entry]:
    """The named values of a report, each with what its name stands for."""
    rows = fields(found)
    wide = min(26, max((cells(row.name.removeprefix("field.")) for row in rows), default=0))
    shown = []
    for row in rows[:most]:
        name = row.name.removeprefix("field.")
        lead: Row = [(f" {clip(name, wide)}  ", "key")]
        more = f"{name} = {row.value}" + (f"\n{row.means}" if row.means else "") + f" {spans(row.evidence)}"
        room = width - wide - 3
        first, *rest = paragraph(row.value, max(12, room), "")
        means = f"  {row.means}"
        if row.means and not rest and cells(text_of(first)) + 14 < room:
            first = [*first, (clip(means, room - cells(text_of(first))).rstrip(), "dim")]
        shown.append(Entry([*lead, *first], row.evidence, more=more))
        shown += [Entry([(" " * (wide + 3), ""), *other], row.evidence, more=more) for other in rest[:3]]
    return section("Decoded", shown)


def code(found: Diagnosis, width: int) -> Iterator[Entry]:
    """The instructions around the one that trapped."""
    told = listing(found)
    if told is None:
        return
    yield head("Code")
    where = line(told.line)
    room = max((len(row.raw) for row in told.rows), default=0)
    for row in told.rows:
        role = "bad" if row.trapped else ""
        tail = ""
        if row.trapped:
            tail = "  ◀ " + ("BUG()'s trap" if told.bug else "faulted") + (f": {told.operand}" if told.operand else "")
        text = f" {'▶' if row.trapped else ' '} {row.raw:<{min(room, 32)}}  {row.words}{tail}"
        yield Entry([(clip(text, width).rstrip(), role)], where, more=text.strip())
    if not told.rows:
        yield from prose(_bytes(told.units, told.trap), width, "", [("   ", "")], where)
        if told.operand:
            yield from prose(
                f"the instruction at the mark accessed {told.operand}", width, "bad", [(" ▶ ", "bad")], where
            )
        if told.missing is not None:
            yield from prose(WORDS.say(told.missing), width, "dim")


def _bytes(units: Sequence[str], trap: int | None) -> str:
    return " ".join(f"▶{unit}◀" if at == trap else unit for at, unit in enumerate(units))


def around(scene: Scene, width: int) -> Iterator[Entry]:
    """What the log says before and behind a report, and which reports stand there."""
    first, last = scene.found.report.span
    doc = scene.doc
    rows = []
    for what, title, span in scene.beside:
        rows.append(Entry([(f" {what:<7} ", "dim"), (clip(title, width - 9).rstrip(), "key")], (span,), more=title))
    yield from section("Reports beside it", rows)
    yield from section("Just before", _lines(doc, range(max(1, first - _AROUND), first), width))
    yield from section("Just behind", _lines(doc, range(last + 1, min(len(doc), last + _AROUND) + 1), width))


def _lines(doc: Doc, numbers: Iterable[int], width: int) -> Iterator[Entry]:
    for number in numbers:
        text = doc.text(number)[:1000] if number <= len(doc) else ""
        if text.strip():
            yield Entry([(f" {number:>6} ", "dim"), (clip(text, width - 8).rstrip(), "")], line(number), more=text)


def printed(found: Diagnosis, width: int, most: int = 24) -> Iterator[Entry]:
    """The report's own lines: what a short report says in full."""
    rows = []
    for each in found.report.lines[:most]:
        for row in list(paragraph(each.text[:1000], width, "", [(f" {each.number:>6} ", "dim")]))[:3]:
            rows.append(Entry(row, (each.span,), more=each.text[:2000]))
    rest = len(found.report.lines) - most
    if rest > 0:
        rows.append(Entry([(f"        {rest} more lines", "dim")], line(found.report.lines[most].number)))
    return section("Printed", rows)


def bar(value: float, most: float, room: int, role: str = "good") -> Row:
    """A bar on a linear scale; what is not nothing has a cell."""
    filled = min(room, max(1, round(value / most * room))) if value > 0 and most > 0 else 0
    return [("█" * filled, role), ("·" * (room - filled), "dim")]


def label(text: str, size: int = _NAME) -> str:
    """The name before a bar."""
    return f" {clip(text, size)} "
