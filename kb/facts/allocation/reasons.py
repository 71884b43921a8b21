"""The reasoning chain of an allocation report, cause by cause, in the order an expert goes."""

import re
from collections.abc import Iterator, Sequence

from kb.facts.allocation.account import account, holding, on_cpus
from kb.facts.allocation.cause import labels
from kb.facts.allocation.consequence import consequence
from kb.facts.allocation.giveup import gave_up, only_a_victim
from kb.facts.allocation.highatomic import over_limit
from kb.facts.allocation.otherwise import otherwise
from kb.facts.allocation.reclaim import reclaim, reclaimable
from kb.facts.allocation.slub import slub
from kb.facts.allocation.study import Study, assumptions, era_assumption
from kb.facts.allocation.zones import ZoneView, discount
from kb.kernel.allocflags import may_reclaim
from kb.kernel.boost import boost_of
from kb.kernel.compaction import COSTLY_ORDER, EXTFRAG_THRESHOLD, Gate, fragindex, suitable
from kb.kernel.era import NEVER
from kb.kernel.era import span as era_span
from kb.kernel.gfp import Decoded
from kb.kernel.watermark import PAGEBLOCK_ORDER, first_block
from kb.model.allocation import Replay
from kb.model.memory import size
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.syntax.frames import plain
from kb.words.speak import said

EXCLUDED, HOLDS, UNKNOWN = "excluded", "holds", "unknown"


def reasons(study: Study) -> tuple[Reason, ...]:
    """Every possible cause with its verdict, evidence and numbers."""
    chain = [
        consequence(study),
        _size(study),
        otherwise(study),
        _flags(study),
        *slub(study),
        gave_up(study.asked, study.report.kind, study.releases),
        _task(study),
        _could_sleep(study),
    ]
    chain += [_zones(study)]
    chain += [_zone(study, view) for view in study.views]
    chain += [
        over_limit(study),
        account(study),
        on_cpus(study),
        _defrag(study),
        reclaim(study),
        _compaction(study),
        _extfrag(study),
        _min_free(study),
        _skew(study),
    ]
    return tuple(reason for reason in chain if reason is not None)


def _size(study: Study) -> Reason | None:
    order, page_kb = study.asked.order, study.page_kb
    if order is None:
        return Reason(said("size.too_large"), UNKNOWN, (said("size.order_not_printed"),))
    pages = 1 << min(order, 64)
    size_kb, head = size(pages, page_kb), study.asked.headline
    if study.cause.name == "size_limit":
        return Reason(said("size.above_largest"), HOLDS, (study.cause.says,), head)
    if order > COSTLY_ORDER:
        why = said("size.costly", order=order, pages=pages, size_kb=size_kb, costly_order=COSTLY_ORDER)
        return Reason(said("size.fails_easily"), HOLDS, (why,), head)
    why = said("size.of_order", order=order, pages=pages, size_kb=size_kb)
    return Reason(said("size.too_large"), EXCLUDED, (why,), head)


def _flags(study: Study) -> Reason | None:
    gfp = study.asked.gfp
    if gfp is None:
        why = said("gfp.no_table") if study.asked.printed else said("gfp.not_printed")
        return Reason(said("gfp.forbids_waiting"), UNKNOWN, (why,))
    reclaim = {may_reclaim(flags) for flags in gfp.flag_sets}
    verdict = UNKNOWN if len(reclaim) > 1 else EXCLUDED if True in reclaim else HOLDS
    return Reason(said("gfp.forbids_waiting"), verdict, tuple(_mask(study, gfp)), study.asked.headline)


def _mask(study: Study, gfp: Decoded) -> Iterator[Said]:
    """The mask taken apart: its flags, who set them, by which table."""
    flags = [flag.removeprefix("__GFP_") for flag in gfp.certain]
    yield said("gfp.mask", mask=gfp.mask, flags=flags) if flags else said("gfp.mask_empty", mask=gfp.mask)
    if gfp.slab_layer:
        added = [flag.removeprefix("__GFP_") for flag in gfp.slab_layer]
        yield said("gfp.slab_added", caller=gfp.name or said("gfp.rest"), added=added)
    elif gfp.name:
        yield said("gfp.name", name=gfp.name)
    if gfp.possible:
        yield said("gfp.possible", flags=gfp.possible)
    yield said("gfp.table", era=gfp.era)
    if (assumed := era_assumption(study)) is not None:
        yield assumed


