"""What would have been different: other kernels' rules, another min_free_kbytes; and what to run next."""

from collections.abc import Iterable
from typing import Any

from kb.facts.allocation.consequence import received
from kb.facts.allocation.request import before_programs
from kb.facts.allocation.study import Study
from kb.facts.allocation.zones import ORDER_WALK, highest_min, outcomes, told
from kb.kernel.boost import boost_of
from kb.kernel.compaction import FS_GATE
from kb.kernel.rules import CURRENT, MAINLINE_44, RuleSet
from kb.kernel.watermark import replay
from kb.model.memory import size
from kb.model.said import Said
from kb.words.speak import said

_BY_NO_ZONE = ("size_limit", "vmalloc_space", "percpu_space", "not_a_shortage")
"""Causes that no zone and no watermark has a part in."""


def counterfactuals(study: Study) -> list[dict[str, Any]]:
    """The same state under other rules and marks, each one line with its number."""
    if not study.views or study.memory is None or study.cause.name in _BY_NO_ZONE:
        return []
    own = study.rules[-1]
    current = said("kernels.current")
    others: Iterable[tuple[Said, RuleSet]] = (
        (said("kernels.mainline_44"), MAINLINE_44), (current, CURRENT), (said("kernels.to_43"), ORDER_WALK),
    )  # fmt: skip
    rows = [
        _rule_row(study, name, rules) for name, rules in others if rules.name != own.name and rules.rule != own.rule
    ]
    rows += [_rule_row(study, current, CURRENT)] if own.rule == CURRENT.rule and own is not CURRENT else []
    rows += [*_boost_rows(study), *_min_rows(study)]
    return rows


def _boost_rows(study: Study) -> Iterable[dict[str, Any]]:
    """Zones that only their watermark boost keeps from admitting the request."""
    for view in study.views:
        if view.why == "boost":
            says = said("elsewhere.no_boost", zone=view.zone.label, boost_pages=boost_of(view.zone))
            yield {"zone": view.zone.label, "boost": boost_of(view.zone), "admitted": True, **told(says)}


def _rule_row(study: Study, kernels: Said, rules: RuleSet) -> dict[str, Any]:
    """Whether the printed state admits the request under a rule set, with the deciding number."""
    memory, request = study.memory, study.asked.request
    assert memory is not None
    results = {view.zone.label: outcomes(view.zone, request, memory, rules) for view in study.views}
    admitting = [label for label, outcome in results.items() if outcome is True]
    verdict = True if admitting else None if None in results.values() else False
    wanted = True if admitting else verdict
    best = next(view for view in study.views if results[view.zone.label] is wanted)
    run = replay(best.zone, request, rules, zones=memory.kinds, page_kb=memory.page_kb)
    base = run.base
    step = base if run.admits and base is not None else run.steps[-1]
    blocks = None
    if run.rule == "free-block" and request.order:
        blocks = said("part.blocks_of_order", blocks=best.fits, order=request.order)
    zone, total = best.zone.label, step.sum
    if admitting:
        says = said("elsewhere.admits", kernels=kernels, rule=rules.rule, zones=admitting, zone=zone, sum=total,
                    blocks=blocks)  # fmt: skip
    elif verdict is False:
        says = said("elsewhere.refuses", kernels=kernels, rule=rules.rule, zone=zone, sum=total, blocks=blocks)
    else:
        says = said("elsewhere.may_admit", kernels=kernels, rule=rules.rule, zone=zone, sum=total, blocks=blocks)
    return {"rule": rules.rule, "rules": rules.name, "admitted": verdict, "zones": admitting, **told(says)}


def _min_rows(study: Study) -> list[dict[str, Any]]:
    """The vm.min_free_kbytes at which the answer flips, on each base that the report prints."""
    memory, request = study.memory, study.asked.request
    assert memory is not None
    total_kb = size(study.marks, memory.page_kb)
    rows: list[dict[str, Any]] = []
    for view in study.views:
        if (
            view.first == "admits"
            or not view.zone.min
            or view.why in ("no block", "highatomic only", "cma only", "reserve", "boost")
        ):
            continue
        bases = {"printed free": view.zone.free}
        if view.skew:
            bases["list sum"] = view.zone.free + view.skew
        for base, free in bases.items():
            mark = highest_min(view, request, memory, free)
            row: dict[str, Any] = {"zone": view.zone.label, "base": base, "min": mark}
            if not mark:
                says = said("elsewhere.no_min_free", zone=view.zone.label, base=base)
                rows.append({**row, "min_free_kbytes": None, **told(says)})
            elif mark < (now := view.zone.min - boost_of(view.zone)):
                sysctl = mark * total_kb // now
                says = said("elsewhere.min_free", zone=view.zone.label, base=base, min_pages=mark,
                            min_now_pages=now, min_free_kb=sysctl, min_free_now_kb=total_kb)  # fmt: skip
                rows.append({**row, "min_free_kbytes": sysctl, **told(says)})
    return rows


