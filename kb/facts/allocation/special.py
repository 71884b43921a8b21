"""Allocation reports whose headline itself names the cause: vmalloc, SLUB and per-CPU messages."""

import re
from collections.abc import Sequence
from itertools import pairwise

from kb.facts.allocation.cause import Cause
from kb.facts.allocation.zones import ZoneView
from kb.kernel.numbers import number
from kb.model.memory import MemInfo
from kb.model.report import Report

_BYTES = re.compile(r"(\d{1,20}) bytes|size[ =](\d{1,20})")


def special_cause(report: Report, memory: MemInfo | None, views: Sequence[ZoneView]) -> Cause | None:
    """The cause that the headline states, None when the zones must tell."""
    if report.kind == "vmalloc_failure" or _from_vmalloc(report):
        return _vmalloc(report, memory, views)
    if report.kind == "percpu_failure":
        return _percpu(report)
    return None


def _from_vmalloc(report: Report) -> bool:
    """Whether vmalloc itself printed the page allocation failure (to 4.8 its own failures bear that headline).

    Then its own line stands in the report, or the frame that called warn_alloc() is vmalloc's.
    """
    if any("vmalloc: allocation failure" in line.text for line in report.lines):
        return True
    names = [frame.function for frame in report.frames if frame.reliable]
    return any(
        callee in ("warn_alloc", "warn_alloc_failed") and caller.lstrip("_").startswith(("vmalloc", "vmap"))
        for callee, caller in pairwise(names)
    )


def _size(report: Report) -> int | None:
    size = number(report.fields.get("bytes") or report.fields.get("size"))
    if size is not None:
        return size
    texts = [report.headline, *(line.text for line in report.lines if "vmalloc" in line.text)]
    found = next((match for text in texts if (match := _BYTES.search(text))), None)
    return int(found[1] or found[2]) if found else None


def _vmalloc(report: Report, memory: MemInfo | None, views: Sequence[ZoneView]) -> Cause | None:
    """mm/vmalloc.c: size checks, the address space, and pages are three different failures of one function."""
    text, size = report.headline, _size(report)
    if "exceeds total pages" in text:
        return Cause("size_limit", f"vmalloc was asked for {_words(size)}, more than all memory of the machine: a size "
                     "check, not a page shortage.")  # fmt: skip
    if "vmap allocation" in text or "vm_struct allocation failed" in text:
        return Cause(
            "vmalloc_space", f"No room for {_words(size)} in the vmalloc address range; pages are not the problem."
        )
    if size == 0:
        return Cause(
            "size_limit", "vmalloc was asked for 0 bytes: its size check refused the call, not a page shortage."
        )
    if memory is None:
        return None
    admitting = [view for view in views if view.verdict == "admits"]
    if size is None:
        if not admitting:
            return None
        where = ", ".join(view.zone.label for view in admitting)
        text = f"vmalloc itself gave up (its size check, its address range or a signal): {where} had pages to give."
        return Cause("not_a_shortage", text, tuple(admitting))
    pages = -(-size // (memory.page_kb * 1024))
    total = memory.counters.get("ram") or sum(zone.managed or zone.present or 0 for zone in memory.zones)
    if total and pages > total:
        return Cause("size_limit", f"vmalloc was asked for {_words(size)} ({pages} pages); the machine has {total}: a "
                     "size check, not a page shortage.")  # fmt: skip
    if not admitting:
        return None
    free = sum(view.zone.free - view.zone.min - view.reserve for view in admitting)
    where = ", ".join(view.zone.label for view in admitting)
    if pages > free:
        text = f"vmalloc was asked for {pages} pages; only {free} were free above the marks of {where}."
        return Cause("memory_short", text,
                     tuple(admitting))  # fmt: skip
    text = (
        f"{where} had {free} pages free above the watermarks, more than the {pages} asked for: pages were not short; "
        "the address range, or a fatal signal, may be why."
    )
    return Cause("not_a_shortage", text, tuple(admitting))


def _percpu(report: Report) -> Cause | None:
    """mm/percpu.c pcpu_alloc(): the message ends with the reason."""
    text = report.headline
    for mark, why in (
        (
            "no space left",
            "An atomic per-CPU allocation found no room in the chunks at hand, and may not make a new one.",
        ),
        ("reserved chunk", "The reserved per-CPU chunk (static per-CPU variables of modules) is full."),
        (
            "failed to allocate new chunk",
            "A new per-CPU chunk could not be placed in the vmalloc range of every CPU's unit.",
        ),
    ):
        if mark in text:
            return Cause("percpu_space", why)
    if "failed to populate" in text:
        return Cause("memory_short", "The pages behind a per-CPU chunk could not be allocated.")
    return None


def _words(size: int | None) -> str:
    if size is None:
        return "more"
    return (
        f"{size} bytes ({size / (1 << 30):.1f} GB)" if size >= 1 << 30 else f"{size} bytes ({size / (1 << 20):.1f} MB)"
    )
