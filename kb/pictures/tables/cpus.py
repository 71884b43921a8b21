"""The CPUs of a stall: which is stuck, which only reports it, what each of them was in."""

from dataclasses import dataclass

from kb.model.report import Trace
from kb.model.verdict import Diagnosis
from kb.syntax.frames import plain

_FRAMES = 3
_PLUMBING = ("nmi_", "dump_stack", "show_stack", "show_regs", "sched_show_task", "rcu_dump", "trigger_", "arch_trigger",
             "_raw_spin_lock_irq", "asm_exc_nmi", "exc_nmi", "default_do_nmi", "perf_", "watchdog_")  # fmt: skip
"""Beginnings of what prints a stack rather than being what runs."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """A CPU that the report tells of."""

    number: int
    stuck: bool
    reports: bool
    silent: bool
    """Whether it took no timer tick."""
    task: str | None
    """``comm:pid``"""
    stack: tuple[str, ...]
    """Its innermost functions; empty where no stack of it was printed."""
    line: int


def cpus(found: Diagnosis) -> tuple[Cpu, ...]:
    """The CPUs of a report by number, those that are stuck first; empty where it names none."""
    report, facts = found.report, found.facts

    def numbers(name: str) -> tuple[int, ...]:
        fact = facts.get(name)
        value = fact.value if fact is not None else ()
        return tuple(value) if isinstance(value, tuple) else (value,)

    def line_of(name: str) -> int:
        fact = facts.get(name)
        return fact.evidence[0][0] if fact is not None and fact.evidence else report.headline_line

    stuck, reports, silent = numbers("stuck_cpus"), numbers("reporter_cpu"), numbers("no_ticks_cpus")
    traces: dict[int, Trace] = {}
    for each in report.traces:
        number = each.cpu if each.cpu is not None else report.cpu if each.role == "main" else None
        if number is not None and each.frames:
            traces.setdefault(number, each)
    rows = []
    for cpu in sorted({*stuck, *reports, *silent, *traces, *((report.cpu,) if report.cpu is not None else ())}):
        trace = traces.get(cpu)
        task = trace.task if trace is not None else None
        if task is None and cpu == report.cpu and report.comm:
            task = f"{report.comm}:{'?' if report.pid is None else report.pid}"
        line = trace.line if trace is not None else line_of("stuck_cpus" if cpu in stuck else "reporter_cpu")
        rows.append(Cpu(cpu, cpu in stuck, cpu in reports, cpu in silent, task, _stack(trace), line))
    return tuple(sorted(rows, key=lambda row: (not row.stuck, row.number)))


def _stack(trace: Trace | None) -> tuple[str, ...]:
    if trace is None:
        return ()
    names = [plain(frame.function) for frame in trace.frames if frame.reliable]
    own = [name for name in names if not name.startswith(_PLUMBING)]
    return tuple(dict.fromkeys(own or names))[:_FRAMES]
