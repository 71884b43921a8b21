"""What a draft may require: predicates that hold on a report and speak of the defect, not of the one who met it."""

import re
from collections.abc import Iterator, Sequence

from kb.cases.paste import predicates, written
from kb.model.report import Frame, Report
from kb.model.verdict import Diagnosis, Facts
from kb.syntax.frames import plain
from kb.syntax.kinds import Family, family

_TELLING = (
    "cause", "subtype", "waits_for", "deadlock", "atomic_because", "page_reason", "copy_way", "ata_reason",
    "scsi_sense", "address_kind", "access",
)  # fmt: skip
"""Facts that speak of the defect, the telling ones first."""

_COLOUR = ("function", "module", "gfp_name", "workqueue")
"""What only this sighting looked like; a module is absent for code that is built in."""

_UNDECIDED = frozenset({"cause == undetermined", "cause == skew_undecidable"})
"""Causes that say only that none was found."""

_KNOWN_WELL = frozenset({
    "kind", "title", "kernel", "arch", "comm", "taint", "corrupted", "cause", "gfp_era", "follows", "virtual",
    "message", "function", "pc", "gfp_mask", "taint_modules", "taint_words", "fault_page", "gfp.caller",
    "gfp.slab_layer", "compaction.fragindex.list", "frames", "modules", "waited_seconds",
    "address", "lock_name", "free_kb", "min_free_kbytes",
})  # fmt: skip
"""Facts that say nothing of a defect (who met it, when, with what else loaded), or stand in the draft already."""

_COMMENTS, _EACH = 48, 6
"""Facts in the comments of a draft, and items of one list."""

_SENTENCE = 120
"""Characters of a warning's text that is still one sentence."""
_ADDRESS = re.compile(r"\b(?:0x)?[0-9a-fA-F]{8,16}\b")

_CALLERS = 2
"""Functions of the way to the guilty one that a draft requires where several reports show them."""

_EVERYBODYS = re.compile(
    r"^(?:(?:SyS|sys|ksys|compat_sys|__(?:x64|ia32|arm64|s390x?|riscv|se|do|powerpc)_sys|__sys|do_sys)_"
    r"|start_kernel|rest_init|kernel_init|do_(?:basic_setup|one_initcall|initcalls?|init_module)$|load_module$"
    r"|_*(?:driver|device|bus|class)_(?:probe|attach|register|add|for_each|initial_probe|driver)|really_probe"
    r"|__(?:driver|device)_(?:probe|attach)|\w+_(?:device|drv|driver)_probe$|platform_probe|_*platform_driver_|async_(?:run_entry|schedule)"
    r"|x86_64_start|secondary_startup|startup_64|_*do_(?:exit|group_exit|idle|softirq|IRQ)$|make_task_dead|rewind_stack"
    r"|(?:asm_)?(?:sysvec|exc|common_interrupt|apic_timer)|ret_(?:from|to)_|_*irq_|el\d|gic_|handle_\w*irq|call_softirq"
    r"|_*might_|_*(?:io_)?schedule|wait_for_|autoremove_wake|entry_|kthread|mmput$|exit_mm$|get_signal$|vfs_)"
)
"""Start-up, the driver core, ways into the kernel and out: they stand in stacks of every kind of trouble."""


def proposed(diagnosis: Diagnosis, near: Sequence[Diagnosis] = ()) -> tuple[list[str], list[str], list[str]]:
    """Predicates that hold on a report: what a draft requires, what ranks it, what only this sighting looked like.

    Args:
        diagnosis: The report.
        near: Other reports of its log; what all that are of its problem show is more than colour.
    """
    facts, kind = diagnosis.facts, diagnosis.report.kind
    # where a CPU or task is stuck, its program counter tells what it was busy with
    telling = ("subtype",) if kind == "notice" else (*_TELLING, "pc") if kind in family(Family.STALL) else _TELLING
    require = [text for text in _plain(facts, telling) if text not in _UNDECIDED] + list(_request(facts))
    seen_in = [text for text in _plain(facts, _COLOUR) if not _printers(text)]
    stalled = kind in family(Family.STALL) and "pc" in facts.values
    asks = kind in family(Family.ALLOCATION) or kind == "oom_kill" or stalled
    if (
        not asks and seen_in[:1] and seen_in[0].startswith("function ")
    ):  # the defect is where it is, not what it looks like
        require.append(seen_in.pop(0))
        alike = _alike(diagnosis, near)
        # one report tells no colour from the defect: the way to it is a proposal, and its nearest step the best one
        require += [f"frames has {name}" for name in shared_way(diagnosis, near)[: _CALLERS if alike else 1]]
    if kind == "warning":
        require = [*_warns(facts), *require]
    if not require:
        require = seen_in[:1] or list(_plain(facts, ("title",))) or [f"kind == {kind}"]
        seen_in = [text for text in seen_in if text not in require]
    return require, list(_plain(facts, ("arch",))), seen_in


