"""Zones whose printed watermarks hold a boost (1c30844d2dfe, "mm: reclaim small amounts of memory when an external
fragmentation event occurs", in v5.0). From v5.16 on the boost is printed; before, the marks themselves show it.
"""

from kb.model.memory import MemInfo, Zone
from kb.words.speak import said

INFERRED = said("assumed.boost")


def least_boost(zone: Zone) -> int:
    """Pages of boost that the printed marks of a zone certainly hold.

    ``__setup_per_zone_wmarks()`` of v5.0 to v5.15 sets low = min + max(min / 4, managed * factor / 10000), so that min
    is at most 4 * (low - min) + 3 without a boost; a boost is added to all three marks alike when they are printed.
    HighMem and Movable zones have marks of other rules, and a zone whose boost is printed tells it itself.
    """
    if zone.boost is not None:
        return zone.boost
    if zone.name in ("HighMem", "Movable") or zone.low <= zone.min:
        return 0
    return max(0, zone.min - 4 * (zone.low - zone.min) - 3)


def boosted(memory: MemInfo) -> dict[str, int]:
    """Label of each zone that is certainly boosted to its least boost, in pages."""
    return {zone.label: pages for zone in memory.zones if (pages := least_boost(zone))}
