"""The reasoning chain of an allocation report, cause by cause, in the order an expert goes."""

from kb.facts.allocation.study import Study, assumptions, era_assumption
from kb.facts.allocation.zones import ZoneView, discount
from kb.kernel.compaction import COSTLY_ORDER, EXTFRAG_THRESHOLD, fragindex, suitable
from kb.kernel.watermark import may_reclaim
from kb.model.log import Span
from kb.model.verdict import Reason

EXCLUDED, HOLDS, UNKNOWN = "excluded", "holds", "unknown"


def reasons(study: Study) -> tuple[Reason, ...]:
    """Every possible cause with its verdict, evidence and numbers."""
    chain = [_size(study), _flags(study), _task(study), _zones(study)]
    chain += [_zone(study, view) for view in study.views]
    chain += [_reclaim(study), _compaction(study), _extfrag(study), _min_free(study), _skew(study)]
    return tuple(reason for reason in chain if reason is not None)


def _size(study: Study) -> Reason | None:
    order, kb = study.asked.order, study.memory.page_kb if study.memory else 4
    if order is None:
        return Reason("the request is too large", UNKNOWN, "the order is not printed")
    pages = 1 << min(order, 64)
    text = f"order {order} is {pages} contiguous page{'s' if pages != 1 else ''} ({pages * kb} kB)"
    if study.cause.name == "size_limit":
        return Reason(
            "the request is larger than the allocator serves", HOLDS, study.cause.summary, study.asked.headline
        )
    if order > COSTLY_ORDER:
        why = f"{text}: a costly order (above {COSTLY_ORDER}), for which the kernel gives up rather than retry for long"
        return Reason("the size alone makes the request fail easily", HOLDS, why, study.asked.headline)
    return Reason("the request is too large", EXCLUDED, text, study.asked.headline)


def _flags(study: Study) -> Reason | None:
    gfp = study.asked.gfp
    if gfp is None:
        return Reason("the GFP flags forbid waiting or reclaim", UNKNOWN, "the mask is not printed")
    words = [f"{gfp.mask:#x} = {' | '.join(flag.removeprefix('__GFP_') for flag in gfp.certain) or 'no flag'}"]
    if gfp.slab_layer:
        added = "|".join(flag.removeprefix("__GFP_") for flag in gfp.slab_layer)
        words.append(f"{gfp.name or 'the rest'} from the caller, {added} from the slab layer")
    elif gfp.name:
        words.append(gfp.name)
    if gfp.possible:
        words.append(f"{', '.join(gfp.possible)} depending on the kernel")
    words.append(f"table {gfp.era}")
    if note := era_assumption(study):
        words.append(note)
    reclaim = {may_reclaim(flags) for flags in gfp.flag_sets}
    claim = "the GFP flags forbid waiting for reclaim"
    verdict = UNKNOWN if len(reclaim) > 1 else EXCLUDED if True in reclaim else HOLDS
    return Reason(claim, verdict, "; ".join(words), study.asked.headline)


_TASK = {
    "workqueue": (EXCLUDED, "a kworker in process_one_work is neither exiting nor an OOM victim, no reclaim function "
                  "is on its stack (that zones are printed rules out nothing: such tasks print more zones, not fewer)"),
    "process": (EXCLUDED, "no reclaim, exit or interrupt function is on the stack; an OOM victim in this context is "
                "not ruled out by the report"),
    "interrupt": (HOLDS, "the stack shows interrupt context: the task below does not matter, and nothing can wait"),
    "reclaim": (HOLDS, "the stack shows reclaim: PF_MEMALLOC, so it ignores watermarks and may not reclaim again"),
    "exit": (HOLDS, "the stack shows an exiting task"),
}  # fmt: skip


def _task(study: Study) -> Reason:
    claim = "the state of the task decided (exiting, OOM victim, in reclaim, in interrupt)"
    verdict, why = _TASK.get(study.asked.context, (UNKNOWN, "no stack in the report"))
    return Reason(claim, verdict, why, study.asked.context_spans)


