"""Why an allocation failed: one of a small documented set (docs/causes.md), decided from the judged zones."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.facts.allocation.request import Asked
from kb.facts.allocation.zones import ZoneView
from kb.kernel.watermark import may_reclaim
from kb.model.memory import MemInfo, Zone

CAUSES = (
    "order_walk_refusal", "fragmentation", "memory_short", "atomic_reserve_exhausted", "zone_constrained",
    "lowmem_reserve", "cma_only", "highatomic_only", "vmalloc_space", "percpu_space", "size_limit", "not_a_shortage",
    "no_watermarks_exhausted", "state_changed", "skew_undecidable", "undetermined",
)  # fmt: skip
"""Every value that `Facts.cause` takes for an allocation report."""

MAX_ORDER = 11
"""Orders from here on are refused before any zone is looked at: MAX_ORDER (11 on x86_64) to 6.3, above 10 since."""


@dataclass(frozen=True)
class Cause:
    """A cause with the sentence that says why it was chosen."""

    name: str
    summary: str
    deciding: tuple[ZoneView, ...] = ()
    """The zones it rests on."""


def decide(asked: Asked, memory: MemInfo | None, views: Sequence[ZoneView], excluded: Sequence[Zone]) -> Cause:
    """The cause of a page allocation failure, from its candidate zones.

    Args:
        asked: the request.
        memory: the printed state; None when the log lacks it.
        views: candidate zones, judged.
        excluded: zones of the report that the request could not use.
    """
    order = asked.order
    if order is not None and order >= MAX_ORDER and not (memory and _lists(memory) > order):
        return Cause(
            "size_limit", f"Order {order} is larger than the allocator's largest block: no state of memory serves it."
        )
    if memory is None or not memory.zones:
        return Cause(
            "undetermined", "The log does not hold the memory state (Mem-Info), so the watermarks cannot be replayed."
        )
    if order is None or asked.gfp is None:
        return Cause("undetermined", "The report does not say what was asked for (order and GFP mask).")
    if not views:
        text = f"The request may use zone {asked.request.zone} and below only, and no such zone with pages is printed."
        return Cause("zone_constrained", text)
    if any(view.verdict == "admits" for view in views):
        return _admitted(asked, views)
    if any(view.verdict == "undecidable" for view in views):
        return _undecidable(views)
    return _refused(asked, views, excluded)


def _lists(memory: MemInfo) -> int:
    """Orders that the printed free lists have."""
    return max((len(zone.blocks.counts) for zone in memory.zones if zone.blocks), default=0)


def _admitted(asked: Asked, views: Sequence[ZoneView]) -> Cause:
    chosen = tuple(view for view in views if view.verdict == "admits")
    where = ", ".join(view.zone.label for view in chosen)
    extra = ""
    if "__GFP_THISNODE" in asked.request.flags and len({view.zone.node for view in views}) > 1:
        refusing = tuple(view for view in views if view.verdict == "refuses")
        if refusing:
            return Cause(
                "zone_constrained",
                f"__GFP_THISNODE binds the request to one node; {where} would admit it, another node's zones do not.",
                refusing,
            )
    return Cause(
        "state_changed",
        f"The printed state admits the request in {where}: memory was freed (or the lists changed) between the failure "
        f"and the report{extra}, or a limit that is not printed applied.",
        chosen,
    )


def _undecidable(views: Sequence[ZoneView]) -> Cause:
    chosen = tuple(view for view in views if view.verdict == "undecidable")
    parts = []
    for view in chosen:
        if view.zone.blocks is None:
            parts.append(f"{view.zone.label}: its free list is not in the log")
        else:
            parts.append(f"{view.zone.label}: free count and list sum differ by {view.skew} pages")
    return Cause(
        "skew_undecidable",
        "Whether the request fits is within what the log leaves open: " + "; ".join(parts) + ".",
        chosen,
    )


def _refused(asked: Asked, views: Sequence[ZoneView], excluded: Sequence[Zone]) -> Cause:
    by_why: dict[str, list[ZoneView]] = {}
    for view in views:
        by_why.setdefault(view.why, []).append(view)
    order = asked.order or 0
    if all(view.printed.mark == "none" for view in views) and not {"cma only", "highatomic only"} & by_why.keys():
        text = "The request ignored the watermarks, and still no block was free."
        return Cause("no_watermarks_exhausted", text, tuple(views))
    if "walk" in by_why:
        chosen = by_why["walk"]
        blocks = sum(view.fits or 0 for view in chosen)
        return Cause(
            "order_walk_refusal",
            f"{blocks} free block{'s' if blocks != 1 else ''} of order {order} or larger existed "
            f"({', '.join(view.zone.label for view in chosen)}), but kernels to 4.3 and RHEL 7 check a watermark at "
            f"every lower order and refused {'them' if blocks != 1 else 'it'}; 4.4 and later would not have.",
            tuple(chosen),
        )
    if "highatomic only" in by_why or "cma only" in by_why:
        return _only(order, by_why)
    if "no block" in by_why:
        chosen = by_why["no block"]
        names = ", ".join(view.zone.label for view in chosen)
        return Cause(
            "fragmentation",
            f"Enough memory was free, but no block of order {order} ({(1 << order) * 4} kB) was left in {names}.",
            tuple(chosen),
        )
    return _short(asked, views, by_why, excluded)


def _only(order: int, by_why: dict[str, list[ZoneView]]) -> Cause:
    if "highatomic only" in by_why:
        chosen = by_why["highatomic only"]
        names = ", ".join(view.zone.label for view in chosen)
        return Cause(
            "highatomic_only",
            f"The only free blocks of order {order} or larger in {names} belong to the high-order atomic reserve.",
            tuple(chosen),
        )
    chosen = by_why["cma only"]
    names = ", ".join(view.zone.label for view in chosen)
    text = f"The only free blocks of order {order} or larger in {names} are CMA pages, which this request may not use."
    return Cause("cma_only", text, tuple(chosen))


def _short(
    asked: Asked, views: Sequence[ZoneView], by_why: dict[str, list[ZoneView]], excluded: Sequence[Zone]
) -> Cause:
    request = asked.request
    for why, name, words in (
        ("cma", "cma_only", "Without its CMA pages, which this request may not use, {} is below the watermark."),
        ("highatomic", "highatomic_only", "Without the high-order atomic reserve {} is below the watermark."),
    ):
        if chosen := by_why.get(why):
            return Cause(name, words.format(", ".join(view.zone.label for view in chosen)), tuple(chosen))
    reserved = by_why.get("reserve", [])
    big = [view for view in reserved if view.zone.name != "DMA"]
    short = by_why.get("short", [])
    if big or (reserved and not short):
        chosen = big or reserved
        names = ", ".join(view.zone.label for view in chosen)
        text = f"The free pages of {names} are protected by lowmem_reserve for requests that can use no other zone."
        return Cause("lowmem_reserve", text, tuple(chosen))
    names = ", ".join(view.zone.label for view in short)
    limited = request.zone in ("DMA", "DMA32") or asked.nodes is not None
    elsewhere = [zone for zone in excluded if zone.free - (1 << request.order) > zone.high and zone.managed != 0]
    if limited and (elsewhere or request.zone in ("DMA", "DMA32")):
        other = f" while {', '.join(zone.label for zone in elsewhere)} had memory to spare" if elsewhere else ""
        return Cause("zone_constrained", f"The request could use {names} only, which was short{other}.", tuple(short))
    if "__GFP_HIGH" in request.flags and not may_reclaim(request.flags):
        text = f"An atomic request: free pages in {names} were below even the reserve that such requests may dip into."
        return Cause("atomic_reserve_exhausted", text, tuple(short))
    if not may_reclaim(request.flags):
        text = f"Free pages in {names} were below the watermark, and the request may not reclaim or wait."
        return Cause("memory_short", text, tuple(short))
    return Cause(
        "memory_short", f"Free pages in {names} were below the watermark, and reclaim did not help.", tuple(short)
    )
