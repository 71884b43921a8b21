"""The guilty frame: the function a report is blamed on, and why that one.

Each kind names in kinds.toml where to look, in order; the first frame that is not plumbing (plumbing.toml) is taken.
"""

import re
from collections.abc import Callable, Iterable, Mapping

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

    def __init__(self, function: str, frame: Frame | None, why: Said, bucket: str | None = None):
        """``function`` as it stood in the log, compiler suffixes removed; ``bucket`` the name it is grouped under."""
        self.function = bucket or shown(function)
        self.frame = frame
        self.why = why
        self.aliases = aliases(function) if bucket is None else (function,) if function != bucket else ()
        """Other names of the function: titles made with them are alternative titles."""


def find(row: Row, fields: Mapping[str, str], out: Outline) -> Guilt | None:
    """The guilty frame of a report, None where no place that its kind names has one."""
    skip = skips(row.skip)
    for place in row.guilty:
        found = _PLACES[place](fields, out, skip)
        if found is not None:
            return found
    return _last_resort(out) if "pc" in row.guilty else None


def _last_resort(out: Outline) -> Guilt | None:
    """Where all of a fault's stack is plumbing, the program counter is still the best name for it."""
    frame = out.registers.frame if out.registers is not None else None
    if frame is None or is_address(frame.function):
        return None
    return Guilt(plain(frame.function), frame, said("guilty.plumbing_only"))


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


def _exception(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """The stack from where an exception came in: what a debugger prints above it is the way down."""
    trace = main_trace(out)
    if trace is None or not trace.breaks:
        return None
    return _pick(trace.frames[trace.breaks[0] :], skip, said("place.exception"))


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
    return _before_anchor(_usable(_interrupted(out)), skip)


def _stuck(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """As a stall, but the CPU that reports is the one that is stuck: its own registers and stack tell where."""
    head = [out.registers.frame] if out.registers is not None and out.registers.frame is not None else []
    trace = main_trace(out)
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


def _interrupted(out: Outline) -> tuple[Frame, ...]:
    """The frames of the CPU that is stuck, from the point where the timer's interrupt caught it."""
    traces = [trace for trace in out.traces if trace.role in ("main", "nmi", "loose")]
    for trace in traces:
        caught = _caught(trace)
        if caught is not None:
            return trace.frames[caught:]
    head = (out.registers.frame,) if out.registers is not None and out.registers.frame is not None else ()
    return (*head, *(traces[0].frames if traces else ()))


def _caught(trace: Trace) -> int | None:
    """Index of the first frame that was running when the innermost interrupt came in.

    Interrupts nest: the innermost run of entry functions is the interrupt that found the stall.
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
    "exception": _exception,
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
