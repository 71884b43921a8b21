"""Stalls explained: which CPU or task is stuck, which one only reports it, for how long, and what keeps it busy."""

from collections.abc import Iterable

from kb.facts.finding import Finding, at, in_module, spans
from kb.facts.spin import spin_facts
from kb.kernel.jiffies import RATES, rate
from kb.model.log import Span
from kb.model.number import number
from kb.model.report import Report
from kb.model.said import Said
from kb.parse.details.stall import Busy, Work, busy, cpu_list, idle, load, rcu
from kb.syntax.frames import plain
from kb.words.speak import said


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
    if report.kind in _CAUGHT:
        out.values.update(spin_facts(report))
    return out


_CAUGHT = ("soft_lockup", "hard_lockup", "rcu_stall")
"""Kinds that show where a CPU was caught."""


def _span(line: int) -> tuple[Span, ...]:
    return spans([(line, line)])


def _named(cpus: Iterable[int]) -> Said:
    return said("part.cpus", cpus=tuple(cpus))


def _stack_missing(cpus: Iterable[int]) -> Said:
    return said("unknown.answer.stack", cpus=_named(cpus))


# ---- soft and hard lockups


def _lockup(report: Report, out: Finding) -> None:
    fields = report.fields
    stuck = cpu_list(fields.get("others") or fields.get("cpu", ""))
    seen_by = fields.get("reporter") or (fields.get("cpu2") if "others" in fields else None)
    if "cpu2" in fields and "others" not in fields:
        stuck = cpu_list(fields["cpu2"])
    head = at(report)
    out.add("stuck_cpus", stuck, head)
    if seen_by is not None and cpu_list(seen_by):
        out.add("reporter_cpu", cpu_list(seen_by)[0], head)
    elif report.kind == "soft_lockup" and stuck:
        out.add("reporter_cpu", stuck[0], head)
    out.add("stuck_seconds", _number(fields.get("seconds")), head)
    if not stuck:
        return
    seconds = out.values.get("stuck_seconds")
    length = said("part.for_seconds", length_s=seconds.value) if seconds is not None else None
    why = [said("stall.no_interrupts") if report.kind == "hard_lockup" else said("stall.schedules_nothing")]
    reporter = out.values.get("reporter_cpu")
    if reporter is not None and reporter.value not in stuck:
        why.append(said("stall.only_reports_no_stack", cpu=reporter.value))
        if not any(trace.role == "nmi" and trace.cpu in stuck for trace in report.traces):
            out.missing.append(_stack_missing(stuck))
    out.say(said("stall.stuck", cpus=stuck, length=length), why, head)
    _load(report, out)


def _load(report: Report, out: Finding) -> None:
    """v6.9+ print where the time of the stuck CPU went."""
    found = load(report.lines)
    if found is None:
        return
    out.add("stuck_hardirq_percent", found.shares["hardirq"], _span(found.line))
    out.add("stuck_system_percent", found.shares["system"], _span(found.line))
    counts = tuple(f"irq#{irq}: {count}" for irq, count in found.counts)
    out.add("busiest_irq", found.irq, _span(found.counted))
    out.add("busiest_irqs", counts, _span(found.counted))
    if counts:
        out.say(said("stall.irqs_counted", irqs=counts), (), _span(found.counted))
    if found.shares["hardirq"] >= 50:
        came = said("stall.irq_came", irq=found.irq, times=found.irqs) if found.irq is not None else None
        share = said("stall.share_of_time", percent=found.shares["hardirq"])
        out.say(said("stall.interrupt_storm"), (share, came), _span(found.line))


def _number(text: str | None) -> int | None:
    return number(text)


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


def _for_jiffies(count: int) -> Said:
    """So many jiffies, and how long that is."""
    hz = rate(count)
    if hz is not None:
        seconds = said("part.jiffies_at", length_s=round(count / hz), hz=hz)
    else:
        seconds = said("part.jiffies_between", least_s=f"{count / max(RATES):.3g}", most_s=f"{count / min(RATES):.3g}")
    return said("part.for_jiffies", length_jiffies=count, seconds=seconds)


