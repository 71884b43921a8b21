"""Would such an allocation be admitted now? The first attempt of the page allocator on a live or captured state.

The fast path runs at the low mark, the slow path at the min mark with the request's discounts, before any reclaim or
compaction. Where both refuse a request that may block, reclaim or compaction may still find a page: the answer is of
the first attempt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kb.facts.allocation.cause import MAX_ORDER
from kb.facts.allocation.request import replay_flags
from kb.facts.allocation.zones import highest_min, replay_json, view_zones, zone_detail
from kb.kernel.allocflags import alloc_flags, may_reclaim, migratetype
from kb.kernel.era import span
from kb.kernel.gfp import Decoded, decode
from kb.kernel.release import Release
from kb.kernel.rules import CURRENT, RuleSet, rules_for
from kb.kernel.watermark import PAGEBLOCK_ORDER, replay
from kb.kernel.zonelist import candidate_zones, gfp_zone, zone_layout
from kb.model.allocation import Request
from kb.model.memory import MemInfo, Zone
from kb.model.said import Said, joined
from kb.words.speak import said

_NOFRAGMENT = span("5.0")


def whatif(
    order: int,
    gfp: str,
    zones: Sequence[Zone],
    release: Release | None = None,
    *,
    node: int | None = None,
    interrupt: bool = False,
    rt: bool = False,
    page_kb: int = 4,
) -> dict[str, Any]:
    """Replay one request on a state.

    Args:
        order: 2^order contiguous pages.
        gfp: names (``GFP_NOFS|__GFP_COMP``, also joined by ``+`` or ``,``) or a hex mask.
        zones: all zones of the machine (`kb.evidence.procfs.read_zones`), pages.
        release: the kernel; None for the current rules.
        node: preferred node; with __GFP_THISNODE the only one.
        interrupt: the request comes from interrupt context (a realtime policy does not count there).
        rt: the task has a realtime policy.
        page_kb: kB a page.

    Returns:
        ``kb.whatif/1``: ``admitted`` (None when the state leaves it open), ``path`` (``fast``, ``slow`` or None), the
        rule, and the zones in the order they are tried, each with its replays and its distance from flipping.
    """
    decoded = _decode(gfp, release)
    rules = (rules_for((release,)) if release else ()) or (CURRENT,)
    request = _request(order, decoded, zones, node, rt and not interrupt)
    row: dict[str, Any] = {
        "schema": "kb.whatif/1", "order": order, "gfp_mask": f"{decoded.mask:#x}" if decoded else None,
        "gfp_flags": list(decoded.certain) if decoded else [], "gfp_name": decoded.name if decoded else None,
        "gfp_era": decoded.era if decoded else None, "zone": request.zone, "migratetype": request.migratetype,
        "kernel": release.text if release else None, "rule": " or ".join(rule.name for rule in rules),
        "may_reclaim": may_reclaim(request.flags),
    }  # fmt: skip
    if decoded is None:
        unknown = said("whatif.no_flag_known", gfp=gfp)
        return row | {"admitted": None, "path": None, "zones": [], **_told((unknown,))}
    if order >= MAX_ORDER and all(len(zone.blocks.counts) <= order for zone in zones if zone.blocks):
        above = said("whatif.above_largest_block", order=order)
        return row | {"admitted": False, "path": None, "zones": [], **_told((above,))}
    own = _unmixed(request, zones) if release is None or _NOFRAGMENT.has(release) else ()
    outcomes = [_attempt(request, zones, rule, own) for rule in rules]
    admitted = {outcome[0] for outcome in outcomes}
    path, where = outcomes[-1][1], outcomes[-1][2]
    verdict = admitted.pop() if len(admitted) == 1 else None
    return row | {
        "admitted": verdict,
        "path": path if verdict else None,
        "admitted_by": where if verdict else None,
        "zones": _details(request, zones, rules, page_kb),
        **_told(
            (*_why(verdict, path, where, row["may_reclaim"], rules), *_beside(verdict, request, zones, rules[-1], own))
        ),
    }


def _details(request: Request, zones: Sequence[Zone], rules: Sequence[RuleSet], page_kb: int) -> list[dict[str, Any]]:
    """The zones in the order they are tried: replays, attempts on both paths, and how far each is from flipping."""
    memory = MemInfo(tuple(zones), page_kb)
    views = {id(view.zone): view for view in view_zones(request, memory, tuple(rules))}
    details = []
    for index, zone in enumerate(candidate_zones(request, zones)):
        view = views.get(id(zone))
        detail = zone_detail(zone, view, request, memory, index)
        detail["attempts"] = _attempts(zone, request, memory, rules[-1])
        detail["admits_while_min_at_most"] = highest_min(view, request, memory, zone.free) if view else None
        details.append(detail)
    return details


def _decode(gfp: str, release: Release | None) -> Decoded | None:
    text = gfp.strip()
    known = release or Release.parse("7.3")
    if text[:1].isdigit():
        try:
            return decode(int(text, 0), release=known)
        except ValueError:
            return None
    return decode(None, names=text, release=known)


def _request(order: int, gfp: Decoded | None, zones: Sequence[Zone], node: int | None, realtime: bool) -> Request:
    flags = replay_flags(gfp)
    only = frozenset({node}) if node is not None and "__GFP_THISNODE" in flags else None
    zone = gfp_zone(flags, zone_layout(zones))
    return Request(order, flags, zone, migratetype(flags), realtime, node=node, nodes=only)


def _attempt(
    request: Request, zones: Sequence[Zone], rules: RuleSet, own: tuple[Zone, ...]
) -> tuple[bool | None, str | None, str | None]:
    """Admitted, by which path and in which zone."""
    for path, mark, flags in _paths(request, rules):
        tried = candidate_zones(request, zones)
        if path == "fast":
            tried = (*own, *tried)
        for zone in tried:
            if replay(zone, request, rules, zones=zones, mark=mark, flags=flags).admits:
                return True, path, zone.label
    return False, None, None


def _unmixed(request: Request, zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """Zones asked before any of them gives a block of another type: those of the node that have one of its own.

    mm/page_alloc.c ``alloc_flags_nofragment()`` (6bb154504f8b, "mm, page_alloc: spread allocations across zones before
    introducing fragmentation", in v5.0): where Normal is preferred and DMA32 lies below it. Types by pagetypeinfo only.
    """
    tried = candidate_zones(request, zones)
    if not tried or tried[0].name != "Normal":
        return ()
    near = [zone for zone in tried if zone.node == tried[0].node]
    if all(zone.name != "DMA32" for zone in near) or any(zone.blocks_by_type is None for zone in near):
        return ()
    return tuple(zone for zone in near if _has_own(zone, request))


def _has_own(zone: Zone, request: Request) -> bool:
    """Whether a zone has a free block of the request's type, or one as large as a pageblock, which becomes of it.

    Blocks of CMA, of the high-order atomic reserve and isolated ones become of no other type (``fallbacks[]``).
    """
    types = zone.blocks_by_type or {}
    large = any(any(types.get(name, ())[PAGEBLOCK_ORDER:]) for name in ("Unmovable", "Movable", "Reclaimable"))
    return large or any(types.get(request.migratetype.capitalize(), ())[request.order :])


def _paths(request: Request, rules: RuleSet) -> list[tuple[str, str, frozenset[str]]]:
    """The fast path at the low mark (CMA at most), then the slow path at min with its discounts."""
    slow = alloc_flags(request, rules)
    return [("fast", "low", slow & {"CMA"}), ("slow", "min", slow)]


def _attempts(zone: Zone, request: Request, memory: MemInfo, rules: RuleSet) -> list[dict[str, Any]]:
    rows = []
    for path, mark, flags in _paths(request, rules):
        run = replay(zone, request, rules, zones=memory.zones, mark=mark, flags=flags, page_kb=memory.page_kb)
        rows.append({"path": path, **replay_json(replace(run), rules.name, True)})
    return rows


def _why(
    verdict: bool | None, path: str | None, where: str | None, reclaim: bool, rules: Sequence[RuleSet]
) -> Iterator[Said]:
    if verdict is None:
        yield said("whatif.rules_disagree", rules=[rule.name for rule in rules])
    elif verdict:
        yield said("whatif.admits", zone=where, path=path, mark="low" if path == "fast" else "min")
    else:
        yield said("whatif.none_admits")
        yield said("whatif.room_to_be_made") if reclaim else said("whatif.fails")


def _beside(
    verdict: bool | None, request: Request, zones: Sequence[Zone], rules: RuleSet, own: tuple[Zone, ...]
) -> Iterator[Said]:
    """What the watermarks do not count, and why a zone was passed over."""
    tried = candidate_zones(request, zones)
    for zone in tried if verdict is False else ():
        run = replay(zone, request, rules, zones=zones)
        pages = zone.counters.get("pcp", 0)
        if run.fails_at == "base" and run.left is not None and run.needs is not None and run.left + pages > run.needs:
            if may_reclaim(request.flags):
                yield said("whatif.pcp_drained", zone=zone.label, pcp_pages=pages)
            else:
                yield said("whatif.pcp_not_counted", zone=zone.label, pcp_pages=pages)
    if verdict and own and own[0] is not tried[0]:
        yield said("whatif.other_types", zone=tried[0].label, type=request.migratetype)


def _told(why: tuple[Said, ...]) -> dict[str, Any]:
    return {"because": joined(why), "because_named": [part.to_json() for part in why]}
