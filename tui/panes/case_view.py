"""The case tab: what the case demands and why it speaks, its fixes, workarounds, checks; frames beside its sample's."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from kb.model.case import Case, Fix
from kb.model.verdict import Diagnosis, Match, PredicateMark
from kb.render.case import cited
from kb.render.safe import spans
from kb.render.text import ONCE
from kb.tui.panes.claims import standing
from kb.tui.panes.rows import MARKS, Entry, Row, clip, paragraph
from kb.words.speak import words

_WORDS = words("en").instead(ONCE)


def case_entries(found: Diagnosis, width: int, sample: Sequence[str] = ()) -> list[Entry]:
    """Entries of the case tab: the matches, best first.

    Args:
        found: The diagnosis.
        width: Cells there are.
        sample: Functions of the stack of the best case's sample, innermost first.
    """
    out: list[Entry] = []
    if not found.matches:
        text = "No case of the library matches this report. c starts one: predicates are proposed from its facts."
        out = [Entry(row, plain=True) for row in paragraph(text, width)]
        steps = [row for step in found.facts.next_steps for row in paragraph(step, width, "", [(" $ ", "dim")])]
        return [*out, _head("To find out more"), *(Entry(row) for row in steps)] if steps else out
    for index, match in enumerate(found.matches):
        out += _match(match, width)
        if index == 0 and sample:
            own = [frame.function for frame in found.report.frames if frame.reliable]
            lines = [frame.line for frame in found.report.frames if frame.reliable]
            out += [_head("Stack, beside that of the case's sample"), *aligned(own, sample, width, lines)]
    return out


def _head(text: str) -> Entry:
    return Entry([(text, "head")], plain=True)


def _match(match: Match, width: int) -> Iterator[Entry]:
    case = match.case
    sign, role = MARKS[match.standing]
    for row in paragraph(f"{case.title}", width, "key", [(f"{sign} {match.standing}  ", role)]):
        yield Entry(row, plain=True)
    yield Entry(
        [(clip(f"{case.id}  {case.status}  {match.severity}  {case.subsystem}", width), "dim")],
        more=case.path,
        copies=case.id,
    )
    yield from _prose(case.summary, width)
    yield _head("Predicates")
    for mark in match.marks:
        yield from predicate_entries(mark, match.standing, width)
    yield _head("Fix")
    said = f"{match.fix_status}: {_WORDS.say(match.fix_why)}".rstrip(": ")
    sign, role = {"affected": ("✗", "bad"), "fixed": ("✓", "good")}.get(match.fix_status, ("?", "warn"))
    for row in paragraph(said, width, "", [(f" {sign} ", role)]):
        yield Entry(row, more=match.fix_reason)
    for fix in case.fixes:
        for row in paragraph(fix_line(fix), width, "", [("   ", "")]):
            yield Entry(row, copies=fix_line(fix), more=fix.note)
    yield from _actions(case, width)


def fix_line(fix: Fix) -> str:
    """A commit as kernel developers cite it."""
    since = f" (in v{fix.since})" if fix.since and fix.branch == "mainline" else f" ({fix.since})" if fix.since else ""
    branch = "" if fix.branch == "mainline" else f" [{fix.branch}]"
    return f'{fix.commit[:12]} ("{fix.subject}"){since}{branch}'


def predicate_entries(mark: PredicateMark, case: str, width: int) -> Iterator[Entry]:
    """A predicate, its mark and why; what refutes a case and does not hold is good news, and reads so."""
    sign, lead = standing(mark, case)
    role = dict(MARKS.values())[sign]
    because = _WORDS.say(mark.why)
    text = f"{lead}{mark.predicate.text}  {because} {spans(mark.evidence)}".rstrip()
    for row in paragraph(text, width, "", [(f" {sign} ", role)]):
        yield Entry(row, mark.evidence, more=mark.because, copies=mark.predicate.text)


def _actions(case: Case, width: int) -> Iterator[Entry]:
    if case.workarounds:
        yield _head("Now, until the fix")
    for way in case.workarounds:
        for row in paragraph(way.do, width, "key", [(" $ ", "dim")]):
            yield Entry(row, copies=way.do, more=way.caveat)
        for row in paragraph(way.caveat, width, "", [("   but: ", "warn")]):
            yield Entry(row, copies=way.do)
    if case.verify:
        yield _head("To confirm or rule out")
    for step in case.verify:
        for row in paragraph(step.run, width, "key", [(" $ ", "dim")]):
            yield Entry(row, copies=step.run, more=step.means)
        expect = f"{step.expect}: {step.means}" if step.means else step.expect
        for row in paragraph(expect, width, "", [("   expect: ", "dim")]):
            yield Entry(row, copies=step.run)
    if case.disputes:
        yield _head("Disputed")
    for dispute in case.disputes:
        by = f" ({dispute.source or dispute.by})" if dispute.source or dispute.by else ""
        yield from _prose(f"{dispute.claim}{by}", width, " ≠ ")
        yield from _prose(dispute.finding, width, "   ")
    if case.affected:
        yield _head("Affected")
    for one in case.affected:
        note = f"  {one.note}" if one.note else ""
        yield from _prose(f"{one.kernel}  ({one.by}){note}", width, "   ")
    if case.sources:
        yield _head("Sources")
    for source in case.sources:
        yield from _prose(f"{source.id}: {cited(source)}", width, "   ")
    if case.prose.strip():
        yield _head("Prose")
        yield from _prose(case.prose.strip(), width, "   ")


def _prose(text: str, width: int, lead: str = "") -> Iterator[Entry]:
    for row in paragraph(text, width, "", [(lead, "dim")] if lead else None):
        yield Entry(row, copies=text)


def aligned(own: Sequence[str], sample: Sequence[str], width: int, lines: Sequence[int] = ()) -> list[Entry]:
    """Two stacks side by side, equal frames on one row: ``=`` both, ``<`` only here, ``>`` only in the sample.

    Args:
        own: Functions of this report, innermost first.
        sample: Functions of the other.
        width: Cells there are.
        lines: Line of the log of each of ``own``.
    """
    half = (width - 5) // 2
    out: list[Entry] = []

    def add(sign: str, left: int | None, right: int | None) -> None:
        role = "good" if sign == "=" else "warn"
        row: Row = [
            (clip(f" {own[left]}" if left is not None else "", half), "" if sign == "=" else "warn"),
            (f" {sign} ", role),
            (clip(sample[right] if right is not None else "", half), "" if sign == "=" else "warn"),
        ]
        line = lines[left] if left is not None and left < len(lines) else 0
        out.append(Entry(row, ((line, line),) if line else ()))

    for tag, a, b, c, d in SequenceMatcher(None, own, sample, autojunk=False).get_opcodes():
        if tag == "equal":
            for left, right in zip(range(a, b), range(c, d), strict=True):
                add("=", left, right)
            continue
        for left in range(a, b):
            add("<", left, None)
        for right in range(c, d):
            add(">", None, right)
    return out