def _rcu_say(report: Report, out: Finding, no_ticks: tuple[int, ...]) -> None:
    cpus, tasks = (out.values[name].value if name in out.values else () for name in ("stuck_cpus", "stuck_tasks"))
    jiffies = out.values.get("stuck_jiffies")
    length = _for_jiffies(jiffies.value) if jiffies is not None else None
    evidence = [span for name in ("stuck_cpus", "stuck_tasks", "stuck_jiffies") for span in _evidence(out, name)]
    if cpus or tasks:
        who = [_named(cpus)] if cpus else []
        who += [said("rcu.tasks", pids=tasks)] if tasks else []
        out.say(said("rcu.waits", length=length, who=who), (_reporter(report, out, cpus),), evidence)
    if no_ticks:
        why = (said("rcu.zero_ticks"), said("rcu.or_virtual_cpu"))
        out.ask(said("rcu.interrupts_off", cpus=no_ticks), why, _evidence(out, "no_ticks_cpus"))
    starved, late = out.values.get("rcu_starved_jiffies"), out.values.get("rcu_timer_late_jiffies")
    if starved is not None:
        cpu = out.values.get("rcu_kthread_cpu")
        where = said("rcu.last_ran_on", cpu=cpu.value) if cpu is not None else None
        claim = said("rcu.kthread_starved", starved_jiffies=starved.value, where=where)
        out.ask(claim, (said("rcu.stall_is_consequence"),), starved.evidence)
    elif late is not None:
        out.ask(said("rcu.timer_late", late_jiffies=late.value), (said("rcu.timers_not_handled"),), late.evidence)


def _evidence(out: Finding, name: str) -> tuple[Span, ...]:
    return out.values[name].evidence if name in out.values else ()


def _reporter(report: Report, out: Finding, cpus: tuple[int, ...]) -> Said | None:
    reporter = out.values.get("reporter_cpu")
    if reporter is None:
        return None
    if reporter.value in cpus:
        return said("stall.reports_itself")
    answered = {trace.cpu for trace in report.traces if trace.role == "nmi"}
    if cpus and not answered & set(cpus):
        out.missing.append(_stack_missing(cpus))
    return said("stall.only_reports", cpu=reporter.value)


def _csd(report: Report, out: Finding) -> None:
    fields = report.fields
    waits, target = _number(fields.get("cpu")), _number(fields.get("target"))
    out.add("reporter_cpu", waits, at(report))
    out.add("stuck_cpus", (target,) if target is not None else (), at(report))
    if waits is not None and target is not None:
        function = said("part.to_run", function=plain(fields["fn"])) if "fn" in fields else None
        claim = said("csd.waits_for", cpu=waits, target_cpu=target, function=function)
        out.say(claim, (said("csd.no_interrupts"),), at(report))


# ---- workqueues


def _workqueue(report: Report, out: Finding) -> None:
    found = busy(report.lines)
    if found.stuck is not None:
        cpus, seconds, line = found.stuck
        out.add("stuck_cpus", cpu_list(cpus), _span(line))
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
    pool, seconds = said("pool.unnamed"), None
    if found.stuck is not None:
        pool = said("pool.of_cpus", cpus=_named(cpu_list(found.stuck[0])))
        seconds = said("part.for_seconds", length_s=found.stuck[1])
    head = _span(found.stuck[2]) if found.stuck is not None else ()
    if works:
        claim = said("pool.no_progress_running", pool=pool, length=seconds, works=[_shown(work) for work in works])
        out.say(claim, (_waiting(found),), (*head, *_lines(works)))
    elif found.stuck is not None:
        claim = said("pool.no_progress", pool=pool, length=seconds)
        out.ask(claim, (said("pool.no_worker_runs"), _waiting(found)), head)


def _shown(work: Work) -> Said | str:
    function = in_module(plain(work.function), work.module)
    if not work.worker:
        return function
    queue = said("part.of_workqueue", workqueue=work.workqueue) if work.workqueue else None
    if work.rescuer:
        return said("pool.rescuer_runs", function=function, worker=work.worker, workqueue=queue)
    return said("pool.worker_runs", function=function, worker=work.worker, workqueue=queue)


def _waiting(found: Busy) -> Said | None:
    names = _functions(found.pending)
    return said("pool.functions_wait", count=len(names), functions=names) if names else None
