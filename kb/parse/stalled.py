"""Whom the stack of a stalled CPU blames: places of kinds.toml for soft and hard lockups, RCU stalls and overflows.

A loop is caught anywhere inside, and interrupts and soft interrupts may be at work on top of what a task did.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kb.model.report import Frame, Trace
from kb.parse.details.stall import cpu_list
from kb.parse.guilt import Guilt, first_of_trace, main_trace, pick, printed, program_counter, usable, with_also
from kb.parse.outline import Outline
from kb.parse.plumbing import Skip, group
from kb.syntax.frames import plain
from kb.words.speak import said

_INTERRUPT_ENTRY = re.compile(
    r"apic_timer_interrupt|^(?:__|asm_)?sysvec_|^asm_call_(?:on_stack|irq_on_stack)|^el1h?_(?:64_)?irq|^el1_interrupt|"
    r"^__irq_svc|handle_arch_irq|"
    r"^call_on_irq_stack|^call_with_stack$|^do_interrupt_handler|^__el1_irq|^el0_interrupt|^__el0_irq|^ret_from_intr|"
    r"^handle_riscv_irq|^do_irq$|^do_irq_async|^do_ext_irq|^handle_loongarch_irq|^(?:do|handle)_vint|^handle_int$|"
    r"^timer_interrupt$|^decrementer_common|^hardware_interrupt_common|^do_IRQ_?$|^io_int_handler|^ext_int_handler|"
    r"^handle_exception$|^ret_from_exception|^__?common_interrupt"
)
_ENTRY_GAP = 1
"""Frames among the entry functions that may be none of them: releases put helpers in between."""
_FAULT_ENTRY = re.compile(
    r"^(?:asm_)?exc_page_fault$|^(?:async_)?page_fault$|^do_DataAbort$|^__dabt_svc$|^el1_(?:abort|da)$|^el1h_64_sync$"
)
_COPIES = re.compile(
    r"copy_(?:user|to_user|from_user|in_user|mc_to_user)|^_*(?:get|put|clear)_user|^rep_(?:movs|stos)|^fault_in_|"
    r"^copy(?:in|out)\b|^strn(?:cpy_from|len)_user|arch_copy_"
)
"""Functions that touch user memory for the kernel."""
_TAKES = re.compile(
    r"(?:spin|read|write|raw_read|raw_write)_lock|_slowpath$|^_*(?:mutex_|rt_mutex_)lock|"
    r"^console_(?:lock|unlock)$|^vprintk"
)
"""Functions in whose call a lock (or the console, which is one) is awaited."""
_IDLE = re.compile(r"^(?:cpu_startup_entry|do_idle|cpu_idle(?:_loop)?|arch_cpu_idle)$")
_REPORTER = re.compile(
    r"^(?:tick_(?!do_broadcast)|watchdog_|update_process_times|rcu_(?:check_callbacks|sched_clock_irq|dump_cpu)|"
    r"nmi_(?:cpu_backtrace|trigger)|dump_(?:stack|backtrace|cpu)|sched_show_task|check_cpu_stall)"
)
"""What stands on a stack that a CPU prints of itself when its own tick finds the stall."""
_CALLS_OTHERS = re.compile(r"smp_call_function|^generic_exec_single$|^csd_lock_wait$")


def stall(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """Of the CPU that the stack shows, from the point where it was caught."""
    return _of_stalled(_interrupted(out), skip)


def stuck(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """As a stall, but the CPU that reports is the one that is stuck: its own registers and stack tell where."""
    head = [out.registers.frame] if out.registers is not None and out.registers.frame is not None else []
    trace = main_trace(out)
    if not head and trace is not None and _caught(trace) is not None:
        found = _of_stalled(_interrupted(out), skip)
        if found is not None:  # None where the unwinder vouches for no frame and few are left
            return found
    return _before_anchor([*usable(head), *usable(printed(trace) if trace is not None else ())], skip)


def elsewhere(fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """Of the CPU that the headline names, whoever reports it: a reporter's own stack shows its watchdog only."""
    meant = set(cpu_list(fields.get("others") or fields.get("cpu", "")))
    answers = [trace for trace in out.traces if trace.role == "nmi" and (not meant or trace.cpu in meant)]
    if answers:
        return _before_anchor(usable(answers[0].frames), skip)
    if "others" in fields or ((reporter := out.fields.get("cpu")) is not None and meant - {int(reporter)}):
        return None
    found = stuck(fields, out, skip)
    return found or program_counter(fields, out, skip) or first_of_trace(fields, out, skip)


def _before_anchor(frames: list[Frame], skip: Skip) -> Guilt | None:
    """Whom a stalled CPU's stack blames.

    A loop is caught anywhere inside. Where a loadable module is in the stack, its innermost function is meant: core
    code loops for it. Else the last function before a dispatcher (an anchor), which is the same each time.
    """
    calling = _calling(frames, skip)
    if calling is not None:
        return calling
    before = frames[0] if frames else None
    for frame in frames:
        function = plain(frame.function)
        if before is not None and _is_anchor(frame):
            return Guilt(plain(before.function), before, said("guilty.last_before", dispatcher=function))
        if skip(function, None) is None or (before is not None and skip(plain(before.function), None) is not None):
            before = frame
    return pick(frames, skip, said("place.stalled_cpu"))