def _zones(study: Study) -> Reason | None:
    if not study.views:
        return Reason("no zone could serve the request", UNKNOWN, "the zones cannot be judged: " + study.cause.summary)
    names = ", ".join(view.zone.label for view in study.views)
    order = f"tried in this order: {names}"
    verdicts = [view.verdict for view in study.views]
    verdict = HOLDS if set(verdicts) == {"refuses"} else EXCLUDED if "admits" in verdicts else UNKNOWN
    spans = tuple(span for view in study.views for span in view.zone.spans)
    rule = f"rules of {study.rule_text}"
    out = [f"{zone.label} cannot be used" for zone in study.excluded]
    return Reason("no zone could serve the request", verdict, "; ".join([order, rule, *out]), spans)


def _zone(study: Study, view: ZoneView) -> Reason:
    """One zone under the kernel's own rule, every subtraction kept."""
    request = study.asked.request
    numbers = [f"mark: {discount(request, view.rules, view.zone)}; lowmem_reserve {view.reserve}"]
    numbers += [f"free {view.zone.free} as printed:", *(f"  {step.formula}" for step in view.printed.steps)]
    if view.summed is not None:
        numbers += [
            f"free {view.summed.free} as the list sums up:",
            *(f"  {step.formula}" for step in view.summed.steps),
        ]
    verdict = {"admits": EXCLUDED, "refuses": HOLDS, "undecidable": UNKNOWN}[view.verdict]
    return Reason(
        f"{view.zone.label} refuses the request", verdict, _zone_words(study, view), view.zone.spans, tuple(numbers)
    )


def _zone_words(study: Study, view: ZoneView) -> str:
    run, order = view.printed, study.asked.request.order
    if view.verdict == "undecidable":
        return "depends on what is not printed: " + "; ".join(
            run.assumptions or (f"free count and list differ by {view.skew}",)
        )
    if view.verdict == "admits":
        return f"it admits it: {run.steps[0].formula}" + (
            f"; block of order {run.block_order}" if run.block_order else ""
        )
    if run.fails_at == "no block":
        held = f" ({view.fits} free, none of a type it may take)" if view.fits else ""
        return f"the watermark holds, but there is no usable block of order {order} or larger{held}"
    gap = f"{run.left} pages are left, and it needs more than {run.needs}"
    if run.fails_at == "base":
        why = {"reserve": f"; lowmem_reserve ({view.reserve}) alone stands in the way",
               "cma": "; its CMA pages do not count",
               "highatomic": "; its highatomic reserve does not count"}.get(view.why, "")  # fmt: skip
        return f"below the watermark: {gap}{why}"
    other = (
        f" (on the list sum at order {view.summed.fails_at})"
        if view.summed and view.summed.fails_at != run.fails_at
        else ""
    )
    blocks = f", although {view.fits} blocks of order {order} or larger are free" if view.fits else ""
    return f"the walk fails at order {run.fails_at}{other}: {gap}{blocks}"


def _reclaim(study: Study) -> Reason | None:
    gfp = study.asked.gfp
    if gfp is None or not study.views:
        return None
    claim = "reclaim alone would have helped"
    reclaim = {may_reclaim(flags) for flags in gfp.flag_sets}
    if reclaim == {False}:
        return Reason(claim, EXCLUDED, "the request may not reclaim; kswapd works beside it, too late for this one",
                      study.asked.headline)  # fmt: skip
    whys = {view.why for view in study.views if view.verdict == "refuses"}
    spans: tuple[Span, ...] = study.asked.headline
    if study.cause.name in ("order_walk_refusal", "fragmentation"):
        why = "free memory is not short: reclaim frees single pages, which the request needs side by side"
        return Reason(claim, EXCLUDED, why, spans)
    if "short" in whys:
        return Reason(claim, HOLDS, "free pages are below the watermark: more of them is what was missing", spans)
    return Reason(claim, UNKNOWN, "what refuses the request is not the number of free pages alone", spans)


