"""Allocation failures explained as the kernel decided them: facts, reasoning and cause with their evidence."""

from typing import Any

from kb.facts.allocation.reasons import reasons
from kb.facts.allocation.rows import facts
from kb.facts.allocation.study import Study, assumptions, unknowns
from kb.facts.allocation.whatelse import counterfactuals, next_steps
from kb.facts.allocation.zones import zone_detail
from kb.kernel.gfp import name_range
from kb.model.report import Report
from kb.model.verdict import Facts


def allocation_facts(report: Report) -> Facts:
    """Facts, reasoning and cause of an allocation report. What the report does not bear is absent, never guessed.

    Args:
        report: one of an allocation-like kind; its ``fields`` hold ``order``, ``mode`` (hex), ``gfp`` (printed names),
            ``nodemask``, ``cpuset``, ``mems_allowed`` as far as printed, its ``memory`` the show_mem() block or None.
    """
    study = Study(report)
    return Facts(
        values={fact.name: fact for fact in facts(study)},
        detail=_detail(study),
        reasoning=reasons(study),
        cause=study.cause.name,
        conclusion=study.cause.says,
        missing=unknowns(study),
        steps=next_steps(study),
    )


def _detail(study: Study) -> dict[str, Any]:
    """The ``facts`` object of the JSON contract."""
    asked, gfp = study.asked, study.asked.gfp
    row: dict[str, Any] = {"order": asked.order, "page_kb": study.page_kb}
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
        row["compaction"] = {
            "allowed": study.gate.allowed, "because": study.gate.because, "because_named": study.gate.why.to_json(),
        }  # fmt: skip
        if study.gate.source:
            row["compaction"]["source"] = study.gate.source
    row["counterfactuals"] = counterfactuals(study)
    assumed = assumptions(study)
    row["assumptions"] = [str(one) for one in assumed]
    row["assumptions_named"] = [one.to_json() for one in assumed]
    row["cause"] = study.cause.name
    return row
