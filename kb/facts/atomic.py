"""Why a context may not sleep: what ``preempt_count``, the interrupt flag and RCU's depth say."""

from kb.facts.finding import Finding, spans
from kb.model.report import Report
from kb.parse.details.atomic import Atomic, atomic, spinlock

_KNOWN = 0x00FFFFFF
"""Bits of preempt_count that count contexts (include/linux/preempt.h): 0-7 preemption, 8-15 softirqs (bit 8 while one
is served, the others while they are disabled), 16-19 hard interrupts, 20-23 NMIs. Above are flags, such as the
PREEMPT_ACTIVE of older kernels."""
_MAGIC = 0xDEAD4EAD
"""include/linux/spinlock_types.h SPINLOCK_MAGIC."""


def atomic_facts(report: Report) -> Finding:
    """``atomic_because`` and ``preempt_count``."""
    out = Finding()
    found = atomic(report.lines)
    if found is None:
        return out
    where = spans((line, line) for line in found.lines)
    out.add("preempt_count", found.preempt_count, where)
    reasons = _reasons(found)
    out.add("atomic_because", tuple(reasons), where)
    if reasons:
        out.say("the context may not sleep", ", ".join(reasons.values()), where)
    return out


def _reasons(found: Atomic) -> dict[str, str]:
    count = (found.preempt_count or 0) & _KNOWN
    depth = count & 0xFF
    deep = f" ({depth} deep)" if depth > 1 else ""
    reasons = (
        ("nmi", count >> 20 & 0xF, "in an NMI"),
        ("hardirq", count >> 16 & 0xF, "in a hard interrupt"),
        ("softirq", count & 0x100, "in a softirq"),
        ("softirqs-off", count & 0xFE00, "softirqs disabled"),
        ("irqs-off", found.irqs_off, "interrupts disabled"),
        ("preempt", depth, f"preemption disabled, as by a spinlock{deep}"),
        ("non-block", found.non_block, "inside non_block_start()"),
        ("rcu", found.rcu_depth, "inside rcu_read_lock()"),
    )
    return {name: words for name, holds, words in reasons if holds}


def spinlock_facts(report: Report) -> Finding:
    """``owner``, ``owner_pid``, ``owner_cpu`` and ``lock_name`` of a spinlock that is stuck or corrupted."""
    out = Finding()
    found = spinlock(report.lines)
    if found is None:
        return out
    where = spans([(found.line, found.line)])
    out.add("lock_name", found.lock, where)
    out.add("owner", found.owner, where)
    out.add("owner_pid", found.owner_pid, where)
    out.add("owner_cpu", found.owner_cpu, where)
    if found.magic != _MAGIC:
        because = f"its magic is {found.magic:08x}, not {_MAGIC:08x}: never initialised, freed, or written over"
        out.say(f"{found.lock} is no spinlock (any more)", because, where)
    elif found.owner is not None:
        cpu = f" on CPU {found.owner_cpu}" if found.owner_cpu is not None else ""
        out.say(f"{found.lock} is held by {found.owner}/{found.owner_pid}{cpu}", "look at that task", where)
    else:
        out.ask(f"{found.lock} has no owner", "its holder let go while this was printed, or it is corrupted", where)
    return out
