"""Who is stuck, by the lines that the watchdogs print: RCU stalls, busy workqueues, interrupt load of a soft lockup.

Read on demand by the facts of stalls; the workqueue's part also by the outline, because it names whom to blame.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kb.model.log import Line

_WIDTH = 1000
_MOST = 2000

# ---- RCU, kernel/rcu/tree_stall.h (before v5.1 tree.c, tree_plugin.h)

# print_cpu_stall_info() "\t%d-%c%c%c%c: (%lu %s) idle=%03x/%ld/%#lx softirq=%u/%u fqs=%ld"; before v4.x "\t%d: (...)"
_CPU = re.compile(
    r"(?:rcu: )?\s*(?P<cpu>\d{1,5})(?:-[.\w!?]{3,4})?: \((?P<count>\d{1,12}) (?P<what>ticks this GP|GPs behind)\)"
)
# rcu_print_detail_task_stall_rnp() "\tTasks blocked on level-%d rcu_node (CPUs %d-%d): P1234/1:b..l"
_TASKS = re.compile(
    r"(?:rcu: )?\s*Tasks blocked on level-\d+ rcu_node \(CPUs [\d-]+\):(?P<tasks>(?: P\d+(?:/\d+:\S{1,6})?){1,64})"
)
# print_other_cpu_stall() "\t(detected by %d, t=%ld jiffies, g=%ld, q=%lu ncpus=%d)"; self "\t(t=%lu jiffies"
_TIME = re.compile(r"\((?:detected by (?P<by>\d{1,10}), )?t=(?P<jiffies>\d{1,12}) jiffies,? ?g=")
# v3.x "INFO: rcu_sched detected stalls on CPUs/tasks: { 1} (detected by"; expedited "{ 1-...D P12 } 2101 jiffies s: 73"
_BRACES = re.compile(r"stalls? on CPUs?(?:/tasks)?:? ?\{(?P<list>[^{}]{0,300})\}(?: (?P<jiffies>\d{1,12}) jiffies)?")
# rcu_check_gp_kthread_starvation() "%s kthread starved for %ld jiffies! g%ld f%#x %s(%d) ->state=%#x ->cpu=%d"
_STARVED = re.compile(
    r"(?P<flavor>rcu\w{0,20}) kthread starved for (?P<jiffies>\d{1,12}) jiffies!(?:.{0,200}->cpu=(?P<cpu>\d{1,10}))?"
)
# rcu_check_gp_kthread_expired_fqs_timer()
_TIMER = re.compile(r"kthread timer wakeup didn't happen for (?P<jiffies>\d{1,12}) jiffies!")
_TIMER_CPU = re.compile(r"Possible timer handling issue on cpu=(?P<cpu>\d{1,10})")
# "All QSes seen, last %s kthread activity %ld (%ld-%ld), jiffies_till_next_fqs=%ld"
_QSES = re.compile(r"All QSes seen, last rcu\w{0,20} kthread activity (?P<jiffies>\d{1,12})")


# lib/nmi_backtrace.c nmi_cpu_backtrace(): a CPU without a tick because it sleeps
_IDLE = re.compile(r"NMI backtrace for cpu (?P<cpu>\d{1,5}) skipped: idling")


def idle(lines: Sequence[Line]) -> dict[int, int]:
    """CPUs that answered that they idle, each with its line."""
    found = ((_IDLE.search(line.text[:_WIDTH]), line.number) for line in lines[:_MOST])
    return {int(told["cpu"]): number for told, number in found if told is not None}


@dataclass(slots=True)
class Stall:
    """What RCU says of a stall."""

    cpus: dict[int, int] = field(default_factory=dict)
    """Stalled CPU to its line."""
    tasks: dict[int, int] = field(default_factory=dict)
    """Pid of a task that blocks the grace period to its line."""
    ticks: dict[int, tuple[int, int]] = field(default_factory=dict)
    """CPU to timer ticks it took in this grace period, and the line; 0 means that its interrupts are off."""
    behind: dict[int, tuple[int, int]] = field(default_factory=dict)
    """CPU to grace periods it has not taken part in, and the line."""
    reporter: tuple[int, int] | None = None
    """CPU that detected it, where it is another, and the line."""
    jiffies: tuple[int, int] | None = None
    starved: tuple[int, int, int | None] | None = None
    """Jiffies that the grace-period kthread did not run, the line, the CPU it last ran on."""
    timer: tuple[int, int] | None = None
    """Jiffies that the wakeup of that kthread's timer is late, and the line."""
    timer_cpu: int | None = None
    all_seen: tuple[int, int] | None = None


