"""The reasoning chain of an OOM kill: each possible cause, whether it is excluded, and by which lines."""

import re

from kb.facts.allocation.request import before_programs
from kb.facts.oom.cgroup import NO_LIMIT_KB
from kb.facts.oom.holders import cgroup_holders, holders
from kb.facts.oom.programs import programs
from kb.facts.oom.reclaimable import cache_stays, wrapped_count
from kb.facts.oom.story import Story, reason
from kb.model.log import Span
from kb.model.memory import size
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.words.speak import said

_PROTECTED = -900
"""Tasks below this oom_score_adj score less than nothing unless they hold nine tenths of the limit each."""
_PLAIN = re.compile(r"(?:/[\w.:@+-]{1,255}){1,64}")


def reasons(story: Story) -> tuple[Reason, ...]:
    """Who asked, whose limit, short or fragmented, swap, who holds the memory, why this victim."""
    steps = [
        _asked(story),
        _limit(story),
        *_zones(story),
        wrapped_count(story),
        _swap(story),
        holders(story),
        cache_stays(story),
    ]
    if story.account is None:
        steps += cgroup_holders(story)
    steps += [programs(story), _victim(story), _floored(story), _freed(story)]
    return tuple(step for step in steps if step is not None)


def _asked(story: Story) -> Reason | None:
    oom = story.oom
    if oom.invoker is None:
        return None
    name = oom.gfp_names or (story.gfp.name if story.gfp else None) or said("oom.mask_not_known")
    if oom.sysrq:
        why = said("oom.ran_for_sysrq", invoker=oom.invoker, order=oom.order)
        return reason(said("oom.asked_by_hand"), "holds", (why,), story.at("sysrq") or story.at("invoked"))
    if story.page_fault:
        why = said("oom.fault_returned")
        return reason(said("oom.from_page_fault", invoker=oom.invoker), "holds", (why,), story.at("invoked"))
    what = said("part.order_and_mask", order=oom.order, mask=name) if oom.order is not None else name
    return reason(said("oom.got_no_memory", invoker=oom.invoker, what=what), "holds", (), story.at("invoked"))


def _limit(story: Story) -> Reason | None:
    oom = story.oom
    evidence = story.at("oom_kill") or story.at("limit") or story.at("policy")
    if oom.constraint is None:
        if oom.sysrq or oom.invoker is None:
            return None
        if story.memory is not None:
            claim = said("oom.memcg_at_limit", memcg=said("memcg.any"))
            return reason(claim, "excluded", (said("oom.no_cgroup_named"),), story.at("invoked"))
        return reason(said("oom.limited"), "unknown", (said("oom.no_limit_named"),), story.at("invoked"))
    if oom.constraint == "none":
        why = (said("oom.constraint_none"),) if story.at("oom_kill") else ()
        return reason(said("oom.limited"), "excluded", why, evidence)
    usages = [
        said("oom.usage", name=u.name, used_kb=u.usage_kb, limit_kb=u.limit_kb, failures=u.failcnt)
        if u.limit_kb < NO_LIMIT_KB
        else said("oom.usage_unlimited", name=u.name, used_kb=u.usage_kb)
        for u in oom.usages
    ]
    nodes = oom.mems_allowed if oom.constraint == "cpuset" else oom.nodemask or oom.mems_allowed
    claim = said("oom.limited_to_nodes", by=oom.constraint.replace("_", " "), nodes=nodes)
    if oom.constraint == "memcg":
        path = oom.oom_memcg
        claim = said("oom.memcg_at_limit", memcg=said("memcg.of_path", path=path) if path else said("memcg.unnamed"))
    spans: tuple[Span, ...] = (*evidence, *((u.line, u.line) for u in oom.usages))
    charged = [said("oom.charged", function=story.charge)] if story.charge else []
    return reason(claim, "holds", usages[:1] or charged, spans, usages)


_REFUSED = {
    "": said("refused.not"),
    "short": said("refused.short"),
    "reserve": said("refused.reserve"),
    "walk": said("refused.walk"),
    "no block": said("refused.no_block"),
    "highatomic only": said("refused.highatomic_only"),
    "cma only": said("refused.cma_only"),
    "cma": said("refused.cma"),
    "highatomic": said("refused.highatomic"),
    "boost": said("refused.boost"),
}
"""What a zone was refused for, by ``Looked.why``."""


