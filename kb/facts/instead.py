"""The request of a report asked once more with something changed: order, mask, vm.min_free_kbytes, the kernel's rules.

The printed state stays what it is. Marks for another min_free_kbytes are those of __setup_per_zone_wmarks()
(mm/page_alloc.c, v3.10 to v6.12): min by share of the zones below HighMem, low and high above it by a quarter of min or
by the gap that is printed, whichever is larger (watermark_scale_factor), and no boost.
"""

from dataclasses import dataclass, replace
from typing import Any

from kb.facts.allocation.cause import MAX_ORDER
from kb.facts.allocation.request import replay_flags
from kb.facts.allocation.study import Study
from kb.facts.allocation.zones import ORDER_WALK, ZoneView, replay_json, view_zones
from kb.kernel.allocflags import migratetype
from kb.kernel.boost import boost_of, unboosted
from kb.kernel.gfp import decode
from kb.kernel.release import Release
from kb.kernel.rules import MAINLINE_44, RULES, RuleSet, rule_named
from kb.kernel.watermark import replay
from kb.kernel.zonelist import gfp_zone, zone_layout
from kb.model.allocation import Request
from kb.model.memory import MemInfo, Zone, size
from kb.model.report import Report

KERNELS = tuple(rules.name for rules in RULES)
"""The rule sets to choose from, oldest first."""
ORDERS = range(MAX_ORDER)
MASKS = (
    "GFP_KERNEL", "GFP_NOFS", "GFP_NOIO", "GFP_NOWAIT", "GFP_ATOMIC", "GFP_ATOMIC|__GFP_NOMEMALLOC",
    "GFP_KERNEL_ACCOUNT", "GFP_USER", "GFP_HIGHUSER", "GFP_HIGHUSER_MOVABLE", "GFP_DMA32", "GFP_DMA",
)  # fmt: skip
"""Masks to choose from (include/linux/gfp_types.h)."""
_HIGH = ("HighMem", "Movable", "Device")
"""Zones whose min does not follow min_free_kbytes."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What is to be different; None for as it was."""

    order: int | None = None
    mask: str | None = None
    """Names: one of :data:`MASKS`."""
    min_free_kb: int | None = None
    kernel: str | None = None
    """Name of a rule set: one of :data:`KERNELS`."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a report tells of a request: enough to ask it again."""

    request: Request
    memory: MemInfo
    rules: tuple[RuleSet, ...]
    release: Release | None
    mask: str
    """As the report has it."""
    min_free_kb: int
    """The sum of the printed marks."""


def asking(report: Report) -> Asking | None:
    """The request and the state of an allocation failure or an OOM kill, None where it does not tell both."""
    if report.kind == "oom_kill":
        return _of_oom(report)
    study = Study(report)
    if study.memory is None or not study.views or study.asked.gfp is None:
        return None
    gfp = study.asked.gfp
    mask = gfp.name or f"{gfp.mask:#x}"
    return Asking(study.asked.request, study.memory, study.rules, study.asked.release, mask, _marks(study.memory))


def kernels_with(asked: Asking) -> tuple[str, ...]:
    """The rule sets to choose from; that of a stable release stands behind the one that its release began with."""
    names = list(KERNELS)
    for rules in asked.rules:
        if rules.name not in names:
            began = [row.name for row in RULES if asked.release is not None and row.span.has(asked.release)]
            names.insert(names.index(began[-1]) + 1 if began else len(names), rules.name)
    return tuple(names)


def _of_oom(report: Report) -> Asking | None:
    from kb.facts.oom.story import tell

    story = tell(report)
    if story.memory is None or not story.zones or story.gfp is None:
        return None
    first = story.zones[0]
    release = Release.parse(report.kernel) if report.kernel else None
    mask = story.gfp.name or f"{story.gfp.mask:#x}"
    return Asking(first.request, story.memory, (first.view.rules,), release, mask, _marks(story.memory))


def _marks(memory: MemInfo) -> int:
    pages = sum(zone.min - boost_of(zone) for zone in memory.zones if zone.name not in _HIGH)
    return size(pages, memory.page_kb)


def instead(asked: Asking, changed: Changed) -> dict[str, Any]:
    """The answer: ``admitted`` (None where the state leaves it open), ``admitted_by`` and ``zones`` as in a report."""
    request = asked.request
    if changed.order is not None:
        request = replace(request, order=changed.order)
    if changed.mask is not None:
        flags = replay_flags(decode(None, names=changed.mask, release=asked.release or Release.parse("7.3")))
        zone = gfp_zone(flags, zone_layout(asked.memory.zones))
        request = replace(request, flags=flags, zone=zone, migratetype=migratetype(flags))
    memory = asked.memory
    if changed.min_free_kb is not None and changed.min_free_kb != asked.min_free_kb:
        memory = _with_marks(memory, asked.min_free_kb, changed.min_free_kb)
    rules = (rule_named(changed.kernel),) if changed.kernel is not None else asked.rules
    views = view_zones(request, memory, rules)
    admits = [view.zone.label for view in views if view.verdict == "admits"]
    left_open = any(view.verdict == "undecidable" for view in views)
    return {
        "admitted": True if admits else None if left_open else False,
        "admitted_by": admits[0] if admits else None,
        "rule": " or ".join(each.name for each in rules),
        "zones": [_row(view, request, memory, turn) for turn, view in enumerate(views)],
    }


def _row(view: ZoneView, request: Request, memory: MemInfo, turn: int) -> dict[str, Any]:
    zone = view.zone
    pairs = (view.rules, MAINLINE_44) if view.rules.rule != "free-block" else (ORDER_WALK, view.rules)
    runs = [
        view.printed
        if rules is view.rules
        else replay(zone, request, rules, zones=memory.kinds, free=zone.free, page_kb=memory.page_kb)
        for rules in pairs
    ]
    return {
        "node": zone.node, "zone": zone.name, "tried": turn, "verdict": view.verdict,
        "replay": [replay_json(run, rules.name, rules is view.rules) for run, rules in zip(runs, pairs, strict=True)],
        "evidence": [list(span) for span in zone.spans],
    }  # fmt: skip


def _with_marks(memory: MemInfo, now_kb: int, new_kb: int) -> MemInfo:
    """The state with the marks of another min_free_kbytes."""
    low = [zone for zone in memory.zones if zone.name not in _HIGH]
    managed = sum(zone.managed for zone in low if zone.managed) if all(zone.managed is not None for zone in low) else 0
    return replace(memory, zones=tuple(_marked(zone, memory.page_kb, managed, now_kb, new_kb) for zone in memory.zones))


def _marked(zone: Zone, page_kb: int, managed: int, now_kb: int, new_kb: int) -> Zone:
    if zone.name in _HIGH or now_kb <= 0:
        return zone
    zone = unboosted(zone)
    if managed and zone.managed:
        pages = new_kb // page_kb
        least = pages * zone.managed // managed
    else:
        least = zone.min * new_kb // now_kb
    quarter = least >> 2
    # a gap that is no quarter of min is that of watermark_scale_factor, and stays
    wide = [gap for gap in (zone.low - zone.min, zone.high - zone.low) if abs(gap - (zone.min >> 2)) > 1]
    first, second = (max(quarter, wide[0]), max(quarter, wide[-1])) if wide else (quarter, quarter)
    return replace(zone, min=least, low=least + first, high=least + first + second)