def rcu(lines: Sequence[Line]) -> Stall:
    """The lines of an RCU stall."""
    out = Stall()
    for line in lines[:_MOST]:
        text = line.text[:_WIDTH]
        if "stack dump" in text.lower() or "backtrace" in text.lower():
            continue
        _rcu_line(out, text, line.number)
    return out


def _rcu_line(out: Stall, text: str, number: int) -> None:
    if (found := _CPU.match(text)) is not None:
        cpu, count = int(found["cpu"]), int(found["count"])
        out.cpus.setdefault(cpu, number)
        (out.ticks if "ticks" in found["what"] else out.behind).setdefault(cpu, (count, number))
    elif (found := _TASKS.match(text)) is not None:
        for pid in re.findall(r"P(\d{1,10})", found["tasks"]):
            out.tasks.setdefault(int(pid), number)
    if (found := _BRACES.search(text)) is not None:
        for part in found["list"].split()[:64]:
            digits = re.match(r"(P?)(\d{1,10})", part)
            if digits is not None:
                (out.tasks if digits[1] else out.cpus).setdefault(int(digits[2]), number)
        if found["jiffies"]:
            out.jiffies = out.jiffies or (int(found["jiffies"]), number)
    if (found := _TIME.search(text)) is not None:
        out.jiffies = out.jiffies or (int(found["jiffies"]), number)
        if found["by"]:
            out.reporter = out.reporter or (int(found["by"]), number)
    if out.starved is None and (found := _STARVED.search(text)) is not None:
        out.starved = (int(found["jiffies"]), number, int(found["cpu"]) if found["cpu"] else None)
    if out.timer is None and (found := _TIMER.search(text)) is not None:
        out.timer = (int(found["jiffies"]), number)
    if out.timer_cpu is None and (found := _TIMER_CPU.search(text)) is not None:
        out.timer_cpu = int(found["cpu"])
    if out.all_seen is None and (found := _QSES.search(text)) is not None:
        out.all_seen = (int(found["jiffies"]), number)


# ---- workqueues, kernel/workqueue.c

# wq_watchdog_timer_fn() "BUG: workqueue lockup - pool", pr_cont_pool_info() " cpus=%*pbl node=%d flags=0x%x nice=%d",
# " stuck for %us!"
_LOCKUP = re.compile(
    r"BUG: workqueue lockup - pool(?: \d+:)? cpus=(?P<cpus>[\d,-]{1,200}) .{0,80}?stuck for (?P<seconds>\d{1,9})s!"
)
# show_one_workqueue() "workqueue %s: flags=0x%x", show_pwq() "  pwq %d:" pr_cont_pool_info() " active=%d/%d refcnt=%d"
_WORKQUEUE = re.compile(r"\s*workqueue (?P<name>\S{1,80}): flags=")
_PWQ = re.compile(r"\s*pwq (?P<id>\d{1,6}): cpus=(?P<cpus>[\d,-]{1,200}) ")
# "    in-flight: %d%s:%ps" and pr_cont_work(); "    pending: %s %ps", "    inactive:" (v5.15+), before "    delayed:"
_ITEMS = re.compile(r"\s*(?P<what>in-flight|pending|inactive|delayed): ?(?P<items>.*)")
# "%d%s:%ps" worker, "(RESCUER)", function; v6.14+ adds " for %us"; pr_cont_work() "%s%ps" or "%s BAR(%d)", "%ld*%ps"
_ITEM = re.compile(
    r"\s*(?:(?P<pid>\d{1,9})(?P<rescuer>\(RESCUER\))?:)?(?:(?P<times>\d{1,6})\*)?"
    r"(?:BAR\((?P<barrier>\d{1,9})\)|(?P<fn>[A-Za-z_.$][\w.$]*)(?: \[(?P<module>[^\]\s]{1,60})\])?)"
)
# show_one_worker_pool() "pool %d:" pr_cont_pool_info() " hung=%lus workers=%d" " manager: %d" " idle: %d"
_POOL = re.compile(
    r"\s*pool \d{1,6}: cpus=(?P<cpus>[\d,-]{1,200}) .{0,60}?hung=(?P<seconds>\d{1,9})s workers=(?P<workers>\d{1,6})"
)


@dataclass(frozen=True, slots=True)
class Work:
    """A work item and, where it runs, its worker."""

    function: str
    line: int
    module: str | None = None
    worker: int | None = None
    rescuer: bool = False
    workqueue: str | None = None
    cpus: str | None = None