def shared_way(diagnosis: Diagnosis, near: Sequence[Diagnosis] = ()) -> list[str]:
    """The functions on the way to the guilty one that speak of the defect, the nearest first: in every report of this
    problem in the log, neither plumbing nor what stands in every stack.
    """
    way = _way(diagnosis.report)
    for other in _alike(diagnosis, near):
        frames = other.facts.get("frames")
        if frames is not None and isinstance(frames.value, tuple):
            way = [name for name in way if name in frames.value]
    return way


def _warns(facts: Facts) -> Iterator[str]:
    """What a warning says of itself; the addresses in it are of this sighting."""
    message = facts.get("message")
    if message is not None and len(str(message.value)) <= _SENTENCE:
        text = _ADDRESS.sub("*", str(message.value))
        value = written(text)
        if value is not None:
            yield f"message {'matches' if text != message.value else '=='} {value}"


def _alike(diagnosis: Diagnosis, near: Sequence[Diagnosis]) -> list[Diagnosis]:
    report = diagnosis.report
    return [
        other for other in near
        if other is not diagnosis and (other.report.kind, other.report.function) == (report.kind, report.function)
    ]  # fmt: skip


def _way(report: Report) -> list[str]:
    """From the guilty function outwards, in the stack that holds it."""
    stacks = [[frame for frame in trace.frames if frame.reliable] for trace in report.traces if trace.role == "main"]
    for frames in stacks or [[]]:
        at = next((index for index, each in enumerate(frames) if plain(each.function) == report.function), None)
        if at is not None or len(stacks) == 1:
            return list(dict.fromkeys(_own(frames[0 if at is None else at + 1 :], report.function)))
    return []


def _own(frames: Sequence[Frame], guilty: str | None) -> Iterator[str]:
    from kb.parse.plumbing import skips

    skip, end = skips(("alloc", "schedule", "bug", "usercopy")), skips(("anchors",))
    for frame in frames:
        name = plain(frame.function)
        if frame.module is None and skip(name, None) is None and end(name, None) is not None:
            return  # below it stands who called the kernel, or whom the interrupt met
        if name != guilty and skip(name, frame.module) is None and not _EVERYBODYS.search(name) and name.isascii():
            yield name


def _printers(text: str) -> bool:
    """Whether a predicate names a function that only prints or ends the report: dump_stack(), panic()."""
    from kb.parse.plumbing import skips

    name, _, value = text.partition(" == ")
    return name == "function" and skips(())(value, None) is not None


def _plain(facts: Facts, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        fact = facts.get(name)
        if fact is not None and isinstance(fact.value, str | int | float):
            value = written(fact.value)
            if value is not None:
                yield f"{name} == {value}"


def _request(facts: Facts) -> Iterator[str]:
    """What an allocation needs to fail so; no truisms: an atomic request never compacts, order 0 has no walk."""
    value = {name: fact.value for name, fact in facts.values.items()}
    order = value.get("order")
    if isinstance(order, int) and "cause" in value and "oom.constraint" not in value:
        yield "order >= 1" if order else "order == 0"
    if value.get("atomic") is True:
        yield "atomic == true"
    elif "__GFP_FS" in (value.get("gfp.absent") or ()):
        yield "gfp lacks __GFP_FS"
    if (value.get("zones.refused_only_by_order_walk") or 0) >= 1:
        yield "zones.refused_only_by_order_walk >= 1"


def comments(diagnosis: Diagnosis, near: Sequence[Diagnosis] = ()) -> list[tuple[str, int | None]]:
    """Facts worth a look while a draft is written, each with a line: at most 48, of one list at most 6, and last the
    functions on the way to the guilty one.
    """
    taken: dict[str, int] = {}
    found: list[tuple[str, int | None]] = []
    standing = {text for texts in proposed(diagnosis, near) for text in texts}
    for text, evidence in predicates(diagnosis.facts):
        name = text.partition(" ")[0]
        taken[name] = taken.get(name, 0) + 1
        told = text in standing or name in _KNOWN_WELL or name.startswith(("field.", "reason."))
        if taken[name] <= _EACH and not told:
            found.append((text, evidence[0][0] if evidence else None))
    frames = diagnosis.facts.get("frames")
    way = [name for name in shared_way(diagnosis, near) if f"frames has {name}" not in standing][:_EACH]
    where = frames.where if frames is not None else {}
    stack = [(f"frames has {name}", where[name][0][0] if where.get(name) else None) for name in way]
    return found[: _COMMENTS - len(stack)] + stack
