"""Whether memory was short, fragmented, bound to a zone or limited when the OOM killer ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.facts.oom.memory import Account
from kb.kernel.gfp import Decoded
from kb.kernel.rules import rules_for
from kb.kernel.watermark import gfp_zone, migratetype, replay, zone_layout
from kb.model.allocation import Replay, Request
from kb.model.memory import MemInfo, Zone
from kb.model.oom import OomReport

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

    @property
    def zone(self) -> Zone:
        """The zone."""
        return self.view.zone

    @property
    def why(self) -> str:
        """What it was refused for: a word of ``ZoneView.why``; empty when even the last try admits."""
        if self.last.admits:
            return ""
        return self.view.why or ("short" if self.last.fails_at == "base" else "no block")

    @property
    def size(self) -> int:
        """Pages of the zone."""
        return self.zone.managed if self.zone.managed is not None else self.zone.present or 0


def look(oom: OomReport, memory: MemInfo | None, gfp: Decoded | None) -> tuple[Looked, ...]:
    """The zones the request may use, replayed; none where the request or the state is not known."""
    if memory is None or gfp is None or oom.order is None or not 0 <= oom.order < _ORDERS:
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
    found = []
    for view in view_zones(request, memory, rules):
        last = replay(
            view.zone, request, view.rules, zones=memory.kinds, mark="high", flags=plain, page_kb=memory.page_kb
        )
        found.append(Looked(view, last, request))
    return tuple(found)


def decide(oom: OomReport, memory: MemInfo | None, split: Account | None, zones: Sequence[Looked]) -> tuple[str, str]:
    """Name of the cause (the list is in kb.facts.oom.facts) and one sentence."""
    if oom.sysrq:
        return "sysrq", "The OOM killer was started by hand (sysrq f): nothing says that memory was short."
    if oom.constraint in _LIMITS:
        return _LIMITS[oom.constraint], _limit_words(oom)
    if memory is None:
        return "undetermined", "The log does not hold the memory state (Mem-Info): which zone was short cannot be said."
    if not zones:
        return _without_replay(memory, split)
    return _replayed(oom, memory, split, zones)


def _limit_words(oom: OomReport) -> str:
    if oom.constraint == "memcg":
        where = f"Memory cgroup {oom.oom_memcg}" if oom.oom_memcg else "A memory cgroup"
        usage = next((u for u in oom.usages if u.usage_kb >= u.limit_kb), oom.usages[0] if oom.usages else None)
        numbers = f" ({usage.name}: {usage.usage_kb} kB of {usage.limit_kb} kB)" if usage else ""
        return f"{where} reached its limit{numbers}; the rest of the machine was not asked."
    if oom.constraint == "cpuset":
        return f"The nodes of cpuset {oom.cpuset or '?'} ({oom.mems_allowed or '?'}) were full; others were not tried."
    return f"The nodes of the task's memory policy ({oom.nodemask or '?'}) were full; others were not tried."


def _without_replay(memory: MemInfo, split: Account | None) -> tuple[str, str]:
    """The request is not known: the printed marks alone."""
    if all(zone.free <= zone.min for zone in memory.zones):
        return _short("Every printed zone is at or below its min watermark", split)
    return "undetermined", "The request is not in the log: whether its zones were short cannot be said."


def _replayed(oom: OomReport, memory: MemInfo, split: Account | None, zones: Sequence[Looked]) -> tuple[str, str]:
    """What the zones that matter were refused for."""
    size = sum(looked.size for looked in zones)
    if absurd := [looked.zone.label for looked in zones if _absurd(looked, memory)]:
        return (
            "watermark_absurd",
            f"{', '.join(absurd)}: the watermark or reserve is larger than all the memory it guards.",
        )
    if admits := [looked.zone.label for looked in zones if not looked.why]:
        return "state_changed", (
            f"The printed state admits the request in {', '.join(admits)}, even at the high watermark of the last try "
            "before a kill: memory was freed since."
        )
    big = [looked for looked in zones if looked.size >= _SMALL * size] or list(zones)
    by_why: dict[str, list[str]] = {}
    for looked in big:
        by_why.setdefault(looked.why, []).append(looked.zone.label)
    blocked = [*by_why.get("walk", []), *by_why.get("no block", [])]
    if blocked:
        text = f"{', '.join(blocked)}: enough free pages, but no block of order {oom.order} that the rules admit."
        return "fragmentation", text
    if short := by_why.get("short"):
        names = f"{', '.join(short)} {'were' if len(short) > 1 else 'was'}"
        used = {id(looked.zone) for looked in zones}
        spare = [z.label for z in memory.zones if id(z) not in used and z.name != "DMA" and z.free > 2 * z.high > 0]
        if spare:
            return "zone_constrained", f"{names} short; {', '.join(spare)} had memory the request may not use."
        return _short(f"{names} short", split)
    return _not_for_it(by_why)


def _not_for_it(by_why: dict[str, list[str]]) -> tuple[str, str]:
    """Free pages that the request may not have."""
    for why, cause, words in (
        ("cma", "cma_only", "without the CMA pages, which this request may not use, below the watermark"),
        ("cma only", "cma_only", "the only blocks of the order are CMA pages, which this request may not use"),
        ("highatomic", "highatomic_only", "without the high-order atomic reserve below the watermark"),
        ("highatomic only", "highatomic_only", "the only blocks of the order are in the high-order atomic reserve"),
        ("reserve", "lowmem_reserve", "the free pages are held for requests that can use no higher zone"),
    ):
        if why in by_why:
            return cause, f"{', '.join(by_why[why])}: {words}."
    return "undetermined", "What the zones were refused for does not follow from the log."


def _absurd(looked: Looked, memory: MemInfo) -> bool:
    """Whether a zone's mark or reserve could never be met."""
    everything = memory.counters.get("ram", 0) or sum(zone.present or 0 for zone in memory.zones)
    return bool(everything) and max(looked.zone.min, looked.view.reserve) > _ABSURD * everything


def _short(words: str, split: Account | None) -> tuple[str, str]:
    """Memory was short: say who holds it."""
    if split is None:
        return "global_memory_short", f"{words}."
    largest = split.largest
    pages = split.unaccounted if largest == "unaccounted" else split.parts[largest]
    share = f"{split.share(pages):.0%}"
    if largest == "unaccounted" and split.share(pages) >= _UNACCOUNTED:
        text = f"{words}, and {share} of all memory is in no counter the kernel prints (drivers, balloon, vmalloc)."
        return "unaccounted_memory", text
    swap = ""
    if split.swap_total_kb == 0:
        swap = " There is no swap."
    elif split.swap_total_kb and (split.swap_free_kb or 0) * 100 < split.swap_total_kb:
        swap = " Swap was full."
    return "global_memory_short", f"{words}; the largest holder is {largest.replace('_', ' ')} with {share}.{swap}"
