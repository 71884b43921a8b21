"""The guilty frame: the function a report is blamed on, and why that one.

Each kind names in kinds.toml where to look, in order; the first frame that is not plumbing (plumbing.toml) is taken.
"""

import re
from collections.abc import Callable, Mapping

from kb.model.report import Frame, Report
from kb.parse.guilt import Guilt, first_of_trace, main_trace, pick, printed, program_counter, usable, with_also
from kb.parse.outline import Outline
from kb.parse.plumbing import Skip, skips
from kb.syntax.frames import is_address, plain
from kb.syntax.kinds import Row
from kb.words.speak import said

_SYMBOL = re.compile(r"([A-Za-z_.$][\w.$]*)(?: \[([^\]]+)\])?")
_BUCKETS = (
    (re.compile(r"^rtnl_lock"), None),
    (re.compile(r"^_*synchronize_(?:rcu|srcu|net|sched)"), "synchronize_rcu"),
)
"""Waits that hang everywhere at once when one holder is stuck: they are grouped under one name."""


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
    module = guilt.frame.module if guilt.frame is not None else None
    if trace is None or allocates(plain(guilt.function), module) is None:
        return guilt
    caller = pick(printed(trace), allocates, said("place.stack"))
    return with_also(guilt, caller.function) if caller is not None else guilt


def _with_inlined(guilt: Guilt, out: Outline, skip: Skip) -> Guilt:
    """With the functions inlined into the guilty one, as a symbolised log shows them: not every build inlines them."""
    trace, inlined = main_trace(out), list[str]()
    for frame in trace.frames if trace is not None and guilt.frame is not None else ():
        name = plain(frame.function)
        if frame.inline:
            if skip(name, frame.module) is None:
                inlined.append(name)
        elif guilt.frame is not None and frame.reliable and name == plain(guilt.frame.function):
            return with_also(guilt, *inlined) if inlined else guilt
        else:
            inlined.clear()
    return guilt


def _last_resort(fields: Mapping[str, str], out: Outline) -> Guilt | None:
    """Where all of a fault's stack is plumbing, the program counter or the headline's function is still its name."""
    frame = out.registers.frame if out.registers is not None else None
    if frame is not None and not is_address(frame.function):
        return Guilt(plain(frame.function), frame, said("guilty.plumbing_only"))
    return _named(fields, out, lambda _function, _module: None)


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


def _lr(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    registers = out.registers
    if registers is None or registers.link is None or registers.frame is not None:
        return None
    if skip(plain(registers.link.function), registers.link.module) is not None:
        return None
    return Guilt(plain(registers.link.function), registers.link, said("guilty.link_register"))


def _exception(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """The stack from where an exception came in: what a debugger prints above it is the way down."""
    trace = main_trace(out)
    if trace is None or not trace.breaks:
        return None
    return pick(trace.frames[trace.breaks[0] :], skip, said("place.exception"))


def _lock(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    return pick(out.locks, skip, said("place.lock_taken"))


def _held(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    return pick(out.held, skip, said("place.held_taken"))


def _chain(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    links = (trace for trace in out.traces if trace.role == "lock" and trace.title.startswith("->"))
    picks = (pick(trace.frames, skip, said("place.lock_chain", link=trace.title.split()[1])) for trace in links)
    return next((guilt for guilt in picks if guilt is not None), None)


def _became(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    for trace in out.traces:
        if "which became" in trace.title and "-irq-safe" in trace.title:
            return pick(trace.frames, skip, said("place.irq_safe"))
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
            return pick(trace.frames, skip, said("place.page_allocated"))
    return None


def origin(out: Outline) -> str | None:
    """Who allocated the memory that was never initialised, where KMSAN tells it."""
    for trace in out.traces:
        if trace.role == "origin" and "created" in trace.title:
            found = pick(trace.frames, skips(("alloc",)), said("place.memory_allocated"))
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
    return pick(trace.frames, skip, said("place.stack"))


_Search = Callable[[Mapping[str, str], Outline, Skip], Guilt | None]


def _of_stalled_cpu(place: str) -> _Search:
    """The places of a stalled CPU, whose many patterns other kinds need not have."""

    def find(fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
        from kb.parse.stalled import elsewhere, stall, stuck

        return {"stall": stall, "stuck": stuck, "elsewhere": elsewhere}[place](fields, out, skip)

    return find


_PLACES: Mapping[str, _Search] = {
    "named": _named,
    "pc": program_counter,
    "lr": _lr,
    "trace": first_of_trace,
    "exception": _exception,
    **{place: _of_stalled_cpu(place) for place in ("stall", "stuck", "elsewhere")},
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
    named = usable(report.frames)
    return tuple(plain(frame.function) for frame in named if skip(plain(frame.function), frame.module) is None)
