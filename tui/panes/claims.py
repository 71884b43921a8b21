"""The left side of the evidence view: everything said about a report, each with the lines it rests on."""

from collections.abc import Iterator

from kb.model.report import Frame, Report
from kb.model.verdict import Diagnosis, Match, PredicateMark, Reason
from kb.render.safe import safe, spans
from kb.tui.panes.rows import MARKS, REASONS, Entry, ordinal


def claims(found: Diagnosis) -> list[Entry]:
    """Entries of headline, reasoning, predicates, zones and frames, under their headings."""
    out = list(_report(found))
    out += _section("Why", list(_reasons(found)))
    for match in found.matches:
        out += _section(f"Case {match.case.id}: {match.standing}", list(_predicates(match)))
    out += _section("Zones", list(_zones(found)))
    for trace in found.report.traces:
        name = "Stack" if trace.role == "main" else f"Stack: {trace.role}"
        out += _section(name, [frame_entry(found.report, frame) for frame in trace.frames])
    out += _section("Unknown", [_plain("?", "warn", text) for text in found.facts.unknown])
    return out


def _section(name: str, entries: list[Entry]) -> list[Entry]:
    return [Entry([(safe(name), "head")], plain=True), *entries] if entries else []


def _plain(mark: str, role: str, text: str) -> Entry:
    return Entry([(f" {mark} ", role), (safe(text), "")], more=text)


def _report(found: Diagnosis) -> Iterator[Entry]:
    report = found.report
    yield Entry([("Report", "head")], plain=True)
    line = report.headline_line
    yield Entry([("   ", ""), (safe(report.headline), "key")], ((line, line),), more=report.headline)
    who = ", ".join(
        part
        for part in (
            report.comm,
            f"pid {report.pid}" if report.pid is not None else "",
            f"CPU {report.cpu}" if report.cpu is not None else "",
            f"tainted {report.taint}" if report.taint not in (None, "-") else "",
            report.kernel or "release not printed",
        )
        if part
    )
    own = len({number for line in report.lines for number in range(line.number, line.last + 1)})  # others' are between
    whole = f"all {own} lines: {who}" if own > 1 else f"one line: {who}"
    yield Entry([("   ", ""), (safe(whole), "")], (report.span,), more=whole)
    if report.corrupted:
        yield Entry([(" ! ", "bad"), (safe(f"corrupted: {report.corrupted}"), "bad")], more=report.corrupted)
    if found.facts.summary:
        cause = found.facts.cause or "cause"
        yield Entry([(" = ", "good"), (safe(f"{cause}: {found.facts.summary}"), "")], more=found.facts.summary)


def _reasons(found: Diagnosis) -> Iterator[Entry]:
    for reason in found.facts.reasoning:
        mark, role = REASONS.get(reason.verdict, MARKS["none"])
        more = f"{reason.verdict}: {spelt(reason)}"
        more += "".join(f"\n{number}" for number in reason.numbers)
        yield Entry(
            [(f" {mark} ", role), (f"{reason.verdict:<9}", role), (safe(reason.claim), "")], reason.evidence, more=more
        )


def spelt(reason: Reason) -> str:
    """A claim, why, and its lines."""
    told = ": ".join(part for part in (reason.claim, reason.because) if part)
    return f"{told} {spans(reason.evidence)}".rstrip()


def _predicates(match: Match) -> Iterator[Entry]:
    for mark in match.marks:
        more = f"{mark.role} {mark.predicate.text}: {mark.verdict.value}: {mark.because} {spans(mark.evidence)}"
        sign, lead = standing(mark, match.standing)
        role = dict(MARKS.values())[sign]
        yield Entry([(f" {sign} ", role), (safe(lead + mark.predicate.text), "")], mark.evidence, more=more.rstrip())


def standing(mark: PredicateMark, case: str) -> tuple[str, str]:
    """A predicate's sign and lead: what refutes a case is good news where it does not hold, and reads so; of several
    of which one is enough, those that do not hold are no bad news where the case holds.
    """
    verdict, lead = mark.verdict.value, "" if mark.role == "require" else f"{mark.role}: "
    if mark.role == "refute":
        verdict = {"yes": "no", "no": "yes"}.get(verdict, verdict)
        lead = "not: " if mark.verdict.value == "no" else "but: "
    if mark.role == "any" and case in ("yes", "type") and verdict != "yes":
        verdict = "none"
    return MARKS[verdict][0], lead


def _zones(found: Diagnosis) -> Iterator[Entry]:
    for zone in found.facts.detail.get("zones") or ():
        evidence = tuple((int(first), int(last)) for first, last in zone.get("evidence", ()))
        label = f"Node {zone['node']} {zone['zone']}"
        verdict = zone.get("verdict") or ""
        mark, role = {"refuses": ("✗", "bad"), "admits": ("✓", "good")}.get(verdict, ("·", "dim"))
        free = f"free {zone.get('free')} min {zone.get('min')} reserve {zone.get('reserve')}"
        tried = f", tried {ordinal(zone['tried'])}" if isinstance(zone.get("tried"), int) else ""
        more = f"{label} {verdict}: {free} pages{tried}. Tab 2 shows the arithmetic. {spans(evidence)}"
        yield Entry([(f" {mark} ", role), (f"{label:<15}", ""), (f" {free}", "dim")], evidence, more=more)


def frame_entry(report: Report, frame: Frame) -> Entry:
    """A frame of a stack; the one that is blamed says why."""
    guilty = frame.function.split(".")[0] == report.function
    where = f"+{frame.offset:#x}/{frame.size:#x}" if frame.offset is not None and frame.size is not None else ""
    module = f" [{frame.module}]" if frame.module else ""
    sign, role = ("→", "warn") if guilty else ("?", "dim") if not frame.reliable else (" ", "")
    text = safe(f"{frame.function}{where}{module}")
    more = text + (f" {safe(frame.source)}" if frame.source else "")
    if guilty:
        more += f"\nblamed: {safe(report.chosen_because)}"
    elif not frame.reliable:
        more += "\nnot reliable: an address found on the stack that may be left over"
    evidence = ((frame.line, frame.line),) if frame.line else ()
    return Entry(
        [(f" {sign} ", role), (text, "key" if guilty else "" if frame.reliable else "dim")], evidence, more=more
    )
