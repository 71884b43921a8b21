"""Hung tasks: who waits for whom."""

import re
from collections.abc import Iterator

from kb.model.report import Report
from kb.pictures.waits import waits
from kb.tui.panes.rows import Entry, Row, clip
from kb.tui.views.view import View, around, decoded, head, line, reasons, section, stacks

_SWITCHING = re.compile(r"_*(?:schedule|io_schedule|context_switch|switch_to|preempt_schedule)\w*$")
"""What every task that sleeps is in."""


class HungView(View):
    """Chains of waits of the whole log, this report's first; why; stacks."""

    TITLE = "Waits"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        yield from self._graph(width)
        yield from section("Why", reasons(self.found, width, "hung", "blame"))
        yield from stacks(self.report, 20)
        held = self.found.facts.get("locks_held")
        if held is not None:
            rows = (
                Entry([(f"   {clip(each, width - 3).rstrip()}", "")], held.evidence, more=each) for each in held.value
            )
            yield from section("Locks held", rows)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)

    def _graph(self, width: int) -> Iterator[Entry]:
        told = waits(self.scene.kin, single=True)
        me = _named(self.report)
        where = {_named(each.report): each.report.headline_line for each in self.scene.kin}
        yield head("Who waits for whom")
        if told is None or not any(me in chain[::2] for chain in told.chains):
            names = [frame.function for frame in self.report.frames if frame.reliable]
            functions = " ← ".join([name for name in names if not _SWITCHING.match(name)][:3])
            row: Row = [(f" ✗ {me}", "bad"), ("  (this report)", "dim")]
            yield Entry(row, line(self.report.headline_line), more=f"{me} waits in {functions}")
            where_ = f"in {functions}" if functions else "its stack is not printed"
            yield Entry([("   └─ waits ", "dim"), (where_, "warn")], plain=True)
        if told is None:
            return
        chains = sorted(zip(told.chains, told.circular, strict=True), key=lambda pair: me not in pair[0][::2])
        for chain, circular in chains:
            for at, text in enumerate(chain):
                yield self._link(text, at, me, where, circular and at == len(chain) - 1, width)

    def _link(self, text: str, at: int, me: str, where: dict[str, int], closes: bool, width: int) -> Entry:
        """A task, or what it waits for; each holder stands under what it holds."""
        indent = "    " * (at // 2)
        if at % 2:
            row: Row = [
                (f"   {indent}└─ waits for ", "dim"),
                (clip(text, max(8, width - 17 - len(indent))).rstrip(), "warn"),
            ]
            return Entry(row, plain=True)
        mark, role = ("✗", "bad") if text == me else ("▸", "key")
        lead = f" {mark} " if not at else f"{indent}└─ held by "
        tail = "  ↺ stands in the chain already: they wait for each other" if closes else ""
        tail += "  (this report)" if text == me and not closes else ""
        row = [
            (lead if not at else f"   {lead}", "dim" if at else role),
            (clip(text, 30).rstrip(), role),
            (tail, "bad" if closes else "dim"),
        ]
        return Entry(row, line(where.get(text, 0)), more=f"{text}{tail}")


def _named(report: Report) -> str:
    """A task as the chains name it."""
    return f"{report.comm or '?'}/{'?' if report.pid is None else report.pid}"
