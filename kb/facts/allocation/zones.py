"""Every zone of a report replayed under the rules of its kernel, from both printed bases, and judged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kb.kernel.allocflags import alloc_flags, reduced
from kb.kernel.boost import boost_of, unboosted
from kb.kernel.compaction import fitting, fragindex, unusable
from kb.kernel.rules import MAINLINE_44, RuleSet, rule_named
from kb.kernel.watermark import highatomic_bounds, replay
from kb.kernel.zonelist import candidate_zones, reserve_of, zone_order_auto
from kb.model.allocation import Replay, Request
from kb.model.memory import MemInfo, Zone
from kb.model.said import Said

ORDER_WALK = rule_named("3.16-4.3, RHEL 7")
"""The rule set whose walk is shown beside the free-block rule where the kernel at hand has the latter."""


@dataclass(frozen=True)
class ZoneView:
    """One candidate zone and what the rules make of it."""

    zone: Zone
    verdict: str
    """``admits``, ``refuses`` or ``undecidable``: over both bases, all candidate rule sets and what is not printed."""
    first: str
    """The same on the printed count alone, which show_mem() reads before the list and so nearest to the failure."""
    why: str
    """Of a refusal on the printed count: ``walk``, ``no block``, ``highatomic only``, ``cma only``, ``boost``,
    ``reserve``, ``cma``, ``highatomic``, ``short``; empty otherwise."""
    printed: Replay
    """The kernel's rule on the printed free count."""
    summed: Replay | None
    """The same on the sum of the free list, where it differs."""
    rules: RuleSet
    spread: tuple[bool, ...]
    """Outcomes over all bases and rule sets tried."""
    reserve: int
    fits: int | None
    """Free blocks of the order or larger; None without a free list."""
    atomic: int = 0
    """Pages of the high-order atomic reserve that do not count for the request."""

    @property
    def skew(self) -> int | None:
        """Pages by which the newer free list differs from the printed count."""
        return self.zone.blocks.pages - self.zone.free if self.zone.blocks and self.zone.blocks.whole else None

    @property
    def margin(self) -> int | None:
        """Pages by which the printed count is above what the zone asks for; None where no watermark is asked."""
        base = self.printed.base
        return base.left - base.needs if base is not None else None


def view_zones(request: Request, memory: MemInfo, rules: Sequence[RuleSet]) -> tuple[ZoneView, ...]:
    """The candidate zones of a request in the order the kernel tries them, each judged."""
    zones = memory.zones
    # "auto" came to mean node order in 3.18; RHEL 6 and 7 compute it to the end
    order = zone_order_auto(zones) and all(rule.rule != "free-block" for rule in rules)
    return tuple(_view(zone, request, memory, rules) for zone in candidate_zones(request, zones, zone_order=order))


def _view(zone: Zone, request: Request, memory: MemInfo, rules: Sequence[RuleSet]) -> ZoneView:
    chosen = rules[-1]
    bases = [zone.free]
    if zone.blocks is not None and zone.blocks.whole and zone.blocks.pages != zone.free:
        bases.append(zone.blocks.pages)
    runs = [_run(zone, request, memory, rule, free, atomic)
            for rule in rules for free in bases
            for atomic in dict.fromkeys(highatomic_bounds(zone, rule, memory.page_kb)[:2])]  # fmt: skip
    printed = _run(zone, request, memory, chosen, zone.free, None)
    summed = _run(zone, request, memory, chosen, bases[1], None) if len(bases) > 1 else None
    outcomes = tuple(run.admits for run in runs)
    verdict, first = _verdict(outcomes), _verdict(tuple(run.admits for run in runs if run.free == zone.free))
    if request.order and _cut(zone, request, printed) and printed.fails_at != "base":
        verdict = first = "undecidable"
    kept = reserve_of(zone, request, memory.kinds, chosen)
    if kept is None and printed.admits:
        verdict = first = "undecidable"
    reserve = kept or 0
    fits = fitting(zone.blocks.counts, request.order) if zone.blocks else None
    why = _why(zone, request, memory, chosen, printed, fits) if first == "refuses" else ""
    base, counted = printed.base, _run(zone, request, memory, chosen, zone.free, 0).base
    atomic = counted.left - base.left if base is not None and counted is not None else 0
    return ZoneView(zone, verdict, first, why, printed, summed, chosen, outcomes, reserve, fits, atomic)