def _zones(story: Story) -> list[Reason]:
    """One step a zone, and one on fragmentation."""
    steps = []
    for looked in story.zones:
        zone, run = looked.zone, looked.view.printed
        refused = _REFUSED[looked.why]
        if looked.why == "short" and run.admits:
            refused = said("refused.below_high", high_pages=zone.high)
        why = [said("oom.zone_has", free_pages=zone.free, min_pages=zone.min, reserve_pages=looked.view.reserve,
                    refused=refused)]  # fmt: skip
        if looked.boost:
            why.append(said("zone.boost_alone", boost_pages=looked.boost))
        if looked.why == "boost":
            why.append(said("refused.boost_too_large", boost_pages=looked.boost, zone_pages=looked.size))
        sums = [step.sum for step in (*run.steps, *looked.last.steps)]
        verdict = "holds" if looked.why else "excluded"
        steps.append(reason(said("oom.zone_had_nothing", zone=zone.label), verdict, why, zone.spans, sums))
    if story.zones:
        steps.append(_fragmented(story))
    return steps


def _fragmented(story: Story) -> Reason:
    order, claim = story.oom.order or 0, said("oom.fragmented")
    if order == 0:
        return reason(claim, "excluded", (said("oom.order_0"),), story.at("invoked"))
    lacking = [
        looked.zone for looked in story.zones if looked.why in ("no block", "walk", "cma only", "highatomic only")
    ]
    if not lacking:
        return reason(claim, "excluded", (said("oom.pages_ran_out"),), story.at("invoked"))
    why = said("oom.no_block", order=order, zones=[zone.label for zone in lacking])
    return reason(claim, "holds", (why,), tuple(span for zone in lacking for span in zone.spans))


def _swap(story: Story) -> Reason | None:
    counters = story.memory.counters if story.memory is not None else {}
    total, free = counters.get("total_swap_kb"), counters.get("free_swap_kb")
    if total is None or story.page_fault:
        return None
    spans = tuple(
        (line, line)
        for key in ("free_swap_kb", "total_swap_kb")
        if story.memory is not None and (line := story.memory.field_lines.get(key))
    )
    if total == 0:
        return reason(said("oom.swap_could_help"), "excluded", (said("oom.no_swap"),), spans)
    if free is None:
        return None
    full = free * 100 < total
    why = said("oom.swap_free", free_kb=free, total_kb=total)
    if story.cause == "fragmentation":
        return reason(said("oom.swap_could_help"), "excluded", (why, said("oom.swap_makes_no_block")), spans)
    return reason(said("oom.swap_could_help"), "excluded" if full else "holds", (why,), spans)


def _victim(story: Story) -> Reason | None:
    """Why this one."""
    oom, choice = story.oom, story.choice
    if oom.nobody:
        return reason(said("oom.killable_left"), "excluded", (said("oom.found_none"),), story.at("nobody"))
    if story.no_kill:
        if story.panic_on_oom:
            return reason(said("oom.panics"), "holds", (said("oom.panic_on_oom"),), story.at("invoked"))
        return reason(said("oom.killable_left"), "unknown", (said("oom.header_without_kill"),), story.at("invoked"))
    name = oom.victims[0].name if oom.victims else oom.named_victim[0] if oom.named_victim else None
    if name is None:
        return None
    killed = story.at("killed") or story.at("oom_kill")
    if oom.allocating_task:
        return reason(said("oom.killed_for_asking", victim=name), "holds", (), killed)
    if choice.victim is None or choice.rank is None:
        missing = choice.why_not or said("score.victim_not_in_table")
        return reason(said("oom.highest_score", victim=name), "unknown", (missing,), killed)
    rows = [row for row in choice.ranked[:3] if row is not choice.victim]
    sums = [said("sum.task", task=f"{row.task.name}[{row.task.pid}]", sum=row.sum) for row in (choice.victim, *rows)]
    spans: tuple[Span, ...] = (*killed, (choice.victim.task.line, choice.victim.task.line))
    if choice.rank == 1:
        why = [said("score.highest", sum=choice.victim.sum, tasks=len(choice.ranked), rule=choice.rule)]
        if oom.selected and oom.victims and oom.victims[0].pid != oom.selected[1]:
            why.append(said("score.child", child=f"{name}[{oom.victims[0].pid}]"))
        return reason(said("oom.highest_score", victim=choice.victim.task.name), "holds", why, spans, sums)
    top = choice.ranked[0]
    larger = said("score.larger_one", task=f"{top.task.name}[{top.task.pid}]", points_pages=top.points,
                  victim_pages=choice.victim.points)  # fmt: skip
    spans = (*spans, (top.task.line, top.task.line))
    return reason(said("oom.highest_score", victim=choice.victim.task.name), "excluded", (larger,), spans, sums)


