"""The head line of the triage list: how many rows there are, of how many, in which order, of what."""

from collections.abc import Iterator, Sequence

from kb.render.safe import safe
from kb.tui.desk import NOTICE, Desk
from kb.tui.lists.catalog import Catalog, LogCatalog
from kb.tui.lists.item import Item
from kb.tui.panes.rows import input_name

NAME, PROGRESS = 24, 40
"""Cells that the name of the log keeps, and that what is being read has."""
IN_LOG = {"first": "time", "last": "time"}
"""What orders are called in a log, as its column is."""
IN_STORE = {"first": "first seen", "last": "last seen"}
"""And in the store."""


def head(desk: Desk, catalog: Catalog, order: str, marked: int, progress: str, error: str, width: int) -> str:
    """The line.

    Args:
        desk: The session.
        catalog: The rows.
        order: What they are sorted by, and whether downwards.
        marked: How many are marked.
        progress: How far the reading is.
        error: Why there is no more.
        width: Cells there are.
    """
    parts = ["kb", *(_of_log(catalog) if isinstance(catalog, LogCatalog) else [_of_store(catalog)])]
    name, arrow = order.split()
    parts.append(f"by {(IN_LOG if desk.of_log else IN_STORE).get(name, name)} {arrow}")
    if marked:
        parts.append(f"{marked} marked")
    if catalog.busy:
        parts.append(f"{catalog.busy} … {input_name(progress, PROGRESS)}".rstrip())
    elif error:
        parts.append(safe(error))
    elif not catalog.total and not desk.of_log:
        parts.append("nothing yet: kb match --record fills it")
    room = width - 2 - sum(map(len, parts)) - 3 * len(parts)
    return "   ".join([*parts, input_name(desk.name, max(NAME, room))])


def _of_store(catalog: Catalog) -> str:
    shown = f"{len(catalog):,} of {catalog.total:,}" if len(catalog) != catalog.total else f"{catalog.total:,}"
    return f"{shown} signature{'s' * (catalog.total != 1)}"


def _of_log(catalog: LogCatalog) -> Iterator[str]:
    """``3 of 12 reports in 2 rows``, ``2 known, 1 by type``."""
    shown, total = catalog.reports, catalog.total
    said = f"{shown:,} of {total:,}" if shown != total else f"{total:,}"
    rows = f" in {len(catalog):,} row{'s' * (len(catalog) != 1)}" if len(catalog) not in (shown, 0) else ""
    yield f"{said} {_what(catalog.items)}{'s' * (total != 1)}{rows}"
    sure, alike = (sum(item.verdict == verdict for item in catalog.items) for verdict in ("yes", "type"))
    yield f"{sure:,} known" + (f", {alike:,} by type" if alike else "")


def _what(items: Sequence[Item]) -> str:
    return "notice" if items and items[0].kind == NOTICE else "report"


def nothing(desk: Desk, catalog: Catalog) -> list[str]:
    """Why no row is shown, and what to do then."""
    if catalog.total:
        return ["no row passes the filter; Esc drops it"]
    if not desk.of_log or not desk.docs:
        return []
    lines = sum(map(len, desk.docs.values()))
    told = [f"{doc.name}: {note}" for doc in desk.docs.values() for note in doc.notes]
    if not lines:
        return ["there is no line in it", *told]
    many = f"{lines:,} line{'s' * (lines != 1)}"
    return [
        f"no kernel report in {many}, nor a message that a case knows",
        *told,
        "/ searches the log, w wraps its lines",
    ]
