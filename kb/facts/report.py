"""The facts that every report bears, and the dispatch to the facts of its kind.

Which those are is told by the kind's row of kinds.toml: an ``engine`` with arithmetic of its own (``Report -> Facts``),
or ``decoders`` of what can be read beyond the named fields (``Report -> Finding``).
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kb.facts.finding import Finding, in_module
from kb.model.log import Span
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Fact, Facts, Reason
from kb.syntax.frames import plain
from kb.syntax.kinds import kind_of
from kb.words.speak import said

_CLEAN = frozenset({None, "-", "G"})
"""Taints that say nothing."""


def facts_of(report: Report) -> Facts:
    """All facts of a report: what every report bears, then what its kind's own engine computes."""
    common = _common(report)
    engine = kind_of(report.kind).engine
    own = _load(engine)(report) if engine is not None else _decoded(report)
    if any("Memory allocations:" in line.text for line in report.lines):
        own = _joined(own, _load("kb.facts.tags:tag_facts")(report))
    if engine is not None and report.taint not in _CLEAN:
        common |= _load("kb.facts.taint:taint_facts")(report).values
    return replace(own, values={**common, **own.values}, missing=(*_missing(report, own), *own.missing))


def _load(place: str) -> Callable[[Report], Any]:
    """Engines are imported when a report of their kind turns up: an oops does not pay for the allocator."""
    module, _, name = place.partition(":")
    found: Callable[[Report], Any] = getattr(importlib.import_module(module), name)
    return found


def _decoded(report: Report) -> Facts:
    """Facts of a kind without an engine: what it says by itself, then what its decoder and its taint letters add."""
    facts = _with_code(_plain(report), report)
    found: list[Finding] = [_load(decoder)(report) for decoder in kind_of(report.kind).decoders]
    if "message" in report.fields:
        found.append(_load("kb.facts.message:message_facts")(report))
    if report.taint not in _CLEAN:
        found.append(_load("kb.facts.taint:taint_facts")(report))
    if not any(
        reason.verdict == "holds" and not reason.name.startswith("taint.") for one in found for reason in one.reasons
    ):
        found.append(_load("kb.facts.stated:stated")(report))
    for finding in found:
        facts = _joined(facts, finding)
    return facts


def _joined(facts: Facts, finding: Finding) -> Facts:
    """Facts with what a decoder found."""
    return replace(
        facts,
        values={**facts.values, **finding.values},
        detail={**facts.detail, **finding.detail},
        reasoning=(*facts.reasoning, *finding.reasons),
        missing=(*facts.missing, *finding.missing),
        steps=(*facts.steps, *finding.steps),
    )


def _common(report: Report) -> dict[str, Fact]:
    head = ((report.headline_line, report.headline_line),)
    values: dict[str, Fact] = {}

    def add(name: str, value: Any, evidence: tuple[Span, ...] = head) -> None:
        if value not in (None, "", ()):
            values[name] = Fact(name, value, evidence)

    def at(name: str) -> tuple[Span, ...]:
        line = report.field_lines.get(name)
        return ((line, line),) if line else head

    add("kind", report.kind)
    add("subtype", report.subtype)
    add("title", report.title)
    add("function", report.function, _frame_spans(report, report.function) or head)
    add("module", report.module, _frame_spans(report, report.function) or head)
    for name in ("kernel", "comm", "taint", "workqueue"):
        add(name, getattr(report, name), at(name))
    add("virtual", virtual(report.hardware), at("hardware"))
    add("kvm_host", kvm_host(report) or None, at("comm"))
    add("fuzzed", fuzzed(report), at("comm"))
    values["follows"] = Fact("follows", report.follows, head)
    add("arch", report.arch)
    add("corrupted", report.corrupted)
    pc = report.registers.frame if report.registers is not None else None
    if pc is not None:
        add("pc", plain(pc.function), ((pc.line, pc.line),))
    stacked = [*([pc] if pc is not None else []), *(frame for trace in report.traces for frame in trace.frames)]
    where: dict[str, tuple[Span, ...]] = {}
    for frame in stacked:
        where.setdefault(plain(frame.function), ((frame.line, frame.line),) if frame.line else head)
    add("frames", tuple(where), tuple((t.line, t.frames[-1].line) for t in report.traces if t.role == "main"))
    if where:
        values["frames"] = replace(values["frames"], where=where)
    modules = tuple(dict.fromkeys(frame.module for trace in report.traces for frame in trace.frames if frame.module))
    add("modules", modules)
    for name, value in report.fields.items():
        add(f"field.{name}", value, at(name))
    return values


