"""Why a context may not sleep: what ``preempt_count``, the interrupt flag and RCU's depth say."""

from kb.facts.finding import Finding, spans
from kb.model.report import Report
from kb.model.said import Said
from kb.parse.details.atomic import Atomic, atomic, spinlock
from kb.words.speak import said

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
    contexts = _contexts(found)
    out.add("atomic_because", tuple(contexts), where)
    if contexts:
        why = said("atomic.contexts", contexts=tuple(contexts.values()))
        out.say(said("atomic.may_not_sleep"), (why,), where)
    return out


def _contexts(found: Atomic) -> dict[str, Said]:
    count = (found.preempt_count or 0) & _KNOWN
    depth = count & 0xFF
    preempt = said("atomic.preempt_deep", depth=depth) if depth > 1 else said("atomic.preempt")
    contexts = (
        ("nmi", count >> 20 & 0xF, said("atomic.nmi")),
        ("hardirq", count >> 16 & 0xF, said("atomic.hardirq")),
        ("softirq", count & 0x100, said("atomic.softirq")),
        ("softirqs-off", count & 0xFE00, said("atomic.softirqs_off")),
        ("irqs-off", found.irqs_off, said("atomic.irqs_off")),
        ("preempt", depth, preempt),
        ("non-block", found.non_block, said("atomic.non_block")),
        ("rcu", found.rcu_depth, said("atomic.rcu")),
    )
    return {name: says for name, holds, says in contexts if holds}


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
        why = said("spinlock.magic", magic=found.magic, wanted=_MAGIC)
        out.say(said("spinlock.is_none", lock=found.lock), (why,), where)
    elif found.owner is not None and found.owner_pid == report.pid and "recursion" in report.headline:
        out.say(said("spinlock.recursion", lock=found.lock, task=f"{found.owner}/{found.owner_pid}"), (), where)
    elif found.owner is not None:
        cpu = said("part.on_cpu", cpu=found.owner_cpu) if found.owner_cpu is not None else None
        claim = said("spinlock.held", lock=found.lock, task=f"{found.owner}/{found.owner_pid}", where=cpu)
        out.say(claim, (said("task.look_at"),), where)
    else:
        out.ask(said("spinlock.no_owner", lock=found.lock), (said("spinlock.let_go"),), where)
    return out