_TASK = {
    "workqueue": (EXCLUDED, (said("task.kworker"),)),
    "process": (EXCLUDED, (said("task.no_such_frame"), said("task.victim_not_excluded"))),
    "interrupt": (HOLDS, (said("task.in_interrupt"),)),
    "reclaim": (HOLDS, (said("task.in_reclaim"),)),
    "exit": (EXCLUDED, (said("task.exiting"), said("task.victim_not_excluded"))),
}


def _task(study: Study) -> Reason:
    init = study.report.pid in (0, 1)  # an idle task, and init: mm/oom_kill.c oom_unkillable_task()
    unread = said("task.stack_unsure") if study.report.traces else said("task.no_stack")
    if study.nameless:
        unread = said("task.stack_nameless")
    verdict, why = _TASK.get(study.asked.context, (UNKNOWN, (unread,)))
    if init and study.asked.context == "process":
        return Reason(said("task.decided"), verdict, (*why[:1], said("task.no_victim_is_init")))
    if study.asked.context == "reclaim" and "__GFP_NOMEMALLOC" in study.asked.request.flags:
        why = (said("task.in_reclaim_no_reserves"),)
    if verdict == EXCLUDED and only_a_victim(study.asked, study.report.kind, study.releases):
        kthread = study.asked.context == "workqueue"  # no kernel thread is ever a victim
        verdict, why = UNKNOWN, (*why[:1], said("task.likely_memalloc") if kthread else said("task.likely_victim"))
    return Reason(said("task.decided"), verdict, why, study.asked.context_spans)


_LOCKS = re.compile(r"_*raw_(?:spin|read|write)_\w+|_?spin_lock\w*|rcu_read_lock\w*|\w*bh_disable\w*")
_FROM_USER = re.compile(
    r"entry_SYSCALL\w*|do_syscall_64|do_syscall_x64|system_call\w*|el0_svc\w*|sysenter\w*|ret_fast_syscall"
    r"|process_one_work|kthread"
)


def _could_sleep(study: Study) -> Reason | None:
    """An atomic request out of a stack that shows neither an interrupt nor a lock."""
    asked = study.asked
    if asked.gfp is None or asked.context not in ("process", "workqueue", "exit"):
        return None
    if any("__GFP_HIGH" not in flags or may_reclaim(flags) for flags in asked.gfp.flag_sets):
        return None
    names = [plain(frame.function) for frame in study.report.frames]
    entry = next((name for name in names if _FROM_USER.fullmatch(name)), None)
    if entry is None or any(_LOCKS.fullmatch(name) for name in names):
        return None
    why = (said("atomic.in_task", function=entry), said("atomic.lock_not_printed"))
    return Reason(said("atomic.could_sleep"), UNKNOWN, why, asked.headline)


def _zones(study: Study) -> Reason | None:
    if study.cause.says.name == "cause.short_for_all":
        spans = tuple(span for zone in study.state.zones for span in zone.spans)
        return Reason(said("zones.none_serves"), HOLDS, (study.cause.says,), spans)
    if not study.views:
        return Reason(said("zones.none_serves"), UNKNOWN, (said("zones.not_judged", cause=study.cause.says),))
    verdicts = [view.first for view in study.views]
    verdict = HOLDS if set(verdicts) == {"refuses"} else EXCLUDED if "admits" in verdicts else UNKNOWN
    spans = tuple(span for view in study.views for span in view.zone.spans)
    tried = said("zones.tried", zones=labels(study.views))
    rules = said("zones.rules", rules=[rules.name for rules in study.rules])
    unusable = [said("zones.cannot_be_used", zone=zone.label) for zone in study.excluded]
    deciding = study.cause.deciding
    if verdict == EXCLUDED and deciding and all(view.first == "refuses" for view in deciding):
        near = [view for view in study.views if view.first == "admits"]  # by less than noise: else it were the cause
        unusable.append(said("zones.pass_by_noise", zones=labels(near), pages=max(view.margin or 0 for view in near)))
        verdict = HOLDS
    return Reason(said("zones.none_serves"), verdict, (tried, rules, *unusable), spans)


