"""Stalls explained: which CPU or task is stuck, which one only reports it, for how long, and what keeps it busy."""

import re
from collections.abc import Iterable

from kb.facts.finding import Finding, at, spans
from kb.kernel.numbers import number
from kb.model.log import Span
from kb.model.report import Report
from kb.parse.details.stall import Busy, Work, busy, idle, load, rcu
from kb.syntax.frames import plain

_SHOWN = 4


def stall_facts(report: Report) -> Finding:
    """``stuck_cpus``, ``reporter_cpu``, ``stuck_seconds``, ``stuck_jiffies`` and what each watchdog adds."""
    out = Finding()
    match report.kind:
        case "rcu_stall":
            _rcu(report, out)
        case "workqueue_lockup":
            _workqueue(report, out)
        case "csd_lock":
            _csd(report, out)
        case _:
            _lockup(report, out)
    return out


def _span(line: int) -> tuple[Span, ...]:
    return spans([(line, line)])


def _cpus(text: str) -> tuple[int, ...]:
    """CPUs of a list as %*pbl prints it: ``0,2-3``; a range of nonsense is cut at 64."""
    found: list[int] = []
    for first, last in re.findall(r"(?<!\d)(\d{1,6})(?!\d)(?:-(\d{1,6})(?!\d))?", text)[:64]:
        found += range(int(first), min(int(last or first), int(first) + 63) + 1)
    return tuple(dict.fromkeys(found))[:64]


def _names(cpus: Iterable[int]) -> str:
    listed = [str(cpu) for cpu in cpus]
    more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
    return ("CPU " if len(listed) == 1 else "CPUs ") + ", ".join(listed[:8]) + more


# ---- soft and hard lockups


def _lockup(report: Report, out: Finding) -> None:
    fields = report.fields
    stuck = _cpus(fields.get("others") or fields.get("cpu", ""))
    seen_by = fields.get("reporter") or (fields.get("cpu2") if "others" in fields else None)
    if "cpu2" in fields and "others" not in fields:
        stuck = _cpus(fields["cpu2"])
    head = at(report)
    out.add("stuck_cpus", stuck, head)
    if seen_by is not None and _cpus(seen_by):
        out.add("reporter_cpu", _cpus(seen_by)[0], head)
    elif report.kind == "soft_lockup" and stuck:
        out.add("reporter_cpu", stuck[0], head)
    out.add("stuck_seconds", number(fields.get("seconds")), head)
    if not stuck:
        return
    seconds = f" for {fields['seconds']} s" if "seconds" in fields else ""
    hard = report.kind == "hard_lockup"
    because = "it takes no interrupts" if hard else "it takes interrupts, but schedules nothing"
    reporter = out.values.get("reporter_cpu")
    if reporter is not None and reporter.value not in stuck:
        because += f"; CPU {reporter.value} only reports it, its stack says nothing"
        if not any(trace.role == "nmi" and trace.cpu in stuck for trace in report.traces):
            out.unknown.append(f"the stack of {_names(stuck)}: the log holds none that it answered with")
    out.say(f"{_names(stuck)} {'is' if len(stuck) == 1 else 'are'} stuck{seconds}", because, head)
    _load(report, out)


def _load(report: Report, out: Finding) -> None:
    """v6.9+ print where the time of the stuck CPU went."""
    found = load(report.lines)
    if found is None:
        return
    out.add("stuck_hardirq_percent", found.shares["hardirq"], _span(found.line))
    out.add("stuck_system_percent", found.shares["system"], _span(found.line))
    if found.shares["hardirq"] >= 50:
        irq = f"; irq {found.irq} came {found.irqs} times" if found.irq is not None else ""
        out.add("busiest_irq", found.irq, _span(found.line))
        out.say("an interrupt storm keeps it busy", f"{found.shares['hardirq']} % of its time{irq}", _span(found.line))


# ---- RCU


def _rcu(report: Report, out: Finding) -> None:
    found = rcu(report.lines)
    cpus = dict(found.cpus)
    own = not cpus and "self-detected" in report.headline and report.cpu is not None
    if own and report.cpu is not None:
        cpus = {report.cpu: report.field_lines.get("cpu", report.headline_line)}
    where = spans((line, line) for line in cpus.values())
    out.add("stuck_cpus", tuple(cpus), where)
    out.add("stuck_tasks", tuple(found.tasks), spans((line, line) for line in found.tasks.values()))
    if found.reporter is not None:
        out.add("reporter_cpu", found.reporter[0], _span(found.reporter[1]))
    elif "self-detected" in report.headline and len(cpus) == 1:
        out.add("reporter_cpu", next(iter(cpus)), where)
    if found.jiffies is not None:
        out.add("stuck_jiffies", found.jiffies[0], _span(found.jiffies[1]))
    asleep = set(idle(report.lines))
    silent = {cpu: line for cpu, (count, line) in found.ticks.items() if count == 0 and cpu not in asleep}
    no_ticks = tuple(silent)
    out.add("no_ticks_cpus", no_ticks, spans((line, line) for line in silent.values()))
    if found.starved is not None:
        out.add("rcu_starved_jiffies", found.starved[0], _span(found.starved[1]))
        out.add("rcu_kthread_cpu", found.starved[2], _span(found.starved[1]))
    if found.timer is not None:
        out.add("rcu_timer_late_jiffies", found.timer[0], _span(found.timer[1]))
    if found.all_seen is not None and not cpus:
        out.add("rcu_starved_jiffies", found.all_seen[0], _span(found.all_seen[1]))
    _rcu_say(report, out, no_ticks)


