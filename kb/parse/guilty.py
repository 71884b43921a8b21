"""The guilty frame: the function a report is blamed on, and why that one.

Each kind names in kinds.toml where to look, in order; the first frame that is not plumbing (plumbing.toml) is taken.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from kb.model.report import Frame, Report, Trace
from kb.model.said import Said
from kb.parse.outline import Outline
from kb.parse.plumbing import Skip, group, skips
from kb.syntax.frames import aliases, is_address, plain, shown
from kb.syntax.kinds import Row
from kb.words.speak import said

_INTERRUPT_ENTRY = re.compile(
    r"apic_timer_interrupt|^(?:__|asm_)?sysvec_|^asm_call_(?:on_stack|irq_on_stack)|^el1h?_(?:64_)?irq|^el1_interrupt|^__irq_svc|handle_arch_irq|"
    r"^call_on_irq_stack|^call_with_stack$|^do_interrupt_handler|^__el1_irq|^el0_interrupt|^__el0_irq|^ret_from_intr|"
    r"^handle_riscv_irq|^do_irq$|^do_irq_async|^do_ext_irq|^handle_loongarch_irq|^(?:do|handle)_vint|^handle_int$|"
    r"^timer_interrupt$|^decrementer_common|^hardware_interrupt_common|^do_IRQ_?$|^io_int_handler|^ext_int_handler|"
    r"^handle_exception$|^ret_from_exception|^__?common_interrupt"
)
_ENTRY_GAP = 1
"""Frames among the entry functions that may be none of them: releases put helpers in between."""
_DUMPING = re.compile(r"^(?:dump_stack(?:_lvl|_print)?|show_stack(?:_log_lvl)?|dump_backtrace)$")
_DUMP_DEPTH = 12
"""Frames within which a stack that a report prints of itself shows the printing; deeper it is somebody else's dump."""
_UNRELIABLE_STACK = 4
"""Entries that make a stack: fewer, all doubtful, are the remains of a damaged one."""
_FAULT_ENTRY = re.compile(
    r"^(?:asm_)?exc_page_fault$|^(?:async_)?page_fault$|^do_DataAbort$|^__dabt_svc$|^el1_(?:abort|da)$|^el1h_64_sync$"
)
_COPIES = re.compile(
    r"copy_(?:user|to_user|from_user|in_user|mc_to_user)|^_*(?:get|put|clear)_user|^rep_(?:movs|stos)|^fault_in_|^copy(?:in|out)\b|^strn(?:cpy_from|len)_user|arch_copy_"
)
"""Functions that touch user memory for the kernel."""
_TAKES = re.compile(
    r"(?:spin|read|write|raw_read|raw_write)_(?:try)?lock|_slowpath$|^_*(?:mutex_|rt_mutex_)?lock|^console_(?:lock|unlock)$|^vprintk"
)
"""Functions in whose call a lock (or the console, which is one) is awaited."""
_IDLE = re.compile(r"^(?:cpu_startup_entry|do_idle|cpu_idle(?:_loop)?|arch_cpu_idle)$")
_REPORTER = re.compile(
    r"^(?:tick_(?!do_broadcast)|watchdog_|update_process_times|rcu_(?:check_callbacks|sched_clock_irq|dump_cpu)|nmi_(?:cpu_backtrace|trigger)|dump_(?:stack|backtrace|cpu)|sched_show_task|check_cpu_stall)"
)
"""What stands on a stack that a CPU prints of itself when its own tick finds the stall."""
_CALLS_OTHERS = re.compile(r"smp_call_function|^generic_exec_single$|^csd_lock_wait$")
_SYMBOL = re.compile(r"([A-Za-z_.$][\w.$]*)(?: \[([^\]]+)\])?")
_BUCKETS = (
    (re.compile(r"^rtnl_lock"), None),
    (re.compile(r"^_*synchronize_(?:rcu|srcu|net|sched)"), "synchronize_rcu"),
)
"""Waits that hang everywhere at once when one holder is stuck: they are grouped under one name."""