def _calling(frames: list[Frame], skip: Skip) -> Guilt | None:
    """What stands inside the first anchor and says more than its place: a wait for other CPUs, a module's function."""
    for frame in frames:
        function = plain(frame.function)
        if _CALLS_OTHERS.search(function):
            return Guilt(function, frame, said("guilty.waits_for_cpus"), "smp_call_function")
        if frame.module is not None and skip(function, frame.module) is None:
            return Guilt(function, frame, said("guilty.innermost_of_module"))
        if _is_anchor(frame):
            return None
    return None


def _is_anchor(frame: Frame) -> bool:
    return any(entry.covers(plain(frame.function), frame.module) for entry in group("anchors"))


class _Stalled(NamedTuple):
    """The stack of a stalled CPU, innermost frames first, from the function that was found running."""

    interrupt: tuple[Frame, ...]
    """Of an interrupt or soft interrupt that was at work; empty where none was, or where it is part of ``task``."""
    task: tuple[Frame, ...]


def _of_stalled(stack: _Stalled, skip: Skip) -> Guilt | None:
    """Whom a stalled CPU's stack blames.

    An interrupt at work is to blame, what it came into is a bystander: unless the interrupt waits for something that
    the interrupted code may hold, which is likely where both are of one module or subsystem. The other is another
    name.
    """
    served, frames = _copying(stack.task)
    task = _before_anchor(usable(frames), skip)
    fault = _before_anchor(usable(served), skip)
    also = [found.function for found in (fault,) if found is not None]
    at_work = _before_anchor(usable(stack.interrupt), skip)
    if at_work is None or task is None:
        only = at_work or task or fault
        return only and with_also(only, *also)
    if _waits(stack.interrupt) and _kin(at_work.frame, task.frame, frames):
        return with_also(task, at_work.function, *also)
    return with_also(at_work, task.function, *also, why=said("guilty.interrupt_at_work", interrupted=task.function))


def _copying(frames: tuple[Frame, ...]) -> tuple[tuple[Frame, ...], tuple[Frame, ...]]:
    """What serves a page fault that a copy to or from user memory took, and the stack from that copy on."""
    entry = None
    for index, frame in enumerate(frames):
        if not frame.reliable:
            continue
        if _FAULT_ENTRY.search(frame.function):
            entry = index
        elif entry is not None:
            copies = _COPIES.search(frame.function) is not None
            return (frames[:entry], frames[index:]) if copies else ((), frames)
    return (), frames


def _waits(interrupt: Iterable[Frame]) -> bool:
    return any(frame.reliable and _TAKES.search(frame.function) for frame in interrupt)


def _kin(at_work: Frame | None, task: Frame | None, interrupted: Iterable[Frame]) -> bool:
    """True where the code at work and what it interrupted are of one module, or built in and of one subsystem.

    Subsystems are told by the source of symbolised logs; where nothing tells them apart, they are taken for one.
    """
    if at_work is None or task is None or any(_IDLE.search(frame.function) for frame in interrupted):
        return False
    if at_work.module is not None or task.module is not None:
        return at_work.module in {frame.module for frame in interrupted}
    ours, theirs = _subsystem(at_work.source), _subsystem(task.source)
    return not ours or not theirs or ours == theirs


def _subsystem(source: str | None) -> list[str]:
    """The folders of the kernel's source that make a subsystem: ``net``, ``drivers/gpu``."""
    folders = (source or "").removeprefix("./").split("/")[:-1]
    return folders[: 2 if folders[:1] in (["drivers"], ["sound"]) else 1]


def _interrupted(out: Outline) -> _Stalled:
    """The stack of the CPU that is stuck, from the point where the timer's interrupt or an NMI caught it."""
    traces = [trace for trace in out.traces if trace.role in ("main", "nmi", "loose")]
    for trace in traces:
        caught = _caught(trace)
        if caught is not None:
            return _Stalled(_at_work(trace, caught), trace.frames[caught:])
    head = (out.registers.frame,) if out.registers is not None and out.registers.frame is not None else ()
    return _Stalled((), (*head, *(traces[0].frames if traces else ())))


def _at_work(trace: Trace, caught: int) -> tuple[Frame, ...]:
    """The frames of the interrupt that came in at ``caught``, where it worked: called a handler, and did not report."""
    frames = trace.frames[:caught]
    works = any(frame.reliable and _is_anchor(frame) for frame in frames)
    reports = any(frame.reliable and _REPORTER.search(frame.function) for frame in frames)
    return frames if works and not reports else ()


def _caught(trace: Trace) -> int | None:
    """Index of the first frame that was running when the innermost interrupt came in.

    Interrupts nest: the innermost run of entry functions is the interrupt that found the stall. (Of an NMI that found
    it x86 prints only doubtful frames: then it is one that was at work.)
    """
    entry = None
    for index, frame in enumerate(trace.frames):
        if not frame.reliable:
            continue
        if _INTERRUPT_ENTRY.search(frame.function):
            entry = index
        elif entry is not None and index - entry > _ENTRY_GAP:
            return entry + 1
    if entry is not None and entry + 1 < len(trace.frames):
        return entry + 1
    return trace.breaks[0] if trace.breaks else None
