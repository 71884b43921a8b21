"""The flat facts of an allocation report, a row each: its name, what it means, how it is read out of a study.

The names and meanings are part of the vocabulary of predicates (kb/facts/vocabulary.py, docs/facts.md).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kb.facts.allocation.request import before_programs
from kb.facts.allocation.study import Study, era_assumption
from kb.facts.allocation.zones import ZoneView, largest_order
from kb.kernel.allocflags import may_reclaim
from kb.kernel.boost import INFERRED, boosted
from kb.kernel.compaction import COSTLY_ORDER, EXTFRAG_THRESHOLD, fragindex
from kb.model.log import Span
from kb.model.memory import size
from kb.model.said import Said
from kb.model.verdict import Fact
from kb.words.speak import said

Read = Callable[[Study], Any]


@dataclass(frozen=True)
class Row:
    """One fact."""

    name: str
    means: str
    value: Read
    """None where the report does not bear it."""
    spans: Callable[[Study], Iterable[Span]] = lambda study: study.asked.headline
    assumed: Callable[[Study], Said | None] = lambda study: None
    wording: Callable[[Study], Said | str | None] = lambda study: None


def facts(study: Study) -> Iterator[Fact]:
    """The facts that a report bears, in the order of the rows."""
    for bears, rows in _GROUPS:
        for row in rows if bears(study) else ():
            value = row.value(study)
            if value is not None:
                yield Fact(row.name, value, tuple(row.spans(study)), row.assumed(study), row.wording(study))


# ---- the request

REQUEST = (
    Row("cause", "the allocation's or OOM kill's cause (docs/causes.md)", lambda s: s.cause.name,
        wording=lambda s: s.cause.says),
    Row("memory.present", "the report holds a Mem-Info block", lambda s: s.memory is not None),
    Row("order", "2^order contiguous pages were asked for", lambda s: s.asked.order),
    Row("context", "`process`, `workqueue`, `softirq`, `interrupt` ...: by the stack",
        lambda s: s.asked.context if s.asked.context != "unknown" else None, lambda s: s.asked.context_spans),
    Row("costly", "order above 3 (PAGE_ALLOC_COSTLY_ORDER)",
        lambda s: s.asked.order > COSTLY_ORDER if s.asked.order is not None else None),
    Row("size_kb", "size of the request in kB",
        lambda s: size(1 << min(s.asked.order, 64), s.page_kb) if s.asked.order is not None else None),
    Row("rule", "`order-walk` (to 4.3, RHEL 6 and 7) or `free-block` (4.4+): how this kernel tests a watermark",
        lambda s: _only(rules.rule for rules in s.rules), assumed=era_assumption),
    Row("nodes", "NUMA nodes the request is bound to",
        lambda s: tuple(sorted(s.asked.nodes)) if s.asked.nodes is not None else None),
    Row("booting", "the kernel's own start asked, before the first program ran: nobody can type a command yet",
        lambda s: before_programs(s.report)),
    Row("compaction.exists", "the kernel has memory compaction (2.6.35+, RHEL 6, with an MMU): vm.compact_memory",
        lambda s: s.has_compaction if s.releases else None, assumed=era_assumption),
    Row("compaction.allowed", "direct compaction could run for this request on this kernel",
        lambda s: s.gate.allowed if s.gate is not None else None,
        wording=lambda s: s.gate.why if s.gate is not None else None),
)  # fmt: skip


def _only(values: Iterable[Any]) -> Any:
    """The one value that all agree on; None for none or several."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _decoding(study: Study) -> Said | None:
    return study.gfp.assumed or era_assumption(study)


GFP = (
    Row("gfp", "GFP flags that are certainly set in every table that fits the text", lambda s: s.gfp.certain,
        assumed=_decoding),
    Row("gfp.absent", "GFP flags that are certainly clear", lambda s: tuple(sorted(s.gfp.absent)), assumed=_decoding),
    Row("gfp.uncertain", "GFP flags that only some of the fitting tables say are set", lambda s: s.gfp.possible),
    Row("gfp.caller", "flags the caller passed", lambda s: s.gfp.caller),
    Row("gfp.slab_layer", "flags the slab layer added", lambda s: s.gfp.slab_layer),
    Row("gfp_mask", "the mask in hexadecimal", lambda s: f"{s.gfp.mask:#x}"),
    Row("gfp_name", "the common name of the caller's flags: `GFP_NOFS`, `GFP_ATOMIC`", lambda s: s.gfp.name,
        assumed=_decoding),
    Row("gfp_era", "releases whose table fits mask and text", lambda s: s.gfp.era, assumed=_decoding),
    Row("migratetype", "`unmovable`, `movable` or `reclaimable`", lambda s: s.asked.request.migratetype),
    Row("zone", "highest zone the request may use", lambda s: s.asked.request.zone),
    Row("may_reclaim", "the request may wait for direct reclaim",
        lambda s: _only(may_reclaim(flags) for flags in s.gfp.flag_sets), assumed=_decoding),
    Row("atomic", "the request may use reserves and may not wait",
        lambda s: _only("__GFP_HIGH" in flags and not may_reclaim(flags) for flags in s.gfp.flag_sets),
        assumed=_decoding),
)  # fmt: skip

