"""A lockdep warning: the circle of locks, who takes each, the scenario."""

from collections.abc import Iterator

from kb.pictures.tables.cycle import Cycle, Link, cycle
from kb.tui.panes.rows import Entry, Row, clip
from kb.tui.views.view import View, around, decoded, head, line, reasons, section, stacks


class LockView(View):
    """The circle, the scenario, the stacks."""

    TITLE = "Locks"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        told = cycle(self.found)
        if told is not None:
            yield from _circle(told, width)
            yield from _scenario(told, width)
            yield from section("Held", (_held(link, width) for link in told.holds))
        yield from section("Why", reasons(self.found, width, "lock", "blame", "message"))
        yield from stacks(self.report)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)


def _circle(told: Cycle, width: int) -> Iterator[Entry]:
    """Locks one below the other; the last one leads back to the first."""
    yield head("The circle" if any(link.held for link in told.links) else "The locks")
    links = [link for link in told.links if link.held is not None]
    room = max(10, width - 8)
    if not links:
        for link in told.links:
            by = f"  in {link.function}" if link.function else ""
            yield Entry(
                [("   ", ""), (clip(link.lock + by, room).rstrip(), "key")], line(link.line), more=link.lock + by
            )
    for at, link in enumerate(links):
        top = at == 0
        if top:
            yield _lock("┌─▶ ", link.held or "?", room, link)
        yield _taken(link, told, width)
        if link.closes:
            corner = "└── back to " if len(links) > 1 or link.lock != link.held else "└── itself: "
            yield _lock(corner, link.lock, room, link, "bad")
        else:
            yield _lock("│   ", link.lock, room, link)
    if told.usage is not None:
        text = f"{told.usage[0]} and {told.usage[1]}: one use with it off inside, one with it on"
        yield Entry([(f" ! {clip(text, width - 3).rstrip()}", "warn")], line(told.usage_line), more=text)


def _lock(lead: str, name: str, room: int, link: Link, role: str = "key") -> Entry:
    return Entry([(f" {lead}", "dim"), (clip(name, room).rstrip(), role)], line(link.line), more=name)


def _taken(link: Link, told: Cycle, width: int) -> Entry:
    by = f" in {link.function}" if link.function else ""
    text = f"held while the next is taken{by}"
    role = "dim"
    if link.closes:
        text, role = f"held by {told.task or 'this task'}, which now takes the first{by}", "bad"
    row: Row = [(" │     ", "dim"), (clip(text, max(10, width - 8)).rstrip(), role)]
    return Entry(row, line(link.line), more=f"{link.held}: {text}: {link.lock}")


def _scenario(told: Cycle, width: int) -> Iterator[Entry]:
    if not told.scenario:
        return
    yield head("How it deadlocks")
    half = max(12, (width - 3) // 2)
    two = any(step.cpu for step in told.scenario)
    yield Entry([(" " + clip("CPU 0", half), "dim"), ("CPU 1" if two else "", "dim")], plain=True)
    for step in told.scenario:
        text = f"lock({step.name})" if step.name is not None else "<Interrupt>"
        row: Row = [
            (" " + (" " * half if step.cpu else ""), ""),
            (clip(text, half).rstrip(), "warn" if step.name is None else "key"),
        ]
        yield Entry(row, line(step.line), more=f"CPU {step.cpu}: {text}")
    yield Entry([(" *** deadlock ***", "bad")], plain=True)


def _held(link: Link, width: int) -> Entry:
    by = f"  taken in {link.function}" if link.function else ""
    text = link.lock + by
    return Entry([("   ", ""), (clip(text, width - 3).rstrip(), "")], line(link.line), more=text)
