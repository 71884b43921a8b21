"""Allocation failures explained as the kernel decided them: facts, reasoning and cause with their evidence."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kb.facts.allocation.boost import INFERRED, boosted, least_boost
from kb.facts.allocation.reasons import reasons
from kb.facts.allocation.study import Study, assumptions, era_assumption, unknowns
from kb.facts.allocation.whatelse import counterfactuals, next_steps
from kb.facts.allocation.zones import ORDER_WALK, ZoneView, largest_order, outcomes, zone_detail
from kb.kernel.compaction import COSTLY_ORDER, EXTFRAG_THRESHOLD, fragindex
from kb.kernel.gfp import name_range
from kb.kernel.rules import MAINLINE_44, RuleSet
from kb.kernel.watermark import may_reclaim
from kb.model.allocation import Request
from kb.model.log import Span
from kb.model.memory import MemInfo
from kb.model.report import Report
from kb.model.verdict import Fact, Facts


def allocation_facts(report: Report) -> Facts:
    """Facts, reasoning and cause of an allocation report. What the report does not bear is absent, never guessed.

    Args:
        report: one of an allocation-like kind; its ``fields`` hold ``order``, ``mode`` (hex), ``gfp`` (printed names),
            ``nodemask``, ``cpuset``, ``mems_allowed`` as far as printed, its ``memory`` the show_mem() block or None.
    """
    study = Study(report)
    return Facts(
        values={fact.name: fact for fact in _values(study)},
        detail=_detail(study),
        reasoning=reasons(study),
        cause=study.cause.name,
        summary=study.cause.summary,
        unknown=unknowns(study),
        next_steps=next_steps(study),
    )


class _Collector:
    """Gathers facts; a value of None is a fact that the report does not bear."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        self.found: list[Fact] = []
        self.spans = spans

    def add(
        self,
        name: str,
        value: Any,
        spans: Iterable[Span] | None = None,
        assumption: str | None = None,
        shown: str | None = None,
    ) -> None:
        if value is not None:
            self.found.append(Fact(name, value, self.spans if spans is None else tuple(spans), assumption, shown))


def _values(study: Study) -> list[Fact]:
    """The flat facts that predicates of cases name."""
    asked, out = study.asked, _Collector(study.asked.headline)
    out.add("cause", study.cause.name, shown=study.cause.summary)
    out.add("memory.present", study.memory is not None)
    out.add("order", asked.order)
    out.add("context", asked.context if asked.context != "unknown" else None, asked.context_spans)
    if asked.order is not None:
        out.add("costly", asked.order > COSTLY_ORDER)
        out.add("size_kb", (study.memory.page_kb if study.memory else 4) << min(asked.order, 64))
    _gfp_values(study, out)
    if study.rules:
        kinds = {rules.rule for rules in study.rules}
        out.add("rule", kinds.pop() if len(kinds) == 1 else None, assumption=era_assumption(study))
    out.add("nodes", tuple(sorted(asked.nodes)) if asked.nodes is not None else None)
    if study.gate is not None:
        out.add("compaction.allowed", study.gate.allowed, shown=study.gate.because)
    _memory_values(study, out)
    _zone_values(study, out)
    return out.found


def _gfp_values(study: Study, out: _Collector) -> None:
    gfp, request = study.asked.gfp, study.asked.request
    if gfp is None:
        return
    note = gfp.assumption or era_assumption(study)
    out.add("gfp", gfp.certain, assumption=note)
    out.add("gfp.absent", tuple(sorted(gfp.absent)), assumption=note)
    out.add("gfp.uncertain", gfp.possible)
    out.add("gfp.caller", gfp.caller)
    out.add("gfp.slab_layer", gfp.slab_layer)
    out.add("gfp_mask", f"{gfp.mask:#x}")
    out.add("gfp_name", gfp.name, assumption=note)
    out.add("gfp_era", gfp.era, assumption=note)
    out.add("migratetype", request.migratetype)
    out.add("zone", request.zone)
    reclaim = {may_reclaim(flags) for flags in gfp.flag_sets}
    out.add("may_reclaim", reclaim.pop() if len(reclaim) == 1 else None, assumption=note)
    atomic = {"__GFP_HIGH" in flags and not may_reclaim(flags) for flags in gfp.flag_sets}
    out.add("atomic", atomic.pop() if len(atomic) == 1 else None, assumption=note)


