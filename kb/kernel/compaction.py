"""Direct compaction: whether a request may use it on a kernel, and what the free lists say about its use.

Sources: mm/compaction.c ``try_to_compact_pages()``, ``compaction_suitable()``, mm/vmstat.c ``__fragmentation_index()``,
``unusable_free_index()``, read in el6-641, 3.10.4, el7-514, -1160, 4.9.80, 4.10.1 .. 7.3. All sizes in pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.kernel.era import Span, span
from kb.kernel.gfp import Decoded
from kb.kernel.release import Release
from kb.kernel.watermark import may_reclaim
from kb.model.memory import Zone

EXISTS: Span = span("2.6.35", "", {6: (0, None)})
FS_GATE: Span = span("", "4.10", {6: (0, None), 7: (0, None)})
"""Direct compaction needs __GFP_FS and __GFP_IO; lifted to __GFP_IO alone by 73e64c51afc5 ("mm, compaction: allow
compaction for GFP_NOFS requests") (in v4.10)."""
COMPACT_FIRST: Span = span("4.8", "", {7: (None, None)})
"""Costly requests compact before any reclaim: a8161d1ed609 ("mm, page_alloc: restructure direct compaction handling in
slowpath") (in v4.8)."""
FRAGINDEX_COSTLY_ONLY: Span = span("4.9", "", {7: (None, None)})

COSTLY_ORDER = 3
"""PAGE_ALLOC_COSTLY_ORDER: above it the allocator gives up rather than loop."""
EXTFRAG_THRESHOLD = 500
"""Default of vm.extfrag_threshold, per mille."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether direct compaction could run for a request."""

    allowed: bool | None
    """None when the candidate kernels disagree or a flag is not certain."""
    because: str
    source: str = ""
    anonymous_only: bool = False
    """Only pages without a mapping can be moved (a request without __GFP_FS on 4.10+)."""


def gate(order: int, gfp: Decoded, releases: Sequence[Release]) -> Gate:
    """The gfp gate of direct compaction for a request on the candidate kernels."""
    if order == 0:
        return Gate(False, "order 0 needs no contiguous pages")
    reclaim = _any(gfp, "__GFP_WAIT", "__GFP_DIRECT_RECLAIM")
    if reclaim is False:
        return Gate(False, "the request may not block (no direct reclaim)")
    verdicts = {FS_GATE.has(release) for release in releases} if releases else {True, False}
    exists = {EXISTS.has(release) for release in releases} if releases else {True}
    if exists == {False}:
        return Gate(False, "this kernel has no memory compaction")
    fs, io = gfp.has("__GFP_FS"), gfp.has("__GFP_IO")
    source = "mm/compaction.c try_to_compact_pages()"
    if io is False:
        return Gate(False, "__GFP_IO is not set", source)
    if verdicts == {False}:
        if io is None or reclaim is None:
            return Gate(None, "whether __GFP_IO is set depends on the kernel", source)
        note = "__GFP_IO is set; 4.10+ asks for no more"
        return Gate(True, note, "73e64c51afc5 (in v4.10)", anonymous_only=fs is False)
    if fs is False and verdicts == {True}:
        return Gate(False, "__GFP_FS is not set", f"{source} to 4.9, RHEL 6 and 7")
    if fs is False:
        return Gate(None, "__GFP_FS is not set: kernels to 4.9 skip compaction then, 4.10 and later do not", source)
    if fs is None or io is None or reclaim is None:
        return Gate(None, "whether __GFP_FS and __GFP_IO are set depends on the kernel", source)
    return Gate(True, "__GFP_FS and __GFP_IO are set", source)


def _any(gfp: Decoded, *flags: str) -> bool | None:
    """Whether any flag is set. One bit of two names counts once: a flag possible in one era may be another's."""
    known = [gfp.has(flag) for flag in flags]
    if any(value is True for value in known):
        return True
    if all(value is False for value in known):
        return False
    by_table = {may_reclaim(flags) for flags in gfp.flag_sets}
    return by_table.pop() if len(by_table) == 1 else None


def fragindex(counts: Sequence[int], order: int) -> int:
    """Fragmentation index per mille: -1000 a block fits, near 0 short of memory, near 1000 fragmented.

    Compaction of a zone is tried when it is above vm.extfrag_threshold (mm/vmstat.c __fragmentation_index()).
    """
    blocks = sum(counts)
    if not blocks:
        return 0
    if any(counts[order:]):
        return -1000
    pages = sum(count << size for size, count in enumerate(counts))
    return 1000 - (1000 + pages * 1000 // (1 << order)) // blocks


def unusable(counts: Sequence[int], order: int) -> int:
    """Share of free memory that cannot serve the order, per mille (mm/vmstat.c unusable_free_index())."""
    pages = sum(count << size for size, count in enumerate(counts))
    if not pages:
        return 1000
    usable = sum(count << size for size, count in enumerate(counts) if size >= order)
    return (pages - usable) * 1000 // pages


def fitting(counts: Sequence[int], order: int) -> int:
    """Free blocks of the order or larger."""
    return sum(counts[order:])


@dataclass(frozen=True, slots=True)
class Suitable:
    """What compaction_suitable() makes of a zone."""

    suitable: bool
    because: str
    index: int
    left: int
    needs: int


def suitable(
    zone: Zone, order: int, releases: Sequence[Release], *, admitted: bool = False, threshold: int = EXTFRAG_THRESHOLD
) -> Suitable | None:
    """Whether a zone is worth compacting for an order; None without a free list.

    The order-0 test: free pages above the low watermark (min for non-costly orders from 4.9) plus 2 * 2^order.

    Args:
        zone: the zone, as printed.
        order: the requested order.
        releases: the candidate kernels.
        admitted: whether the watermark test of the order passes in this zone.
        threshold: vm.extfrag_threshold, per mille.
    """
    if zone.blocks is None:
        return None
    index = fragindex(zone.blocks.counts, order)
    late = bool(releases) and all(FRAGINDEX_COSTLY_ONLY.has(release) for release in releases)
    mark = zone.min if late and order <= COSTLY_ORDER else zone.low
    needs = mark + (2 << order)
    if zone.free <= needs:
        verdict, why = False, "too few free pages to move others into"
    elif 0 <= index <= threshold and not (late and order <= COSTLY_ORDER):
        verdict, why = False, f"short of memory rather than fragmented (index {index} <= {threshold})"
    elif index == -1000 and admitted:
        verdict, why = False, "a block of the order is free and admitted: nothing to do"
    elif index == -1000:
        verdict, why = True, "a block of the order is free, the watermark refuses it"
    else:
        verdict, why = True, f"fragmented (index {index} > {threshold})"
    return Suitable(verdict, why, index, zone.free, needs)
