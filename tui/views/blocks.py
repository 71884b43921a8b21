"""Free blocks by order: a heat map, a character and a count an order. All in pages.

Everything is said in characters first (shade, letters, marks); colour only repeats it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kb.model.log import Span
from kb.model.memory import size
from kb.tui.panes.rows import Entry, Row, clip, paragraph

SHADES = " ░▒▓█"
"""Share of a zone's free pages that the blocks of one order hold: none, up to 5 %, 25 %, 50 %, more."""


def evidence(zone: Mapping[str, Any]) -> tuple[Span, ...]:
    """The lines that a zone was read from."""
    return tuple((int(first), int(last)) for first, last in zone.get("evidence") or ())


def label(zone: Mapping[str, Any]) -> str:
    """``Node 1 Normal``."""
    return f"Node {zone['node']} {zone['zone']}"


def human(pages: int, page_kb: int) -> str:
    """Pages as a person says them: ``128 kB``, ``3.2 GB``."""
    kilobytes = float(size(pages, page_kb))
    for unit in ("kB", "MB"):
        if abs(kilobytes) < 10_000:
            return f"{kilobytes:.0f} {unit}"
        kilobytes /= 1024
    return f"{kilobytes:.1f} GB"


def short_count(count: int) -> str:
    """A count in at most four characters: ``990``, ``24k``, ``242k``, ``12M``."""
    if count < 1000:
        return str(count)
    if count < 999_500:
        return f"{count / 1000:.0f}k"
    return f"{count / 1_000_000:.0f}M"


def shade(pages: int, free: int) -> str:
    """The shade of a cell: what share of the zone's free pages it holds."""
    if pages <= 0 or free <= 0:
        return SHADES[0]
    share = pages / free
    return SHADES[1 if share <= 0.05 else 2 if share <= 0.25 else 3 if share <= 0.5 else 4]


def heat(zones: Sequence[Mapping[str, Any]], asked: object, width: int) -> Iterator[Entry]:
    """A row a zone, and below it the migrate types that have a block.

    Args:
        zones: Of the report contract.
        asked: The order of the request.
        width: Cells there are.
    """
    orders = max((len(zone.get("buddy") or ()) for zone in zones), default=0)
    if not orders:
        yield Entry([(" the report prints no free lists", "dim")])
        return
    lead = 17
    cell = 7 if width >= lead + 7 * orders + 1 else 5 if width >= lead + 5 * orders else 4
    lead = min(lead, max(8, width - cell * orders))
    head: Row = [(clip(" order", lead), "dim")]
    for order in range(orders):
        head.append((f"[{order}]".rjust(cell) if order == asked else str(order).rjust(cell), "key"))
    yield Entry(head, plain=True)
    for zone in zones:
        yield from _heat_rows(zone, orders, asked, lead, cell)
    for row in paragraph(
        "shade: share of the zone's free pages that is in blocks of the order (░ to 5 %, ▒ 25 %, ▓ 50 %, █ more); "
        "[n]: the order asked; letters: migrate types with a block (U unmovable, M movable, E reclaimable, "
        "H highatomic, C CMA, I isolate)",
        width,
        "dim",
        [(" ", "")],
    ):
        yield Entry(row, plain=True)


def _heat_rows(zone: Mapping[str, Any], orders: int, asked: object, lead: int, cell: int) -> Iterator[Entry]:
    counts: list[int] = list(zone.get("buddy") or ())
    if not counts:
        return
    letters: list[str] = list(zone.get("letters") or ())
    free = sum(count << order for order, count in enumerate(counts))
    lines = evidence(zone)
    row: Row = [(clip(f" {label(zone)}", lead), "key")]
    types: Row = [(" " * lead, "")]
    fits = 0
    for order in range(orders):
        count = counts[order] if order < len(counts) else 0
        fitting = isinstance(asked, int) and order >= asked and count > 0
        fits += count if fitting else 0
        sign = shade(count << order, free)
        text = f"{sign}{short_count(count)}"[-cell:] if count else "-"
        row.append((text.rjust(cell), "good" if fitting else "" if count else "dim"))
        types.append(((letters[order] if order < len(letters) else "")[: cell - 1].rjust(cell), "dim"))
    more = f"{label(zone)}: {' '.join(map(str, counts))} blocks, {free} pages"
    if isinstance(asked, int):
        more += f"; {fits} of order {asked} or larger"
    yield Entry(row, lines, more=more)
    if any(letters):
        yield Entry(types, lines, more=more)
