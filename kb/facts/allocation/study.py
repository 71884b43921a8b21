"""An allocation report taken apart: what was asked, the rules of its kernel, its zones judged, the cause."""

from kb.facts.allocation.cause import Cause, decide
from kb.facts.allocation.request import Asked, asked
from kb.facts.allocation.special import special_cause
from kb.facts.allocation.zones import ZoneView, view_zones
from kb.kernel.compaction import Gate, gate
from kb.kernel.gfp import name_range
from kb.kernel.rules import RuleSet, rules_for
from kb.model.report import Report


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
        judged = {id(view.zone) for view in self.views}
        self.excluded = [zone for zone in self.memory.zones if id(zone) not in judged] if self.memory else []
        special = special_cause(report, self.memory, self.views)
        self.cause: Cause = special or decide(self.asked, self.memory, self.views, self.excluded)

    @property
    def rule_text(self) -> str | None:
        """The rule sets of the candidate kernels by name."""
        return " or ".join(rules.name for rules in self.rules) or None


def era_assumption(study: Study) -> str | None:
    """What the kernel was taken for where its release is not printed."""
    if study.asked.release is not None or study.asked.gfp is None:
        return None
    return f"the kernel release is not printed; by its text the report is of {name_range(study.releases)}"


def assumptions(study: Study) -> list[str]:
    """What had to be assumed because the log does not print it."""
    notes = [era_assumption(study), study.asked.gfp.assumption if study.asked.gfp else None]
    if study.views:
        notes += [note for view in study.views for note in view.printed.assumptions]
        notes.append("task state is not printed: no PF_MEMALLOC, no realtime policy, not an OOM victim"
                     if study.asked.context != "reclaim" else "PF_MEMALLOC: the stack shows reclaim")  # fmt: skip
        skews = [f"{view.zone.label} {view.skew:+d}" for view in study.views if view.skew]
        if skews:
            notes.append("the free lists were read after the free counts and differ, in pages: " + ", ".join(skews))
        if "__GFP_THISNODE" in study.asked.request.flags and len({view.zone.node for view in study.views}) > 1:
            notes.append("__GFP_THISNODE binds the request to a node that is not printed: every node was tried")
    return list(dict.fromkeys(note for note in notes if note))


def unknowns(study: Study) -> tuple[str, ...]:
    """Missing facts, each named with what its absence leaves open."""
    report, asked = study.report, study.asked
    missing: list[str] = []
    if report.kernel is None:
        name = name_range(study.releases) if study.releases else "no kernel"
        missing.append(f"kernel release: not printed; the text fits {name}")
    if asked.gfp is None:
        missing.append("GFP mask: not printed")
    elif asked.gfp.possible:
        missing.append(f"GFP flags: {', '.join(asked.gfp.possible)} depend on which kernel it is")
    if asked.order is None:
        missing.append("order: not printed")
    if study.memory is None:
        missing.append("memory state: no Mem-Info block in the log (suppressed, rate-limited or cut off)")
    elif study.memory.damaged:
        missing.append(f"memory state: {study.memory.damaged}")
    for view in study.views:
        if view.zone.blocks is None and asked.request.order:
            missing.append(f"free list of {view.zone.label}: not in the log")
    if len(study.rules) > 1 and len({view.verdict for view in study.views if view.verdict == "undecidable"}):
        missing.append(f"which watermark rules applied: {study.rule_text}")
    if any(note for view in study.views if view.verdict == "undecidable" for note in view.printed.assumptions):
        missing.append("highatomic pages: not printed by this kernel")
    if not report.traces:
        missing.append("stack: not in the log, so who asked is not known")
    return tuple(missing)
