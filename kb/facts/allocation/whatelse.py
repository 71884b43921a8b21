"""What would have been different: other kernels' rules, another min_free_kbytes; and what to run next."""

from collections.abc import Iterable
from typing import Any

from kb.facts.allocation.study import Study
from kb.facts.allocation.zones import ORDER_WALK, highest_min, outcomes
from kb.kernel.compaction import FS_GATE
from kb.kernel.rules import CURRENT, MAINLINE_44, RuleSet
from kb.kernel.watermark import replay


def counterfactuals(study: Study) -> list[dict[str, Any]]:
    """The same state under other rules and marks, each one line with its number."""
    if not study.views or study.memory is None:
        return []
    own = study.rules[-1]
    others: Iterable[tuple[str, RuleSet]] = (
        ("mainline 4.4", MAINLINE_44), ("current kernels (6.18+)", CURRENT), ("kernels to 4.3 and RHEL 7", ORDER_WALK),
    )  # fmt: skip
    rows = [
        _rule_row(study, name, rules) for name, rules in others if rules.name != own.name and rules.rule != own.rule
    ]
    rows += (
        [_rule_row(study, "current kernels (6.18+)", CURRENT)]
        if own.rule == CURRENT.rule and own is not CURRENT
        else []
    )
    rows += _min_rows(study)
    return rows


def _rule_row(study: Study, name: str, rules: RuleSet) -> dict[str, Any]:
    """Whether the printed state admits the request under a rule set, with the deciding number."""
    memory, request = study.memory, study.asked.request
    assert memory is not None
    results = {view.zone.label: outcomes(view.zone, request, memory, rules) for view in study.views}
    admitting = [label for label, outcome in results.items() if outcome is True]
    verdict = True if admitting else None if None in results.values() else False
    best = next((v for v in study.views if v.zone.label in admitting), study.views[0])
    run = replay(best.zone, request, rules, zones=memory.kinds, page_kb=memory.page_kb)
    step = run.steps[0] if run.admits else run.steps[-1]
    count = (
        f", {best.fits} blocks of order {request.order} or larger" if run.rule == "free-block" and request.order else ""
    )
    words = {True: "admits", False: "refuses", None: "may admit"}[verdict]
    where = f"in {', '.join(admitting)}" if admitting else "in every zone"
    text = f"{name} ({rules.rule}): {words} it {where}: {best.zone.label} {step.formula}{count}"
    return {"rule": rules.rule, "rules": rules.name, "admitted": verdict, "zones": admitting, "text": text}


def _min_rows(study: Study) -> list[dict[str, Any]]:
    """The vm.min_free_kbytes at which the answer flips, on each base that the report prints."""
    memory, request = study.memory, study.asked.request
    assert memory is not None
    total = sum(zone.min - (zone.boost or 0) for zone in memory.zones)
    rows: list[dict[str, Any]] = []
    for view in study.views:
        if (
            view.verdict == "admits"
            or not view.zone.min
            or view.why in ("no block", "highatomic only", "cma only", "reserve")
        ):
            continue
        bases = {"printed free": view.zone.free}
        if view.skew:
            bases["list sum"] = view.zone.free + view.skew
        for base, free in bases.items():
            mark = highest_min(view, request, memory, free)
            now = f"now {view.zone.min}"
            if mark is None:
                text = f"{view.zone.label}, on the {base}: no vm.min_free_kbytes admits it"
                rows.append({"zone": view.zone.label, "base": base, "min": None, "min_free_kbytes": None, "text": text})
            elif mark < view.zone.min:
                sysctl = mark * total * memory.page_kb // view.zone.min
                text = (f"{view.zone.label}, on the {base}: admitted while min <= {mark} pages ({now}), "
                        f"vm.min_free_kbytes <= about {sysctl} (now about {total * memory.page_kb})")  # fmt: skip
                rows.append(
                    {"zone": view.zone.label, "base": base, "min": mark, "min_free_kbytes": sysctl, "text": text}
                )
    return rows


_STEPS = {
    "order_walk_refusal": (
        "grep -E 'compact_(stall|fail|success)|allocstall' /proc/vmstat  # before and after a failure",
        "cat /proc/buddyinfo; grep -A3 'pages free' /proc/zoneinfo",
        "echo 1 > /proc/sys/vm/compact_memory  # has no gfp gate; merges free blocks until memory fragments again",
    ),
    "fragmentation": (
        "cat /proc/buddyinfo /proc/pagetypeinfo",
        "grep -E 'compact_(stall|fail|success)' /proc/vmstat  # before and after a failure",
        "echo 1 > /proc/sys/vm/compact_memory  # and look at /proc/buddyinfo again",
    ),
    "atomic_reserve_exhausted": (
        "sysctl vm.min_free_kbytes  # the reserve that atomic requests dip into",
        "grep -E 'allocstall|pgscan_kswapd|kswapd_low_wmark' /proc/vmstat  # does kswapd keep up?",
    ),
    "memory_short": ("cat /proc/meminfo", "grep -E 'allocstall|pgscan|pgsteal' /proc/vmstat"),
    "lowmem_reserve": ("sysctl vm.lowmem_reserve_ratio", "grep -E 'pages free|protection' /proc/zoneinfo"),
    "zone_constrained": ("grep -E 'Node|pages free|min ' /proc/zoneinfo", "cat /proc/self/status | grep -i allowed"),
    "cma_only": ("grep -i cma /proc/meminfo",),
    "highatomic_only": ("cat /proc/pagetypeinfo  # HighAtomic rows", "cat /proc/buddyinfo"),
    "vmalloc_space": ("grep -i vmalloc /proc/meminfo", "sort -k2 -n -r /proc/vmallocinfo | head"),
    "state_changed": ("grep -E 'allocstall|compact_|pgsteal' /proc/vmstat  # before and after the next failure",),
    "skew_undecidable": ("cat /proc/buddyinfo /proc/zoneinfo  # right after the next failure",),
    "undetermined": ("cat /proc/buddyinfo /proc/zoneinfo /proc/pagetypeinfo  # right after the next failure",),
}


def next_steps(study: Study) -> tuple[str, ...]:
    """Commands that confirm the cause or gather what is missing."""
    steps = list(_STEPS.get(study.cause.name, ()))
    if study.report.kernel is None:
        steps.append("uname -r")
    gated = study.gate is not None and study.gate.allowed is False and study.asked.request.order > 0
    if gated and study.releases and not FS_GATE.has(study.releases[0]):
        steps = [step for step in steps if "compact_(stall" not in step]
    return tuple(steps)