class Guilt:
    """A guilty frame and the sentence that defends the choice."""

    __slots__ = ("aliases", "frame", "function", "why")

    def __init__(
        self, function: str, frame: Frame | None, why: Said, bucket: str | None = None, also: tuple[str, ...] = ()
    ):
        """``function`` as it stood in the log, compiler suffixes removed; ``bucket`` the name it is grouped under.

        ``also`` are other functions that could be blamed as well, as they are shown.
        """
        self.function = bucket or shown(function)
        self.frame = frame
        self.why = why
        own = aliases(function) if bucket is None else (function,) if function != bucket else ()
        self.aliases = (*own, *(name for name in also if name != self.function and name not in own))
        """Other names of the function: titles made with them are alternative titles."""


def _with(guilt: Guilt, *also: str, why: Said | None = None) -> Guilt:
    """The same guilt, with functions that could be blamed as well and, where given, another reason."""
    bucket = (
        guilt.function if guilt.frame is not None and shown(plain(guilt.frame.function)) != guilt.function else None
    )
    function = plain(guilt.frame.function) if guilt.frame is not None else guilt.function
    return Guilt(function, guilt.frame, why or guilt.why, bucket, also)


def find(row: Row, fields: Mapping[str, str], out: Outline) -> Guilt | None:
    """The guilty frame of a report, None where no place that its kind names has one."""
    skip = skips(row.skip)
    for place in row.guilty:
        found = _PLACES[place](fields, out, skip)
        if found is not None:
            return _with_inlined(_or_caller(found, out) if place in ("named", "pc") else found, out, skip)
    return _last_resort(fields, out) if "pc" in row.guilty else None


def _or_caller(guilt: Guilt, out: Outline) -> Guilt:
    """An allocator that crashed may have been left with what its caller broke: that is another name for it."""
    allocates, trace = skips(("alloc",)), main_trace(out)
    if trace is None or allocates(plain(guilt.function), guilt.frame and guilt.frame.module) is None:
        return guilt
    caller = _pick(_printed(trace), allocates, said("place.stack"))
    return _with(guilt, caller.function) if caller is not None else guilt


def _with_inlined(guilt: Guilt, out: Outline, skip: Skip) -> Guilt:
    """With the functions inlined into the guilty one, where a symbolised log shows them: other builds do not inline them."""
    trace, inlined = main_trace(out), list[str]()
    for frame in trace.frames if trace is not None and guilt.frame is not None else ():
        name = plain(frame.function)
        if frame.inline:
            if skip(name, frame.module) is None:
                inlined.append(name)
        elif guilt.frame is not None and frame.reliable and name == plain(guilt.frame.function):
            return _with(guilt, *inlined) if inlined else guilt
        else:
            inlined.clear()
    return guilt


def _last_resort(fields: Mapping[str, str], out: Outline) -> Guilt | None:
    """Where all of a fault's stack is plumbing, the program counter, or the headline's function, is still its best name."""
    frame = out.registers.frame if out.registers is not None else None
    if frame is not None and not is_address(frame.function):
        return Guilt(plain(frame.function), frame, said("guilty.plumbing_only"))
    return _named(fields, out, lambda _function, _module: None)


# ---- places


def _pick(frames: Iterable[Frame], skip: Skip, place: Said) -> Guilt | None:
    """The first reliable frame with a name that is not plumbing."""
    skipped: list[str] = []
    for frame in _usable(frames):
        function = plain(frame.function)
        if skip(function, frame.module) is None:
            why = said("guilty.first_not_plumbing", place=place)
            if skipped:
                why = said("guilty.first_behind_plumbing", place=place, plumbing=skipped)
            return Guilt(function, frame, why)
        skipped.append(function)
    return None


def _usable(frames: Iterable[Frame]) -> list[Frame]:
    """Frames that may be blamed: reliable ones with a name.

    Inline ones are left out: whether they are there depends on who symbolised the log. Where the unwinder vouches for
    no frame at all (x86 without frame pointers before ORC), all are taken.
    """
    named = [frame for frame in frames if not frame.inline and not is_address(plain(frame.function))]
    return [frame for frame in named if frame.reliable] or (named if len(named) >= _UNRELIABLE_STACK else [])


def _printed(trace: Trace) -> tuple[Frame, ...]:
    """The frames of a trace under the functions that printed it (their names differ by architecture)."""
    top = enumerate(trace.frames[:_DUMP_DEPTH])
    last = max((index for index, frame in top if _DUMPING.match(plain(frame.function))), default=-1)
    return trace.frames[last + 1 :]


