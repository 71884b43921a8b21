"""Who holds the zones that were short: what is free, on the LRU lists, and what is left for the kernel itself."""

from dataclasses import dataclass

from kb.facts.allocation.study import Study
from kb.kernel.allocflags import may_reclaim
from kb.model.memory import Zone, size
from kb.model.verdict import Reason
from kb.words.speak import said

_LRU = {
    "anon": ("active_anon", "inactive_anon", "isolated(anon)"),
    "file": ("active_file", "inactive_file", "isolated(file)"),
    "unevictable": ("unevictable",),
}
_NEEDED = ("active_anon", "inactive_anon", "active_file", "inactive_file", "unevictable")


@dataclass(frozen=True)
class Holding:
    """A zone's pages by holder."""

    managed: int
    free: int
    anon: int
    file: int
    unevictable: int

    @property
    def kernel(self) -> int:
        """What no list has: slab, page tables, stacks, buffers of drivers, huge pages set aside."""
        return max(0, self.managed - self.free - self.anon - self.file - self.unevictable)


def holding(zone: Zone) -> Holding | None:
    """The split of a zone; None where its line does not print the lists (4.8 prints them for nodes only).

    Nor is there one before the marks are set: early in boot managed pages are not yet in the allocator's hands.
    """
    if not zone.managed or not zone.min or any(name not in zone.counters for name in _NEEDED):
        return None
    lists = {name: sum(zone.counters.get(key, 0) for key in keys) for name, keys in _LRU.items()}
    return Holding(zone.managed, zone.free + zone.counters.get("free_pcp", 0), **lists)


def on_cpus(study: Study) -> Reason | None:
    """Whether the pages on per-CPU lists would have been enough: they are free, and no watermark counts them.

    mm/page_alloc.c ``__alloc_pages_direct_reclaim()`` (2.6.32 to 7.3) drains them where reclaim came to nothing; a
    request that may not wait never gets those of other CPUs.
    """
    short = [view for view in study.views if view.why == "short" and view.margin is not None]
    gains = [(view, view.zone.counters.get("free_pcp", 0)) for view in short]
    enough = [(view, pages) for view, pages in gains if pages + (view.margin or 0) > 0]
    if not enough or study.asked.request.order:
        return None
    lists = [said("pcp.of_zone", zone=view.zone.label, pcp_pages=pages) for view, pages in enough]
    drained = any(may_reclaim(flags) for flags in study.gfp.flag_sets) and study.asked.context != "reclaim"
    why = said("pcp.drained_first") if drained else said("pcp.not_drained")
    spans = tuple((view.zone.line, view.zone.line) for view, _ in enough if view.zone.line)
    return Reason(said("pcp.enough"), "unknown" if drained else "holds", (*lists, why), spans)


def account(study: Study) -> Reason | None:
    """Whether the kernel itself holds most of the zones that were short."""
    short = [view for view in study.views if view.why in ("short", "boost")]
    known = [(view.zone, split) for view in short if (split := holding(view.zone)) is not None]
    if not known or len(known) < len(short):
        return None
    managed = sum(split.managed for _, split in known)
    kernel = sum(split.kernel for _, split in known)
    claim = said("account.kernel_holds", zones=[zone.label for zone, _ in known])
    why = said("account.share", kernel_kb=size(kernel, study.page_kb), managed_kb=size(managed, study.page_kb),
               share=kernel / managed)  # fmt: skip
    sums = tuple(
        said("sum.zone_holders", zone=zone.label, free_pages=split.free, file_pages=split.file, anon_pages=split.anon,
             unevictable_pages=split.unevictable, kernel_pages=split.kernel, managed_pages=split.managed)
        for zone, split in known
    )  # fmt: skip
    lists = said("account.lists", file_kb=size(sum(split.file for _, split in known), study.page_kb),
                 anon_kb=size(sum(split.anon for _, split in known), study.page_kb))  # fmt: skip
    spans = tuple((zone.line, zone.line) for zone, _ in known if zone.line)
    return Reason(claim, "holds" if 2 * kernel > managed else "excluded", (why, lists), spans, sums)
