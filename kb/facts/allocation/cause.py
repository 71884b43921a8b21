"""Why an allocation failed: one of a small documented set (docs/causes.md), decided from the judged zones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb.facts.allocation.request import Asked
from kb.facts.allocation.zones import ZoneView
from kb.kernel.allocflags import may_reclaim
from kb.kernel.rules import rules_for
from kb.kernel.watermark import replay
from kb.model.allocation import Request
from kb.model.memory import MemInfo, Zone, size
from kb.model.said import Said
from kb.words.speak import said

CAUSES = (
    "order_walk_refusal", "fragmentation", "memory_short", "atomic_reserve_exhausted", "zone_constrained",
    "lowmem_reserve", "watermark_boost", "cma_only", "highatomic_only", "vmalloc_space", "percpu_space", "size_limit",
    "not_a_shortage",
    "no_watermarks_exhausted", "state_changed", "skew_undecidable", "undetermined",
)  # fmt: skip
"""Every value that `Facts.cause` takes for an allocation report."""

NOISE = 63
"""Pages that a zone may gain between the failure and the report without a story: one refill of a CPU's list."""

MAX_ORDER = 11
"""Orders from here on are refused before any zone is looked at: MAX_ORDER (11 on x86_64) to 6.3, above 10 since."""


@dataclass(frozen=True)
class Cause:
    """A cause with the sentence that says why it was chosen."""

    name: str
    says: Said
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
        return Cause("size_limit", said("cause.above_largest_block", order=order))
    if memory is None or not memory.zones:
        return Cause("undetermined", said("cause.no_mem_info"))
    if order is None or asked.gfp is None:
        return _whatever_was_asked(asked, memory) or Cause("undetermined", said("cause.nothing_asked"))
    if not views:
        return Cause("zone_constrained", said("cause.no_such_zone", zone=asked.request.zone))
    if larger := _larger_than_every_zone(order, views):
        return larger
    if any(view.first == "admits" for view in views):
        return _admitted(asked, views) or _refused(asked, _refusing(views), excluded, memory.page_kb)
    if any(view.first == "undecidable" for view in views):
        return _undecidable(views)
    return _refused(asked, views, excluded, memory.page_kb)


_MOST_PRIVILEGED = frozenset({"__GFP_HIGH", "__GFP_ATOMIC", "__GFP_KSWAPD_RECLAIM", "__GFP_HIGHMEM", "__GFP_MOVABLE"})


def _whatever_was_asked(asked: Asked, memory: MemInfo) -> Cause | None:
    """Memory was short for every request where it was for a single page that may use reserves, any zone and CMA.

    Only tasks that ignore the watermarks get more (PF_MEMALLOC), which an interrupt does not.
    """
    rules = rules_for((asked.release,)) if asked.release is not None else ()
    if not rules or asked.context == "reclaim":
        return None
    easy = Request(0, _MOST_PRIVILEGED, zone="Movable", migratetype="movable")
    open_to_all = [replace(zone, reserve=()) for zone in memory.zones if zone.managed != 0]
    runs = [replay(zone, easy, rule, zones=open_to_all) for zone in open_to_all for rule in rules]
    if not runs or any(run.fails_at != "base" for run in runs):
        return None
    zones = [zone.label for zone in open_to_all]
    name = "atomic_reserve_exhausted" if asked.context == "interrupt" else "memory_short"
    return Cause(name, said("cause.short_for_all", zones=zones))


def _larger_than_every_zone(order: int, views: Sequence[ZoneView]) -> Cause | None:
    sizes = [view.zone.managed if view.zone.managed is not None else view.zone.present for view in views]
    known = [pages for pages in sizes if pages is not None]
    if len(known) < len(sizes) or not known or 1 << order <= max(known):
        return None
    says = said("cause.above_every_zone", order=order, pages=1 << order, largest_pages=max(known))
    return Cause("size_limit", says, tuple(views))


def _refusing(views: Sequence[ZoneView]) -> tuple[ZoneView, ...]:
    return tuple(view for view in views if view.first == "refuses")


def _lists(memory: MemInfo) -> int:
    """Orders that the printed free lists have."""
    return max((len(zone.blocks.counts) for zone in memory.zones if zone.blocks), default=0)


def _admitted(asked: Asked, views: Sequence[ZoneView]) -> Cause | None:
    """The cause where a zone admits what was refused; None where that is by no more pages than a CPU's list refills."""
    chosen = tuple(view for view in views if view.first == "admits")
    if "__GFP_THISNODE" in asked.request.flags and len({view.zone.node for view in views}) > 1:
        refusing = tuple(view for view in views if view.verdict == "refuses")
        if refusing:
            return Cause("zone_constrained", said("cause.one_node", zones=labels(chosen)), refusing)
    refusing = _refusing(views)
    near = all(view.margin is not None and view.margin <= NOISE for view in chosen)
    if near and refusing and len(chosen) + len(refusing) == len(views):
        return None
    return Cause("state_changed", said("cause.state_changed", zones=labels(chosen)), chosen)


def labels(views: Sequence[ZoneView]) -> tuple[str, ...]:
    """Their zones by name."""
    return tuple(view.zone.label for view in views)


