"""What lockdep prints: who takes which lock, who holds what, the chain of dependencies, and held locks of all tasks.

Formats of kernel/locking/lockdep.c from v3.10 to v6.15; read on demand by the facts of lockdep reports and hung tasks.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kb.model.log import Line

# print_lock() "%px (" "%s" "){" usage "}-{%d:%d}, at: %pS"; before v4.17 " (" ... ", at: [<%p>] %pS"
_LOCK = re.compile(
    r"\s*(?:#(?P<index>\d{1,3}): +)?(?:(?P<address>[0-9a-f]{8,16}|\(_*ptrval_*\)) +)?"
    r"\((?P<name>.{1,120}?)\)\{(?P<usage>[^{}]{0,12})\}(?:-\{\d+:\d+\})?"
    r"(?:, at: (?:\[<[^>]{1,20}>\] )?(?P<fn>[A-Za-z_.$][\w.$]*)\S*)?"
)
# print_circular_bug_entry() "\n-> #%u", print_lock_name()
_LINK = re.compile(r"\s*-> #(?P<index>\d{1,3}) \((?P<name>.{1,120}?)\)\{")
# print_circular_lock_scenario() "Chain exists of:\n  " name " --> " name
_ARROWS = re.compile(r"\s*\S.{0,120}? --> .{1,300}")
# "       lock(%s);", from v6.2 "rlock(", "sync("; the second CPU's stand to the right
_STEP = re.compile(r"(?P<indent>\s*)(?:(?P<verb>r?lock|sync)\((?P<name>.{1,120}?)\);|(?P<irq><Interrupt>))\s*$")
# lockdep_print_held_locks() "%d lock%s held by %s/%d:"
_HELD_BY = re.compile(
    r"\s*(?P<count>\d{1,3}) locks? held by (?P<comm>.{1,32}?)/(?P<pid>\d{1,10})(?: on CPU#\d+)?:?\s*$"
)
# print_circular_bug_header() "%s/%d is trying to acquire lock:"; print_usage_bug() "%s/%d [HC%u[%lu]:...] takes:"
_WHO = re.compile(
    r"\s*(?P<comm>\S.{0,31}?)/(?P<pid>\d{1,10})(?: \[[^ ]{1,40}\])? "
    r"(?:is trying to (?:acquire(?: lock)?|release lock|lock)|takes|just changed the state of lock)\b"
)
_HOLDING = re.compile(r"\s*(?:but task is already holding lock|and this task is already holding):")
# print_bad_irq_dependency() "which would create a new lock dependency:\n" " (A){..} -> (B){..}"
_DEPENDENCY = re.compile(r"\s*\((?P<a>.{1,120}?)\)\{[^{}]{0,12}\}(?:-\{\d+:\d+\})? -> \((?P<b>.{1,120}?)\)\{")
# "but this new dependency connects a %s-irq-safe lock:", "... to a %s-irq-unsafe lock:"; print_irq_inversion_bug()
# "but this lock took another, %s-unsafe lock in the past:"
_CONNECTS = re.compile(
    r"\s*(?:but this new dependency connects a|to a) (?P<irq>[A-Z]+)(?:-READ)?-irq-(?P<side>safe|unsafe) lock:?"
)
_PAST = re.compile(
    r"\s*but this lock (?:took another, (?P<irq>[A-Z]+)(?:-READ)?-unsafe|"
    r"was taken by another, (?P<irq2>[A-Z]+)(?:-READ)?-safe) lock in the past:"
)
# print_usage_bug() "inconsistent {%s} -> {%s} usage."
_USAGE = re.compile(r"\s*inconsistent \{(?P<a>[A-Z-]{1,24})\} -> \{(?P<b>[A-Z-]{1,24})\} usage")
_MOST = 2000
_WIDTH = 400
_SECOND_CPU = 20


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as print_lock() names it."""

    name: str
    line: int
    address: str | None = None
    function: str | None = None
    """Where it was taken, as printed."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A task and the locks it holds, the last of which it may still be waiting for."""

    comm: str
    pid: int
    locks: tuple[Lock, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the scenario: a CPU takes a lock, or is interrupted (``name`` is then None)."""

    cpu: int
    name: str | None
    line: int


@dataclass(slots=True)
class Locking:
    """All of it."""

    task: tuple[str, int] | None = None
    """Who takes the lock: comm and pid."""
    takes: Lock | None = None
    holds: list[Lock] = field(default_factory=list)
    chain: dict[int, Lock] = field(default_factory=dict)
    """``-> #n`` by n: lock n was taken while lock n - 1 was held, and lock 0 now while the last is held."""
    exists: tuple[str, ...] = ()
    """``Chain exists of:`` in its order."""
    exists_line: int = 0
    scenario: list[Step] = field(default_factory=list)
    safe: Lock | None = None
    """The lock that an interrupt takes."""
    unsafe: Lock | None = None
    """The lock that is held with interrupts on."""
    irq: str | None = None
    """``HARDIRQ``, ``SOFTIRQ`` or ``RECLAIM``."""
    usage: tuple[str, str] | None = None
    usage_line: int = 0
    held: list[Holder] = field(default_factory=list)


def read(lines: Sequence[Line]) -> Locking:
    """What lockdep's lines among those of a report say; the first of each stands."""
    reader = _Reader()
    for line in lines[:_MOST]:
        reader.line(line.text[:_WIDTH], line.number)
    reader.close()
    return reader.out


class _Reader:
    def __init__(self) -> None:
        self.out = Locking()
        self.expect = ""
        self.holder: tuple[str, int, int] | None = None
        self.locks: list[Lock] = []

    def close(self) -> None:
        if self.holder is not None:
            comm, pid, line = self.holder
            self.out.held.append(Holder(comm, pid, tuple(self.locks), line))
        self.holder, self.locks = None, []

    def line(self, text: str, number: int) -> None:
        found = _HELD_BY.match(text)
        if found is not None:
            self.close()
            self.holder = (found["comm"], int(found["pid"]), number)
            return
        if self.heads(text, number):
            return
        link = _LINK.match(text)
        if link is not None:
            self.out.chain.setdefault(int(link["index"]), Lock(link["name"], number))
            return
        lock = _LOCK.match(text) if "){" in text else None
        if lock is not None:
            self.lock(lock, number)
        elif self.expect == "chain" and _ARROWS.match(text) and not self.out.exists:
            self.out.exists = tuple(part.strip() for part in text.split(" --> ")[:32])
            self.out.exists_line = number
            self.expect = ""
        elif (step := _STEP.match(text)) is not None and len(self.out.scenario) < 32:
            cpu = 1 if len(step["indent"].expandtabs()) > _SECOND_CPU else 0
            self.out.scenario.append(Step(cpu, step["name"], number))

    def heads(self, text: str, number: int) -> bool:
        """Lines that tell what the next lock line is."""
        out = self.out
        if (found := _WHO.match(text)) is not None and out.task is None:
            out.task = (found["comm"], int(found["pid"]))
            self.expect = "takes"
        elif _HOLDING.match(text):
            self.expect = "holds"
        elif text.strip().startswith("Chain exists of"):
            self.expect = "chain"
        elif (found := _CONNECTS.match(text)) is not None:
            out.irq, self.expect = out.irq or found["irq"], found["side"]
        elif (found := _PAST.match(text)) is not None:
            out.irq = out.irq or found["irq"] or found["irq2"]
            self.expect = "unsafe" if found["irq"] else "safe"
        elif (found := _USAGE.match(text)) is not None:
            out.usage, out.usage_line = (found["a"], found["b"]), number
        elif _DEPENDENCY.match(text):
            pass
        else:
            return False
        return True

    def lock(self, found: "re.Match[str]", number: int) -> None:
        out = self.out
        lock = Lock(found["name"], number, found["address"], found["fn"])
        if self.holder is not None and found["index"] is not None:
            if len(self.locks) < 64:
                self.locks.append(lock)
            return
        match self.expect:
            case "takes":
                out.takes = out.takes or lock
            case "holds":
                out.holds.append(lock)
            case "safe":
                out.safe = out.safe or lock
            case "unsafe":
                out.unsafe = out.unsafe or lock
        self.expect = ""