@dataclass(slots=True)
class Busy:
    """What stands behind "Showing busy workqueues and worker pools:"."""

    stuck: tuple[str, int, int] | None = None
    """CPUs of the pool that is stuck, for how many seconds, the line."""
    running: list[Work] = field(default_factory=list)
    pending: list[Work] = field(default_factory=list)
    pools: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """CPUs of a pool to the seconds it hangs, its workers, the line."""

    def blamed(self) -> list[Work]:
        """The items that run in the pool that is stuck; all that run where none of them is of that pool."""
        cpus = self.stuck[0] if self.stuck is not None else None
        return [work for work in self.running if work.cpus == cpus] or self.running


def busy(lines: Iterable[Line]) -> Busy:
    """The busy workqueues of a lockup's report."""
    out = Busy()
    queue: str | None = None
    cpus: str | None = None
    for line in lines:
        text = line.text[:_WIDTH]
        if (found := _LOCKUP.search(text)) is not None:
            out.stuck = out.stuck or (found["cpus"], int(found["seconds"]), line.number)
        elif (found := _WORKQUEUE.match(text)) is not None:
            queue, cpus = found["name"], None
        elif (found := _PWQ.match(text)) is not None:
            cpus = found["cpus"]
        elif (found := _POOL.match(text)) is not None:
            out.pools.setdefault(found["cpus"], (int(found["seconds"]), int(found["workers"]), line.number))
        elif (found := _ITEMS.match(text)) is not None:
            into = out.running if found["what"] == "in-flight" else out.pending
            into.extend(_items(found["items"], line.number, queue, cpus)[: 256 - len(into)])
    return out


def _items(text: str, line: int, queue: str | None, cpus: str | None) -> list[Work]:
    works = []
    for part in text.split(",")[:64]:
        found = _ITEM.match(part)
        if found is not None and found["fn"]:
            pid = int(found["pid"]) if found["pid"] else None
            works.append(Work(found["fn"], line, found["module"], pid, bool(found["rescuer"]), queue, cpus))
    return works


# ---- soft lockups, kernel/watchdog.c v6.9+

# print_cpustat() "\t#%d: %3u%% system,\t%3u%% softirq,\t%3u%% hardirq,\t%3u%% idle"
_SHARE = re.compile(
    r"\s*#\d+: +(?P<system>\d{1,3})% system,\s+(?P<softirq>\d{1,3})% softirq,"
    r"\s+(?P<hardirq>\d{1,3})% hardirq,\s+(?P<idle>\d{1,3})% idle"
)
# print_irq_counts() "\t#%u: %-10u\tirq#%d"
_COUNTED = 16
_IRQ = re.compile(r"\s*#\d+: +(?P<count>\d{1,12})\s+irq#(?P<irq>\d{1,6})\s*$")


@dataclass(frozen=True, slots=True)
class Load:
    """Where the time of the stuck CPU went, in percent of the last sample, and its busiest interrupt."""

    shares: dict[str, int]
    line: int
    irq: int | None = None
    irqs: int | None = None
    counts: tuple[tuple[int, int], ...] = ()
    """Interrupts by number with how often they came, as printed: most frequent first."""
    counted: int = 0
    """The line that the first of them stands on."""


def load(lines: Iterable[Line]) -> Load | None:
    """The utilisation that a soft lockup prints, None where it prints none."""
    last: tuple[dict[str, int], int] | None = None
    counts: list[tuple[int, int]] = []
    counted = 0
    for line in lines:
        text = line.text[:200]
        if (found := _SHARE.match(text)) is not None:
            last = ({name: int(value) for name, value in found.groupdict().items()}, line.number)
        elif (found := _IRQ.match(text)) is not None and last is not None:
            counts.append((int(found["irq"]), int(found["count"])))
            counted = counted or line.number
    if last is None:
        return None
    irq, irqs = max(counts, key=lambda each: each[1], default=(None, None))
    return Load(*last, irq=irq, irqs=irqs, counts=tuple(counts[:_COUNTED]), counted=counted)


def cpu_list(text: str) -> tuple[int, ...]:
    """CPUs of a list as %*pbl prints it: ``0,2-3``; a range of nonsense is cut at 64."""
    found: list[int] = []
    for first, last in re.findall(r"(?<!\d)(\d{1,6})(?!\d)(?:-(\d{1,6})(?!\d))?", text)[:64]:
        found += range(int(first), min(int(last or first), int(first) + 63) + 1)
    return tuple(dict.fromkeys(found))[:64]
