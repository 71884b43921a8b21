"""An OOM kill explained: whose limit was hit, who asked, who was killed and why that one, where the memory went.

Causes (``Facts.cause``):

=======================  =========================================================================================
``memcg_limit``          a memory cgroup reached its limit; the machine need not be short
``memcg_unflushed``      the same, and its page cache is dirty as a whole while nothing of it is being written
``cpuset_limit``         the nodes of the task's cpuset are full
``mempolicy_limit``      the nodes of its memory policy are full
``sysrq``                somebody asked for it (sysrq f)
``page_fault``           a page fault handler returned VM_FAULT_OOM: no request to the page allocator failed
``global_memory_short``  every zone the request may use is below its watermark
``unaccounted_memory``   the same, and the largest holder is none that the kernel's counters name
``zone_constrained``     the zones the request may use are short while others have memory
``lowmem_reserve``       the free pages are reserved for requests that can use no higher zone
``watermark_boost``      the boost after fragmentation keeps the free pages of a zone too small for one
``fragmentation``        enough free pages, no block of the order
``cma_only``             the free pages belong to CMA, which the request may not use
``highatomic_only``      the free pages belong to the high-order atomic reserve
``watermark_absurd``     a watermark or reserve is larger than the memory it guards: no state could satisfy it
``state_changed``        the printed state admits the request: memory was freed in between
``undetermined``         the log lacks what would tell; ``unknown`` names it
=======================  =========================================================================================
"""

from collections.abc import Iterable
from typing import Any

from kb.facts.allocation.request import before_programs, without_mmu
from kb.facts.oom.cgroup import held
from kb.facts.oom.reasons import next_steps, reasons, unknowns
from kb.facts.oom.story import Story, tell
from kb.kernel.compaction import EXISTS
from kb.model.log import Span
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Fact, Facts
from kb.words.speak import said


def oom_facts(report: Report) -> Facts:
    """Facts, reasoning and cause of an OOM kill. What the report does not bear is absent, never guessed."""
    story = tell(report)
    values = _values(story)
    return Facts(
        values={fact.name: fact for fact in values},
        detail=_detail(story),
        reasoning=reasons(story),
        cause=story.cause,
        conclusion=story.conclusion,
        missing=unknowns(story),
        steps=next_steps(story),
    )


def _values(story: Story) -> list[Fact]:
    """The flat facts that predicates of cases name."""
    oom = story.oom
    found: list[Fact] = []

    def add(name: str, value: Any, evidence: Iterable[Span] = (), assumed: Said | None = None) -> None:
        if value is not None and value != ():
            found.append(Fact(name, value, tuple(evidence), assumed))

    add("cause", story.cause, story.at("invoked") or story.at("killed"))
    add("memory.present", story.memory is not None)
    invoked, summary = story.at("invoked"), story.at("oom_kill")
    add("order", oom.order if oom.order is not None and 0 <= oom.order < 32 else None, invoked)
    add("oom.invoker", oom.invoker, invoked)
    add("oom.constraint", oom.constraint, summary or story.at("limit") or story.at("policy"))
    add("oom.sysrq", oom.sysrq, story.at("sysrq") or invoked)
    add("oom.nobody", oom.nobody, story.at("nobody"))
    add("oom.panic", oom.panic, story.at("panic"))
    add("oom.panic_on_oom", story.panic_on_oom, story.at("invoked"))
    add("booting", before_programs(story.report), story.at("invoked"))
    add("highmem", story.highmem, story.at("invoked"))
    exists = {EXISTS.has(release) for release in story.gfp.releases} if story.gfp is not None else set()
    if without_mmu(story.report):  # CONFIG_COMPACTION depends on CONFIG_MMU
        exists = {False}
    add("compaction.exists", exists.pop() if len(exists) == 1 else None, story.at("invoked"))
    add("oom.allocating_task", oom.allocating_task, story.at("killed"))
    add("oom.memcg", oom.oom_memcg, summary or story.at("limit"))
    add("oom.task_memcg", oom.task_memcg, summary or story.at("limit"))
    add("oom.group", oom.group, story.at("group"))
    add("oom.cpuset", oom.cpuset, summary or story.at("cpuset"))
    add("oom.tasks", len(oom.tasks) or None, story.at("table"))
    for usage in oom.usages:
        name = usage.name.replace("+", "_")
        add(f"oom.{name}_usage_kb", usage.usage_kb, ((usage.line, usage.line),))
        add(f"oom.{name}_limit_kb", usage.limit_kb, ((usage.line, usage.line),))
        add(f"oom.{name}_failcnt", usage.failcnt, ((usage.line, usage.line),))
    if (gfp := story.gfp) is not None:
        add("gfp", gfp.certain, invoked, gfp.assumed)
        add("gfp.absent", tuple(sorted(gfp.absent)), invoked, gfp.assumed)
        add("gfp_name", gfp.name, invoked)
        add("gfp_mask", f"{gfp.mask:#x}", invoked)
        add("gfp_era", gfp.era, invoked)
    _victim_values(story, add)
    _memory_values(story, add)
    return found


