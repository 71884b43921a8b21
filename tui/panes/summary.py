"""The pane below the triage list: a diagnosis in a few lines."""

from collections.abc import Iterator

from kb.model.verdict import Diagnosis
from kb.tui.doc import Doc
from kb.tui.lists.item import Item
from kb.tui.panes.rows import MARKS, Entry, Row, input_name, paragraph


def summary(item: Item, found: Diagnosis | None, width: int) -> list[Entry]:
    """What happened, whether it is known, what to do now; the most telling first, as the pane may be small."""
    rows: list[Row] = list(paragraph(item.title, width, "key"))
    if found is None:
        rows += list(paragraph("the store keeps no log of it: there is nothing to diagnose", width, "dim"))
    else:
        rows += _told(found, width)
    return [Entry(row, plain=True) for row in rows]


def of_log(doc: Doc, reports: int, width: int) -> list[Entry]:
    """What is said of a log that is shown whole."""
    lines = f"{len(doc):,} line{'s' * (len(doc) != 1)}"
    found = f"{reports:,} kernel report{'s' * (reports != 1)}" if reports else "no kernel report"
    rows: list[Row] = list(paragraph(input_name(doc.name, 4 * width), width, "key"))
    rows.append([(f"{lines}, {found}", "")])
    for note in doc.notes:
        rows += paragraph(note, width, "warn")
    rows += paragraph("/ searches the log, w wraps its lines; Esc: back to the rows", width, "dim")
    return [Entry(row, plain=True) for row in rows]


def _told(found: Diagnosis, width: int) -> Iterator[Row]:
    report, facts, best = found.report, found.facts, found.best
    if report.corrupted:
        yield from paragraph(report.corrupted, width, "bad", [("corrupted ", "bad")])
    if best is not None:
        sign, role = MARKS[best.standing]
        yield from paragraph(f"{best.case.id}: {best.case.title}", width, "", [(f"{sign} {best.standing:<7} ", role)])
        if best.fix_status != "unknown" or best.fix_reason:
            said = f"{best.fix_status}: {best.fix_reason}" if best.fix_reason else best.fix_status
            yield from paragraph(said, width, "", [("status    ", "dim")])
    else:
        yield [("· unknown ", "dim"), ("no case matches; c starts one", "dim")]
    if facts.cause or facts.summary:
        said = ": ".join(part for part in (facts.cause, facts.summary) if part)
        yield from paragraph(said, width, "", [("cause     ", "dim")])
    if best is not None:
        for way in best.workarounds[:2]:
            yield from paragraph(way.do, width, "", [("now       ", "dim")])
    for step in facts.next_steps[:3] if best is None else ():
        yield from paragraph(step, width, "", [("next      ", "dim")])
    blamed = f"{report.function or '-'}" + (f" [{report.module}]" if report.module else "")
    yield from paragraph(f"{blamed}: {report.chosen_because}", width, "", [("blamed    ", "dim")])
    yield [("signature ", "dim"), (found.signature.id, "dim")]
