"""Whether memory was short, fragmented, bound to a zone or limited when the OOM killer ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kb.facts.oom.cgroup import held
from kb.facts.oom.memory import Account
from kb.kernel.allocflags import migratetype
from kb.kernel.boost import boost_of, unboosted
from kb.kernel.era import span
from kb.kernel.gfp import Decoded
from kb.kernel.rules import rules_for
from kb.kernel.watermark import replay
from kb.kernel.zonelist import gfp_zone, zone_layout
from kb.model.allocation import Replay, Request
from kb.model.memory import MemInfo, Zone
from kb.model.oom import OomReport
from kb.model.said import Said
from kb.words.speak import said

if TYPE_CHECKING:
    from kb.facts.allocation.zones import ZoneView

_UNACCOUNTED = 0.3
"""Share of all memory from which unnamed holders are the story: drivers and per-cpu areas stay well below it."""
_SMALL = 0.1
"""A zone below this share of the candidate zones does not decide: DMA is always reserved."""
_ABSURD = 4
"""A mark this many times its zone is no setting: vm.min_free_kbytes is spread by zone size."""
_ORDERS = 32
"""No kernel has that many orders: a larger number is damage, and 2^order of it would not fit anywhere."""
_BOOSTED_AWAY = 4
"""A boost of more than a fourth of its zone is the story itself: 14f69140ff9c ("mm: limit boost_watermark on small
zones") (in v5.7), mm/page_alloc.c boost_watermark(). A smaller one only tips the scale of memory that is short."""
_EXHAUSTED = span("4.10")
"""Before a kill the high-order atomic reserve is given back: 04c8716f7b00 ("mm: try to exhaust highatomic reserve
before the OOM") (in v4.10), mm/page_alloc.c should_reclaim_retry()."""
NOISE = 63
"""Pages by which a zone may pass at the time of the report without a story: one refill of a CPU's list."""
_LIMITS = {"memcg": "memcg_limit", "cpuset": "cpuset_limit", "memory_policy": "mempolicy_limit"}


@dataclass(frozen=True)
class Looked:
    """A zone the request may use, at its own watermark and at the last try's.

    Before it kills, __alloc_pages_may_oom() tries once more with ALLOC_WMARK_HIGH, to catch a kill that freed memory
    meanwhile (mm/page_alloc.c, 2.6.32 to 7.3): a zone between min and high is still short to the OOM killer.
    """

    view: "ZoneView"
    last: Replay
    """The last try: high watermark, none of the request's privileges."""
    request: Request
    exhausts: bool = False
    """The high-order atomic reserve was given back before: what it still counts is in use."""
    boost: int = 0
    """Pages of watermark boost without which the last try would have admitted it; 0 where it would not."""

    @property
    def zone(self) -> Zone:
        """The zone."""
        return self.view.zone

    @property
    def why(self) -> str:
        """What it was refused for: a word of ``ZoneView.why``; empty when even the last try admits."""
        if self.last.admits:
            return ""
        if _BOOSTED_AWAY * self.boost > self.size:
            return "boost"
        why = self.view.why
        if self.exhausts and why in ("highatomic", "highatomic only"):
            return "short" if why == "highatomic" else "no block"
        if why in ("cma", "highatomic", "reserve") and self._short_with_all():
            return "short"
        if why and why != "boost":  # a boosted zone is short to reclaim, too
            return why
        return "short" if self.last.fails_at == "base" else "no block"

    def _short_with_all(self) -> bool:
        """Whether the last try fails with every free page counted, those that the request may not have included."""
        reserve = 0 if self.view.why == "reserve" else self.view.reserve
        return self.zone.free - ((1 << self.request.order) - 1) <= self.zone.high + reserve

    @property
    def spare(self) -> int:
        """Pages by which the last try's watermark holds."""
        base = self.last.base
        return base.left - base.needs if base is not None else 0

    @property
    def size(self) -> int:
        """Pages of the zone."""
        return self.zone.managed if self.zone.managed is not None else self.zone.present or 0


def page_fault(oom: OomReport) -> bool:
    """Whether it is pagefault_out_of_memory(): order 0 and no flag at all, which no request that may wait has.

    mm/oom_kill.c, 3.10 to 5.15; from 5.16 on such a fault is only warned about. A cgroup's limit leaves its own mask.
    """
    return oom.gfp_mask == 0 and oom.order == 0 and not oom.sysrq and oom.constraint != "memcg"


def look(oom: OomReport, memory: MemInfo | None, gfp: Decoded | None) -> tuple[Looked, ...]:
    """The zones the request may use, replayed; none where the request or the state is not known."""
    if page_fault(oom) or memory is None or gfp is None or oom.order is None or not 0 <= oom.order < _ORDERS:
        return ()
    from kb.facts.allocation.request import node_list, replay_flags
    from kb.facts.allocation.zones import view_zones

    rules = rules_for(gfp.releases)
    if not rules:
        return ()
    flags = replay_flags(gfp)
    sets = [nodes for nodes in (node_list(oom.nodemask), node_list(oom.mems_allowed)) if nodes]
    request = Request(
        order=oom.order,
        flags=flags,
        zone=gfp_zone(flags, zone_layout(memory.zones)),
        migratetype=migratetype(flags),
        nodes=frozenset.intersection(*sets) if sets else None,
    )
    plain = frozenset({"CMA"}) if request.migratetype == "movable" else frozenset[str]()
    exhausts = all(_EXHAUSTED.has(release) for release in gfp.releases)
    final = partial(replay, request=request, zones=memory.kinds, mark="high", flags=plain, page_kb=memory.page_kb)
    found = []
    for view in view_zones(request, memory, rules):
        last = final(view.zone, rules=view.rules)
        boost = boost_of(view.zone) if view.rules.boost != "none" else 0
        if boost and not last.admits:
            boost = boost if final(unboosted(view.zone), rules=view.rules).admits else 0
        found.append(Looked(view, last, request, exhausts, 0 if last.admits else boost))
    return tuple(found)


def decide(oom: OomReport, memory: MemInfo | None, split: Account | None, zones: Sequence[Looked]) -> tuple[str, Said]:
    """Name of the cause (the list is in kb.facts.oom.facts) and a sentence."""
    if oom.sysrq:
        return "sysrq", said("cause.sysrq")
    if page_fault(oom):
        return "page_fault", said("cause.page_fault")
    group = held(oom) if oom.constraint == "memcg" else None
    if group is not None and group.unflushed:
        return "memcg_unflushed", said("cause.memcg_unflushed", memcg=group.path or said("oom.the_cgroup"))
    if oom.constraint in _LIMITS:
        return _LIMITS[oom.constraint], _limit(oom)
    if memory is None:
        return "undetermined", said("cause.oom_no_mem_info")
    if not zones:
        return _without_replay(memory, split)
    return _replayed(oom, memory, split, zones)


def _limit(oom: OomReport) -> Said:
    if oom.constraint == "memcg":
        usage = next((u for u in oom.usages if u.usage_kb >= u.limit_kb), oom.usages[0] if oom.usages else None)
        used = said("part.used", name=usage.name, used_kb=usage.usage_kb, limit_kb=usage.limit_kb) if usage else None
        if oom.oom_memcg:
            return said("cause.memcg_limit", memcg=oom.oom_memcg, used=used)
        return said("cause.some_memcg_limit", used=used)
    if oom.constraint == "cpuset":
        return said("cause.cpuset_full", cpuset=oom.cpuset or "?", nodes=oom.mems_allowed or "?")
    return said("cause.policy_full", nodes=oom.nodemask or "?")


def _without_replay(memory: MemInfo, split: Account | None) -> tuple[str, Said]:
    """The request is not known: the printed marks alone."""
    if all(zone.free <= zone.min for zone in memory.zones):
        return _short(said("cause.every_zone_low"), split)
    return "undetermined", said("cause.request_not_in_log")


def _replayed(oom: OomReport, memory: MemInfo, split: Account | None, zones: Sequence[Looked]) -> tuple[str, Said]:
    """What the zones that matter were refused for."""
    size = sum(looked.size for looked in zones)
    if absurd := [looked.zone.label for looked in zones if _absurd(looked, memory)]:
        return "watermark_absurd", said("cause.absurd_mark", zones=absurd)
    admits = [looked for looked in zones if not looked.why]
    if any(looked.spare > NOISE for looked in admits) or len(admits) == len(zones):
        return "state_changed", said("cause.freed_since", zones=[looked.zone.label for looked in admits])
    big = [looked for looked in zones if looked.size >= _SMALL * size] or list(zones)
    by_why: dict[str, list[str]] = {}
    for looked in big:
        by_why.setdefault(looked.why, []).append(looked.zone.label)
    if boosted := by_why.get("boost"):
        return "watermark_boost", said("cause.small_zone_boosted", zones=boosted)
    blocked = [*by_why.get("walk", []), *by_why.get("no block", [])]
    used = {id(looked.zone) for looked in zones}
    spare = [z.label for z in memory.zones if id(z) not in used and z.name != "DMA" and z.free > 2 * z.high > 0]
    if blocked:
        elsewhere = said("part.not_for_it", zones=spare) if spare else None
        return "fragmentation", said("cause.no_admitted_block", zones=blocked, order=oom.order, elsewhere=elsewhere)
    if short := by_why.get("short"):
        if spare:
            return "zone_constrained", said("cause.short_while_others", zones=short, spare=spare)
        return _short(said("cause.zones_short", zones=short), split)
    return _not_for_it(by_why)


def _not_for_it(by_why: dict[str, list[str]]) -> tuple[str, Said]:
    """Free pages that the request may not have."""
    for why, cause, what in (
        ("cma", "cma_only", said("held.low_without_cma")),
        ("cma only", "cma_only", said("held.blocks_are_cma")),
        ("highatomic", "highatomic_only", said("held.low_without_highatomic")),
        ("highatomic only", "highatomic_only", said("held.blocks_are_highatomic")),
        ("reserve", "lowmem_reserve", said("held.for_lower_requests")),
    ):
        if why in by_why:
            return cause, said("cause.not_for_it", zones=by_why[why], what=what)
    return "undetermined", said("cause.does_not_follow")


def _absurd(looked: Looked, memory: MemInfo) -> bool:
    """Whether a zone's mark or reserve could never be met."""
    everything = memory.counters.get("ram", 0) or sum(zone.present or 0 for zone in memory.zones)
    return bool(everything) and max(looked.zone.min, looked.view.reserve) > _ABSURD * everything


def _short(what: Said, split: Account | None) -> tuple[str, Said]:
    """Memory was short: say who holds it."""
    if split is None:
        return "global_memory_short", said("cause.memory_short", what=what)
    largest = split.largest
    share = split.share(split.pages(largest))
    if largest == "unaccounted" and split.partial:
        return "global_memory_short", said("cause.memory_short", what=what)
    if largest == "unaccounted" and share >= _UNACCOUNTED:
        return "unaccounted_memory", said("cause.unaccounted", what=what, share=share)
    swap = None
    if split.swap_total_kb == 0:
        swap = said("part.no_swap")
    elif split.swap_total_kb and (split.swap_free_kb or 0) * 100 < split.swap_total_kb:
        swap = said("part.swap_full")
    holder = largest.replace("_", " ")
    return "global_memory_short", said("cause.largest_holder", what=what, holder=holder, share=share, swap=swap)