_STEPS = {
    "order_walk_refusal": (
        said("next.before_and_after", command="grep -E 'compact_(stall|fail|success)|allocstall' /proc/vmstat"),
        said("next.run", command="cat /proc/buddyinfo; grep -A3 'pages free' /proc/zoneinfo"),
        said("next.compact_memory", command="echo 1 > /proc/sys/vm/compact_memory"),
    ),
    "fragmentation": (
        said("next.run", command="cat /proc/buddyinfo /proc/pagetypeinfo"),
        said("next.before_and_after", command="grep -E 'compact_(stall|fail|success)' /proc/vmstat"),
        said("next.compact_and_look", command="echo 1 > /proc/sys/vm/compact_memory"),
    ),
    "atomic_reserve_exhausted": (
        said("next.atomic_reserve", command="sysctl vm.min_free_kbytes"),
        said("next.kswapd", command="grep -E 'allocstall|pgscan_kswapd|kswapd_low_wmark' /proc/vmstat"),
    ),
    "memory_short": (
        said("next.run", command="cat /proc/meminfo"),
        said("next.run", command="grep -E 'allocstall|pgscan|pgsteal' /proc/vmstat"),
    ),
    "lowmem_reserve": (
        said("next.run", command="sysctl vm.lowmem_reserve_ratio"),
        said("next.run", command="grep -E 'pages free|protection' /proc/zoneinfo"),
    ),
    "zone_constrained": (
        said("next.run", command="grep -E 'Node|pages free|min ' /proc/zoneinfo"),
        said("next.run", command="cat /proc/self/status | grep -i allowed"),
    ),
    "watermark_boost": (
        said("next.boost", command="sysctl vm.watermark_boost_factor"),
        said("next.run", command="grep -E 'pages free|boost|min ' /proc/zoneinfo"),
    ),
    "cma_only": (said("next.run", command="grep -i cma /proc/meminfo"),),
    "highatomic_only": (
        said("next.highatomic_rows", command="cat /proc/pagetypeinfo"),
        said("next.run", command="cat /proc/buddyinfo"),
    ),
    "vmalloc_space": (
        said("next.run", command="grep -i vmalloc /proc/meminfo"),
        said("next.run", command="sort -k2 -n -r /proc/vmallocinfo | head"),
    ),
    "state_changed": (
        said("next.before_and_after_next", command="grep -E 'allocstall|compact_|pgsteal' /proc/vmstat"),
    ),
    "skew_undecidable": (said("next.after_failure", command="cat /proc/buddyinfo /proc/zoneinfo"),),
    "undetermined": (said("next.after_failure", command="cat /proc/buddyinfo /proc/zoneinfo /proc/pagetypeinfo"),),
}


def next_steps(study: Study) -> tuple[Said, ...]:
    """Commands that confirm the cause or gather what is missing."""
    if before_programs(study.report) or study.cause.says.name == "cause.before_boot":  # there is no shell yet
        return ()
    steps = list(_STEPS.get(study.cause.name, ()))
    if study.cause.name in ("undetermined", "atomic_reserve_exhausted") and received(study):
        steps.append(said("next.receive", command="ethtool -S DEV | grep -iE 'drop|miss|no_buf|alloc'"))
    if study.report.kernel is None:
        steps.append(said("next.run", command="uname -r"))
    gated = study.gate is not None and study.gate.allowed is False and study.asked.request.order > 0
    if study.releases and not study.has_compaction:
        steps = [step for step in steps if "compact_" not in str(step.values["command"])]
    if gated and study.releases and not FS_GATE.has(study.releases[0]):
        steps = [step for step in steps if "compact_(stall" not in str(step.values["command"])]
    return tuple(steps)
