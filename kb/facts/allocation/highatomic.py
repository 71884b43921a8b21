"""Whether the high-order atomic reserve is larger than it may become.

mm/page_alloc.c ``reserve_highatomic_pageblock()`` (6.1): no pageblock more once the reserve has 1 % of the zone and a
pageblock; the last one may reach beyond that. Its count went wrong to 4.9: a block that was unreserved twice was
subtracted twice, and the reserve grew without an end (4855e4a7f29d, "mm: prevent double decrease of
nr_reserved_highatomic", in v4.10).
"""

from kb.facts.allocation.study import Study
from kb.kernel.era import span
from kb.kernel.watermark import highatomic_limit
from kb.model.memory import Zone
from kb.model.verdict import Reason
from kb.words.speak import said

_MISCOUNTED = span("4.4", "4.10")


def over_limit(study: Study) -> Reason | None:
    """A reserve above its limit; None where it is within, the pages are not of 4 kB, or the kernel is unknown."""
    if study.page_kb != 4 or not study.releases:
        return None
    over = [(view.zone, pages) for view in study.views if (pages := held(view.zone)) > limit(view.zone)]
    if not over:
        return None
    zone, pages = max(over, key=lambda row: row[1] - limit(row[0]))
    why = [said("highatomic.holds", zone=zone.label, pages=pages, limit_pages=limit(zone), managed_pages=zone.managed)]
    if all(_MISCOUNTED.has(release) for release in study.releases):
        why.append(said("highatomic.miscounted"))
    return Reason(said("highatomic.over_limit"), "holds", tuple(why), zone.spans)


def held(zone: Zone) -> int:
    """Pages that are in the reserve at least: as printed, else free blocks of lists that hold no other type."""
    if zone.reserved_highatomic is not None:
        return zone.reserved_highatomic
    if zone.blocks is None:
        return 0
    rows = enumerate(zip(zone.blocks.counts, zone.blocks.types, strict=False))
    return sum(count << order for order, (count, letters) in rows if letters == "H")


def limit(zone: Zone) -> int:
    """Pages that the reserve may have at most; what is free is never more where the size is not printed."""
    if not zone.managed:
        return zone.free
    return highatomic_limit(zone.managed)