def _memory_values(study: Study, out: _Collector) -> None:
    """Facts over the memory block alone."""
    memory = study.memory
    if memory is None:
        return
    block = ((memory.line, memory.last or memory.line),) if memory.line else ()
    free, kb = sum(zone.free for zone in memory.zones), memory.page_kb
    out.add("free_kb", free * kb, block)
    out.add("min_free_kbytes", sum(zone.min - (zone.boost or 0) for zone in memory.zones) * kb, block,
            "the sum of the printed zone marks: zones that are not printed are missing from it")  # fmt: skip
    boosts = boosted(memory)
    inferred = INFERRED if any(zone.boost is None for zone in memory.zones if zone.label in boosts) else None
    out.add("zones.boosted", len(boosts) if boosts or all(zone.boost is not None for zone in memory.zones) else None,
            tuple(span for zone in memory.zones if zone.label in boosts for span in zone.spans) or block, inferred,
            shown=", ".join(f"{label} by {n}+ pages" for label, n in boosts.items()) or None)  # fmt: skip
    total = memory.counters.get("ram") or sum(zone.managed or zone.present or 0 for zone in memory.zones)
    slab = [memory.counters.get(name) for name in ("slab_reclaimable", "slab_unreclaimable")]
    if total:
        out.add("free.percent", free * 100 // total, block)
        for name, pages in zip(("slab.reclaimable_percent", "slab.unreclaimable_percent"), slab, strict=True):
            out.add(name, pages * 100 // total if pages is not None else None, block)
    cma = [zone.free_cma for zone in memory.zones if zone.free_cma is not None]
    out.add("cma.free_kb", sum(cma) * kb if cma else None, block)
    reserved = [zone.reserved_highatomic for zone in memory.zones if zone.reserved_highatomic is not None]
    out.add("highatomic.reserved_kb", sum(reserved) * kb if reserved else None, block)
    letters = any("H" in word for zone in memory.zones if zone.blocks for word in zone.blocks.types)
    out.add("highatomic.present", bool(sum(reserved)) or letters if reserved or letters else None, block)


def _zone_values(study: Study, out: _Collector) -> None:
    """Facts over the judged zones. Each carries the lines of the zones it counts."""
    views, request, memory = study.views, study.asked.request, study.memory
    if not views or memory is None:
        return

    def spans(chosen: Iterable[ZoneView]) -> tuple[Span, ...]:
        return tuple(span for view in chosen for span in view.zone.spans)

    walk = {view.zone.label: outcomes(view.zone, request, memory, _of(study, "walk")) for view in views}
    block = {view.zone.label: outcomes(view.zone, request, memory, _of(study, "block")) for view in views}
    out.add("zones.count", len(views), spans(views))
    for name, table in (("zones.admitted_by_order_walk", walk), ("zones.admitted_by_free_block", block)):
        values = [table[view.zone.label] for view in views]
        sure = sum(value is True for value in values)
        # a count is known only when no zone is within the skew
        out.add(name, sure if None not in values else None, spans(views))
        out.add(f"{name}.at_least", sure, spans(views))
    only = [view for view in views if walk[view.zone.label] is False and block[view.zone.label] is True]
    out.add("zones.refused_only_by_order_walk", len(only), spans(only or views),
            shown=", ".join(view.zone.label for view in only) or None)  # fmt: skip
    held = [view for view in views if _held_by_boost(view, request, memory)]
    out.add("zones.refused_only_by_boost", len(held), spans(held or views), INFERRED if held else None,
            shown=", ".join(view.zone.label for view in held) or None)  # fmt: skip
    for verdict in ("admits", "refuses", "undecidable"):
        chosen = [view for view in views if view.verdict == verdict]
        out.add(f"zones.{verdict}", len(chosen), spans(chosen or views))
    fitting = [view for view in views if view.fits is not None]
    if len(fitting) == len(views):
        out.add("zones.fitting_blocks", sum(view.fits or 0 for view in fitting), spans(fitting))
    refused = [view for view in views if view.why == "reserve"]
    out.add("zones.reserve_refused", len(refused), spans(refused or views))
    indices = [fragindex(view.zone.blocks.counts, request.order) for view in views if view.zone.blocks]
    if indices and request.order:
        out.add("compaction.fragindex", max(indices), spans(views), shown=f"highest of {indices}")
        out.add("compaction.fragindex.list", tuple(indices), spans(views))
        below = any(0 <= index <= EXTFRAG_THRESHOLD for index in indices)
        out.add("compaction.threshold_matters", bool(study.gate and study.gate.allowed and below), spans(views))
    orders = [order for view in views if (order := largest_order(view, request, memory)) is not None]
    out.add("zones.largest_order", max(orders) if orders else None, spans(views))


def _held_by_boost(view: ZoneView, request: Request, memory: MemInfo) -> bool:
    """Whether a zone turns the request away, and would not without the boost that its marks hold.

    Only where the boost is not printed: kernels that print it (v5.16 on) test order-0 requests with reserves again
    without it (f80b08fc4453, "mm, page_alloc: skip ->waternark_boost for atomic order-0 allocations", v5.9).
    """
    zone = view.zone
    boost = least_boost(zone) if zone.boost is None else 0
    if not boost or view.verdict == "admits":
        return False
    plain = replace(zone, min=zone.min - boost, low=zone.low - boost, high=zone.high - boost)
    return outcomes(plain, request, memory, view.rules) is True


def _of(study: Study, kind: str) -> RuleSet:
    """The kernel's own rule set where it is of that kind, else the one that is shown beside it."""
    own = study.rules[-1]
    if kind == "walk":
        return own if own.rule != "free-block" else ORDER_WALK
    return own if own.rule == "free-block" else MAINLINE_44


def _detail(study: Study) -> dict[str, Any]:
    """The ``facts`` object of the JSON contract."""
    asked, gfp = study.asked, study.asked.gfp
    row: dict[str, Any] = {"order": asked.order}
    if gfp is not None:
        row |= {
            "gfp_mask": f"{gfp.mask:#x}", "gfp_flags": list(gfp.certain), "gfp_uncertain": list(gfp.possible),
            "gfp_name": gfp.name, "gfp_era": gfp.era, "caller": list(gfp.caller), "slab_layer": list(gfp.slab_layer),
            "migratetype": asked.request.migratetype, "zone": asked.request.zone,
        }  # fmt: skip
    row["context"] = asked.context if asked.context != "unknown" else None
    row["kernels"] = name_range(study.releases) if study.releases else None
    row["rule"] = study.rule_text
    row["rule_sources"] = [rules.source for rules in study.rules]
    if study.memory is not None:
        rank = {id(view.zone): (index, view) for index, view in enumerate(study.views)}
        rows = []
        for zone in study.memory.zones:
            tried, view = rank.get(id(zone), (None, None))
            rows.append(zone_detail(zone, view, asked.request, study.memory, tried))
        row["zones"] = rows
    if study.gate is not None:
        row["compaction"] = {"allowed": study.gate.allowed, "because": study.gate.because}
        if study.gate.source:
            row["compaction"]["source"] = study.gate.source
    row["counterfactuals"] = counterfactuals(study)
    row["assumptions"] = assumptions(study)
    row["cause"] = study.cause.name
    return row
