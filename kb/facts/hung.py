"""A hung task explained: what it waits for, who holds that, and which of the two is to be looked at."""

import re
from collections.abc import Iterable, Mapping

from kb.facts.finding import Finding, at, spans
from kb.model.log import Span
from kb.model.number import number
from kb.model.report import Report
from kb.model.said import Said
from kb.parse.details import lockdep
from kb.parse.details.blocker import Blocker, blocker
from kb.syntax.frames import plain
from kb.words.speak import said

_WAITS: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("rw-semaphore, as reader", re.compile(r"^rwsem_down_read_|^_*down_read")),
    ("rw-semaphore, as writer", re.compile(r"^rwsem_down_write_|^_*down_write")),
    ("percpu-rwsem", re.compile(r"^percpu_rwsem_wait|^percpu_down_|^__percpu_down")),
    ("rt-mutex", re.compile(r"^rt_mutex_slowlock|^__rt_mutex|^rtlock_slowlock")),
    ("mutex", re.compile(r"^__(?:ww_)?mutex_lock|^mutex_lock")),
    ("semaphore", re.compile(r"^__down(?:_common|_killable|_interruptible|_timeout)?$")),
    ("RCU grace period", re.compile(r"^synchronize_(?:rcu|srcu|sched|net)|^__wait_rcu_gp|^rcu_barrier")),
    ("work item", re.compile(r"^__?flush_work|^__cancel_work|^flush_workqueue|^drain_workqueue")),
    ("kthread to stop", re.compile(r"^kthread_stop|^kthread_park")),
    ("completion", re.compile(r"^wait_for_c(?:ommon|ompletion)|^__wait_for_common")),
    ("buffer of a file system", re.compile(r"^__wait_on_buffer|^wait_on_buffer")),
    ("writeback", re.compile(r"^folio_wait_writeback|^wait_on_page_writeback|^__filemap_fdatawait_range")),
    ("journal commit", re.compile(r"^jbd2_log_wait_commit|^jbd2_journal_commit|^wait_transaction_locked|^xlog_wait")),
    ("request tag of a block device", re.compile(r"^blk_mq_get_tag|^get_request|^rq_qos_wait|^wbt_wait")),
    ("frozen block queue", re.compile(r"^blk_queue_enter|^blk_mq_freeze_queue|^bio_queue_enter")),
)
"""What the functions above the blamed one wait for (kernel/locking, kernel/rcu, block, fs, mm), first fit."""
_PAGES: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("page or folio", re.compile(r"^folio_wait_|^wait_on_page|^__lock_page|^__folio_lock|^wait_on_page_bit")),
)
_LAST: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("I/O", re.compile(r"^io_schedule|^submit_bio_wait|^blk_execute_rq|^blkdev_issue_")),
    ("bit lock", re.compile(r"^out_of_line_wait_on_bit|^__wait_on_bit")),
    ("time to pass", re.compile(r"^schedule_(?:hr)?timeout|^msleep|^usleep_range")),
)
"""What a wait is where no function tells more: most of the waits above have one of these inside."""
_SLEEPS = re.compile(r"^(?:_*(?:io_)?schedule(?:_\w+)?|_*switch_to|preempt_schedule\w*|finish_task_switch)$")
"""What every task that sleeps is in (kernel/sched/core.c)."""
_AN = ("rw-", "rt-", "RCU")
_DEPTH = 12
_SHOWN = 4


def hung_facts(report: Report) -> Finding:
    """``waits_for``, ``owner``, ``owner_pid``, ``owner_as``, ``locks_held``, ``lock_waited``, ``lock_holders``."""
    out = Finding()
    out.add("waited_seconds", _seconds(report), at(report))
    found = blocker(report.lines, report.pid)
    waits, where = _wait(report)
    if found is not None:
        _named(found, out)
    out.add("waits_for", waits, where)
    held = lockdep.read(report.lines).held
    _held(report, held, out)
    _say(report, found, out)
    return out


def _seconds(report: Report) -> int | None:
    text = report.fields.get("seconds", "")
    return number(text)


def _wait(report: Report) -> tuple[str | None, tuple[Span, ...]]:
    """What the stack waits for, by the innermost function that tells."""
    trace = next((trace for trace in report.traces if trace.role == "main"), None)
    stack = trace.frames if trace is not None else ()
    frames = ([frame for frame in stack if frame.reliable] or list(stack))[:_DEPTH]
    for table in (_WAITS, _PAGES, _LAST):
        for frame in frames:
            function = plain(frame.function)
            for name, pattern in table:
                if pattern.match(function):
                    return name, spans([(frame.line, frame.line)])
            if function == report.function:
                break
    return None, ()


