"""The similar tab: neighbours with their scores and stacks. Similarity suggests; a person decides."""

from collections.abc import Iterator, Sequence

from kb.tui.desk import Near
from kb.tui.lists.item import Item
from kb.tui.panes.rows import Entry, Row, clip, paragraph, squeeze

WIDE = 70
"""Columns from which titles and stacks stand behind the score rather than under it."""


def similar_entries(near: Sequence[Near], alike: Sequence[Item], width: int, source: str = "") -> list[Entry]:
    """Entries: reports with the same signature, of which those of the log that is shown (``source``) lead to their
    lines; then neighbours by similarity.
    """
    out: list[Entry] = []
    if alike:
        out.append(Entry([(f"The same signature, elsewhere in the log: {len(alike)}", "head")], plain=True))
        for item in alike[:200]:
            row: Row = [(f"   L{item.span[0]:<8} {clip(item.last, 18)} ", "dim"), (squeeze(item.title, width - 32), "")]
            where = (item.span,) if item.source == source else ()
            out.append(Entry(row, where, copies=f"{item.signature}  {item.title}"))
    out.append(Entry([("Neighbours by similarity", "head"), ("  d: the same, x: different", "dim")], plain=True))
    if not near:
        text = "Nothing in the store is near: kb match --record and kb import fill it."
        out += [Entry(row, plain=True) for row in paragraph(text, width, "dim", [("   ", "")])]
    for each in near:
        out += _neighbour(each, width)
    return out


def _neighbour(near: Near, width: int) -> Iterator[Entry]:
    sign, role = {None: (" ", ""), True: ("=", "good"), False: ("≠", "bad")}[near.same]
    bar = "█" * round(near.score * 10)
    said = {None: "", True: "  declared the same", False: "  declared different"}[near.same]
    name = near.subject.removeprefix("case:")
    row: Row = [(f" {sign} ", role), (f"{near.score:4.2f} {bar:<10} ", ""), (clip(f"{name}{said}", width - 19), "key")]
    yield Entry(row, copies=near.subject, more=near.subject)
    because = f" ({near.because})" if near.because else ""
    lead = " " * (19 if width >= WIDE else 3)
    for part in paragraph(f"{near.title}{because}", width, "", [(lead, "")]):
        yield Entry(part, copies=near.subject, more=near.subject)
    half = (width - len(lead) - 4) // 2
    for ours, theirs in near.pairs:
        mark = "=" if ours and theirs else "<" if ours else ">"
        look = "dim" if mark == "=" else "warn"
        line: Row = [(lead, ""), (clip(ours, half), look), (f" {mark} ", look), (clip(theirs, half), look)]
        yield Entry(line, copies=near.subject, more=near.subject)