def _zone(study: Study, view: ZoneView) -> Reason:
    """One zone under the kernel's own rule, every subtraction kept."""
    mark = discount(study.asked.request, view.rules, view.zone)
    sums = [said("sum.mark", mark=mark, reserve_pages=view.reserve)]
    sums += [said("sum.free_printed", free_pages=view.zone.free), *_steps(view.printed)]
    if view.summed is not None:
        sums += [said("sum.free_listed", free_pages=view.summed.free), *_steps(view.summed)]
    verdict = {"admits": EXCLUDED, "refuses": HOLDS, "undecidable": UNKNOWN}[view.first]
    claim, why = said("zone.refuses", zone=view.zone.label), tuple(_zone_why(study, view))
    return Reason(claim, verdict, why, view.zone.spans, tuple(sums))


def _steps(run: Replay) -> Iterator[Said]:
    return (said("sum.step", sum=step.sum) for step in run.steps)


def _zone_why(study: Study, view: ZoneView) -> Iterator[Said]:
    run, order = view.printed, study.asked.request.order
    if view.first == "undecidable":
        yield said("zone.depends", open=run.assumptions or (said("assumed.no_free_list"),))
    elif view.first == "admits":
        base = run.base
        yield said("zone.admits", sum=base.sum if base is not None else said("zone.no_watermark_asked"))
        if run.block_order:
            yield said("zone.block_of_order", order=run.block_order)
    else:
        yield from _refusal(view, order)
        if view.verdict == "undecidable" and view.summed is not None and view.summed.admits:
            yield said("zone.list_admits", pages=view.skew)


def _refusal(view: ZoneView, order: int) -> Iterator[Said]:
    run = view.printed
    if run.fails_at == "no block":
        held = said("part.none_of_its_type", blocks=view.fits) if view.fits else None
        if run.mark == "none":
            yield said("zone.no_block_no_watermark", order=order, held=held)
        else:
            yield said("zone.no_block", order=order, held=held)
    elif run.fails_at == "base":
        yield said("zone.below_watermark", left_pages=run.left, needs_pages=run.needs)
        match view.why:
            case "reserve" if view.margin is not None and view.margin + view.atomic > 0:
                yield said("zone.reserve_or_highatomic", reserve_pages=view.reserve, atomic_pages=view.atomic)
            case "reserve":
                yield said("zone.reserve_alone", reserve_pages=view.reserve)
            case "boost":
                yield said("zone.boost_alone", boost_pages=boost_of(view.zone))
            case "cma":
                yield said("zone.cma_does_not_count")
            case "highatomic":
                yield said("zone.highatomic_does_not_count")
    else:
        blocks = said("part.although_free", blocks=view.fits, order=order) if view.fits else None
        yield said("zone.walk_fails", order=run.fails_at, other=_on_list_sum(view), left_pages=run.left,
                   needs_pages=run.needs, blocks=blocks)  # fmt: skip


def _on_list_sum(view: ZoneView) -> Said | None:
    """Where the walk fails from the other base, where that is elsewhere."""
    if view.summed is None or view.summed.admits or view.summed.fails_at == view.printed.fails_at:
        return None
    if isinstance(view.summed.fails_at, int):
        return said("part.on_list_sum", order=view.summed.fails_at)
    return said("part.on_list_sum_at_watermark")


_DEFRAG_MODE = era_span("6.15")


