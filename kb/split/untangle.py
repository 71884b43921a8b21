"""Whose line is it: reports of several CPUs in one log, told apart by what each has printed so far.

A log with caller ids needs none of this. Without, a line is given to the report that it fits best: the CPU and process
it names, the part that a report must print next (registers have an order, a stack has one heading and one end), the
time stamp, and last who printed the line before. Where two reports fit alike, the line is doubtful, and both say so.

What the kernel guarantees (v5.x): printk() stores whole records; dump_stack() holds the printk CPU lock, so that the
CPU line and the stack behind it are one block (lib/dump_stack.c dump_stack_lvl()); one oops at a time (die_lock,
arch/x86/kernel/dumpstack.c oops_begin()). __warn() takes no lock: its registers and its stack may be cut anywhere
(kernel/panic.c).
"""

from collections.abc import Iterator, Sequence

from kb.model.log import Line
from kb.split.anatomy import PHANTOM, TRACKED, function_of, identity_of, is_top, printed_by
from kb.split.fit import EVIDENCE, weigh
from kb.split.strand import Strand
from kb.split.weights import Weight
from kb.syntax import roles
from kb.syntax.roles import Role

CLEAR = 2
"""Points that the best must be ahead of the next for a sure choice: more than having printed the line before."""
_RUN = 5
"""Lines in a row of one report behind which the next is more likely its own too: nobody else prints."""
STACK_BLOCK: frozenset[Role] = roles.STACK | {"TRACE_HEAD", "MARK", "CPU", "HARDWARE", "WORKQUEUE"}
"""Roles of what dump_stack() prints."""


def choose(strands: Sequence[Strand], line: Line, role: Role) -> tuple[Strand, Strand | None]:
    """The report that a line fits best, and the rival that it fits as well, if there is one.

    Args:
        strands: Open reports, the one that printed the line before last.
        line: A line that is no headline.
        role: Its role.
    """
    sums = [sum([weight.points for weight in account(strands, strand, line, role)]) for strand in strands]
    best, second = sorted(range(len(strands)), key=lambda index: (sums[index], index), reverse=True)[:2]
    unsure = role in EVIDENCE and sums[best] - sums[second] < CLEAR  # else it is of neither
    return strands[best], strands[second] if unsure else None


def over_by(strands: Sequence[Strand], line: Line) -> list[Strand]:
    """The reports that are over since a line says who printed the newest one.

    One process on one CPU prints the same report from one place of the kernel: the one is printed to its end before the
    next begins, whatever of its end the log has lost. An interrupt that prints another report asks for something else.

    Args:
        strands: Open reports, the one that the line was given to last.
        line: Who ran (``CPU: 1 PID: 99 Comm: foo``).
    """
    newest = strands[-1]
    if newest.lines[-1] is not line or newest.cpu_line is not line.text:
        return []
    words = newest.lines[newest.opener].text
    return [
        other
        for other in strands[:-1]
        if other.stacked and other.cpu_line == line.text and other.lines[other.opener].text == words
    ]


def loose(text: str) -> Role | None:
    """The part of a report that a line without a role is, where that tells whose it is."""
    if TRACKED.match(text):
        return "TRACKED"
    return "TAINT" if text.startswith("Tainted: [") else None


def account(strands: Sequence[Strand], strand: Strand, line: Line, role: Role) -> Iterator[Weight]:
    """What speaks for a line being one of the open reports', and what against it.

    Args:
        strands: Open reports, the one that printed the line before last.
        strand: One of them.
        line: A line that is no headline.
        role: Its role.
    """
    yield from weigh(strand, line, role)
    if strand is strands[-1]:
        yield Weight.LAST
        if strand.run >= _RUN and role not in roles.STACK:
            yield Weight.RUN
    if any(_eclipses(other, strand) for other in strands):
        yield Weight.ECLIPSED


def _eclipses(other: Strand, strand: Strand) -> bool:
    """True when a report began in the middle of this one in the same process, and is not over: that prints nothing."""
    if other is strand or other.start <= strand.start:
        return False
    newer, older = other.identity, strand.identity
    same = "pid" in older and "cpu" in older and older["pid"] == newer.get("pid") and older["cpu"] == newer.get("cpu")
    return same and not other.whole


def printer(strands: Sequence[Strand], strand: Strand, text: str) -> Strand | None:
    """The other report that a stack is of, when a frame near its top tells that a report of that kind printed it.

    Args:
        strands: Open reports.
        strand: The one that the stack was given to.
        text: A frame of it.
    """
    name, sure = function_of(text)
    if not sure or strand.stack.author is not None or is_top(name):
        return None
    author = printed_by(name)
    strand.stack = strand.stack._replace(author=author)
    if not author or _is_of(strand, author):
        return None
    others = [other for other in reversed(strands) if other is not strand and _is_of(other, author)]
    return next((other for other in others if not other.stack.author), None)


def _is_of(strand: Strand, kinds: frozenset[str]) -> bool:
    if strand.phantom:
        return PHANTOM in kinds
    return strand.kind.name in kinds or ("panic" in kinds and strand.joined is not None)


def agrees(strand: Strand, text: str) -> bool:
    """True when a CPU line names the process of the report."""
    known, said = strand.identity, identity_of(text)
    return "pid" in known and known["pid"] == said.get("pid")