def _rcu_say(report: Report, out: Finding, no_ticks: tuple[int, ...]) -> None:
    cpus, tasks = (out.values[name].value if name in out.values else () for name in ("stuck_cpus", "stuck_tasks"))
    jiffies = out.values.get("stuck_jiffies")
    length = f" for {jiffies.value} jiffies" if jiffies is not None else ""
    evidence = [span for name in ("stuck_cpus", "stuck_tasks", "stuck_jiffies") for span in _evidence(out, name)]
    if cpus or tasks:
        who = [_names(cpus)] if cpus else []
        if tasks:
            pids = ", ".join(str(pid) for pid in tasks[:_SHOWN]) + (" ..." if len(tasks) > _SHOWN else "")
            who.append(f"task{'s' if len(tasks) > 1 else ''} {pids}, preempted in a read-side section")
        out.say(f"RCU waits{length} for {' and '.join(who)}", _reporter(report, out, cpus), evidence)
    if no_ticks:
        because = "(0 ticks this GP): no timer interrupt reached it; or it is a virtual CPU that did not run"
        out.ask(f"{_names(no_ticks)} runs with interrupts off", because, _evidence(out, "no_ticks_cpus"))
    starved, late = out.values.get("rcu_starved_jiffies"), out.values.get("rcu_timer_late_jiffies")
    if starved is not None:
        cpu = out.values.get("rcu_kthread_cpu")
        where = f" (it last ran on CPU {cpu.value})" if cpu is not None else ""
        because = "the stall may be a consequence: look for what keeps that CPU from scheduling"
        out.ask(f"RCU's own kthread did not run for {starved.value} jiffies{where}", because, starved.evidence)
    elif late is not None:
        because = "timers are not handled on that CPU: look there, not at the stack of the stall"
        out.ask(f"RCU's kthread waits for a timer that is {late.value} jiffies late", because, late.evidence)


def _evidence(out: Finding, name: str) -> tuple[Span, ...]:
    return out.values[name].evidence if name in out.values else ()


def _reporter(report: Report, out: Finding, cpus: tuple[int, ...]) -> str:
    reporter = out.values.get("reporter_cpu")
    if reporter is None:
        return ""
    if reporter.value in cpus:
        return "it reports itself"
    answered = {trace.cpu for trace in report.traces if trace.role == "nmi"}
    if cpus and not answered & set(cpus):
        out.unknown.append(f"the stack of {_names(cpus)}: the log holds none that it answered with")
    return f"CPU {reporter.value} only reports it"


def _csd(report: Report, out: Finding) -> None:
    fields = report.fields
    waits, target = number(fields.get("cpu")), number(fields.get("target"))
    out.add("reporter_cpu", waits, at(report))
    out.add("stuck_cpus", (target,) if target is not None else (), at(report))
    if waits is not None and target is not None:
        function = f" to run {plain(fields['fn'])}" if "fn" in fields else ""
        because = "it takes no interrupts, or its virtual CPU does not run"
        out.say(f"CPU {waits} waits for CPU {target}{function}", because, at(report))


# ---- workqueues


def _workqueue(report: Report, out: Finding) -> None:
    found = busy(report.lines)
    if found.stuck is not None:
        cpus, seconds, line = found.stuck
        out.add("stuck_cpus", _cpus(cpus), _span(line))
        out.add("stuck_seconds", seconds, _span(line))
    out.add("in_flight", _functions(found.blamed()), _lines(found.blamed()))
    workers = tuple(f"{work.worker}:{plain(work.function)}" for work in found.blamed() if work.worker is not None)
    out.add("in_flight_workers", workers, _lines(found.blamed()))
    out.add("pending", _functions(found.pending), _lines(found.pending))
    _workqueue_say(found, out)


def _functions(works: Iterable[Work]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(work.function) for work in works))


def _lines(works: Iterable[Work]) -> tuple[Span, ...]:
    return spans((work.line, work.line) for work in works)


def _workqueue_say(found: Busy, out: Finding) -> None:
    works = found.blamed()
    pool = f"the pool of {_names(_cpus(found.stuck[0]))}" if found.stuck is not None else "a pool"
    seconds = f" for {found.stuck[1]} s" if found.stuck is not None else ""
    head = _span(found.stuck[2]) if found.stuck is not None else ()
    if works:
        shown = ", ".join(_shown(work) for work in works[:_SHOWN]) + (" ..." if len(works) > _SHOWN else "")
        out.say(f"{pool} made no progress{seconds} while it ran {shown}", _waiting(found), (*head, *_lines(works)))
    elif found.stuck is not None:
        because = "no worker runs an item: something else keeps that CPU from scheduling its workers"
        out.ask(
            f"{pool} made no progress{seconds}", "; ".join(part for part in (because, _waiting(found)) if part), head
        )


def _shown(work: Work) -> str:
    module = f" [{work.module}]" if work.module else ""
    queue = f" of {work.workqueue}" if work.workqueue else ""
    worker = f" (worker {work.worker}{', the rescuer' if work.rescuer else ''}{queue})" if work.worker else ""
    return f"{plain(work.function)}{module}{worker}"


def _waiting(found: Busy) -> str:
    names = _functions(found.pending)
    more = " ..." if len(names) > _SHOWN else ""
    said = "1 function waits" if len(names) == 1 else f"{len(names)} functions wait"
    return f"{said}: {', '.join(names[:_SHOWN])}{more}" if names else ""
