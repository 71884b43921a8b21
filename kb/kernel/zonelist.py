"""Which zones a request may use, in which order, and what a zone keeps from it.

Sources: include/linux/gfp.h ``gfp_zone()``, mm/page_alloc.c ``build_zonelists()``, ``default_zonelist_order()``,
``setup_per_zone_lowmem_reserve()``. All sizes in pages.
"""

from collections.abc import Iterable, Sequence

from kb.kernel.rules import RuleSet
from kb.model.allocation import Request
from kb.model.memory import ZONE_NAMES, Zone

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