def _cut(zone: Zone, request: Request, run: Replay) -> bool:
    """Whether what is not in the log decides: no list, or one that is cut below the order or before a block."""
    if zone.blocks is None:
        return True
    return not zone.blocks.whole and (run.fails_at == "no block" or len(zone.blocks.counts) < request.order)


def _verdict(outcomes: tuple[bool, ...]) -> str:
    return "admits" if all(outcomes) else "undecidable" if any(outcomes) else "refuses"


def _run(zone: Zone, request: Request, memory: MemInfo, rules: RuleSet, free: int, atomic: int | None) -> Replay:
    return replay(zone, request, rules, zones=memory.kinds, free=free, highatomic=atomic, page_kb=memory.page_kb)


def _why(zone: Zone, request: Request, memory: MemInfo, rules: RuleSet, run: Replay, fits: int | None) -> str:
    """What a refusal hinges on: the largest thing without which the zone would have admitted the request."""
    if run.fails_at == "base":
        return _why_base(zone, request, memory, rules)
    if run.fails_at != "no block":
        return "walk" if fits else "no block"
    kinds = zip(zone.blocks.counts, zone.blocks.types, strict=False) if zone.blocks else ()
    letters = "".join(word for count, word in list(kinds)[request.order :] if count)
    if fits and letters and set(letters) <= {"H"}:
        return "highatomic only"
    if fits and "C" in letters and set(letters) <= {"C", "I"}:
        return "cma only"
    return "no block"


def _why_base(zone: Zone, request: Request, memory: MemInfo, rules: RuleSet) -> str:
    def passes(other: Zone, atomic: int | None = None) -> bool:
        run = replay(other, request, rules, zones=memory.kinds, highatomic=atomic)
        return run.fails_at != "base"

    parts = (
        ("highatomic", highatomic_bounds(zone, rules)[0], passes(zone, 0)),
        ("cma", zone.free_cma or 0, bool(zone.free_cma) and passes(replace(zone, free_cma=0))),
        ("boost", boost_of(zone), bool(boost_of(zone)) and passes(unboosted(zone))),
        ("reserve", reserve_of(zone, request, memory.kinds, rules) or 0, passes(replace(zone, reserve=()))),
    )
    enough = [(name, pages) for name, pages, alone in parts if alone]
    return max(enough, key=lambda part: part[1])[0] if enough else "short"


def outcomes(zone: Zone, request: Request, memory: MemInfo, rules: RuleSet) -> bool | None:
    """Whether a rule set admits the request in a zone; None when the printed state leaves it open."""
    if request.order and zone.blocks is None:
        base = _run(zone, request, memory, rules, zone.free, None)
        return False if base.fails_at == "base" else None
    bases = {zone.free, zone.blocks.pages if zone.blocks and zone.blocks.whole else zone.free}
    found = {_run(zone, request, memory, rules, free, atomic).admits
             for free in bases for atomic in highatomic_bounds(zone, rules, memory.page_kb)[:2]}  # fmt: skip
    if found == {True} and reserve_of(zone, request, memory.kinds, rules) is None:
        return None
    return found.pop() if len(found) == 1 else None


def largest_order(view: ZoneView, request: Request, memory: MemInfo) -> int | None:
    """The largest order the zone would serve now, None for none."""
    best = None
    count = len(view.zone.blocks.counts) if view.zone.blocks else 1
    for order in range(count):
        smaller = replace(request, order=order)
        if not _run(view.zone, smaller, memory, view.rules, view.zone.free, None).admits:
            break
        best = order
    return best