def _named(fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    function = plain(fields.get("fn") or fields.get("fn2") or "")
    if not function or is_address(function) or function[0].isdigit() or skip(function, fields.get("mod")) is not None:
        return None
    return Guilt(function, _same(function, out, fields.get("mod")), said("guilty.headline"))


def _same(function: str, out: Outline, module: str | None) -> Frame | None:
    """The stack's entry for a function that a line names, for its module and offset."""
    for trace in out.traces:
        for frame in trace.frames:
            if plain(frame.function) == function:
                return frame
    return Frame(function, module=module)


def _pc(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    frame = out.registers.frame if out.registers is not None else None
    if frame is None or is_address(frame.function) or skip(plain(frame.function), frame.module) is not None:
        return None
    return Guilt(plain(frame.function), frame, said("guilty.program_counter"))


def _lr(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    registers = out.registers
    if registers is None or registers.link is None or registers.frame is not None:
        return None
    if skip(plain(registers.link.function), registers.link.module) is not None:
        return None
    return Guilt(plain(registers.link.function), registers.link, said("guilty.link_register"))


def main_trace(out: Outline) -> Trace | None:
    """The stack that the report is about."""
    for role in ("main", "access", "loose", "nmi", "lock"):
        for trace in out.traces:
            if trace.role == role:
                return trace
    return None


def _trace(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    trace = main_trace(out)
    return _pick(_printed(trace), skip, said("place.stack")) if trace is not None else None


def _lock(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    return _pick(out.locks, skip, said("place.lock_taken"))


def _held(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    return _pick(out.held, skip, said("place.held_taken"))


def _chain(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    links = (trace for trace in out.traces if trace.role == "lock" and trace.title.startswith("->"))
    picks = (_pick(trace.frames, skip, said("place.lock_chain", link=trace.title.split()[1])) for trace in links)
    return next((guilt for guilt in picks if guilt is not None), None)


def _became(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    for trace in out.traces:
        if "which became" in trace.title and "-irq-safe" in trace.title:
            return _pick(trace.frames, skip, said("place.irq_safe"))
    return None


def _last_function(_fields: Mapping[str, str], out: Outline, _skip: Skip) -> Guilt | None:
    function = plain(out.fields.get("last_function", ""))
    return Guilt(function, _same(function, out, None), said("guilty.last_function")) if function else None


def _handlers(_fields: Mapping[str, str], out: Outline, _skip: Skip) -> Guilt | None:
    """The handler of an interrupt that nobody cared for, where it is the only one: of several none can be told."""
    only = _SYMBOL.fullmatch(out.fields.get("handlers", ""))
    if only is None:
        return None
    frame = Frame(only[1], module=only[2], line=out.field_lines.get("handlers", 0))
    return Guilt(plain(only[1]), frame, said("guilty.only_handler"))


def _in_flight(_fields: Mapping[str, str], out: Outline, _skip: Skip) -> Guilt | None:
    """The function that the stuck pool's workers run, where all run the same."""
    names = {item.partition(":")[2] for item in out.fields.get("in_flight", "").split(", ")}
    only = _SYMBOL.fullmatch(names.pop()) if len(names) == 1 else None
    if only is None:
        return None
    frame = Frame(only[1], module=only[2], line=out.field_lines.get("in_flight", 0))
    return Guilt(plain(only[1]), frame, said("guilty.only_in_pool"))


def _panic_in(fields: Mapping[str, str], out: Outline, _skip: Skip) -> Guilt | None:
    found = re.search(r"in: (?P<fn>[A-Za-z_.$][\w.$]*)", fields.get("what", ""))
    if found is None or is_address(found["fn"]):
        return None
    function = plain(found["fn"])
    return Guilt(function, _same(function, out, None), said("guilty.panic"))


def _pair(fields: Mapping[str, str], out: Outline, _skip: Skip) -> Guilt | None:
    first = plain(fields.get("fn", ""))
    if not first:
        return None
    return Guilt(first, _same(first, out, None), said("guilty.race_first"))


def _page_owner(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    for trace in out.traces:
        if trace.role == "page" and "allocated" in trace.title:
            return _pick(trace.frames, skip, said("place.page_allocated"))
    return None


def origin(out: Outline) -> str | None:
    """Who allocated the memory that was never initialised, where KMSAN tells it."""
    for trace in out.traces:
        if trace.role == "origin" and "created" in trace.title:
            found = _pick(trace.frames, skips(("alloc",)), said("place.memory_allocated"))
            return found.function if found is not None else None
    return None


def _none(_fields: Mapping[str, str], _out: Outline, _skip: Skip) -> Guilt | None:
    return None


def _hung(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    trace = main_trace(out)
    if trace is None:
        return None
    for frame in trace.frames:
        for pattern, name in _BUCKETS:
            if frame.reliable and pattern.search(frame.function):
                function = plain(frame.function)
                return Guilt(function, frame, said("guilty.hangs_everywhere"), name or function)
    return _pick(trace.frames, skip, said("place.stack"))


def _stall(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    return _of_stalled(_interrupted(out), skip)


def _stuck(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """As a stall, but the CPU that reports is the one that is stuck: its own registers and stack tell where."""
    head = [out.registers.frame] if out.registers is not None and out.registers.frame is not None else []
    trace = main_trace(out)
    if not head and trace is not None and _caught(trace) is not None:
        return _of_stalled(_interrupted(out), skip)
    return _before_anchor([*_usable(head), *_usable(_printed(trace) if trace is not None else ())], skip)


def _elsewhere(fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """Of the CPU that the headline names, whoever reports it: a reporter's own stack shows its watchdog only."""
    stuck = _cpus(fields.get("others") or fields.get("cpu", ""))
    answers = [trace for trace in out.traces if trace.role == "nmi" and (not stuck or trace.cpu in stuck)]
    if answers:
        return _before_anchor(_usable(answers[0].frames), skip)
    if "others" in fields or ((reporter := out.fields.get("cpu")) is not None and stuck - {int(reporter)}):
        return None
    found = _stuck(fields, out, skip)
    return found or _pc(fields, out, skip) or _trace(fields, out, skip)


def _cpus(text: str) -> set[int]:
    """CPUs of a list as %*pbl prints it ("0,2-3"); of a long range its ends."""
    return {int(number) for number in re.findall(r"\d{1,6}", text)}


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
    return _pick(frames, skip, said("place.stalled_cpu"))


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

    An interrupt at work is to blame, what it came into is a bystander: unless the interrupt waits for something that the
    interrupted code may hold, which is likely where both are of one module or subsystem. The other is an alternative.
    """
    served, frames = _copying(stack.task)
    task = _before_anchor(_usable(frames), skip)
    fault = _before_anchor(_usable(served), skip)
    also = [found.function for found in (fault,) if found is not None]
    at_work = _before_anchor(_usable(stack.interrupt), skip)
    if at_work is None or task is None:
        only = at_work or task or fault
        return only and _with(only, *also)
    if _waits(stack.interrupt) and _kin(at_work.frame, task.frame, frames):
        return _with(task, at_work.function, *also)
    return _with(at_work, task.function, *also, why=said("guilty.interrupt_at_work", interrupted=task.function))


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

    Interrupts nest: the innermost run of entry functions is the interrupt that found the stall. (Of an NMI that found it
    x86 prints only doubtful frames: then it is one that was at work.)
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


_PLACES: Mapping[str, Callable[[Mapping[str, str], Outline, Skip], Guilt | None]] = {
    "named": _named,
    "pc": _pc,
    "lr": _lr,
    "trace": _trace,
    "stall": _stall,
    "stuck": _stuck,
    "elsewhere": _elsewhere,
    "chain": _chain,
    "became": _became,
    "hung": _hung,
    "lock": _lock,
    "held": _held,
    "last_function": _last_function,
    "panic_in": _panic_in,
    "pair": _pair,
    "page_owner": _page_owner,
    "in_flight": _in_flight,
    "handlers": _handlers,
    "none": _none,
}


def significant(report: Report) -> tuple[str, ...]:
    """Plain names of the reliable frames of the main stack that are not plumbing, innermost first."""
    skip = skips(())
    usable = _usable(report.frames)
    return tuple(plain(frame.function) for frame in usable if skip(plain(frame.function), frame.module) is None)