def _named(found: Blocker, out: Finding) -> None:
    """What the kernel itself says."""
    where = spans([(found.line, found.line)])
    out.add("waits_for", found.lock + (f", as {found.waits_as}" if found.waits_as else ""), where)
    out.add("owner", found.owner, where)
    out.add("owner_pid", found.owner_pid, where)
    out.add("owner_as", found.owner_as, where)


def _held(report: Report, held: Iterable[lockdep.Holder], out: Finding) -> None:
    """Locks by lockdep's list: what this task holds, the one it waits for, and who else has that one in its list.

    Lockdep counts a lock as held from the moment that it is asked for, so the last lock of a waiting task is the one
    that it waits for, and a task that has it and went on to others holds it.
    """
    holders = list(held)
    out.add("locks_held", _listed(holders), spans((holder.line, holder.line) for holder in holders))
    mine = next((holder for holder in holders if holder.pid == report.pid), None)
    if mine is None or not mine.locks:
        return
    last = mine.locks[-1]
    waits = out.values.get("waits_for")
    if waits is None or not any(word in str(waits.value) for word in ("mutex", "semaphore", "rwsem")):
        return
    out.add("lock_waited", last.name, spans([(last.line, last.line)]))
    if last.address is None or "ptrval" in last.address:
        return
    sure = [h for h in holders if h is not mine and any(lock.address == last.address for lock in h.locks[:-1])]
    others = [h for h in holders if h is not mine and h.locks and h.locks[-1].address == last.address]
    found = sure or (others if len(others) == 1 else [])
    out.add("lock_holders", tuple(f"{h.comm}/{h.pid}" for h in found), spans((h.line, h.line) for h in found))


def _listed(holders: Iterable[lockdep.Holder]) -> tuple[str, ...]:
    return tuple(f"{holder.comm}/{holder.pid}: {lock.name}" for holder in holders for lock in holder.locks)[:64]


def _say(report: Report, found: Blocker | None, out: Finding) -> None:
    values = {name: fact.value for name, fact in out.values.items()}
    waits = values.get("waits_for")
    who = said("task.comm_pid", comm=report.comm or said("task.unnamed"), pid="?" if report.pid is None else report.pid)
    length = said("hung.more_than", waited_s=values["waited_seconds"]) if "waited_seconds" in values else None
    if waits is None:
        inside = next((one for one in report.frames if one.reliable and not _SLEEPS.match(plain(one.function))), None)
        if inside is not None:
            claim = said("hung.waits_in", task=who, length=length, function=plain(inside.function))
            out.say(claim, (), spans([(inside.line, inside.line)]))
        return
    lock = said("part.lock", lock=values["lock_waited"]) if "lock_waited" in values else None
    what = said("hung.what", what=waits)
    if waits not in ("I/O", "time to pass", "writeback"):
        what = said("hung.what_an", what=waits) if waits.startswith(_AN) else said("hung.what_a", what=waits)
    lines = [span for name in ("waits_for", "owner", "lock_waited", "lock_holders") for span in _lines(out, name)]
    claim = said("hung.waits", task=who, length=length, what=what, lock=lock)
    out.say(claim, _because(report, found, values), lines, _held_sums(values))


def _lines(out: Finding, name: str) -> tuple[Span, ...]:
    return out.values[name].evidence if name in out.values else ()


def _because(report: Report, found: Blocker | None, values: Mapping[str, object]) -> tuple[Said, ...]:
    if found is not None and found.owner is not None:
        task, inside = f"{found.owner}:{found.owner_pid}", _owner_does(report)
        does = said("part.is_in", function=inside) if inside else None
        role = said("part.as_role", role=found.owner_as) if found.owner_as else None
        holds = said("hung.holds_it", task=task, role=role, does=does)
        if found.last_held:
            holds = said("hung.took_it_last", task=task, does=does)
        return holds, said("task.look_at")
    holders = values.get("lock_holders")
    if isinstance(holders, tuple):
        return (said("hung.has_it", tasks=holders[:_SHOWN]),)
    return (said("hung.no_owner"),) if found is not None else ()


def _owner_does(report: Report) -> str | None:
    """Where the owner is: its stack is printed behind the line that names it."""
    mains = [trace for trace in report.traces if trace.role == "main"]
    if len(mains) < 2:
        return None
    names = [plain(frame.function) for frame in mains[-1].frames if frame.reliable]
    skipped = re.compile(r"^_*(?:schedule|switch_to|context_switch|preempt_schedule)\w*$")
    return next((name for name in names if not skipped.match(name)), None)


def _held_sums(values: Mapping[str, object]) -> tuple[Said, ...]:
    held = values.get("locks_held")
    return tuple(said("lock.held_by", held=entry) for entry in held[:16]) if isinstance(held, tuple) else ()