def zone_detail(
    zone: Zone, view: ZoneView | None, request: Request, memory: MemInfo, tried: int | None
) -> dict[str, Any]:
    """One entry of the JSON contract's ``zones``, plain values only; sizes in pages."""
    row: dict[str, Any] = {
        "node": zone.node, "zone": zone.name, "free": zone.free, "min": zone.min, "low": zone.low, "high": zone.high,
        "lowmem_reserve": list(zone.reserve), "reserve": view.reserve if view else None,
        "managed": zone.managed, "boost": zone.boost,
        "reserved_highatomic": zone.reserved_highatomic, "free_highatomic": zone.free_highatomic,
        "free_cma": zone.free_cma,
        "buddy": list(zone.blocks.counts) if zone.blocks else None,
        "letters": list(zone.blocks.types) if zone.blocks else None,
        "list_sum": zone.blocks.pages if zone.blocks else None,
        "skew": view.skew if view else None,
        "tried": tried, "verdict": view.verdict if view else None, "why": (view.why or None) if view else None,
        "replay": [], "evidence": [list(span) for span in zone.spans],
    }  # fmt: skip
    if view is None:
        return row
    pairs = (view.rules, MAINLINE_44) if view.rules.rule != "free-block" else (ORDER_WALK, view.rules)
    row["replay"] = [_replay_detail(zone, request, memory, rules, rules is view.rules) for rules in pairs]
    if zone.blocks and request.order:
        counts = zone.blocks.counts
        row["fragindex"] = fragindex(counts, request.order)
        row["unusable"] = unusable(counts, request.order)
        row["fits"] = view.fits
    row["largest_order"] = largest_order(view, request, memory)
    return row


def _replay_detail(zone: Zone, request: Request, memory: MemInfo, rules: RuleSet, own: bool) -> dict[str, Any]:
    """A replay as plain values: printed base, the list sum's result beside it where that differs."""
    run = _run(zone, request, memory, rules, zone.free, None)
    row = replay_json(run, rules.name, own)
    if zone.blocks is not None and zone.blocks.whole and zone.blocks.pages != zone.free:
        other = _run(zone, request, memory, rules, zone.blocks.pages, None)
        row["list_sum"] = replay_json(other, rules.name, own)
    return row


def told(says: Said) -> dict[str, Any]:
    """A sentence in a row of the JSON contract: in English, and by its name."""
    return {"text": str(says), "named": says.to_json()}


def replay_json(run: Replay, rules: str, own: bool) -> dict[str, Any]:
    """One replay as plain values."""
    row: dict[str, Any] = {
        "rule": run.rule,
        "rules": rules,
        "own": own,
        "admits": run.admits,
        "free": run.free,
        "mark": run.mark,
    }
    if run.admits and run.block_order is not None:
        row["block_order"] = run.block_order
    if not run.admits:
        row |= {"fails_at": run.fails_at, "left": run.left, "needs": run.needs}
    row["steps"] = [
        {"name": step.name, "left": step.left, "needs": step.needs, "holds": step.holds, **told(step.sum)}
        for step in run.steps
    ]
    if run.assumptions:
        row["assumptions"] = [str(assumed) for assumed in run.assumptions]
    return row


def highest_min(view: ZoneView, request: Request, memory: MemInfo, free: int) -> int | None:
    """The largest zone ``min`` (pages, a boost left out) at which the zone would admit the request, None for none.

    The tests only get harder as the mark rises, so a binary search finds the flip.
    """
    boost = boost_of(view.zone)

    def admits(mark: int) -> bool:
        zone = replace(view.zone, min=mark + boost, boost=boost)
        return replay(zone, request, view.rules, zones=memory.kinds, free=free).admits

    if not admits(0):
        return None
    low, high = 0, max(view.zone.min, view.zone.free, 1) * 2
    while low < high:
        middle = (low + high + 1) // 2
        if admits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def discount(request: Request, rules: RuleSet, zone: Zone) -> str:
    """How the mark of a zone comes about: ``min 48 - 1/2 (ALLOC_HIGH) = 24``."""
    value, words = reduced(zone.min, alloc_flags(request, rules), rules)
    return f"min {words} = {value}" if str(value) != words else f"min {value}"