def _undecidable(views: Sequence[ZoneView]) -> Cause:
    chosen = tuple(view for view in views if view.first == "undecidable")
    parts = []
    for view in chosen:
        if view.zone.blocks is None:
            parts.append(said("open.no_free_list", zone=view.zone.label))
        else:
            parts.append(said("open.not_printed", zone=view.zone.label, what=view.printed.assumptions))
    return Cause("skew_undecidable", said("cause.within_what_is_open", open=parts), chosen)


def _refused(asked: Asked, views: Sequence[ZoneView], excluded: Sequence[Zone], page_kb: int) -> Cause:
    by_why: dict[str, list[ZoneView]] = {}
    for view in views:
        by_why.setdefault(view.why, []).append(view)
    order = asked.order or 0
    if all(view.printed.mark == "none" for view in views) and not {"cma only", "highatomic only"} & by_why.keys():
        return Cause("no_watermarks_exhausted", said("cause.no_watermarks"), tuple(views))
    if "walk" in by_why:
        chosen = by_why["walk"]
        blocks = sum(view.fits or 0 for view in chosen)
        says = said("cause.order_walk", blocks=blocks, order=order, zones=labels(chosen))
        return Cause("order_walk_refusal", says, tuple(chosen))
    if "highatomic only" in by_why or "cma only" in by_why:
        return _only(order, by_why)
    if "no block" in by_why:
        chosen = by_why["no block"]
        size_kb = size(1 << order, page_kb)
        says = said("cause.fragmentation", order=order, size_kb=size_kb, zones=labels(chosen))
        return Cause("fragmentation", says, tuple(chosen))
    return _short(asked, views, by_why, excluded)


def _only(order: int, by_why: dict[str, list[ZoneView]]) -> Cause:
    if "highatomic only" in by_why:
        chosen = by_why["highatomic only"]
        if not order:
            return Cause("highatomic_only", said("cause.highatomic_pages", zones=labels(chosen)), tuple(chosen))
        says = said("cause.highatomic_blocks", order=order, zones=labels(chosen))
        return Cause("highatomic_only", says, tuple(chosen))
    chosen = by_why["cma only"]
    return Cause("cma_only", said("cause.cma_blocks", order=order, zones=labels(chosen)), tuple(chosen))


_SMALL = 0.1
"""A zone below this share of the candidate zones does not decide."""


def _matters(short: Sequence[ZoneView], views: Sequence[ZoneView]) -> bool:
    """Whether zones that are empty themselves are more than a rest: then what lower zones keep is not the story."""
    sizes = {id(view): view.zone.managed or view.zone.present or 0 for view in views}
    return sum(sizes[id(view)] for view in short) >= _SMALL * sum(sizes.values()) > 0


def _bounds(asked: Asked) -> list[Said]:
    """What the request is bound to: a zone and those below it, nodes."""
    bounds = []
    if asked.request.zone in ("DMA", "DMA32"):
        bounds.append(said("part.zone_and_below", zone=asked.request.zone))
    if asked.nodes is not None:
        bounds.append(said("part.of_nodes", nodes=[str(node) for node in sorted(asked.nodes)]))
    return bounds


def _short(
    asked: Asked, views: Sequence[ZoneView], by_why: dict[str, list[ZoneView]], excluded: Sequence[Zone]
) -> Cause:
    request = asked.request
    if chosen := by_why.get("cma"):
        return Cause("cma_only", said("cause.short_without_cma", zones=labels(chosen)), tuple(chosen))
    if chosen := by_why.get("highatomic"):
        return Cause("highatomic_only", said("cause.short_without_highatomic", zones=labels(chosen)), tuple(chosen))
    if chosen := by_why.get("boost"):
        return Cause("watermark_boost", said("cause.boost", zones=labels(chosen)), tuple(chosen))
    reserved = by_why.get("reserve", [])
    big = [view for view in reserved if view.zone.name != "DMA"]
    short = by_why.get("short", [])
    if (big or (reserved and not short)) and not _matters(short, views):
        chosen = big or reserved
        return Cause("lowmem_reserve", said("cause.lowmem_reserve", zones=labels(chosen)), tuple(chosen))
    names = labels(short)
    limited = request.zone in ("DMA", "DMA32") or asked.nodes is not None
    elsewhere = [zone for zone in excluded if zone.free - (1 << request.order) > zone.high and zone.managed != 0]
    if limited and (elsewhere or request.zone in ("DMA", "DMA32")):
        spare = said("part.had_to_spare", zones=[zone.label for zone in elsewhere]) if elsewhere else None
        says = said("cause.zone_short", where=_bounds(asked), zones=names, spare=spare)
        return Cause("zone_constrained", says, tuple(short))
    if "__GFP_HIGH" in request.flags and not may_reclaim(request.flags):
        return Cause("atomic_reserve_exhausted", said("cause.atomic_reserve", zones=names), tuple(short))
    if not may_reclaim(request.flags):
        return Cause("memory_short", said("cause.short_no_reclaim", zones=names), tuple(short))
    return Cause("memory_short", said("cause.short", zones=names), tuple(short))
