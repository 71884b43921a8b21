"""An allocation report taken apart: what was asked, the rules of its kernel, its zones judged, the cause."""

from dataclasses import replace
from functools import cached_property

from kb.facts.allocation.cause import Cause, decide, labels
from kb.facts.allocation.giveup import only_a_victim
from kb.facts.allocation.request import Asked, asked, without_mmu
from kb.facts.allocation.special import special_cause
from kb.facts.allocation.zones import ORDER_WALK, ZoneView, outcomes, view_zones
from kb.kernel.allocflags import alloc_flags, may_reclaim
from kb.kernel.boost import boost_of, unboosted
from kb.kernel.compaction import EXISTS, Gate, gate
from kb.kernel.gfp import Decoded, Table, name_range
from kb.kernel.rules import MAINLINE_44, RuleSet, rules_for
from kb.model.memory import MemInfo
from kb.model.report import Report
from kb.model.said import Said
from kb.syntax.frames import nameless
from kb.words.speak import said

_LONG = 0.05
"""Seconds after which the printed state is not the one that failed."""


class Study:
    """One report taken apart: what was asked, the rules of its kernel, its zones judged, the cause."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.asked: Asked = asked(report)
        self.memory = report.memory if report.memory and report.memory.zones else None
        self.releases = self.asked.gfp.releases if self.asked.gfp else ()
        self.rules: tuple[RuleSet, ...] = rules_for(self.releases)
        self.views: tuple[ZoneView, ...] = ()
        if self.memory is not None and self.asked.gfp and self.asked.order is not None and self.rules:
            self.views = view_zones(self.asked.request, self.memory, self.rules)
        self.gate: Gate | None = None
        if self.asked.gfp is not None and self.asked.order is not None:
            self.gate = gate(self.asked.order, self.asked.gfp, self.releases)
            if self.asked.order and without_mmu(report):
                self.gate = Gate(False, said("gate.no_mmu"))
        judged = {id(view.zone) for view in self.views}
        self.excluded = [zone for zone in self.memory.zones if id(zone) not in judged] if self.memory else []
        special = special_cause(report, self.memory, self.views)
        self.cause: Cause = special or decide(self.asked, self.memory, self.views, self.excluded)
        if self.cause.name == "memory_short" and self.cause.says.name in ("cause.short", "cause.short_no_reclaim"):
            self.cause = self._retried(self.cause)

        if self.memory is None and self.mixed and self.cause.says.name == "cause.no_mem_info":
            self.cause = replace(self.cause, says=said("cause.mixed_mem_info", blocks=self.mixed))

    @cached_property
    def nameless(self) -> bool:
        """Whether the stack is printed as addresses alone."""
        return not self.report.traces and any(nameless(line.text) is not None for line in self.report.lines[:64])

    @cached_property
    def mixed(self) -> int:
        """Mem-Info blocks that several CPUs printed line by line into one another; 0 where there is one at most.

        show_mem() takes no lock: which zone line belongs to which block is not told by the lines.
        """
        heads = sum(1 for line in self.report.lines if line.text.strip() in ("Mem-Info:", "Mem-info:"))
        return heads if heads > 1 else 0

    def _retried(self, cause: Cause) -> Cause:
        """Short of memory, where such a request is retried until it succeeds: that it failed is the task's."""
        zones = labels(cause.deciding)
        if self.state.zones and not any(zone.min for zone in self.state.zones):
            return replace(cause, says=said("cause.before_boot", zones=zones))
        return (
            replace(cause, says=said("cause.short_retried", zones=zones))
            if only_a_victim(self.asked, self.report.kind, self.releases)
            else cause
        )

    @property
    def gfp(self) -> Decoded:
        """The mask taken apart, of a report that bears one."""
        assert self.asked.gfp is not None
        return self.asked.gfp

    @property
    def state(self) -> MemInfo:
        """The printed zones, of a report that bears them."""
        assert self.memory is not None
        return self.memory

    @property
    def free(self) -> int:
        """Free pages of all printed zones."""
        return sum(zone.free for zone in self.state.zones)

    @property
    def marks(self) -> int:
        """Sum of the min marks of the printed zones in pages, without the boosts in them."""
        return sum(zone.min - boost_of(zone) for zone in self.state.zones)

    @cached_property
    def by_walk(self) -> tuple[bool | None, ...]:
        """Whether each zone admits the request by the walk of kernels to 4.3; None within the skew."""
        own = self.rules[-1]
        return self._outcomes(own if own.rule != "free-block" else ORDER_WALK)

    @cached_property
    def by_block(self) -> tuple[bool | None, ...]:
        """The same by the check of 4.4 and later."""
        own = self.rules[-1]
        return self._outcomes(own if own.rule == "free-block" else MAINLINE_44)

    @property
    def flags(self) -> frozenset[str]:
        """ALLOC_* flags of the slow path by the kernel's own rules."""
        return alloc_flags(self.asked.request, self.rules[-1])

    @property
    def could_compact(self) -> bool:
        """Whether a zone's fitness for compaction is a question: its kernel has compaction, the request may wait."""
        waits = {may_reclaim(flags) for flags in self.gfp.flag_sets} != {False}
        return waits and self.has_compaction

    @property
    def has_compaction(self) -> bool:
        """Whether a candidate kernel has memory compaction (2.6.35+, CONFIG_COMPACTION depends on CONFIG_MMU)."""
        return not without_mmu(self.report) and any(EXISTS.has(release) for release in self.releases)

    @property
    def wakes_kswapd(self) -> bool:
        """Whether the request wakes kswapd: unless __GFP_NO_KSWAPD to 4.3, by __GFP_KSWAPD_RECLAIM since."""

        def wakes(table: Table, flags: frozenset[str]) -> bool:
            if "__GFP_KSWAPD_RECLAIM" in table.bits:
                return "__GFP_KSWAPD_RECLAIM" in flags
            return "__GFP_NO_KSWAPD" not in flags

        return all(wakes(table, flags) for table, flags in zip(self.gfp.tables, self.gfp.flag_sets, strict=True))

    def _outcomes(self, rules: RuleSet) -> tuple[bool | None, ...]:
        return tuple(outcomes(view.zone, self.asked.request, self.state, rules) for view in self.views)

    @cached_property
    def held_by_boost(self) -> tuple[ZoneView, ...]:
        """Zones that turn the request away, and would not without the boost that their marks hold.

        Only where the boost is not printed: kernels that print it (v5.16 on) test order-0 requests with reserves again
        without it (f80b08fc4453, "mm, page_alloc: skip ->waternark_boost for atomic order-0 allocations", v5.9).
        """
        return tuple(view for view in self.views if view.verdict != "admits" and self._boost_holds(view))

    def _boost_holds(self, view: ZoneView) -> bool:
        zone = view.zone
        if zone.boost is not None or not boost_of(zone):
            return False
        return outcomes(unboosted(zone), self.asked.request, self.state, view.rules) is True

    @property
    def page_kb(self) -> int:
        """KB a page: by the free lists, 4 where none is printed."""
        return self.report.memory.page_kb if self.report.memory is not None else 4

    @cached_property
    def age(self) -> float | None:
        """Seconds from the headline to Mem-Info by printk's stamps, where they are long enough for memory to change.

        A serial console takes 0.1 ms a character: frees and other allocations go on meanwhile.
        """
        if self.memory is None:
            return None
        times = {line.number: line.time for line in self.report.lines}
        start, end = times.get(self.report.headline_line), times.get(self.memory.line)
        return round(end - start, 2) if start is not None and end is not None and end - start >= _LONG else None

    @property
    def rule_text(self) -> str | None:
        """The rule sets of the candidate kernels by name."""
        return " or ".join(rules.name for rules in self.rules) or None