def _victim_values(story: Story, add: Any) -> None:
    """Who was killed."""
    oom, choice = story.oom, story.choice
    killed = oom.victims[0] if oom.victims else None
    named = oom.named_victim
    if killed is not None:
        where: tuple[Span, ...] = ((killed.line, killed.line),)
        add("oom.victim", killed.name, where)
        add("oom.victim_pid", killed.pid, where)
        add("oom.victim_anon_kb", killed.anon_rss_kb, where)
        add("oom.victim_shmem_kb", killed.shmem_rss_kb, where)
        add("oom.victims", len({victim.pid for victim in oom.victims}), where)
        add("oom.reaped", killed.pid in oom.reaped, story.at("reaped") or where)
    elif named is not None:
        add("oom.victim", named[0], story.at("oom_kill"))
        add("oom.victim_pid", named[1], story.at("oom_kill"))
    if choice.victim is not None:
        row = ((choice.victim.task.line, choice.victim.task.line),)
        note = said("assumed.several", assumed=choice.assumptions) if choice.assumptions else None
        add("oom.victim_points", choice.victim.points, row, note)
        add("oom.victim_rank", choice.rank, row, note)
        add("oom.victim_is_highest", choice.rank == 1, row, note)
        if choice.allowed:
            add("oom.victim_share", round(choice.victim.task.rss / choice.allowed, 4), row)


def _memory_values(story: Story, add: Any) -> None:
    """Where the memory was, kB."""
    split = story.account
    if split is None:
        group = held(story.oom)
        if group is not None:
            for name in ("anon", "file", "shmem", "slab", "slab_unreclaimable", "sock", "cache", "rss", "kernel"):
                add(f"oom.memcg_{name}_kb", group.values.get(name), group.spans)
        return
    add("oom.total_kb", split.kb(split.total), split.span, split.how)
    for name, pages in split.parts.items():
        add(f"oom.{name}_kb", split.kb(pages), split.span)
    slab = split.parts["slab_reclaimable"] + split.parts["slab_unreclaimable"]
    add("oom.slab_kb", split.kb(slab), split.span)
    add("oom.shmem_kb", split.kb(split.shmem) if split.shmem is not None else None, split.span)
    add("oom.unaccounted_kb", split.kb(split.unaccounted), split.span, said("assumed.total_less_counters"))
    add("oom.unaccounted_share", round(split.share(split.unaccounted), 4), split.span)
    add("oom.largest", split.largest, split.span)
    add("oom.swap_total_kb", split.swap_total_kb, split.span)
    add("oom.swap_free_kb", split.swap_free_kb, split.span)


def _text(says: Said | None) -> str | None:
    return str(says) if says is not None else None


def _detail(story: Story) -> dict[str, Any]:
    """The ``facts`` object of the JSON contract, plain values only."""
    oom, choice, split = story.oom, story.choice, story.account
    detail: dict[str, Any] = {
        "order": oom.order if oom.order is not None and 0 <= oom.order < 32 else None,
        "page_kb": story.page_kb,
        "sysrq": oom.sysrq,
        "gfp_mask": f"{oom.gfp_mask:#x}" if oom.gfp_mask is not None else None,
        "gfp_flags": list(story.gfp.certain) if story.gfp else None,
        "gfp_name": story.gfp.name if story.gfp else None,
        "gfp_era": story.gfp.era if story.gfp else None,
        "invoker": oom.invoker,
        "constraint": oom.constraint,
        "memcg": oom.oom_memcg,
        "task_memcg": oom.task_memcg,
        "usage": [
            {"name": u.name, "usage_kb": u.usage_kb, "limit_kb": u.limit_kb, "failcnt": u.failcnt} for u in oom.usages
        ],
        "victims": [
            {"pid": v.pid, "comm": v.name, "anon_rss_kb": v.anon_rss_kb, "file_rss_kb": v.file_rss_kb,
             "shmem_rss_kb": v.shmem_rss_kb, "oom_score_adj": v.oom_score_adj, "evidence": [[v.line, v.line]]}
            for v in oom.victims
        ],
        "score": {
            "rule": _text(choice.rule), "allowed_pages": choice.allowed, "allowed_from": _text(story.allowed_how),
            "rank": choice.rank, "victim": str(choice.victim.sum) if choice.victim else None,
            "assumptions": [str(one) for one in choice.assumptions], "why_not": _text(choice.why_not),
            "top": [{"pid": row.task.pid, "comm": row.task.name, "points": row.points, "formula": str(row.sum)}
                    for row in choice.ranked[:5]],
        },
    }  # fmt: skip
    if split is not None:
        detail["memory_kb"] = {
            "total": split.kb(split.total),
            "from": str(split.how),
            **{name: split.kb(pages) for name, pages in split.parts.items()},
            "unaccounted": split.kb(split.unaccounted),
            "shmem": split.kb(split.shmem) if split.shmem is not None else None,
            "mlocked": split.kb(split.mlocked) if split.mlocked is not None else None,
            "swap_total": split.swap_total_kb,
            "swap_free": split.swap_free_kb,
        }
    if oom.slabs:
        top = sorted(oom.slabs, key=lambda row: -row.total_kb)[:5]
        detail["slabs"] = [{"name": row.name, "used_kb": row.used_kb, "total_kb": row.total_kb} for row in top]
    if story.memory is not None:
        detail["zones"] = _zones(story)
    return detail


def _zones(story: Story) -> list[dict[str, Any]]:
    """Every printed zone, with the replays of those the request may use, in the form of an allocation's zones."""
    from kb.facts.allocation.zones import zone_detail
    from kb.model.allocation import Request

    assert story.memory is not None
    tried = {id(looked.zone): index for index, looked in enumerate(story.zones)}
    rows = []
    for zone in story.memory.zones:
        index = tried.get(id(zone))
        if index is None:
            rows.append(zone_detail(zone, None, Request(0), story.memory, None))
            continue
        looked = story.zones[index]
        row = zone_detail(zone, looked.view, looked.request, story.memory, index)
        last = looked.last
        row["last_try"] = {"mark": last.mark, "admits": last.admits, "left": last.left, "needs": last.needs}
        rows.append(row)
    return rows
