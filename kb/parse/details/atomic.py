"""Why a context is atomic, by the lines that the scheduler and the spinlock debugger print. Read on demand."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from kb.model.log import Line

# kernel/sched/core.c __might_resched() "in_atomic(): %d, irqs_disabled(): %d, non_block: %d, pid: %d, name: %s"
_IN_ATOMIC = re.compile(r"in_atomic\(\): \d, irqs_disabled\(\): (?P<irqs>\d{1,3})(?:, non_block: (?P<non_block>\d))?")
# "preempt_count: %x, expected: %x", "RCU nest depth: %d, expected: %u"
_COUNT = re.compile(r"preempt_count: (?P<count>[0-9a-f]{1,8}), expected: (?P<expected>[0-9a-f]{1,8})")
_RCU = re.compile(r"RCU nest depth: (?P<depth>\d{1,6}), expected: (?P<expected>\d{1,6})")
# __schedule_bug() "BUG: scheduling while atomic: %s/%d/0x%08x"
_SCHEDULING = re.compile(r"scheduling while atomic: .{1,32}?/\d{1,9}/(?P<count>0x[0-9a-f]{1,8})")
# kernel/locking/spinlock_debug.c spin_dump() " lock: %pS, .magic: %08x, .owner: %s/%d, .owner_cpu: %d"
_SPIN = re.compile(
    r"\s*lock: (?P<lock>\S{1,120}(?: \[\S{1,60}\])?), \.magic: (?P<magic>[0-9a-f]{8}), "
    r"\.owner: (?P<owner>.{1,32})/(?P<pid>-?\d{1,9}), \.owner_cpu: (?P<cpu>-?\d{1,6})"
)
_MOST = 500


class Atomic(NamedTuple):
    """A context that may not sleep."""

    preempt_count: int | None
    irqs_off: bool | None
    non_block: bool | None
    rcu_depth: int | None
    lines: tuple[int, ...]


class Spinlock(NamedTuple):
    """A spinlock as spin_dump() shows it."""

    lock: str
    magic: int
    owner: str | None
    owner_pid: int | None
    owner_cpu: int | None
    line: int


def atomic(lines: Sequence[Line]) -> Atomic | None:
    """What the lines of a report tell; None where none of them does."""
    count: int | None = None
    irqs: bool | None = None
    non_block: bool | None = None
    depth: int | None = None
    seen: list[int] = []
    for line in lines[:_MOST]:
        text = line.text[:300]
        found = _SCHEDULING.search(text) or _COUNT.search(text)
        if found is not None and count is None:
            count = int(found["count"], 16)
        elif (found := _IN_ATOMIC.search(text)) is not None and irqs is None:
            irqs = found["irqs"] != "0"
            non_block = found["non_block"] == "1" if found["non_block"] is not None else None
        elif (found := _RCU.search(text)) is not None and depth is None:
            depth = int(found["depth"])
        else:
            continue
        seen.append(line.number)
    return Atomic(count, irqs, non_block, depth, tuple(seen)) if seen else None


def spinlock(lines: Sequence[Line]) -> Spinlock | None:
    """The lock that a spinlock report dumps."""
    for line in lines[:_MOST]:
        found = _SPIN.match(line.text[:400])
        if found is not None:
            pid, cpu = int(found["pid"]), int(found["cpu"])
            none = found["owner"] == "<none>"
            owner = None if none else found["owner"]
            return Spinlock(
                found["lock"],
                int(found["magic"], 16),
                owner,
                None if none else pid,
                None if cpu < 0 else cpu,
                line.number,
            )
    return None
