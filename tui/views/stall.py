"""A stall: CPUs by time, who is stuck, who only reports it, what each was in."""

from collections.abc import Iterator

from kb.pictures.choose import together
from kb.pictures.lockup import Lockups, lockups
from kb.pictures.tables.cpus import Cpu, cpus
from kb.tui.panes.rows import Entry, Row, clip
from kb.tui.views.view import View, around, code, decoded, head, line, reasons, section, stacks

_MOST = 64


class StallView(View):
    """CPUs x time, CPUs, why, the stacks of those that are stuck."""

    TITLE = "CPUs"

    def rows(self, width: int) -> Iterator[Entry]:
        """All of it."""
        yield from section("Who is stuck, who reports", self._cpus(width))
        told = lockups(together(self.scene.kin))
        if told is not None:
            yield from self._time(told, width)
        families = ("stall", "rcu", "csd", "pool", "blame")
        yield from section("Why", reasons(self.found, width, *families))
        yield from stacks(self.report, 20)
        yield from code(self.found, width)
        yield from decoded(self.found, width)
        yield from around(self.scene, width)

    def _cpus(self, width: int) -> Iterator[Entry]:
        rows = cpus(self.found)
        facts = self.found.facts
        length = next(
            (f"{fact.value} {unit}" for name, unit in (("stuck_seconds", "s"), ("stuck_jiffies", "jiffies"))
             if (fact := facts.get(name)) is not None),
            "",
        )  # fmt: skip
        for row in rows[:_MOST]:
            yield Entry(_cpu(row, length, width), line(row.line), more=_in_words(row, length))
        if not rows:
            tasks = facts.get("stuck_tasks")
            text = f" no CPU is named{f'; tasks {tasks.value}' if tasks is not None else ''}"
            yield Entry([(text, "dim")], line(self.report.headline_line))

    def _time(self, told: Lockups, width: int) -> Iterator[Entry]:
        """A lane a CPU; a report of how long it has been stuck is a bar, one of a moment a mark."""
        yield head(f"CPUs by time, {told.seconds:.0f} s")
        room = max(10, width - 20)
        ends = f"{told.first}{' ' * max(2, room - len(told.first) - len(told.last))}{told.last}"
        for cpu in sorted({each.cpu for each in told.stuck})[:_MOST]:
            cells, role = ["·"] * room, "bad"
            own = [each for each in told.stuck if each.cpu == cpu]
            for each in own:
                start, end = (min(room - 1, int(share * room)) for share in (each.start, each.end))
                cells[start : end + 1] = ("█" if each.seconds is not None else "▮") * (end + 1 - start)
            longest = max((each.seconds for each in own if each.seconds is not None), default=None)
            tells = f" {longest:.0f} s" if longest is not None else ""
            where = tuple((each.line, each.line) for each in own if each.line)
            more = f"CPU {cpu}: told to be stuck {len(own)} times" + (f", for up to {longest:.0f} s" if longest else "")
            yield Entry([(f" CPU {cpu:<5}", "key"), ("".join(cells), role), (tells, "")], where[:1], more=more)
        yield Entry([(f"          {ends}"[:width], "dim")], plain=True)


def _cpu(row: Cpu, length: str, width: int) -> Row:
    mark, role = ("✗", "bad") if row.stuck else ("▸", "warn") if row.reports else (" ", "dim")
    what = [f"stuck {length}".rstrip()] if row.stuck else []
    what += ["no ticks"] if row.silent else []
    what += [("reports itself" if row.stuck else "reports")] if row.reports else []
    made: Row = [(f" {mark} CPU {row.number:<4} ", role), (clip(", ".join(what) or "seen", 29) + " ", role)]
    task, stack = row.task or "", " ← ".join(row.stack) or ("no stack printed" if row.stuck else "")
    made += [(clip(task, 20) + " ", ""), (clip(stack, max(0, width - 61)).rstrip(), "" if row.stack else "dim")]
    return made


def _in_words(row: Cpu, length: str) -> str:
    said = [f"CPU {row.number}"]
    if row.stuck:
        said.append(f"stuck {('for ' + length) if length else ''}".rstrip())
    if row.silent:
        said.append("took no timer tick: interrupts are off, or it did not run at all")
    if row.reports:
        said.append("it is the one that reports" + (", of itself" if row.stuck else ": it is not stuck"))
    if row.task:
        said.append(f"running {row.task}")
    said.append("in " + ", called by ".join(row.stack) if row.stack else "no stack of it was printed")
    return "; ".join(said)
