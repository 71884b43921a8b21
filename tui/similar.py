"""The similar tab: neighbours with their scores. Similarity suggests; a person decides."""

from collections.abc import Sequence

from kb.model.verdict import Diagnosis
from kb.tui.desk import Item
from kb.tui.rows import Entry, Row, clip, paragraph


def similar_entries(found: Diagnosis, alike: Sequence[Item], width: int) -> list[Entry]:
    """Entries: reports of the log with the same signature, then neighbours by similarity."""
    out: list[Entry] = []
    if alike:
        out.append(Entry([(f"The same signature, elsewhere in the log: {len(alike)}", "head")], plain=True))
        for item in alike[:200]:
            row: Row = [(f"   L{item.span[0]:<8} {clip(item.last, 18)} ", "dim"), (clip(item.title, width - 32), "")]
            out.append(Entry(row, copies=f"{item.signature}  {item.title}"))
    out.append(Entry([("Neighbours by similarity", "head")], plain=True))
    if not found.similar:
        text = "The store has no neighbours yet: none is suggested for this report."
        out += [Entry(row, plain=True) for row in paragraph(text, width, "dim", [("   ", "")])]
    for other in found.similar:
        bar = "█" * round(other.score * 10)
        name = other.case or other.signature
        row = [(f"   {other.score:4.2f} {bar:<10} ", ""), (clip(f"{name}  {other.title}", width - 20), "")]
        out.append(Entry(row, copies=f"{other.signature}  {other.title}", more=other.signature))
    return out
