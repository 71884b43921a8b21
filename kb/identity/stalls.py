"""Whether two reports of something stuck are of one standstill, by what the kernel printed of them.

That they came at one time is no reason yet. A CPU that takes no interrupts, or spins with a lock held, holds up the
others (smp_call_function_many(), queued_spin_lock_slowpath(), stop_machine()); who waits for a grace period waits for
all CPUs (kernel/rcu/tree.c), who flushes work for its worker, who is in a file system for its device; and who waits for
a lock for the task that holds it, which the kernel names only with CONFIG_DETECT_HUNG_TASK_BLOCKER (6.16) or lockdep.
"""

import re

from kb.identity.common import is_common
from kb.identity.frames import names
from kb.model.report import Report
from kb.model.verdict import Diagnosis
from kb.syntax.frames import plain

_OF_CPUS = ("hard_lockup", "soft_lockup", "csd_lock", "rcu_stall", "workqueue_lockup")
"""Kinds that tell of a CPU, or of the workers of one, that gets on with nothing else."""
_WAITS_FOR_CPUS = re.compile(
    r"(?:__)?(?:synchronize_(?:s?rcu|sched|net|rcu_\w+)|wait_rcu_gp|(?:s?rcu|kvfree_rcu)_barrier|stop_machine|stop_one_cpu"
    r"|smp_call_function|on_each_cpu|cpus_(?:read|write)_lock|cpuhp_kick_ap|flush_work|flush_workqueue|drain_workqueue"
    r"|flush_delayed_work|cancel_work_sync|cancel_delayed_work_sync|lru_add_drain_all)"
)
"""Functions that return when every CPU, or the worker of one, has done something."""
_STORAGE = re.compile(
    r"(?:io_schedule|md_|raid\d|dm_|blk_|bio_|submit_bio|rq_qos|wbt_|nvme|scsi_|sd_|loop_|virtblk|jbd2_|do_get_write_access"
    r"|start_this_handle|wait_transaction|xlog_|xfs_log|xfs_buf|btrfs_commit|folio_wait|wait_on_page|__filemap_fdatawait)"
)
"""Functions that wait for a device, or for a journal or a page that is written to one."""
_LOCKS = re.compile(r"(?:mutex|rt-mutex|rw-?sem|percpu-rwsem|semaphore)")
"""What ``waits_for`` says of who waits for another task."""


def linked(a: Diagnosis, b: Diagnosis) -> bool:
    """Whether something that was printed ties them: a task, its lock, a CPU, a device, a function of both stacks."""
    cpus = [one.report.kind in _OF_CPUS for one in (a, b)]
    if all(cpus) or _names_other(a, b) or _names_other(b, a):
        return True
    if (cpus[0] or _waits(a.report, _WAITS_FOR_CPUS)) and (cpus[1] or _waits(b.report, _WAITS_FOR_CPUS)):
        return True
    if not any(cpus) and _waits(a.report, _STORAGE) and _waits(b.report, _STORAGE):
        return True
    ours, theirs = _own(a.report), _own(b.report)
    return not ours or not theirs or not ours.isdisjoint(theirs)  # without a stack nothing tells them apart


def for_a_lock(found: Diagnosis) -> bool:
    """Whether a task waits for one that another task holds: for whom, its stack does not tell."""
    waits = found.facts.get("waits_for")
    return found.report.kind == "hung_task" and waits is not None and _LOCKS.match(str(waits.value)) is not None


def _names_other(a: Diagnosis, b: Diagnosis) -> bool:
    """Whether one says that the task of the other has what it waits for, or is of that task, too."""
    pid = b.report.pid
    owner, holders = a.facts.get("owner_pid"), a.facts.get("lock_holders")
    held = holders is not None and any(str(one).endswith(f"/{pid}") for one in holders.value)
    return pid is not None and (a.report.pid == pid or (owner is not None and owner.value == pid) or held)


def _waits(report: Report, pattern: "re.Pattern[str]") -> bool:
    return any(pattern.match(plain(frame.function)) for frame in report.frames)


def _own(report: Report) -> set[str]:
    """Functions of a stack that do not stand in many."""
    return {name for name in names(report) if not is_common(name)}