def _compaction(study: Study) -> Reason | None:
    if study.gate is None or not study.asked.order:
        return None
    claim = "direct compaction could not run"
    verdict = {True: EXCLUDED, False: HOLDS, None: UNKNOWN}[study.gate.allowed]
    numbers = []
    for view in study.views:
        found = suitable(view.zone, study.asked.order, study.releases, admitted=view.verdict == "admits")
        if found:
            numbers.append(f"{view.zone.label}: fragmentation index {found.index}, free {found.left} of {found.needs}: "
                           f"{'suitable' if found.suitable else 'not suitable'}, {found.because}")  # fmt: skip
    source = f" ({study.gate.source})" if study.gate.source else ""
    extra = "; it can move anonymous memory only" if study.gate.anonymous_only else ""
    return Reason(claim, verdict, f"{study.gate.because}{extra}{source}", study.asked.headline, tuple(numbers))


def _extfrag(study: Study) -> Reason | None:
    """vm.extfrag_threshold matters only where compaction may run and a zone's index lies between 0 and it."""
    order = study.asked.order
    rows = [(view, fragindex(view.zone.blocks.counts, order)) for view in study.views if view.zone.blocks and order]
    if not order or not rows or study.gate is None:
        return None
    claim = "another vm.extfrag_threshold would have helped"
    numbers = tuple(f"{view.zone.label}: fragmentation index {index}" for view, index in rows)
    spans = tuple((view.zone.blocks.line,) * 2 for view, _ in rows if view.zone.blocks and view.zone.blocks.line)
    low = [view.zone.label for view, index in rows if 0 <= index <= EXTFRAG_THRESHOLD]
    if study.gate.allowed is False:
        why = f"the gate comes first: {study.gate.because}, so compaction never looks at the threshold"
        free = [view.zone.label for view, index in rows if index == -1000]
        if free:
            why += f"; and the index of {', '.join(free)} is -1000 (a block is free)"
        return Reason(claim, EXCLUDED, why, spans, numbers)
    if not low:
        why = f"no zone's index lies between 0 and {EXTFRAG_THRESHOLD}, where alone the threshold decides"
        return Reason(claim, EXCLUDED, why, spans, numbers)
    return Reason(
        claim,
        UNKNOWN,
        f"the index of {', '.join(low)} is below the default threshold {EXTFRAG_THRESHOLD}",
        spans,
        numbers,
    )


def _min_free(study: Study) -> Reason | None:
    """Raising min_free_kbytes raises the marks at once, whatever it does later."""
    refused = [view for view in study.views if view.verdict == "refuses"]
    if not refused or study.memory is None:
        return None
    claim = "raising vm.min_free_kbytes would help"
    total = sum(zone.min - (zone.boost or 0) for zone in study.memory.zones) * study.memory.page_kb
    spans = tuple((view.zone.line, view.zone.line) for view in refused if view.zone.line)
    known = f"the marks sum up to {total} kB"
    if study.cause.name == "order_walk_refusal":
        why = f"{known}; the walk asks for min/2^n at order n, so a higher min raises every bar: it makes this worse"
        return Reason(claim, EXCLUDED, why, spans)
    if study.cause.name == "atomic_reserve_exhausted":
        return Reason(claim, HOLDS, f"{known}; a larger reserve lasts longer in a burst of atomic requests", spans)
    return Reason(claim, UNKNOWN, f"{known}; it makes kswapd start earlier but keeps more memory unused", spans)


def _skew(study: Study) -> Reason | None:
    skewed = [view for view in study.views if view.skew]
    if not skewed:
        return None
    matters = [view for view in skewed if view.verdict == "undecidable"]
    words = ", ".join(f"{view.zone.label} {view.skew:+d} pages" for view in skewed)
    why = f"the free list was read after the free count: {words}"
    spans = tuple(span for view in skewed for span in view.zone.spans)
    claim = "the snapshot is too late to decide"
    return Reason(claim, UNKNOWN if matters else EXCLUDED, why, spans, tuple(assumptions(study)))