# ---- the state of memory


def _block(study: Study) -> tuple[Span, ...]:
    memory = study.state
    return ((memory.line, memory.last or memory.line),) if memory.line else ()


def _kb(study: Study, pages: Iterable[int | None]) -> int | None:
    """Pages of the zones that print them, in kB; None where none does."""
    known = [number for number in pages if number is not None]
    return size(sum(known), study.page_kb) if known else None


def _percent(study: Study, pages: int | None) -> int | None:
    total = study.state.counters.get("ram") or sum(zone.managed or zone.present or 0 for zone in study.state.zones)
    return pages * 100 // total if total and pages is not None else None


def _boosted(study: Study) -> int | None:
    """Zones with a boost; no boost at all is certain only where every zone prints its own."""
    boosts = boosted(study.state.zones)
    return len(boosts) if boosts or all(zone.boost is not None for zone in study.state.zones) else None


def _boosted_spans(study: Study) -> tuple[Span, ...]:
    boosts = boosted(study.state.zones)
    return tuple(span for zone in study.state.zones if zone.label in boosts for span in zone.spans) or _block(study)


def _boost_inferred(study: Study) -> Said | None:
    boosts = boosted(study.state.zones)
    return INFERRED if any(zone.boost is None for zone in study.state.zones if zone.label in boosts) else None


def _boosts(study: Study) -> Said | None:
    boosts = boosted(study.state.zones)
    told = [said("boost.at_least", zone=label, boost_pages=pages) for label, pages in boosts.items()]
    return said("boost.of_zones", boosts=told) if told else None


def _highatomic(study: Study) -> bool | None:
    zones = study.state.zones
    reserved = [zone.reserved_highatomic for zone in zones if zone.reserved_highatomic is not None]
    letters = any("H" in word for zone in zones if zone.blocks for word in zone.blocks.types)
    return bool(sum(reserved)) or letters if reserved or letters else None


MEMORY = (
    Row("free_kb", "free memory of all printed zones", lambda s: size(s.free, s.page_kb), _block),
    Row("min_free_kbytes", "sum of the min marks of the printed zones, about vm.min_free_kbytes",
        lambda s: size(s.marks, s.page_kb), _block, lambda s: said("assumed.printed_marks")),
    Row("zones.boosted", "zones whose printed watermarks hold a boost after fragmentation (v5.0 and later)",
        _boosted, _boosted_spans, _boost_inferred, _boosts),
    Row("free.percent", "free memory as a share of managed memory", lambda s: _percent(s, s.free), _block),
    Row("slab.reclaimable_percent", "share of memory in reclaimable slab",
        lambda s: _percent(s, s.state.counters.get("slab_reclaimable")), _block),
    Row("slab.unreclaimable_percent", "share of memory in unreclaimable slab",
        lambda s: _percent(s, s.state.counters.get("slab_unreclaimable")), _block),
    Row("cma.free_kb", "free memory that only movable requests may use (CMA)",
        lambda s: _kb(s, (zone.free_cma for zone in s.state.zones)), _block),
    Row("highatomic.reserved_kb", "size of the high-order atomic reserve",
        lambda s: _kb(s, (zone.reserved_highatomic for zone in s.state.zones)), _block),
    Row("highatomic.present", "a high-order atomic reserve exists", _highatomic, _block),
)  # fmt: skip

# ---- the judged zones


def _spans(views: Iterable[ZoneView]) -> tuple[Span, ...]:
    return tuple(span for view in views for span in view.zone.spans)


def _all(study: Study) -> tuple[Span, ...]:
    return _spans(study.views)


def _sure(outcomes: tuple[bool | None, ...]) -> int | None:
    """Zones that a rule admits; known only when no zone is within the skew."""
    return _at_least(outcomes) if None not in outcomes else None


def _at_least(outcomes: tuple[bool | None, ...]) -> int:
    return sum(outcome is True for outcome in outcomes)


