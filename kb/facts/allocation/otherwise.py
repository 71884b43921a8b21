"""How a caller that asked for one large piece could have asked, by its place in the kernel and by its mask.

mm/util.c ``kvmalloc_node()`` (4.12 to 7.x): one piece without a warning or a retry, else vmalloc's pages; masks without
__GFP_FS or __GFP_IO get that since a421ef303008 ("mm: allow !GFP_KERNEL allocations for kvmalloc") (in v5.17).
"""

import re

from kb.facts.allocation.study import Study
from kb.kernel.allocflags import may_reclaim
from kb.kernel.compaction import COSTLY_ORDER
from kb.kernel.era import span
from kb.model.memory import size
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.syntax.frames import plain
from kb.words.speak import said

_KVMALLOC_ANY = span("5.17")
_KMALLOC = re.compile(r"_*k[mzv]alloc\w*|kmemdup\w*|memdup_user\w*|krealloc\w*")
_PLACES: tuple[tuple[re.Pattern[str], Said], ...] = (
    (re.compile(r"dup_task_struct|alloc_thread_\w+|copy_process"), said("asks.thread_stack")),
    (re.compile(r"kimage_\w+"), said("asks.image")),
    (re.compile(r"dmam?_alloc\w*|dma_(?:direct|pool|atomic|alloc)\w+|__dma_\w+|mhi_\w+|\w+_dma_(?:alloc|map)\w*"),
     said("asks.device")),
    (re.compile(r"pskb_expand_head|skb_(?:copy|segment|linearize|realloc)\w*|__pskb_\w+|__?alloc_skb\w*|tcp_collapse\w*"
                r"|__?(?:netdev|napi)_alloc_skb\w*"), said("asks.packet")),
)  # fmt: skip
"""Who needs a piece for what it is, or has another way: innermost frame first."""


def otherwise(study: Study) -> Reason | None:
    """What the caller of a high order should have used; None for a single page and where nothing tells."""
    asked = study.asked
    if study.report.kind != "page_allocation_failure" or not asked.order or asked.gfp is None:
        return None
    names = [plain(frame.function) for frame in study.report.frames if frame.function]
    if not names or study.report.function is None:
        return None
    place = next((says for name in names for pattern, says in _PLACES if pattern.fullmatch(name)), None)
    why = place or _by_mask(study, any(_KMALLOC.fullmatch(name) for name in names) or bool(asked.gfp.slab_layer))
    if why is None:
        return None
    claim = said("asks.one_piece", function=study.report.function, order=asked.order,
                 size_kb=size(1 << min(asked.order, 64), study.page_kb))  # fmt: skip
    return Reason(claim, "holds", (why,), asked.headline)


def _by_mask(study: Study, kmalloc: bool) -> Said | None:
    """The way that the mask leaves open."""
    gfp, order = study.gfp, study.asked.order or 0
    waits = {may_reclaim(flags) for flags in gfp.flag_sets}
    if waits == {False}:
        return said("asks.in_advance")
    if waits != {True} or order <= COSTLY_ORDER:
        return None
    if not kmalloc:
        return said("asks.quietly")
    if gfp.has("__GFP_FS") and gfp.has("__GFP_IO"):
        return said("asks.kvmalloc")
    newer = bool(study.releases) and all(_KVMALLOC_ANY.has(release) for release in study.releases)
    return said("asks.kvmalloc") if newer else said("asks.kvmalloc_later")
