"""Watermark boosts (1c30844d2dfe, "mm: reclaim small amounts of memory when an external fragmentation event occurs", in
v5.0): what of a zone's printed marks is boost. From v5.16 on it is printed; before, the marks themselves show it.
"""

from collections.abc import Iterable
from dataclasses import replace

from kb.model.memory import Zone
from kb.words.speak import said

INFERRED = said("assumed.boost")

_PAGEBLOCK = 512
"""boost_watermark() adds whole pageblocks (2 MB), until the boost reaches its cap of 1.5 times the high mark."""


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


def boost_of(zone: Zone) -> int:
    """Pages of boost in the marks of a zone: as printed, else the whole pageblocks that they show.

    Where min / 4 decides the distance of the marks the boost lies within 3 pages of what they show, and a multiple of a
    pageblock among these is it. Where the scale factor decides, more may be hidden: this is the least then.
    """
    least = least_boost(zone)
    if zone.boost is not None or not least:
        return least
    whole = -(-least // _PAGEBLOCK) * _PAGEBLOCK
    return whole if whole <= least + 3 else least


def unboosted(zone: Zone) -> Zone:
    """The zone with the marks that its settings give it."""
    boost = boost_of(zone)
    if not boost:
        return zone
    printed = None if zone.boost is None else 0
    return replace(zone, min=zone.min - boost, low=zone.low - boost, high=zone.high - boost, boost=printed)


def boosted(zones: Iterable[Zone]) -> dict[str, int]:
    """Label of each zone that is certainly boosted to its least boost, in pages."""
    return {zone.label: pages for zone in zones if (pages := least_boost(zone))}