def _only_walk(study: Study) -> list[ZoneView]:
    pairs = zip(study.views, study.by_walk, study.by_block, strict=True)
    return [view for view, walk, block in pairs if walk is False and block is True]


def _names(views: Iterable[ZoneView]) -> str | None:
    return ", ".join(view.zone.label for view in views) or None


def _judged(study: Study, verdict: str) -> list[ZoneView]:
    return [view for view in study.views if view.verdict == verdict]


def _reserved(study: Study) -> list[ZoneView]:
    return [view for view in study.views if view.why == "reserve"]


def _fitting(study: Study) -> int | None:
    fits = [view.fits for view in study.views]
    return sum(fit or 0 for fit in fits) if None not in fits else None


def _indices(study: Study) -> tuple[int, ...] | None:
    order = study.asked.request.order
    found = tuple(fragindex(view.zone.blocks.counts, order) for view in study.views if view.zone.blocks)
    return found if found and order else None


def _threshold_matters(study: Study) -> bool | None:
    indices = _indices(study)
    if indices is None:
        return None
    return bool(study.gate and study.gate.allowed and any(0 <= index <= EXTFRAG_THRESHOLD for index in indices))


def _largest(study: Study) -> int | None:
    orders = [largest_order(view, study.asked.request, study.state) for view in study.views]
    return max((order for order in orders if order is not None), default=None)


ZONES = (
    Row("zones.count", "zones that the request may try", lambda s: len(s.views), _all),
    Row("zones.admitted_by_order_walk", "zones that the walk of kernels to 4.3 admits", lambda s: _sure(s.by_walk),
        _all),
    Row("zones.admitted_by_order_walk.at_least", "the same, undecidable zones counted as refusing",
        lambda s: _at_least(s.by_walk), _all),
    Row("zones.admitted_by_free_block", "zones that the check of 4.4 and later admits", lambda s: _sure(s.by_block),
        _all),
    Row("zones.admitted_by_free_block.at_least", "the same, undecidable zones counted as refusing",
        lambda s: _at_least(s.by_block), _all),
    Row("zones.refused_only_by_order_walk", "zones that the walk refuses and the newer check admits",
        lambda s: len(_only_walk(s)), lambda s: _spans(_only_walk(s) or s.views),
        wording=lambda s: _names(_only_walk(s))),
    Row("zones.refused_only_by_boost", "zones that would admit the request without a boost that is not printed",
        lambda s: len(s.held_by_boost), lambda s: _spans(s.held_by_boost or s.views),
        lambda s: INFERRED if s.held_by_boost else None,
        lambda s: _names(s.held_by_boost)),
    Row("zones.admits", "zones the request may try that admit it by this kernel's rules",
        lambda s: len(_judged(s, "admits")), lambda s: _spans(_judged(s, "admits") or s.views)),
    Row("zones.refuses", "zones the request may try that refuse it by this kernel's rules",
        lambda s: len(_judged(s, "refuses")), lambda s: _spans(_judged(s, "refuses") or s.views)),
    Row("zones.undecidable", "zones the request may try where the skew between two readings decides",
        lambda s: len(_judged(s, "undecidable")), lambda s: _spans(_judged(s, "undecidable") or s.views)),
    Row("zones.fitting_blocks", "free blocks of the order or larger in the zones the request may try", _fitting, _all),
    Row("zones.reserve_refused", "zones that only their lowmem_reserve keeps from admitting the request",
        lambda s: len(_reserved(s)), lambda s: _spans(_reserved(s) or s.views)),
    Row("compaction.fragindex",
        "highest fragmentation index of the zones it may try: 1000 fragmented, 0 short, -1000 a block is free",
        lambda s: max(_indices(s) or (), default=None), _all,
        wording=lambda s: said("fragindex.highest", indices=_indices(s))),
    Row("compaction.fragindex.list", "the index of each zone in the order they are tried", _indices, _all),
    Row("compaction.threshold_matters", "vm.extfrag_threshold takes part in the decision", _threshold_matters, _all),
    Row("zones.largest_order", "largest order that one of the zones it may try would serve", _largest, _all),
)  # fmt: skip

_GROUPS: tuple[tuple[Callable[[Study], bool], tuple[Row, ...]], ...] = (
    (lambda study: True, REQUEST),
    (lambda study: study.asked.gfp is not None, GFP),
    (lambda study: study.memory is not None, MEMORY),
    (lambda study: bool(study.views), ZONES),
)
"""Rows by what a report has to bear for them."""

NAMES = {row.name: row.means for _, rows in _GROUPS for row in rows}
"""What each fact means, by its name."""