def _floored(story: Story) -> Reason | None:
    """Whether every score was below the floor of kernels to 5.8: then the first task that was looked at is killed.

    mm/oom_kill.c ``oom_badness()``: less than 1 counted as 1 until 9066e5cfb73c ("mm, oom: make the calculation of oom
    badness more accurate") (in v5.9); a group of equals falls to the first one.
    """
    choice, tasks = story.choice, [task for task in story.oom.tasks if (task.oom_score_adj or 0) != -1000]
    release = story.release
    if len(tasks) < 2 or (release is not None and release.base >= (5, 9)):
        return None
    if any(task.oom_score_adj is None or task.oom_score_adj > _PROTECTED for task in tasks):
        return None
    top = max(tasks, key=lambda task: task.rss)
    if any(victim.pid == top.pid for victim in story.oom.victims):
        return None
    why = [said("score.all_protected", tasks=len(tasks), most=max(task.oom_score_adj or 0 for task in tasks)),
           said("score.floored", task=f"{top.name}[{top.pid}]", rss_kb=size(top.rss, story.page_kb))]  # fmt: skip
    verdict = "holds" if release is not None and all(row.points == 1 for row in choice.ranked) else "unknown"
    return reason(said("oom.first_was_taken"), verdict, why, story.at("table"))


def _freed(story: Story) -> Reason | None:
    """Shared memory of the victim does not come back with it: tmpfs files and System V segments stay.

    ``shmem-rss`` of the kill (4.4+), or ``rss_shmem`` of its row in the table (6.8+).
    """
    victim = story.oom.victims[0] if story.oom.victims else None
    if victim is None or victim.anon_rss_kb is None:
        return None
    shared, own = victim.shmem_rss_kb or 0, victim.anon_rss_kb + (victim.file_rss_kb or 0)
    if shared <= own or not shared:
        return None
    why = said("oom.victim_shared", shared_kb=shared, own_kb=own)
    return reason(said("oom.kill_frees", victim=victim.name), "excluded", (why,), ((victim.line, victim.line),))


def unknowns(story: Story) -> tuple[Said, ...]:
    """Missing facts, each named."""
    oom = story.oom
    missing = []
    reasoned = oom.selected is not None or any(victim.reason for victim in oom.victims)
    if oom.constraint is None and story.memory is None and not (oom.sysrq or oom.nobody or reasoned):
        missing.append(said("unknown.constraint.not_in_log"))
    if not story.no_kill and not oom.victims and oom.named_victim is None and oom.fault is None and not oom.nobody:
        missing.append(said("unknown.victim.not_in_log"))
    if oom.invoker is None:
        missing.append(said("unknown.request.not_in_log"))
    if oom.fault is not None and not story.no_kill:
        missing.append(said("unknown.victim.cut", damage=oom.fault))
    if story.memory is None and oom.constraint != "memcg":
        missing.append(said("unknown.memory.no_zone_lines"))
    elif story.memory is not None and story.memory.faults:
        missing.append(said("unknown.memory.damaged", damage=story.memory.faults))
    if story.memory is not None and story.account is None and oom.constraint != "memcg":
        missing.append(said("unknown.holders.no_counters"))
    elif story.account is not None and story.account.partial:
        missing.append(said("unknown.holders.slab"))
    if oom.constraint == "memcg" and not oom.usages:
        missing.append(said("unknown.limit.not_in_log"))
    if oom.constraint == "memcg" and oom.oom_memcg is None:
        missing.append(said("unknown.cgroup.path"))
    if story.choice.why_not is not None and not oom.nobody:
        missing.append(said("unknown.scores.why", why=story.choice.why_not))
    return tuple(missing)