def _defrag(study: Study) -> Reason | None:
    """Whether vm.defrag_mode may have refused what a zone admits: it is not printed.

    e3aa7df331bc ("mm: page_alloc: defrag_mode") (in v6.15), mm/page_alloc.c: ALLOC_NOFRAGMENT then stays until reclaim
    and compaction have failed, and a request that may not wait gives up before.
    """
    if study.cause.name != "state_changed" or not all(_DEFRAG_MODE.has(release) for release in study.releases):
        return None
    if any(may_reclaim(flags) for flags in study.gfp.flag_sets):
        return None
    letter = {"movable": "M", "reclaimable": "E"}.get(study.asked.request.migratetype, "U")
    admits = [view for view in study.views if view.first == "admits" and view.zone.blocks is not None]
    if not admits or any(_of_type(view, letter, study.asked.request.order) for view in admits):
        return None
    why = (said("defrag.no_own_type", zones=labels(admits)), said("defrag.not_printed"))
    return Reason(said("defrag.refused"), UNKNOWN, why, tuple(span for view in admits for span in view.zone.spans))


def _of_type(view: ZoneView, letter: str, order: int) -> bool:
    """Whether a zone has a block of the type, or a whole pageblock that may become one of it."""
    assert view.zone.blocks is not None
    words = view.zone.blocks.types
    return any(letter in word for word in words[order:]) or any({*"UME"} & {*word} for word in words[PAGEBLOCK_ORDER:])


def _compaction(study: Study) -> Reason | None:
    if study.gate is None or not study.asked.order:
        return None
    verdict = {True: EXCLUDED, False: HOLDS, None: UNKNOWN}[study.gate.allowed]
    sums, judged = [], []
    for view in study.views if study.could_compact else ():
        usable = first_block(view.zone, study.asked.request, view.rules, study.flags)[0] is not None
        found = suitable(view.zone, study.asked.request, view.rules, study.releases, zones=study.state.kinds,
                         usable=usable)  # fmt: skip
        if found is not None:
            judged.append(found.suitable or view.first == "admits")
            word = said("suitable.yes") if found.suitable else said("suitable.no")
            sums.append(said("compaction.zone", zone=view.zone.label, index=found.index, free_pages=found.left,
                             needs_pages=found.needs, suitable=word, why=found.why))  # fmt: skip
    why = tuple(_gate(study, study.gate))
    if verdict == EXCLUDED and judged and not any(judged):
        verdict, why = HOLDS, (*why, said("compaction.no_zone_suitable"))
    return Reason(said("compaction.could_not_run"), verdict, why, study.asked.headline, tuple(sums))


def _gate(study: Study, gate: Gate) -> Iterator[Said]:
    if gate.anonymous_only:
        yield gate.why
        yield said("compaction.anonymous_only", source=gate.source)
        known = [(view.zone, split) for view in study.views if (split := holding(view.zone)) is not None]
        if known and len(known) == len(study.views):
            anon, lru = sum(split.anon for _, split in known), sum(split.anon + split.file for _, split in known)
            yield said("compaction.anonymous_pages", anon_pages=anon, lru_pages=lru)
    else:
        yield said("compaction.gate", gate=gate.why, source=gate.source) if gate.source else gate.why


def _extfrag(study: Study) -> Reason | None:
    """vm.extfrag_threshold matters only where compaction may run and a zone's index lies between 0 and it."""
    order = study.asked.order
    rows = [(view, fragindex(view.zone.blocks.counts, order)) for view in study.views if view.zone.blocks and order]
    if not order or not rows or study.gate is None or not study.has_compaction:
        return None
    claim = said("extfrag.other_threshold_helps")
    sums = tuple(said("extfrag.index", zone=view.zone.label, index=index) for view, index in rows)
    spans = tuple((view.zone.blocks.line,) * 2 for view, _ in rows if view.zone.blocks and view.zone.blocks.line)
    low = [view.zone.label for view, index in rows if 0 <= index <= EXTFRAG_THRESHOLD]
    if study.gate.allowed is False:
        why = [said("extfrag.gate_first", gate=study.gate.why)]
        free = [view.zone.label for view, index in rows if index == -1000]
        why += [said("extfrag.block_free", zones=free)] if free else []
        return Reason(claim, EXCLUDED, tuple(why), spans, sums)
    if not low:
        return Reason(claim, EXCLUDED, (said("extfrag.no_index_below", threshold=EXTFRAG_THRESHOLD),), spans, sums)
    below = said("extfrag.index_below", zones=low, threshold=EXTFRAG_THRESHOLD)
    return Reason(claim, UNKNOWN, (below,), spans, sums)


