"""Direct compaction: whether a request may use it on a kernel, and what the free lists say about its use.

Sources: mm/compaction.c ``try_to_compact_pages()``, ``compaction_suitable()``, mm/vmstat.c ``__fragmentation_index()``,
``unusable_free_index()``, read in el6-641, 3.10.4, el7-514, -1160, 4.9.80, 4.10.1 .. 7.3. All sizes in pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb.kernel.allocflags import alloc_flags, may_reclaim
from kb.kernel.era import NEVER, Span, span
from kb.kernel.gfp import Decoded
from kb.kernel.release import Release
from kb.kernel.rules import RuleSet
from kb.kernel.watermark import replay
from kb.model.allocation import Request
from kb.model.memory import Zone
from kb.model.said import Said
from kb.words.speak import said

EXISTS: Span = span("2.6.35", "", {6: (0, None)})
FS_GATE: Span = span("", "4.10", {6: (0, None), 7: (0, None)})
"""Direct compaction needs __GFP_FS and __GFP_IO; lifted to __GFP_IO alone by 73e64c51afc5 ("mm, compaction: allow
compaction for GFP_NOFS requests") (in v4.10)."""
COMPACT_FIRST: Span = span("4.8", "", {7: (None, None)})
"""Costly requests compact before any reclaim: a8161d1ed609 ("mm, page_alloc: restructure direct compaction handling in
slowpath") (in v4.8)."""
SUITABLE_BY_RESERVE: Span = span("3.19", "", {6: NEVER, 7: NEVER})
"""compaction_suitable() tests the zone with the request's own lowmem_reserve: ebff398017c6 ("mm, compaction: pass
classzone_idx and alloc_flags to watermark checking") (in v3.19)."""
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
    why: Said
    source: str = ""
    anonymous_only: bool = False
    """Only pages without a mapping can be moved (a request without __GFP_FS on 4.10+)."""

    @property
    def because(self) -> str:
        """Why, in English."""
        return str(self.why)


def gate(order: int, gfp: Decoded, releases: Sequence[Release]) -> Gate:
    """The gfp gate of direct compaction for a request on the candidate kernels."""
    if order == 0:
        return Gate(False, said("gate.order_0"))
    exists = {EXISTS.has(release) for release in releases} if releases else {True}
    if exists == {False}:
        return Gate(False, said("gate.no_compaction"))
    reclaim = _any(gfp, "__GFP_WAIT", "__GFP_DIRECT_RECLAIM")
    if reclaim is False:
        return Gate(False, said("gate.may_not_block"))
    verdicts = {FS_GATE.has(release) for release in releases} if releases else {True, False}
    fs, io = gfp.has("__GFP_FS"), gfp.has("__GFP_IO")
    source = "mm/compaction.c try_to_compact_pages()"
    if io is False:
        return Gate(False, said("gate.flag_not_set", flag="__GFP_IO"), source)
    if verdicts == {False}:
        if io is None or reclaim is None:
            return Gate(None, said("gate.io_depends"), source)
        return Gate(True, said("gate.io_set"), "73e64c51afc5 (in v4.10)", anonymous_only=fs is False)
    if fs is False and verdicts == {True}:
        return Gate(False, said("gate.flag_not_set", flag="__GFP_FS"), f"{source} to 4.9, RHEL 6 and 7")
    if fs is False:
        return Gate(None, said("gate.fs_not_set"), source)
    if fs is None or io is None or reclaim is None:
        return Gate(None, said("gate.fs_io_depend"), source)
    return Gate(True, said("gate.fs_io_set"), source)


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
    why: Said
    index: int
    left: int
    needs: int


def suitable(
    zone: Zone,
    request: Request,
    rules: RuleSet,
    releases: Sequence[Release],
    *,
    zones: Sequence[Zone] = (),
    usable: bool = True,
    threshold: int = EXTFRAG_THRESHOLD,
) -> Suitable | None:
    """Whether a zone is worth compacting for a request; None without a free list.

    From 3.19 on the request's own test comes first, with its lowmem_reserve; before, a test without any reserve comes
    last. Between them single pages must be free to move others into: above low (from 4.9 on min for orders to 3) and
    2 * 2^order, less what the watermark test does not count.

    Args:
        zone: the zone, as printed.
        request: what was asked for.
        rules: the watermark test of its kernel.
        releases: the candidate kernels.
        zones: the zones of the report.
        usable: whether one of the free blocks of the order is of a type that the request may take.
        threshold: vm.extfrag_threshold, per mille.
    """
    if zone.blocks is None:
        return None
    order, index = request.order, fragindex(zone.blocks.counts, request.order)
    late = bool(releases) and all(FRAGINDEX_COSTLY_ONLY.has(release) for release in releases)
    reserved = bool(releases) and all(SUITABLE_BY_RESERVE.has(release) for release in releases)
    mark = "min" if late and order <= COSTLY_ORDER else "low"
    room = replace(zone, **{mark: getattr(zone, mark) + (2 << order)})
    if not reserved:
        room = replace(room, reserve=(0,) * len(zone.reserve))
    own = alloc_flags(request, rules) - {"NO_WATERMARKS"}
    flags = frozenset({"CMA"}) if late else own if reserved else frozenset[str]()
    base = replay(room, replace(request, order=0), rules, zones=zones, mark=mark, flags=flags).steps[0]
    if reserved:
        admitted = replay(zone, request, rules, zones=zones, mark="min" if late else "low", flags=own).admits
    else:
        admitted = replay(room, request, rules, zones=zones, mark=mark, flags=flags).admits
    roomy, small = base.left > base.needs, late and order <= COSTLY_ORDER
    if reserved and admitted:
        verdict, why = False, said("suitable.admitted")
    elif not roomy:
        verdict, why = False, said("suitable.too_few")
    elif 0 <= index <= threshold and not small:
        verdict, why = False, said("suitable.short", index=index, threshold=threshold)
    elif index == -1000 and admitted:
        verdict, why = False, said("suitable.admitted_without_reserve")
    elif index == -1000:
        verdict, why = True, said("suitable.refused") if usable else said("suitable.of_other_type")
    elif small:
        verdict, why = True, said("suitable.small", index=index)
    else:
        verdict, why = True, said("suitable.fragmented", index=index, threshold=threshold)
    return Suitable(verdict, why, index, base.left, base.needs)
