"""What a GFP mask means to the allocator: whether it may wait, its migrate type, its ALLOC_* flags, its mark.

Source: mm/page_alloc.c ``gfp_to_alloc_flags()`` in the trees that ``rules.py`` names row by row.
"""

from collections.abc import Iterable

from kb.kernel.rules import RuleSet
from kb.model.allocation import Request


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
