"""The reasoning chain of an OOM kill: each possible cause, whether it is excluded, and by which lines."""

import re

from kb.facts.oom.story import Story, reason
from kb.model.log import Span
from kb.model.verdict import Reason

_PLAIN = re.compile(r"(?:/[\w.:@+-]{1,255}){1,64}")


def reasons(story: Story) -> tuple[Reason, ...]:
    """Who asked, whose limit, short or fragmented, swap, who holds the memory, why this victim."""
    steps = [_asked(story), _limit(story), *_zones(story), _swap(story), _holders(story), _victim(story)]
    return tuple(step for step in steps if step is not None)


def _asked(story: Story) -> Reason | None:
    oom = story.oom
    if oom.invoker is None:
        return None
    name = oom.gfp_names or (story.gfp.name if story.gfp else None) or "mask not known"
    if oom.sysrq:
        text = f"{oom.invoker} ran the OOM killer for sysrq f (order {oom.order}): no allocation failed"
        return reason("somebody asked for a kill by hand", "holds", text, story.at("sysrq") or story.at("invoked"))
    what = f"order {oom.order}, {name}" if oom.order is not None else name
    return reason(f"{oom.invoker} could not get its memory ({what})", "holds", "", story.at("invoked"))


def _limit(story: Story) -> Reason | None:
    oom = story.oom
    evidence = story.at("oom_kill") or story.at("limit") or story.at("policy")
    if oom.constraint is None:
        if oom.sysrq or oom.invoker is None:
            return None
        if story.memory is not None:
            because = "no cgroup is named, and the machine's memory was printed"
            return reason("a memory cgroup is at its limit", "excluded", because, story.at("invoked"))
        because = "no oom-kill: line (5.0+) and no older words that name a limit"
        return reason("a cgroup, cpuset or memory policy limited it", "unknown", because, story.at("invoked"))
    if oom.constraint == "none":
        because = "the kernel says CONSTRAINT_NONE" if story.at("oom_kill") else ""
        return reason("a cgroup, cpuset or memory policy limited it", "excluded", because, evidence)
    usages = [f"{u.name}: {u.usage_kb} kB used of {u.limit_kb} kB, {u.failcnt} failures" for u in oom.usages]
    claim = {"memcg": f"memory cgroup {oom.oom_memcg or ''} is at its limit".replace("  ", " ")}.get(
        oom.constraint, f"{oom.constraint.replace('_', ' ')} limited it to nodes {oom.nodemask or oom.mems_allowed}"
    )
    spans: tuple[Span, ...] = (*evidence, *((u.line, u.line) for u in oom.usages))
    return reason(claim, "holds", "; ".join(usages[:1]), spans, usages)


def _zones(story: Story) -> list[Reason]:
    """One step a zone, and one on fragmentation."""
    steps = []
    words = {"": "admits it", "short": "below its watermark", "reserve": "its free pages are reserved"}
    for looked in story.zones:
        zone, run = looked.zone, looked.view.printed
        why = words.get(looked.why, looked.why)
        if looked.why == "short" and run.admits:
            why = f"below {zone.high} (high), which the last try before a kill asks for"
        because = f"free {zone.free}, min {zone.min}, reserve {looked.view.reserve} pages: {why}"
        numbers = [step.formula for step in (*run.steps, *looked.last.steps)]
        verdict = "holds" if looked.why else "excluded"
        steps.append(reason(f"{zone.label} had nothing to give", verdict, because, zone.spans, numbers))
    if story.zones:
        steps.append(_fragmented(story))
    return steps


def _fragmented(story: Story) -> Reason:
    order, claim = story.oom.order or 0, "memory was fragmented"
    if order == 0:
        return reason(claim, "excluded", "order 0 needs no block larger than a page", story.at("invoked"))
    held = [looked.zone for looked in story.zones if looked.why in ("no block", "walk")]
    if not held:
        return reason(claim, "excluded", "free pages ran out first", story.at("invoked"))
    because = f"no admitted block of order {order} in {', '.join(zone.label for zone in held)}"
    return reason(claim, "holds", because, tuple(span for zone in held for span in zone.spans))


def _swap(story: Story) -> Reason | None:
    split = story.account
    if split is None or split.swap_total_kb is None:
        return None
    total, free = split.swap_total_kb, split.swap_free_kb
    spans = tuple(
        (line, line)
        for key in ("free_swap_kb", "total_swap_kb")
        if story.memory is not None and (line := story.memory.field_lines.get(key))
    )
    if total == 0:
        return reason("swap could have taken anonymous memory", "excluded", "there is no swap", spans)
    if free is None:
        return None
    full = free * 100 < total
    because = f"{free} kB of {total} kB free"
    return reason("swap could have taken anonymous memory", "excluded" if full else "holds", because, spans)


def _holders(story: Story) -> Reason | None:
    split = story.account
    if split is None:
        return _cgroup_holders(story)
    kb = split.page_kb
    parts = {**split.parts, "unaccounted": split.unaccounted}
    ranked = sorted(parts.items(), key=lambda item: -item[1])
    numbers = [f"{name}: {pages * kb} kB ({split.share(pages):.1%})" for name, pages in ranked if pages]
    numbers.append(f"total {split.total * kb} kB = {split.how}; shmem is part of anon")
    largest = split.largest
    because = f"{parts[largest] * kb} kB of {split.total * kb} kB ({split.share(parts[largest]):.0%})"
    if largest == "anon" and split.shmem:
        because += f", {split.shmem * kb} kB of it shared memory and tmpfs"
    held = "most memory" if 2 * parts[largest] > split.total else "the largest part"
    claim = f"{held} is held by {largest.replace('_', ' ')}"
    if largest == "unaccounted":
        claim = f"{held} is in no counter the kernel prints"
    return reason(claim, "holds", because, split.span, numbers)


