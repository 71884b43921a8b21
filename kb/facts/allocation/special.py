"""Allocation reports whose headline itself names the cause: vmalloc, SLUB and per-CPU messages."""

import re
from collections.abc import Sequence
from itertools import pairwise

from kb.facts.allocation.cause import Cause, labels
from kb.facts.allocation.zones import ZoneView
from kb.model.memory import MemInfo
from kb.model.number import number
from kb.model.report import Report
from kb.model.said import Said
from kb.words.speak import said

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
    text = report.fields.get("bytes") or report.fields.get("size")
    size = number(text)
    if size is not None:
        return size
    texts = [report.headline, *(line.text for line in report.lines if "vmalloc" in line.text)]
    found = next((match for text in texts if (match := _BYTES.search(text))), None)
    return number(found[1] or found[2]) if found else None


def _vmalloc(report: Report, memory: MemInfo | None, views: Sequence[ZoneView]) -> Cause | None:
    """mm/vmalloc.c: size checks, the address space, and pages are three different failures of one function."""
    text, size = report.headline, _size(report)
    if "exceeds total pages" in text:
        return Cause("size_limit", said("cause.vmalloc_above_memory", size=_size_said(size)))
    if "vmap allocation" in text or "vm_struct allocation failed" in text:
        return Cause("vmalloc_space", said("cause.vmalloc_range", size=_size_said(size)))
    if size == 0:
        return Cause("size_limit", said("cause.vmalloc_zero"))
    if memory is None:
        return None
    admitting = [view for view in views if view.verdict == "admits"]
    if size is None:
        if not admitting:
            return None
        return Cause("not_a_shortage", said("cause.vmalloc_gave_up", zones=labels(admitting)), tuple(admitting))
    pages = -(-size // (memory.page_kb * 1024))
    total = memory.counters.get("ram") or sum(zone.managed or zone.present or 0 for zone in memory.zones)
    if total and pages > total:
        says = said("cause.vmalloc_above_total", size=_size_said(size), pages=pages, total_pages=total)
        return Cause("size_limit", says)
    if not admitting:
        return None
    free = sum(view.zone.free - view.zone.min - view.reserve for view in admitting)
    zones = labels(admitting)
    if pages > free:
        says = said("cause.vmalloc_short", pages=pages, free_pages=free, zones=zones)
        return Cause("memory_short", says, tuple(admitting))
    says = said("cause.vmalloc_not_short", zones=zones, free_pages=free, pages=pages)
    return Cause("not_a_shortage", says, tuple(admitting))


def _percpu(report: Report) -> Cause | None:
    """mm/percpu.c pcpu_alloc(): the message ends with the reason."""
    text = report.headline
    for mark, why in (
        ("no space left", said("cause.percpu_no_room")),
        ("reserved chunk", said("cause.percpu_reserved_full")),
        ("failed to allocate new chunk", said("cause.percpu_no_place")),
    ):
        if mark in text:
            return Cause("percpu_space", why)
    if "failed to populate" in text:
        return Cause("memory_short", said("cause.percpu_no_pages"))
    return None


def _size_said(size: int | None) -> Said:
    if size is None:
        return said("size.more")
    if size >= 1 << 30:
        return said("size.in_gb", bytes=size, gb=size / (1 << 30))
    return said("size.in_mb", bytes=size, mb=size / (1 << 20))
