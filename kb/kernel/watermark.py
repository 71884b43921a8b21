"""The page allocator's watermark test, replayed as the kernel would have run it, every step kept.

Sources: mm/page_alloc.c ``__zone_watermark_ok()``, ``gfp_to_alloc_flags()``, include/linux/gfp.h ``gfp_zone()`` in the
trees that ``rules.py`` names row by row. All sizes in pages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kb.kernel.boost import boost_of, unboosted
from kb.kernel.rules import RuleSet
from kb.model.allocation import Replay, Request, Step
from kb.model.memory import ZONE_NAMES, Zone, size
from kb.model.said import Said
from kb.words.speak import said

PAGEBLOCK_ORDER = 9
"""2 MB pageblocks of 4 kB pages (x86_64, arm64); other page sizes have others."""

_UNLISTED = 64
"""Pages by which a whole free list may be behind the count that was read before it."""

_LAYOUTS = (
    ("DMA", "DMA32", "Normal", "Movable"),
    ("DMA", "DMA32", "Normal", "Movable", "Device"),
    ("DMA", "Normal", "HighMem", "Movable"),
    ("DMA", "Normal", "HighMem", "Movable", "Device"),
    ("DMA", "Normal", "Movable"),
    ("DMA", "Normal", "Movable", "Device"),
    ("DMA32", "Normal", "Movable"),
    ("DMA32", "Normal", "Movable", "Device"),
    ("Normal", "HighMem", "Movable"),
    ("Normal", "HighMem", "Movable", "Device"),
    ("Normal", "Movable"),
    ("Normal", "Movable", "Device"),
    ("DMA", "DMA32", "Normal", "HighMem", "Movable"),
    ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device"),
)
"""Zone types a kernel may be built with, in index order; which one is told by the columns of lowmem_reserve[]."""


def zone_layout(zones: Sequence[Zone]) -> tuple[str, ...]:
    """Zone types of the kernel, in index order: what the columns of ``lowmem_reserve[]`` mean.

    A zone's reserve against itself and the zones below is 0, and it rises only at a zone with pages
    (``setup_per_zone_lowmem_reserve()``): that tells apart layouts with the same names. Zones above the request's are
    not printed from 6.1 on, so that their absence tells nothing.
    """
    names = {zone.name for zone in zones}
    columns = max((len(zone.reserve) for zone in zones), default=0)
    fits = [layout for layout in _LAYOUTS if len(layout) == columns and names <= set(layout)]
    fits = [layout for layout in fits if _own_reserves_are_0(layout, zones)] or fits
    if fits:
        return min(fits, key=lambda layout: _rises_without_zone(layout, zones))
    return tuple(name for name in ZONE_NAMES if name in names or name in ("Normal", "Movable"))


def _own_reserves_are_0(layout: Sequence[str], zones: Sequence[Zone]) -> bool:
    return not any(any(zone.reserve[: layout.index(zone.name) + 1]) for zone in zones)


def _rises_without_zone(layout: Sequence[str], zones: Sequence[Zone]) -> int:
    """Columns below the highest printed zone at which a reserve rises although no such zone is printed."""
    names = {zone.name for zone in zones}
    highest = max((layout.index(name) for name in names), default=0)
    missing = [index for index in range(1, highest) if layout[index] not in names]
    return sum(
        any(index < len(zone.reserve) and zone.reserve[index] > zone.reserve[index - 1] for zone in zones)
        for index in missing
    )


def gfp_zone(flags: Iterable[str], layout: Sequence[str] = ("DMA", "DMA32", "Normal", "Movable")) -> str:
    """Highest zone a mask allows (include/linux/gfp.h GFP_ZONE_TABLE, the same from 2.6.32 to 7.3)."""
    have = frozenset(flags)
    if "__GFP_DMA" in have:
        return "DMA" if "DMA" in layout else "Normal"
    if "__GFP_DMA32" in have:
        return "DMA32" if "DMA32" in layout else "Normal"
    if "__GFP_HIGHMEM" in have:
        if "__GFP_MOVABLE" in have:
            return "Movable"
        return "HighMem" if "HighMem" in layout else "Normal"
    return "Normal"


def migratetype(flags: Iterable[str]) -> str:
    """Migrate type a mask asks for."""
    have = frozenset(flags)
    if "__GFP_MOVABLE" in have:
        return "movable"
    return "reclaimable" if "__GFP_RECLAIMABLE" in have else "unmovable"


def may_reclaim(flags: Iterable[str]) -> bool:
    """Whether the request may block to reclaim: __GFP_WAIT to 4.3, __GFP_DIRECT_RECLAIM since."""
    return not {"__GFP_WAIT", "__GFP_DIRECT_RECLAIM"}.isdisjoint(flags)


def alloc_flags(request: Request, rules: RuleSet) -> frozenset[str]:
    """ALLOC_* flags of the slow path: HIGH, HARDER, MIN_RESERVE, NON_BLOCK, HIGHATOMIC, OOM, CMA, NO_WATERMARKS."""
    flags, have = set[str](), request.flags
    nomemalloc = "__GFP_NOMEMALLOC" in have
    if request.migratetype == "movable" and rules.cma:
        flags.add("CMA")
    if not nomemalloc and (request.memalloc or "__GFP_MEMALLOC" in have):
        flags.add("NO_WATERMARKS")
    if not nomemalloc and request.oom_victim:
        flags.add("NO_WATERMARKS" if rules.oom_victim == "no watermark" else "OOM")
    high = "__GFP_HIGH" in have
    if rules.harder == "reserves":
        if high or request.realtime:
            flags.add("MIN_RESERVE")
        if not may_reclaim(have) and not nomemalloc:
            flags.add("NON_BLOCK")
            if request.order > 0 and (high or not rules.highatomic_needs_high):
                flags.add("HIGHATOMIC")
        return frozenset(flags)
    if high:
        flags.add("HIGH")
    if request.realtime or _harder(have, rules.harder):
        flags.add("HARDER")
    return frozenset(flags)


def _harder(flags: frozenset[str], rule: str) -> bool:
    if rule == "no-wait":
        return not may_reclaim(flags)
    if "__GFP_NOMEMALLOC" in flags:
        return False
    if rule == "atomic-flag":
        return "__GFP_ATOMIC" in flags
    return not may_reclaim(flags) and not (rule == "no-wait-no-thp" and "__GFP_NO_KSWAPD" in flags)


def reduced(mark: int, flags: frozenset[str], rules: RuleSet) -> tuple[int, str]:
    """The mark after the discounts of the alloc flags, and the words for it."""
    value, words = mark, [f"{mark}"]

    def cut(part: int, why: str) -> None:
        nonlocal value
        value -= value // part
        words.append(f"- 1/{part} ({why})")

    if "HIGH" in flags:
        cut(2, "ALLOC_HIGH")
    if "MIN_RESERVE" in flags:
        cut(2, "ALLOC_MIN_RESERVE")
        if "NON_BLOCK" in flags:
            cut(4, "ALLOC_NON_BLOCK")
    if "OOM" in flags:
        cut(2, "ALLOC_OOM")
    elif "HARDER" in flags:
        cut(4, "ALLOC_HARDER")
    return value, " ".join(words)


def reserve_column(zone: Zone, request: Request, zones: Sequence[Zone], rules: RuleSet) -> int:
    """Index into ``lowmem_reserve[]``: the preferred zone's to 5.7, the mask's highest zone since."""
    layout = zone_layout(zones)
    wanted = _index(request.zone, layout)
    if rules.classzone == "highest":
        return wanted
    usable = [_index(z.name, layout) for z in zones if _index(z.name, layout) <= wanted and (z.managed != 0)]
    return max(usable, default=wanted)


def reserve_of(zone: Zone, request: Request, zones: Sequence[Zone], rules: RuleSet) -> int | None:
    """Pages of the zone that are kept from the request; None where a line that would tell is not in the log.

    Of the highest zone that the request may use nothing is kept.
    """
    column = reserve_column(zone, request, zones or (zone,), rules)
    if zone.reserve:
        return zone.reserve[column] if column < len(zone.reserve) else 0
    return None if _index(zone.name, zone_layout(zones or (zone,))) < column else 0


def _index(name: str, layout: Sequence[str]) -> int:
    if name in layout:
        return layout.index(name)
    rank = {zone: number for number, zone in enumerate(ZONE_NAMES)}
    return max((layout.index(z) for z in layout if rank[z] <= rank.get(name, 2)), default=0)


def candidate_zones(request: Request, zones: Sequence[Zone], *, zone_order: bool = False) -> tuple[Zone, ...]:
    """Zones the request may use, in the order the kernel tries them (build_zonelists()).

    Args:
        request: names the highest zone, the preferred node and the allowed ones.
        zones: all zones of the report.
        zone_order: True for "zone" order (all Normal zones first), False for "node" order. Distances between nodes
            are not printed: other nodes follow by number, the preferred one first where it is known.
    """
    layout = zone_layout(zones)
    wanted = _index(request.zone, layout)
    usable = [z for z in zones if z.name in layout and _index(z.name, layout) <= wanted and z.managed != 0
              and (request.nodes is None or z.node in request.nodes)]  # fmt: skip

    def rank(zone: Zone) -> tuple[int, int, int]:
        node = -1 if zone.node == request.node else zone.node
        depth = -_index(zone.name, layout)
        return (depth, node, 0) if zone_order else (node, depth, 0)

    return tuple(sorted(usable, key=rank))


def zone_order_auto(zones: Sequence[Zone]) -> bool:
    """Whether numa_zonelist_order=auto meant "zone" order (default_zonelist_order() to 3.17 and RHEL 6/7).

    Zone order when DMA and DMA32 exist, are at most half of all memory, and on no node larger than the average / 2 more
    than 70 % of it. 3.10.4, 3.10.0-514.el7.
    """

    def size(zone: Zone) -> int:
        return zone.managed if zone.managed is not None else zone.present or 0

    total = sum(size(zone) for zone in zones)
    low = sum(size(zone) for zone in zones if zone.name in ("DMA", "DMA32"))
    nodes = {zone.node for zone in zones}
    if not low or low > total // 2 or not total:
        return False
    average = total // (len(nodes) + 1)
    for node in nodes:
        here = sum(size(z) for z in zones if z.node == node)
        low_here = sum(size(z) for z in zones if z.node == node and z.name in ("DMA", "DMA32"))
        if low_here and here > average and low_here > here * 70 // 100:
            return False
    return True


def highatomic_bounds(zone: Zone, rules: RuleSet, page_kb: int = 4) -> tuple[int, int, Said | None]:
    """Fewest and most highatomic pages that the rule subtracts, and what was assumed where they are not printed.

    The reserve grows by pageblocks up to 1 % of the zone and one block more (4.4.11 reserve_highatomic_pageblock()).
    """
    if rules.highatomic == "none":
        return 0, 0, None
    if rules.highatomic == "free" and zone.free_highatomic is not None:
        return zone.free_highatomic, zone.free_highatomic, None
    listed = 0
    if zone.blocks is not None:
        listed = sum(1 << order for order, letters in enumerate(zone.blocks.types) if "H" in letters)
    if zone.blocks_by_type is not None and "HighAtomic" in zone.blocks_by_type:
        listed = sum(count << order for order, count in enumerate(zone.blocks_by_type["HighAtomic"]))
        if rules.highatomic == "free":
            return listed, listed, None
    if zone.reserved_highatomic is not None:
        if rules.highatomic == "reserved":
            return zone.reserved_highatomic, zone.reserved_highatomic, None
        assumed = said("assumed.free_highatomic_at_most") if zone.reserved_highatomic else None
        return listed, max(listed, zone.reserved_highatomic), assumed
    most = (zone.managed or zone.present or 0) // 100 + (1 << PAGEBLOCK_ORDER)
    if rules.highatomic == "free":
        return listed, max(most, listed), said("assumed.free_highatomic")
    if listed:
        block = 1 << PAGEBLOCK_ORDER
        return block, max(most, block), said("assumed.one_pageblock", pages=block, size_kb=size(block, page_kb))
    return 0, most, said("assumed.reserved_highatomic")


def replay(
    zone: Zone,
    request: Request,
    rules: RuleSet,
    *,
    zones: Sequence[Zone] = (),
    mark: str = "min",
    free: int | None = None,
    highatomic: int | None = None,
    flags: frozenset[str] | None = None,
    page_kb: int = 4,
) -> Replay:
    """Run the watermark test of a rule set.

    Args:
        zone: the zone, as printed.
        request: what was asked for.
        rules: whose kernel's test.
        zones: the zones of the report, or one of each kind (they tell the reserve's column).
        mark: ``min`` (slow path), ``low`` (fast path) or ``high``.
        free: free pages to start from instead of the printed count.
        highatomic: highatomic pages to subtract; default the fewest that the print allows.
        flags: ALLOC_* flags, default those of the slow path; the fast path has CMA at most.
        page_kb: kB a page, for the formulas.
    """
    given = alloc_flags(request, rules) if flags is None else flags
    zone = unboosted(zone) if rules.boost == "none" else zone
    start = zone.free if free is None else free
    if "NO_WATERMARKS" in given:
        return _blocks(zone, request, rules, given, Replay(rules.rule, True, start, "none"))
    value, words = reduced(getattr(zone, mark), given, rules)
    kept = reserve_of(zone, request, zones, rules)
    reserve = kept or 0
    low, high, assumed = highatomic_bounds(zone, rules, page_kb)
    atomic = 0 if _spares_highatomic(given) else (low if highatomic is None else highatomic)
    assumptions = (assumed,) if assumed and not _spares_highatomic(given) and (high > low or low) else ()
    if kept is None:
        assumptions = (*assumptions, said("assumed.no_reserve"))
    charge = (1 << request.order) + rules.surcharge
    cma = 0 if "CMA" in given or not rules.cma else zone.free_cma or 0
    raw = zone.counters.get("nr_unaccepted", 0) if rules.unaccepted else 0  # zoneinfo has it, show_mem() does not
    counted = start - charge - (atomic if rules.rule == "free-block" else 0) - raw
    left, needs = counted - cma, value + reserve
    parts = f"{start} - {charge}" + (f" - {atomic} highatomic" if atomic else "") + (f" - {cma} CMA" if cma else "")
    parts += f" - {raw} unaccepted" if raw else ""
    base = _step("base", left, needs, f"{parts} = {left}", f"{mark} {words} + reserve {reserve} = {needs}", page_kb)
    steps: tuple[Step, ...] = (base,)
    if not base.holds and mark == "min" and _retested(request, rules, given) and (boost := boost_of(zone)):
        value, words = reduced(zone.min - boost, given, rules)
        want = f"{mark} {words} (no boost of {boost}) + reserve {reserve} = {value + reserve}"
        needs = value + reserve
        base = _step("boost", left, needs, f"{parts} = {left}", want, page_kb)
        steps = (*steps, base)
    result = Replay(rules.rule, base.holds, start, mark, steps=steps, assumptions=assumptions)
    if not base.holds:
        return replace(result, fails_at="base", left=left, needs=needs)
    if request.order == 0:
        return _single(zone, request, rules, given, result)
    if rules.rule == "free-block":
        return _blocks(zone, request, rules, given, result)
    if rules.rule == "order-walk-el6":
        value, _ = reduced(getattr(zone, mark) - zone.min, given, rules)
    return _walk(zone, request, rules, given, result, counted, value, page_kb)


def _retested(request: Request, rules: RuleSet, flags: frozenset[str]) -> bool:
    """Whether zone_watermark_fast() asks an order-0 request that may use reserves again, without the boost (5.9+)."""
    if request.order or rules.boost != "retest":
        return False
    return "MIN_RESERVE" in flags if rules.harder == "reserves" else "__GFP_ATOMIC" in request.flags


def _walk(
    zone: Zone,
    request: Request,
    rules: RuleSet,
    flags: frozenset[str],
    result: Replay,
    left: int,
    needs: int,
    page_kb: int,
) -> Replay:
    """The loop of kernels to 4.3: pages below the requested order do not count, and each order has its own mark."""
    counts = zone.blocks.counts if zone.blocks else ()
    steps = list(result.steps)
    halved = PAGEBLOCK_ORDER // 4 if rules.rule == "order-walk-el6" else 1 << 30
    for order in range(request.order):
        before, count = left, counts[order] if order < len(counts) else 0
        left -= count << order
        needs_before = needs
        if order < halved:
            needs >>= 1
        formula = f"{before} - {count} * {1 << order} = {left}"
        goal = f"{needs_before} / 2 = {needs}" if order < halved else f"{needs}"
        step = _step(f"order {order}", left, needs, formula, goal, page_kb)
        steps.append(step)
        if not step.holds:
            return replace(result, admits=False, fails_at=order, left=left, needs=needs, steps=tuple(steps))
    if zone.blocks is not None and first_block(zone, request, rules, flags)[0] is None:  # what rmqueue() would find
        steps.append(Step("block", 0, 0, False, said("sum.no_block", least_order=request.order)))
        return replace(result, admits=False, fails_at="no block", steps=tuple(steps))
    return replace(result, admits=True, left=left, needs=needs, steps=tuple(steps))


def _blocks(zone: Zone, request: Request, rules: RuleSet, flags: frozenset[str], result: Replay) -> Replay:
    """Is there a block of a usable type, of the requested order or larger (4.4+)?"""
    order, assumption = first_block(zone, request, rules, flags)
    notes = (*result.assumptions, assumption) if assumption else result.assumptions
    if order is None:
        steps = (*result.steps, Step("block", 0, 0, False, said("sum.no_block", least_order=request.order)))
        return replace(result, admits=False, fails_at="no block", steps=steps, assumptions=notes)
    first = said("sum.first_block", least_order=request.order, order=order)
    steps = (*result.steps, Step("block", 1, 0, True, first))
    return replace(result, admits=True, block_order=order, steps=steps, assumptions=notes)


def _single(zone: Zone, request: Request, rules: RuleSet, flags: frozenset[str], result: Replay) -> Replay:
    """A single page needs no block, but its lists hold some only where one is of a type that the request may take.

    The watermark does not ask for types at order 0; rmqueue() then finds nothing in a zone whose free blocks are all of
    the high-order atomic reserve (4.8 buffered_rmqueue(), 6.1 and 6.12 rmqueue_buddy()).
    """
    if not zone.free or zone.blocks is None or not any(zone.blocks.counts):
        return result
    if not zone.blocks.whole or zone.blocks.pages < zone.free - _UNLISTED:
        return result  # a block that is not in the log may be of the type
    if first_block(zone, request, rules, flags)[0] is not None:
        return result
    steps = (*result.steps, Step("block", 0, 0, False, said("sum.no_block", least_order=0)))
    return replace(result, admits=False, fails_at="no block", steps=steps)


def first_block(zone: Zone, request: Request, rules: RuleSet, flags: frozenset[str]) -> tuple[int | None, Said | None]:
    """Order of the first block that the request may take, and what had to be assumed about its type."""
    if zone.blocks_by_type is not None:
        return _first_typed(zone, request.order, rules, flags), None
    if zone.blocks is None:
        return None, said("assumed.no_free_list")
    wanted = _letters(rules, flags, request.order)
    for order in range(request.order, len(zone.blocks.counts)):
        if not zone.blocks.counts[order]:
            continue
        letters = zone.blocks.types[order] if order < len(zone.blocks.types) else ""
        if not letters:
            return order, said("assumed.any_block")
        if wanted.intersection(letters) or (request.order and rules.harder_any_block and "HARDER" in flags):
            return order, None
    return None, None


def _letters(rules: RuleSet, flags: frozenset[str], order: int) -> frozenset[str]:
    letters = set("UME")
    if "CMA" in flags:
        letters.add("C")
    if rules.rule != "free-block":
        return frozenset(letters | {"R"})
    single = {"OOM", "NON_BLOCK"} if rules.highatomic_single else set[str]()
    if not ({"HARDER", "HIGHATOMIC", "OOM", "NO_WATERMARKS"} if order else single).isdisjoint(flags):
        letters.add("H")
    return frozenset(letters)


def _first_typed(zone: Zone, order: int, rules: RuleSet, flags: frozenset[str]) -> int | None:
    names = {"U": "Unmovable", "M": "Movable", "E": "Reclaimable", "H": "HighAtomic", "C": "CMA", "R": "Reserve"}
    by_type = zone.blocks_by_type or {}
    usable = [by_type.get(names[letter], ()) for letter in _letters(rules, flags, order)]
    if order and rules.harder_any_block and "HARDER" in flags:
        usable = list(by_type.values())
    for found in range(order, max((len(counts) for counts in usable), default=0)):
        if any(found < len(counts) and counts[found] for counts in usable):
            return found
    return None


def _spares_highatomic(flags: frozenset[str]) -> bool:
    return not {"HARDER", "MIN_RESERVE", "NON_BLOCK", "HIGHATOMIC", "OOM"}.isdisjoint(flags)


def _step(name: str, left: int, needs: int, have: str, want: str, page_kb: int) -> Step:
    """One comparison; ``have`` and ``want`` are sums in pages."""
    left_kb, needs_kb = size(left, page_kb), size(needs, page_kb)
    if left > needs:
        holds = said("sum.holds", have=have, left_kb=left_kb, want=want, needs_kb=needs_kb)
        return Step(name, left, needs, True, holds)
    return Step(name, left, needs, False, said("sum.fails", have=have, left_kb=left_kb, want=want, needs_kb=needs_kb))
