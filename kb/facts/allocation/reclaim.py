"""Whether reclaim alone would have served a request: what was missing, and what the zones had to reclaim."""

from collections.abc import Sequence

from kb.facts.allocation.study import Study
from kb.facts.allocation.zones import ZoneView
from kb.kernel.allocflags import may_reclaim
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.words.speak import said

_FILE = ("active_file", "inactive_file")
_ANON = ("active_anon", "inactive_anon")


def reclaim(study: Study) -> Reason | None:
    """The claim that freeing pages would have been enough."""
    gfp = study.asked.gfp
    if gfp is None or not study.views:
        return None
    claim, head = said("reclaim.alone_helps"), study.asked.headline
    if {may_reclaim(flags) for flags in gfp.flag_sets} == {False}:
        beside = said("reclaim.kswapd_too_late") if study.wakes_kswapd else said("reclaim.kswapd_not_woken")
        return Reason(claim, "excluded", (said("reclaim.may_not"), beside), head)
    if study.asked.context == "reclaim":
        return Reason(claim, "excluded", (said("reclaim.inside_reclaim"),), study.asked.context_spans or head)
    if study.cause.name == "size_limit":
        return Reason(claim, "excluded", (said("reclaim.size_refused"),), head)
    single = not study.asked.request.order  # no block of it is larger than what reclaim frees
    if not single and (study.cause.name in ("order_walk_refusal", "fragmentation") or _blocks_alone(study.views)):
        return Reason(claim, "excluded", (said("reclaim.single_pages"),), head)
    if admits := [view.zone.label for view in study.views if view.first == "admits"]:
        return Reason(claim, "unknown", (said("reclaim.one_admits", zones=admits),), head)
    short = [view for view in study.views if view.why == "short" or (single and view.why == "no block")]
    if not short:
        return Reason(claim, "unknown", (said("reclaim.not_the_number_alone"),), head)
    if all(view.printed.mark == "none" for view in short):
        by_flag = "__GFP_MEMALLOC" in gfp.certain
        why_not = said("reclaim.not_one_page_by_flag") if by_flag else said("reclaim.not_one_page")
        return Reason(claim, "unknown", (why_not,), head)
    verdict, why = _of_short(study, short)
    return Reason(claim, verdict, (why,), (*head, *(span for view in short for span in view.zone.spans[:1])))


def _blocks_alone(views: Sequence[ZoneView]) -> bool:
    """Whether every zone has free pages enough and only no block that the request may take."""
    return all(view.why in ("walk", "no block", "cma only", "highatomic only") for view in views)


def _of_short(study: Study, short: Sequence[ZoneView]) -> tuple[str, Said]:
    """Zones that are below their watermark: the pages on their LRU lists bound what reclaim can give."""
    order = study.asked.request.order
    known = [(view, missing(view), pages) for view in short if (pages := reclaimable(study, view)) is not None]
    if len(known) == len(short) and all(pages < lacks for _, lacks, pages in known):
        _, lacks, pages = max(known, key=lambda row: row[2] - row[1])
        if not any(pages for _, _, pages in known):
            return "excluded", said("reclaim.nothing_there", zones=[view.zone.label for view in short])
        return "excluded", said("reclaim.too_little", pages=pages, missing_pages=lacks)
    if order and not any(view.fits for view in short if view.fits is not None):
        return "unknown", said("reclaim.and_no_block", order=order)
    return "holds", said("reclaim.pages_missing")


def missing(view: ZoneView) -> int:
    """Pages that a zone lacks to pass its watermark."""
    return max(0, 1 - (view.margin or 0))


def reclaimable(study: Study, view: ZoneView) -> int | None:
    """Pages on a zone's LRU lists that reclaim could free at most; None where the zone's line does not print them.

    Anonymous pages (tmpfs included) need room in swap.
    """
    counters = view.zone.counters
    names = _FILE if study.state.counters.get("free_swap_kb") == 0 else (*_FILE, *_ANON)
    if any(name not in counters for name in names):
        return None
    return sum(counters[name] for name in names)
