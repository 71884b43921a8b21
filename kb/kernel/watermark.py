"""The page allocator's watermark test, replayed as the kernel would have run it, every step kept.

Sources: mm/page_alloc.c ``__zone_watermark_ok()``, ``rmqueue()`` in the trees that ``rules.py`` names row by row. All
sizes in pages.
"""

from collections.abc import Sequence
from dataclasses import replace

from kb.kernel.allocflags import alloc_flags, reduced
from kb.kernel.boost import boost_of, unboosted
from kb.kernel.rules import RuleSet
from kb.kernel.zonelist import reserve_of
from kb.model.allocation import Replay, Request, Step
from kb.model.memory import Zone, size
from kb.model.said import Said
from kb.words.speak import said

PAGEBLOCK_ORDER = 9
"""2 MB pageblocks of 4 kB pages (x86_64, arm64); other page sizes have others."""
_LARGEST_PAGEBLOCK = 1 << 10
"""Pages of 4 MB: a pageblock is as large as the largest free block where no huge pages are built in
(include/linux/pageblock-flags.h ``pageblock_order``: 6.1 without HUGETLB_PAGE, 6.12 also without transparent ones)."""
_ENTRY_BYTES = 8
"""A page table entry: a huge page is what one page of them maps."""

_UNLISTED = 64
"""Pages by which a whole free list may be behind the count that was read before it."""


def highatomic_limit(managed: int, page_kb: int = 4) -> int:
    """Pages that no zone's high-order atomic reserve is above, whatever its pageblocks' size: up to 4 MB of 4 kB pages.

    mm/page_alloc.c ``reserve_highatomic_pageblock()`` (6.1): below 1 % of the zone and a block a whole one is added,
    so that the last may reach beyond. 6.12 stops at 1 % rounded up, and may take a largest free block as a whole.

    Args:
        managed: Managed pages of the zone.
        page_kb: kB a page: of larger ones a pageblock is as large as a huge page, 32 MB of 16 kB and 512 MB of 64 kB.
    """
    block = max(_LARGEST_PAGEBLOCK, (page_kb << 10) // _ENTRY_BYTES)
    return -(-(managed // 100 + block) // block) * block


def highatomic_bounds(zone: Zone, rules: RuleSet, page_kb: int = 4) -> tuple[int, int, Said | None]:
    """Fewest and most highatomic pages that the rule subtracts, and what was assumed where they are not printed.

    The most is what the reserve can have grown to (:func:`highatomic_limit`).
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
    most = highatomic_limit(zone.managed or zone.present or 0, page_kb)
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
    single = {"OOM", "NON_BLOCK"} if rules.highatomic_single else {"OOM"} if rules.harder == "reserves" else set[str]()
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