def _cgroup_holders(story: Story) -> Reason | None:
    stats = next((s for s in story.oom.stats if s.path == story.oom.oom_memcg), None)
    stats = stats or (story.oom.stats[0] if story.oom.stats else None)
    if stats is None:
        return None
    names = ("anon", "rss", "file", "cache", "shmem", "slab", "kernel_stack", "pagetables", "sock", "percpu", "vmalloc")
    held = {name: stats.values[name] for name in names if stats.values.get(name)}
    if not held:
        return None
    largest = max(held, key=lambda name: held[name])
    numbers = [f"{name}: {kb} kB" for name, kb in sorted(held.items(), key=lambda item: -item[1])]
    where = f"in {stats.path}" if stats.path else "in the cgroup"
    line = ((stats.line, stats.line),)
    return reason(f"most memory {where} is {largest}", "holds", f"{held[largest]} kB", line, numbers)


def _victim(story: Story) -> Reason | None:
    """Why this one."""
    oom, choice = story.oom, story.choice
    if oom.nobody:
        return reason("a killable process was left", "excluded", "the kernel found none", story.at("nobody"))
    name = oom.victims[0].name if oom.victims else oom.named_victim[0] if oom.named_victim else None
    if name is None:
        return None
    killed = story.at("killed") or story.at("oom_kill")
    if oom.allocating_task:
        return reason(f"{name} was killed because it asked (vm.oom_kill_allocating_task)", "holds", "", killed)
    if choice.victim is None or choice.rank is None:
        why = choice.why_not or "the victim is not in the task table"
        return reason(f"{name} had the highest score", "unknown", why, killed)
    rows = [row for row in choice.ranked[:3] if row is not choice.victim]
    numbers = [f"{row.task.name}[{row.task.pid}]: {row.formula}" for row in (choice.victim, *rows)]
    spans: tuple[Span, ...] = (*killed, (choice.victim.task.line, choice.victim.task.line))
    if choice.rank == 1:
        because = f"{choice.victim.formula} pages, highest of {len(choice.ranked)} ({choice.rule})"
        if oom.selected and oom.victims and oom.victims[0].pid != oom.selected[1]:
            because += f"; its child {name}[{oom.victims[0].pid}] was sacrificed"
        return reason(f"{choice.victim.task.name} had the highest score", "holds", because, spans, numbers)
    top = choice.ranked[0]
    because = (
        f"{top.task.name}[{top.task.pid}] had {top.points} pages, the victim {choice.victim.points}: the larger one "
        "was outside the limit, already dying, shared by an unkillable task, or the table and the choice differ in time"
    )
    return reason(f"{choice.victim.task.name} had the highest score", "excluded", because,
                  (*spans, (top.task.line, top.task.line)), numbers)  # fmt: skip


def unknowns(story: Story) -> tuple[str, ...]:
    """Missing facts, each named."""
    oom = story.oom
    missing = []
    if oom.invoker is None:
        missing.append('request: the line "invoked oom-killer" is not in the log')
    if oom.damaged:
        missing.append(f"victim: the report {oom.damaged}")
    if story.memory is None and oom.constraint != "memcg":
        missing.append("memory state: no zone lines after Mem-Info in the log")
    elif story.memory is not None and story.memory.damaged:
        missing.append(f"memory state: {story.memory.damaged}")
    if story.memory is not None and story.account is None and oom.constraint != "memcg":
        missing.append("who holds the memory: the global counters are not in the log")
    if oom.constraint == "memcg" and not oom.usages:
        missing.append("limit: usage and limit of the cgroup are not in the log")
    if oom.constraint == "memcg" and oom.oom_memcg is None:
        missing.append("cgroup: its path is not in the log")
    if story.choice.why_not and not oom.nobody:
        missing.append(f"scores: {story.choice.why_not}")
    return tuple(missing)


def next_steps(story: Story) -> tuple[str, ...]:
    """What would tell more, or help now."""
    path = story.oom.oom_memcg or ""
    if not _PLAIN.fullmatch(path):  # the text of a log goes into a command only where no shell can read more into it
        path = "/<cgroup>"
    steps = {
        "memcg_limit": (
            f"cat /sys/fs/cgroup{path}/memory.events /sys/fs/cgroup{path}/memory.stat",
            "compare anon, file, shmem, slab and sock there with what the workload should need, then raise the limit",
        ),
        "unaccounted_memory": (
            "grep -E 'VmallocUsed|Percpu|HugePages_Total|AnonHugePages' /proc/meminfo",
            "look for balloon drivers (hv_balloon, vmw_balloon, virtio_balloon) and GPU or network buffers",
        ),
        "fragmentation": (
            "grep -E 'compact_(stall|fail|success)' /proc/vmstat",
            "cat /proc/buddyinfo /proc/pagetypeinfo",
        ),
        "cpuset_limit": ("cat /proc/<pid>/cpuset /proc/<pid>/status | grep -i mems",),
        "mempolicy_limit": ("cat /proc/<pid>/numa_maps",),
        "global_memory_short": ("ps -eo pid,rss,oom_score_adj,comm --sort=-rss | head", "slabtop -o -s c | head -20"),
    }
    return steps.get(story.cause, ())