_HOLDERS = {
    "anon": "ps -eo pid,rss,oom_score_adj,comm --sort=-rss | head",
    "shmem": "df -t tmpfs -t devtmpfs; ipcs -m",
    "file": "grep -E '^(Dirty|Writeback|Mapped|Cached)' /proc/meminfo",
    "unevictable": "grep -E '^(Mlocked|Unevictable|Shmem)' /proc/meminfo; df -t ramfs; ipcs -m",
    "mlocked": "grep -H VmLck /proc/[0-9]*/status | sort -k2 -n -r | head",
    "slab_unreclaimable": "slabtop -o -s c | head -20",
    "slab_reclaimable": "slabtop -o -s c | head -20",
    "pagetables": "grep -H VmPTE /proc/[0-9]*/status | sort -k2 -n -r | head",
    "kernel_stack": "ps -eo nlwp,pid,comm --sort=-nlwp | head",
    "zspages": "zramctl; grep -E '^(Zswap|SwapTotal|SwapFree)' /proc/meminfo",
    "balloon": "grep -i balloon /proc/meminfo /proc/vmstat  # and ask the hypervisor",
    "gpu_active": "cat /sys/kernel/debug/dri/*/gem_info /sys/kernel/debug/dma_buf/bufinfo",
    "gpu_reclaim": "cat /sys/kernel/debug/dri/*/gem_info /sys/kernel/debug/dma_buf/bufinfo",
    "hugepages": "grep -r . /sys/kernel/mm/hugepages/",
}
"""What shows who has the memory of a holder."""


def _look_at(story: Story) -> tuple[Said, ...]:
    """The largest programs, and what shows the largest holder where that is no program's; nothing before the first."""
    if before_programs(story.report):
        return ()
    largest = story.account.largest if story.account is not None else "anon"
    commands = dict.fromkeys((_HOLDERS.get(largest, _HOLDERS["anon"]), _HOLDERS["anon"]))
    return tuple(said("next.run", command=command) for command in commands)


def next_steps(story: Story) -> tuple[Said, ...]:
    """What would tell more, or help now."""
    path = story.oom.oom_memcg or ""
    if not _PLAIN.fullmatch(path):  # the text of a log goes into a command only where no shell can read more into it
        path = "/<cgroup>"
    group = f"/sys/fs/cgroup/memory{path}" if story.cgroup_v1 else f"/sys/fs/cgroup{path}"
    events = f"{group}/memory.{'failcnt' if story.cgroup_v1 else 'events'}"
    steps = {
        "memcg_limit": (
            said("next.run", command=f"cat {events} {group}/memory.stat"),
            said("next.compare_and_raise"),
        ),
        "memcg_unflushed": (
            said("next.run", command=f"cat {group}/memory.stat; cat {events}"),
            said(
                "next.run",
                command="sysctl vm.dirty_background_ratio vm.dirty_ratio; cat /sys/kernel/mm/lru_gen/enabled",
            ),
        ),
        "unaccounted_memory": (
            said("next.run", command="grep -E 'VmallocUsed|Percpu|HugePages_Total|AnonHugePages' /proc/meminfo"),
            said("next.look_for_balloons"),
        ),
        "fragmentation": (
            said("next.run", command="grep -E 'compact_(stall|fail|success)' /proc/vmstat"),
            said("next.run", command="cat /proc/buddyinfo /proc/pagetypeinfo"),
        ),
        "cpuset_limit": (said("next.run", command="cat /proc/<pid>/cpuset /proc/<pid>/status | grep -i mems"),),
        "mempolicy_limit": (said("next.run", command="cat /proc/<pid>/numa_maps"),),
        "global_memory_short": _look_at(story),
        "watermark_absurd": (said("next.managed", command="grep -E '^Node|spanned|present|managed' /proc/zoneinfo"),),
    }
    found = steps.get(story.cause, ())
    if cache_stays(story) is not None:
        command = "grep -r . /sys/fs/cgroup --include=memory.min --include=memory.low | grep -v ':0$'"
        found = (*found, said("next.protected", command=command))
    return found
