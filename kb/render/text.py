"""Diagnosis -> what ``kb match`` prints for a person.

Marks stand beside words (``✓ holds``), so that nothing depends on colour; every claim ends in its lines.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, PredicateMark, Reason
from kb.render.safe import pad, safe, spans
from kb.render.zones import zone_table

_MARK = {"holds": "✓", "excluded": "✗", "unknown": "?", "yes": "✓", "no": "✗", "maybe": "?"}
_COLOR = {
    "holds": "32",
    "yes": "32",
    "excluded": "2",
    "no": "31",
    "unknown": "33",
    "maybe": "33",
    "title": "1",
    "head": "1;36",
}
_LABEL = 12
_CALLERS = 6
"""Frames of the stack that are shown, the guilty one included."""


def to_text(diagnosis: Diagnosis, *, verbose: bool = False, color: bool = False, width: int = 100) -> str:
    """The diagnosis as text, with a line end.

    Args:
        diagnosis: What to show.
        verbose: Show each subtraction behind a claim, and all predicates of a case that does not say yes.
        color: Use ANSI colours.
        width: Columns to fill.
    """
    page = _Page(color, max(60, width))
    _head(page, diagnosis)
    _reasoning(page, diagnosis, verbose)
    if verbose:
        _code(page, diagnosis)
    for line in zone_table(diagnosis.facts.detail, page.width, verbose):
        page.plain(safe(line))
    _list(page, "On other kernels and settings", (entry["text"] for entry in _rows(diagnosis, "counterfactuals")))
    _known(page, diagnosis, verbose)
    _tail(page, diagnosis)
    return "\n".join(page.lines) + "\n"


def brief(diagnosis: Diagnosis) -> str:
    """One line: where, what, and the case that says yes or maybe."""
    report, best = diagnosis.report, diagnosis.best
    module = f" [{report.module}]" if report.module and report.function else ""
    known = f"  {best.verdict.value}: {best.case.id}" if best is not None else ""
    follows = f"  (follows report {report.follows + 1})" if report.follows is not None else ""
    return safe(f"{spans((report.span,)):<16} {report.title}{module}{known}{follows}")


class _Page:
    """Lines being written: labels in one column, text wrapped in the next."""

    def __init__(self, color: bool, width: int):
        self.color = color
        self.width = width
        self.lines: list[str] = []

    def paint(self, text: str, role: str) -> str:
        text = safe(text)
        return f"\x1b[{_COLOR[role]}m{text}\x1b[0m" if self.color and role in _COLOR else text

    def plain(self, text: str = "") -> None:
        self.lines.append(text)

    def section(self, name: str) -> None:
        self.lines += ["", self.paint(name, "head")]

    def row(self, label: str, text: str, role: str = "", indent: int = 2) -> None:
        """A label and its text, wrapped under itself."""
        room = self.width - indent - _LABEL
        rows = textwrap.wrap(safe(text), room, break_long_words=False, break_on_hyphens=False) or [""]
        first = " " * indent + self.paint(pad(label, _LABEL), role) + rows[0]
        self.lines += [first.rstrip(), *(" " * (indent + _LABEL) + row for row in rows[1:])]


def _head(page: _Page, diagnosis: Diagnosis) -> None:
    report = diagnosis.report
    where = f" [{report.module}]" if report.module and report.function else ""
    page.plain(page.paint(report.title + where, "title") + f"   {spans((report.span,))}")
    if report.kind == "notice":  # nobody need have run, but which device it is stands only in the line
        page.row("printed", report.headline)
    who = _who(report)
    if who:
        page.row("who", who)
    page.row("kernel", report.kernel or _era(diagnosis) or "unknown: the log does not print a release")
    for label, text in _asked(diagnosis.facts.detail):
        page.row(label, text)
    if report.function is not None:
        page.row("blamed", f"{report.function}{where}: {report.chosen_because}")
    stack = _stack(report)
    if stack:
        page.row("stack", stack)
    if report.corrupted is not None:
        page.row("damaged", f"corrupted, because {report.corrupted}", "unknown")
    if report.follows is not None:
        page.row("follows", f"report {report.follows + 1} of this log: look there first")
    page.row("signature", diagnosis.signature.id)
    if diagnosis.facts.cause is not None:
        page.row("cause", f"{diagnosis.facts.cause}: {diagnosis.facts.summary}", "title")


def _rows(diagnosis: Diagnosis, name: str) -> Iterable[Mapping[str, Any]]:
    found: Iterable[Mapping[str, Any]] = diagnosis.facts.detail.get(name) or ()
    return found


def _stack(report: Report) -> str:
    """The guilty frame and its callers, innermost first, with source lines where the log or its symbols have them."""
    frames = [frame for frame in report.frames if frame.reliable]
    names = [frame.function.partition(".")[0] or frame.function for frame in frames]
    start = names.index(report.function) if report.function in names else 0
    shown = [
        frame.function + (f" ({frame.source})" if frame.source else "") for frame in frames[start : start + _CALLERS]
    ]
    return " < ".join(shown) + (" < ..." if len(frames) > start + _CALLERS else "")


def _who(report: Report) -> str:
    parts = [
        report.comm or ("" if report.kind == "notice" else "unknown task"),
        f"pid {report.pid}" if report.pid is not None else "",
        f"CPU {report.cpu}" if report.cpu is not None else "",
        f"host {report.host}" if report.host else "",
        f"tainted {report.taint}" if report.taint not in (None, "-") else "",
        f"work item {report.fields['work']}" if "work" in report.fields else "",
    ]
    return ", ".join(part for part in parts if part)


def _era(diagnosis: Diagnosis) -> str | None:
    era = diagnosis.facts.detail.get("kernels") or diagnosis.facts.detail.get("gfp_era")
    return f"release not printed; by its own text the report is of {era}" if era else None


def _asked(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The request of an allocation report: order, mask, and who set which flag."""
    if detail.get("gfp_mask") is None:
        return
    flags = "|".join(str(flag).removeprefix("__GFP_") for flag in detail.get("gfp_flags", ()))
    size = f"order:{detail['order']} = {4 << detail['order']} kB, " if detail.get("order") is not None else ""
    yield "asked", f"{size}mask {detail['gfp_mask']} = {flags} ({detail.get('gfp_name') or 'no common name'})"
    if detail.get("slab_layer"):
        yield "", f"the caller asked {_flags(detail['caller'])}, the slab layer added {_flags(detail['slab_layer'])}"
    if detail.get("gfp_uncertain"):
        yield "", f"uncertain without the release: {_flags(detail['gfp_uncertain'])}"


