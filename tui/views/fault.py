"""A fault: what the bad pointer was, the instruction that used it, the registers."""

from collections.abc import Iterator

from kb.pictures.tables.registers import Register, registers
from kb.tui.panes.rows import Entry, Row, clip
from kb.tui.views.view import WORDS, View, access, around, code, decoded, head, line, section, stacks


class FaultView(View):
    """The access, code, registers, stack."""

    TITLE = "Fault"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        yield from section("The access", access(self.found, width, "fault", "list", "message", "object", "blame"))
        yield from code(self.found, width)
        yield from _registers(registers(self.found), width)
        yield from stacks(self.report)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)


def _registers(rows: tuple[Register, ...], width: int) -> Iterator[Entry]:
    """Those that tell something, each with what; then all of them in columns."""
    if not rows:
        return
    yield head("Registers")
    for row in rows:
        if row.bad or row.suspect:
            mark, role = ("▶", "bad") if row.bad else ("!", "warn")
            means = WORDS.say(row.means) if row.means is not None else ""
            text = f"{row.name:<4} {row.value:016x}  " + (
                "the bad pointer" + (f": {means}" if means else "") if row.bad else means
            )
            yield Entry([(clip(f" {mark} {text}", width).rstrip(), role)], line(row.line), more=text)
    wide = max(len(_cell(row)) for row in rows) + 2
    many = max(1, (width - 2) // wide)
    for at in range(0, len(rows), many):
        part = rows[at : at + many]
        made: Row = [("  ", "")]
        for row in part:
            role = "bad" if row.bad else "warn" if row.suspect else "dim" if not row.value else ""
            made.append((_cell(row).ljust(wide), role))
        lines = tuple(sorted({(row.line, row.line) for row in part if row.line}))
        more = "\n".join(
            f"{row.name} = {row.value:#x}" + (f": {WORDS.say(row.means)}" if row.means else "") for row in part
        )
        yield Entry(made, lines, more=more)


def _cell(row: Register) -> str:
    mark = "▶" if row.bad else "!" if row.suspect else " "
    return f"{mark}{row.name:<4} {row.value:016x}"
