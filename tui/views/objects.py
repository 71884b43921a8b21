"""A memory error: the access beside its object, the memory map, who allocated and freed it."""

from collections.abc import Iterator

from kb.pictures.shadow import SIGNS, Map, shadow
from kb.pictures.tables.object import Place, place
from kb.tui.panes.rows import Entry, Row
from kb.tui.views.view import WORDS, View, access, around, code, decoded, head, line, section, stacks

_ROLES = {"good": "good", "part": "good", "freed": "bad", "redzone": "warn", "gone": "dim", "other": "dim"}
_HISTORY = ("allocated", "freed")


class ObjectView(View):
    """The access, the object, the map, the stacks."""

    TITLE = "Object"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        yield from section("The access", access(self.found, width, "object", "list", "fault", "message", "blame"))
        told = place(self.found)
        if told is not None:
            yield from _object(told, width)
        memory = shadow(self.found)
        if memory is not None:
            yield from _map(memory, width)
        yield from stacks(self.report, 10, *_HISTORY)
        others = dict.fromkeys(trace.role for trace in self.report.traces if trace.role not in _HISTORY)
        if others:
            yield from stacks(self.report, 12, *others)
        yield from code(self.found, width)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)


def _object(told: Place, width: int) -> Iterator[Entry]:
    """The object as a line of cells, the access where it was; far ones at the edge."""
    yield head("The object" + (f", of cache {told.cache}" if told.cache else ""))
    where = {"inside": "inside it", "behind": "behind its end", "before": "before its start"}[told.side]
    room = max(10, min(64, width - 24))
    size = max(1, told.size)
    cells = ["■"] * room
    at = round(told.at / size * room)
    lead, tail = "      ", "      "
    if 0 <= told.at < size:
        cells[min(room - 1, at)] = "▼"
    elif told.at >= size:
        tail = "▼     " if at - room < 2 else "··▼   " if told.at < 2 * size else "····▶ "
    else:
        lead = "     ▼" if -at < 2 else "   ▼··" if told.at > -size else " ◀····"
    row: Row = [
        (f" {lead}", "bad"),
        ("[", "key"),
        ("".join(cells), "good"),
        ("]", "key"),
        (f"{tail} ", "bad"),
        (f"{size} B", ""),
    ]
    more = f"access {told.offset} bytes {where}; object of {size} bytes: bytes 0 to {size - 1}, the access at {told.at}"
    yield Entry(row, line(told.line), more=more)
    yield Entry(
        [(f"   ▼ the access: byte {told.at}, {told.offset} bytes {where}"[:width], "bad")], line(told.line), more=more
    )


def _legend(told: Map, bytes_: bool) -> str:
    """What the signs mean, or the bytes: ``fa fb freed, fc redzone``."""
    if not bytes_:
        return ", ".join(f"{SIGNS[name]} {WORDS.word(name)}" for name in told.means)
    by: dict[str, set[int]] = {}
    for row in told.rows_:
        for state, kind in row.states:
            by.setdefault(kind, set()).add(state)
    return ", ".join(
        f"{' '.join(f'{state:02x}' for state in sorted(by[name])[:4])} {WORDS.word(name)}" for name in told.means
    )


def _map(told: Map, width: int) -> Iterator[Entry]:
    """A row a piece of memory, the printed byte and its sign a granule."""
    most = max(len(row.states) for row in told.rows_)
    wide = 4 if width >= 20 + 4 * most else 3 if width >= 21 + 3 * most else 2
    yield head(f"Memory map: {_legend(told, wide > 2)}")
    for index, row in enumerate(told.rows_):
        here = index == told.here
        made: Row = [(" ▶ " if here else "   ", "bad"), (f"{row.address:016x}", "key" if here else "dim"), (" ", "")]
        for cell, (state, kind) in enumerate(row.states):
            text = f"{state:02x}" if wide > 2 else SIGNS[kind]
            if here and cell == told.cell:
                made.append((f"[{text}]" if wide > 3 else f"▶{text}", "found"))
            else:
                made.append((f" {text}".ljust(wide), _ROLES[kind]))
        more = f"{row.address:x}: " + " ".join(f"{state:02x}" for state, _ in row.states)
        yield Entry(made, line(row.line), more=more)
    if told.here is not None and told.cell is not None:
        state, kind = told.rows_[told.here].states[told.cell]
        where = line(told.rows_[told.here].line)
        text = f"the access met {state:02x}: {WORDS.word(kind)}"
        yield Entry([(f" ▶ {text}", "bad")], where, more=text)