def _flags(value: Iterable[str]) -> str:
    return "|".join(flag.removeprefix("__GFP_") for flag in value) or "nothing"


def _reasoning(page: _Page, diagnosis: Diagnosis, verbose: bool) -> None:
    reasons = diagnosis.facts.reasoning
    if not reasons:
        return
    page.section("Why")
    for reason in reasons:
        _reason(page, reason, verbose)


def _reason(page: _Page, reason: Reason, verbose: bool) -> None:
    label = f"{_MARK.get(reason.verdict, ' ')} {reason.verdict}"
    text = f"{reason.claim}: {reason.because}" if reason.because else reason.claim
    page.row(label, f"{text} {spans(reason.evidence)}".strip(), reason.verdict)
    if verbose:
        for number in reason.numbers:
            page.row("", number, indent=4)


def _code(page: _Page, diagnosis: Diagnosis) -> None:
    """The ``Code:`` bytes as instructions, or what is missing to read them."""
    from kb.kernel.code.disasm import disassemble

    text = diagnosis.facts.detail.get("code")
    lines = disassemble(str(text), diagnosis.report.arch) if text else ()
    if lines:
        page.section("Code (> trapped)")
        page.lines += [f"  {safe(line)}".rstrip() for line in lines]


def _known(page: _Page, diagnosis: Diagnosis, verbose: bool) -> None:
    page.section("Known")
    if not diagnosis.matches:
        page.row("", "no case of the library matches")
    for index, match in enumerate(diagnosis.matches):
        if index:
            page.plain()
        _match(page, match, verbose or index == 0)


def _match(page: _Page, match: Match, whole: bool) -> None:
    case = match.case
    page.row(f"{_MARK[match.verdict.value]} {match.verdict.value}", f"{case.id}: {case.title}", match.verdict.value)
    if not whole:
        return
    page.row("", case.summary)
    for mark in match.marks:
        _predicate(page, mark)
    reason = _ASSUMING.sub(" (assumed)", match.fix_reason)
    page.row("status", f"{match.fix_status}: {reason}" if reason else match.fix_status)
    for fix in case.fixes:
        since = (
            f" (in v{fix.since})" if fix.since and fix.branch == "mainline" else f" ({fix.since})" if fix.since else ""
        )
        branch = "" if fix.branch == "mainline" else f" [{fix.branch}]"
        page.row("fix", f'{fix.commit[:12]} ("{fix.subject}"){since}{branch}')
    for way in case.workarounds:
        page.row("now", way.do)
        page.row("", f"but: {way.caveat}")
    for step in case.verify:
        page.row("check", step.run)
        page.row("", f"expect {step.expect}" + (f": {step.means}" if step.means else ""))
    for dispute in case.disputes:
        source = f" ({dispute.source or dispute.by})" if dispute.source or dispute.by else ""
        page.row("dispute", f"{dispute.claim} {dispute.finding}{source}")


_ASSUMING = re.compile(r" \(assuming: [^()]*(?:\([^()]*\)[^()]*)*\)")


def _predicate(page: _Page, mark: PredicateMark) -> None:
    """One predicate with its mark. What refutes a case is good news when it does not hold."""
    verdict, role = mark.verdict.value, "" if mark.role == "require" else f"{mark.role}: "
    if mark.role == "refute":
        verdict = {"yes": "no", "no": "yes"}.get(verdict, verdict)
        role = "not: " if mark.verdict.value == "no" else "but: "
    because = _ASSUMING.sub(" (assumed)", f"  {mark.because}") if mark.because else ""
    page.row("", f"{_MARK[verdict]} {role}{mark.predicate.text}{because} {spans(mark.evidence)}".rstrip())


def _tail(page: _Page, diagnosis: Diagnosis) -> None:
    _list(page, "Assumed", diagnosis.facts.detail.get("assumptions") or ())
    _list(page, "Unknown", diagnosis.facts.unknown)
    _list(page, "Next", diagnosis.facts.next_steps)
    if diagnosis.similar:
        _list(
            page,
            "Similar",
            (f"{other.case or other.signature}  {other.score:.2f}  {other.title}" for other in diagnosis.similar),
        )


def _list(page: _Page, name: str, entries: Iterable[str]) -> None:
    entries = tuple(entries)
    if not entries:
        return
    page.section(name)
    for entry in entries:
        page.row("-", entry)