def era_assumption(study: Study) -> Said | None:
    """What the kernel was taken for where its release is not printed."""
    if study.asked.release is not None or study.asked.gfp is None:
        return None
    return said("assumed.kernel", kernels=name_range(study.releases))


def assumptions(study: Study) -> list[Said]:
    """What had to be assumed because the log does not print it."""
    lent = study.report.fields.get("memory_of")
    notes = [said("assumed.memory_of", lines=int(lent)) if lent else None]
    near = study.report.fields.get("kernel_of")
    notes += [said("assumed.kernel_of", lines=int(near)) if near else None]
    notes += [era_assumption(study), study.asked.gfp.assumed if study.asked.gfp else None]
    if study.views:
        notes += [note for view in study.views for note in view.printed.assumptions]
        reclaims = study.asked.context == "reclaim"
        notes.append(said("assumed.memalloc") if reclaims else said("assumed.task_state"))
        skews = [said("skew.plain", zone=view.zone.label, pages=view.skew) for view in study.views if view.skew]
        if skews:
            notes.append(said("assumed.skew", skews=skews))
        if study.cause.name == "state_changed" and any(rules.unaccepted for rules in study.rules):
            notes.append(said("assumed.unaccepted"))
        if "__GFP_THISNODE" in study.asked.request.flags and len({view.zone.node for view in study.views}) > 1:
            notes.append(said("assumed.thisnode"))
    return list(dict.fromkeys(note for note in notes if note))


def unknowns(study: Study) -> tuple[Said, ...]:
    """Missing facts, each named with what its absence leaves open."""
    report, asked = study.report, study.asked
    missing: list[Said] = []
    if report.kernel is None:
        fits = said("unknown.kernel.text_fits", kernels=name_range(study.releases))
        missing.append(fits if study.releases else said("unknown.kernel.text_fits_none"))
    if asked.gfp is None:
        missing.append(said("unknown.gfp.no_table") if asked.printed else said("unknown.gfp.mask"))
    elif asked.gfp.possible:
        missing.append(said("unknown.gfp.flags", flags=asked.gfp.possible))
    if asked.order is None:
        missing.append(said("unknown.order.not_printed"))
    if study.memory is None:
        mixed = said("unknown.memory.mixed", blocks=study.mixed)
        missing.append(mixed if study.mixed else said("unknown.memory.no_mem_info"))
    elif study.memory.faults:
        missing.append(said("unknown.memory.damaged", damage=study.memory.faults))
    for view in study.views:
        if view.zone.blocks is None and asked.request.order:
            missing.append(said("unknown.free.list", zone=view.zone.label))
    undecidable = [view for view in study.views if view.first == "undecidable"]
    if len(study.rules) > 1 and undecidable:
        missing.append(said("unknown.rules.which", rules=[rules.name for rules in study.rules]))
    if any(view.printed.assumptions for view in undecidable):
        missing.append(said("unknown.highatomic.pages"))
    if not report.traces:
        missing.append(said("unknown.stack.nameless") if study.nameless else said("unknown.stack.not_in_log"))
    return tuple(missing)
