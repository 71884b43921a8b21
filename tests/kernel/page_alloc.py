"""A small model of mm/page_alloc.c, written from the sources of each era and from nothing of the program's.

Trees: 3.10.4, 4.3.0, 4.4.11, 4.15.18, 5.4.0, 5.10, 6.1, 6.3.8, 6.12 (names of variables are the kernel's). Only what a
report prints takes part: ``__zone_watermark_ok()``, ``zone_watermark_fast()``, ``gfp_to_alloc_flags()``.
"""

from dataclasses import dataclass, field

ORDERS = 11
BACKPORTED = {(5, 15, 171), (6, 1, 157), (6, 6, 60), (6, 6, 112), (6, 11, 7)}
"""Stable releases with 281dd25c1a01, and with the reserves of 6.3 where they are older."""
NEEDS_HIGH = {(6, 1, 157), (6, 6, 112)}
"""Those that open the atomic reserve to __GFP_HIGH alone."""


@dataclass
class ModelZone:
    """struct zone, as far as the tests of a watermark look at it; pages."""

    nr_free: int
    watermark_min: int
    """_watermark[WMARK_MIN], without the boost."""
    watermark_boost: int = 0
    lowmem_reserve: int = 0
    """Against the request's zone."""
    free_area: list[dict[str, int]] = field(default_factory=list)
    """Blocks by order and by the letter of their migrate type."""
    nr_free_cma: int = 0
    nr_reserved_highatomic: int = 0
    nr_free_highatomic: int = 0


def slowpath_gets_page(era: tuple[int, ...], z: ModelZone, order: int, gfp: frozenset[str], *, movable: bool) -> bool:
    """Whether the first try of the slow path finds a page in the zone."""
    can_wait = bool(gfp & {"__GFP_WAIT", "__GFP_DIRECT_RECLAIM"})
    mark = z.watermark_min + (z.watermark_boost if era >= (5, 0) else 0)
    if era < (4, 4):
        if not old_watermark_ok(era, z, order, mark, gfp, can_wait, movable):
            return False
        return finds(z, order, {"U", "M", "E", "R"} | ({"C"} if movable else set()))
    if era < (6, 3) and era not in BACKPORTED:
        high, harder = "__GFP_HIGH" in gfp, "__GFP_ATOMIC" in gfp and "__GFP_NOMEMALLOC" not in gfp
        args = (era, z, order, gfp, movable)
        if watermark_ok_44(*args, mark, high=high, harder=harder):
            return True
        retest = era >= (5, 9) and not order and "__GFP_ATOMIC" in gfp and z.watermark_boost
        return bool(retest) and watermark_ok_44(*args, z.watermark_min, high=high, harder=harder)
    min_reserve = "__GFP_HIGH" in gfp
    non_block = not can_wait and "__GFP_NOMEMALLOC" not in gfp
    alone = era >= (6, 18) or era in NEEDS_HIGH
    highatomic = non_block and order > 0 and (min_reserve or not alone)
    flags = {"min_reserve": min_reserve, "non_block": non_block, "highatomic": highatomic}
    if watermark_ok_63(era, z, order, movable, mark, **flags):
        return True
    if not order and min_reserve and z.watermark_boost:
        return watermark_ok_63(era, z, order, movable, z.watermark_min, **flags)
    return False


def old_watermark_ok(era, z, order, mark, gfp, can_wait, movable) -> bool:
    """To 4.3: pages of lower orders do not count, and min is halved with each order."""
    if "__GFP_HIGH" in gfp:
        mark -= mark // 2
    atomic = not can_wait and (era < (3, 16) or "__GFP_NO_KSWAPD" not in gfp)
    if atomic and "__GFP_NOMEMALLOC" not in gfp:
        mark -= mark // 4
    free_pages = z.nr_free - (1 << order) + 1
    free_cma = 0 if movable else z.nr_free_cma
    if free_pages - free_cma <= mark + z.lowmem_reserve:
        return False
    for o in range(order):
        free_pages -= sum(z.free_area[o].values()) << o
        mark >>= 1
        if free_pages <= mark:
            return False
    return True


def watermark_ok_44(era, z, order, gfp, movable, mark, *, high, harder) -> bool:
    """4.4 to 6.2: the mark for order 0, then any block of a usable type."""
    if high:
        mark -= mark // 2
    if harder:
        mark -= mark // 4
    unusable = (1 << order) - 1
    if not harder:
        unusable += z.nr_reserved_highatomic
    if not movable:
        unusable += z.nr_free_cma
    if z.nr_free - unusable <= mark + z.lowmem_reserve:
        return False
    if not order:  # rmqueue_pcplist(), refilled by __rmqueue(): no list of it is MIGRATE_HIGHATOMIC
        return finds(z, order, {"U", "M", "E"} | ({"C"} if movable else set()))
    if era < (4, 15) and harder:
        return any(sum(z.free_area[o].values()) for o in range(order, ORDERS))
    usable = {"U", "M", "E"} | ({"C"} if movable else set()) | ({"H"} if harder else set())
    return rmqueue_finds(z, order, usable)


def watermark_ok_63(era, z, order, movable, mark, *, min_reserve, non_block, highatomic) -> bool:
    """6.3 and later: reserves by ALLOC_MIN_RESERVE, ALLOC_NON_BLOCK and ALLOC_HIGHATOMIC."""
    if min_reserve:
        mark -= mark // 2
        if non_block:
            mark -= mark // 4
    unusable = (1 << order) - 1
    if not (min_reserve or non_block or highatomic):  # ALLOC_RESERVES
        unusable += z.nr_free_highatomic if era >= (6, 12) else z.nr_reserved_highatomic
    if not movable:
        unusable += z.nr_free_cma
    if z.nr_free - unusable <= mark + z.lowmem_reserve:
        return False
    fixed = era >= (6, 12) or era in BACKPORTED  # 281dd25c1a01, rmqueue_buddy(): the second try
    reserve = highatomic or (not order and non_block and fixed)
    usable = {"U", "M", "E"} | ({"C"} if movable else set()) | ({"H"} if reserve else set())
    return finds(z, order, usable)


def finds(z: ModelZone, order: int, usable: set[str]) -> bool:
    """The same for any order: what lies on a per-CPU list alone is found, too."""
    empty = not any(any(lists.values()) for lists in z.free_area)
    return (empty and not order) or rmqueue_finds(z, order, usable)


def rmqueue_finds(z: ModelZone, order: int, usable: set[str]) -> bool:
    """Whether a block of the order or larger is on a list that the request may take from, or steal from."""
    return any(count for o in range(order, ORDERS) for letter, count in z.free_area[o].items() if letter in usable)