_VIRTUAL = re.compile(
    r"(?i)\bqemu|\bkvm\b|kubevirt|\bovirt\b|rhev\b|vmware|virtualbox|\bvirtual machine\b|\bxen\b|bochs|bhyve"
    r"|parallels|apple virtualiz|openstack|google compute|amazon ec2 (?!\S{1,40}\.metal)|alibaba cloud|tencent cloud"
    r"|droplet|linode|vserver|smartdc hvm|z/vm|dummy-virt|\bcrosvm|firecracker|cloud-hypervisor|nutanix ahv"
)
"""Words by which hypervisors name the machines that they make (DMI, device tree, STSI)."""
_PARTITION = re.compile(r"(?i)phyp|\blpar\b|sun4v")
"""A hypervisor in firmware: what holds for a guest of a busy host need not hold there."""


def virtual(hardware: str | None) -> bool | None:
    """Whether the machine of a ``Hardware name:`` is a virtual one; None where nothing tells."""
    if not hardware or _PARTITION.search(hardware):
        return None
    return _VIRTUAL.search(hardware) is not None


_VCPU = re.compile(r"CPU \d{1,4}/KVM|vhost-\d{1,9}|qemu-\S{1,14}|kvm-pit/\d{1,9}")
"""Tasks of a machine that runs virtual ones: QEMU's threads, vhost's workers (drivers/vhost), the PIT's timer."""
_OF_KVM = re.compile(
    r"kvm_(?:arch_vcpu_ioctl_run|vcpu_ioctl|dev_ioctl)|(?:vmx|svm)_vcpu_run|vcpu_enter_guest|vhost_\w+"
)
_FUZZERS = re.compile(r"syz-executor|syz\.\d|syzkaller|trinity|perf_fuzzer|fsfuzz", re.I)


def kvm_host(report: Report) -> bool:
    """Whether the task or a stack of a report is one of a machine that runs virtual machines."""
    if report.comm is not None and _VCPU.fullmatch(report.comm):
        return True
    return any(_OF_KVM.fullmatch(plain(frame.function)) for trace in report.traces for frame in trace.frames)


def fuzzed(report: Report) -> bool:
    """Whether a fuzzer ran on the machine: its task is named, or a kernel that is built for one."""
    return any(_FUZZERS.search(text) is not None for text in (report.comm or "", report.kernel or ""))


def _frame_spans(report: Report, function: str | None) -> tuple[Span, ...]:
    for trace in report.traces:
        for frame in trace.frames:
            if frame.line and plain(frame.function) == function:
                return ((frame.line, frame.line),)
    return ()


_PRIVATE = frozenset({"kernel", "comm", "pid", "cpu", "taint", "hardware", "rest", "code"})
"""Fields that the report itself carries; what is left is the kind's own."""


def _with_code(facts: Facts, report: Report) -> Facts:
    """The bytes of the instructions around the program counter, where a report prints them."""
    if "code" not in report.fields:
        return facts
    from kb.parse.details.registers import code

    found = code(report.lines)
    if found is None:
        return facts
    text, line = found
    fact = Fact("code", text, ((line, line),))
    return replace(facts, values={**facts.values, "code": fact}, detail={**facts.detail, "code": text})


def _plain(report: Report) -> Facts:
    """Facts of a kind without an engine: the named fields, and why this function is blamed."""
    detail = {name: value for name, value in report.fields.items() if name not in _PRIVATE}
    head = ((report.headline_line, report.headline_line),)
    blame = _frame_spans(report, report.function)
    reasons = []
    if report.function is not None:
        claim = said("blame.function", function=in_module(report.function, report.module))
        reasons.append(Reason(claim, "unknown" if report.damage else "holds", report.guilt, blame or head))
    return Facts(detail=detail, reasoning=tuple(reasons), conclusion=_conclusion(report))


def _conclusion(report: Report) -> Said:
    there = report.function is None or report.function in report.title
    where = None if there else said("part.in_function", function=report.function)
    module = said("part.comma_module", module=report.module) if report.module else None
    return said("summary.report", title=report.title, where=where, module=module)


def _missing(report: Report, own: Facts) -> tuple[Said, ...]:
    """What every diagnosis would like to know and this log does not say."""
    missing = []
    if report.kernel is None and not any(part.name.startswith("unknown.kernel.") for part in own.missing):
        missing.append(said("unknown.kernel.not_in_log"))
    if report.damage:
        missing.append(said("unknown.report.damaged", damage=report.damage))
    return tuple(missing)