def _min_free(study: Study) -> Reason | None:
    """Raising min_free_kbytes raises the marks at once, whatever it does later."""
    refused = [view for view in study.views if view.first == "refuses"]
    if not refused or study.memory is None or not study.marks or study.cause.name == "size_limit":
        return None
    claim = said("min_free.raising_helps")
    spans = tuple((view.zone.line, view.zone.line) for view in refused if view.zone.line)
    known = said("min_free.marks_sum", marks_kb=size(study.marks, study.page_kb))
    if study.cause.name == "order_walk_refusal" and study.rules[-1].rule == "order-walk-el6":
        return Reason(claim, EXCLUDED, (known, said("min_free.not_in_the_walk")), spans)
    if study.cause.name == "no_watermarks_exhausted":
        return Reason(claim, HOLDS, (known, said("min_free.is_the_reserve")), spans)
    if study.cause.name == "order_walk_refusal":
        return Reason(claim, EXCLUDED, (known, said("min_free.raises_every_bar")), spans)
    if (filled := _refill(study, refused)) is not None:
        verdict, why = filled
        return Reason(claim, verdict, (known, why), spans)
    if study.cause.name == "atomic_reserve_exhausted":
        return Reason(claim, HOLDS, (known, said("min_free.lasts_longer")), spans)
    if study.cause.name == "memory_short" and _no_privilege(study):
        return Reason(claim, UNKNOWN, (known, said("min_free.raises_its_bar")), spans)
    return Reason(claim, UNKNOWN, (known, said("min_free.kswapd_earlier")), spans)


def _refill(study: Study, refused: Sequence[ZoneView]) -> tuple[str, Said] | None:
    """Where a larger reserve could not be filled: less than min can be reclaimed in the zones that are short."""
    short = [view for view in refused if view.why == "short"]
    found = [reclaimable(study, view) for view in short]
    known = [pages for pages in found if pages is not None]
    mark = sum(view.zone.min - boost_of(view.zone) for view in short)
    if not short or len(known) < len(short) or sum(known) >= mark:
        return None
    zones = labels(short)
    why = said("min_free.cannot_fill", zones=zones, pages=sum(known), min_pages=mark)
    return (UNKNOWN, why) if sum(known) else (EXCLUDED, said("min_free.nothing_to_fill_it", zones=zones))


_SCALE_FACTOR = era_span("4.6", "", {7: NEVER})
"""vm.watermark_scale_factor: 795ae7a0de6b ("mm: scale kswapd watermarks in proportion to memory") (in v4.6)."""


def _no_privilege(study: Study) -> bool:
    """Whether the whole min mark stands against a request that may not wait, where low can be raised alone."""
    waits = {may_reclaim(flags) for flags in study.gfp.flag_sets}
    full = all(discount(study.asked.request, view.rules, view.zone) == f"min {view.zone.min}" for view in study.views)
    return waits == {False} and full and all(_SCALE_FACTOR.has(release) for release in study.releases)


def _skew(study: Study) -> Reason | None:
    skewed = [view for view in study.views if view.skew]
    if not skewed and study.age is not None and study.views:
        verdict = UNKNOWN if study.cause.name == "state_changed" else EXCLUDED
        return Reason(
            said("snapshot.too_late"), verdict, (said("snapshot.age", age_s=study.age),), study.asked.headline
        )
    if not skewed:
        return None
    matters = [view for view in skewed if view.first == "undecidable"]
    skews = [said("skew.in_pages", zone=view.zone.label, pages=view.skew) for view in skewed]
    spans = tuple(span for view in skewed for span in view.zone.spans)
    verdict = UNKNOWN if matters else EXCLUDED
    why = [said("snapshot.age", age_s=study.age)] if study.age is not None else []
    why.append(said("snapshot.list_read_later", skews=skews))
    return Reason(said("snapshot.too_late"), verdict, tuple(why), spans, tuple(assumptions(study)))
