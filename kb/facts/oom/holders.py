"""Who holds the memory: the machine's by its counters, a cgroup's by its own."""

from kb.facts.oom.cgroup import held
from kb.facts.oom.memory import Account
from kb.facts.oom.story import Story, reason
from kb.model.memory import size
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.words.speak import said

_MUCH_SHARED = 0.05
"""Share of all memory from which it matters on which list shared memory lies: NR_SHMEM counts it on both."""


def holders(story: Story) -> Reason | None:
    """The machine's memory by holder; None where the counters are not in the log."""
    split = story.account
    if split is None:
        return None
    ranked = sorted(split.holders.items(), key=lambda item: -item[1])
    sums = [said("sum.holder", holder=_name(split, name), held_kb=size(pages, split.page_kb), share=split.share(pages))
            for name, pages in ranked if pages]  # fmt: skip
    total_kb = size(split.total, split.page_kb)
    sums.append(said("sum.total", total_kb=total_kb, how=split.how))
    largest = split.largest
    pages = split.pages(largest)
    why = [said("oom.held", held_kb=size(pages, split.page_kb), total_kb=total_kb, share=split.share(pages))]
    if largest == "unevictable" and split.mlocked is not None:
        why.append(said("oom.not_locked"))
    if (both := min(split.pages("shmem"), split.pages("unevictable"))) >= _MUCH_SHARED * split.total:
        why.append(said("oom.shmem_unevictable", pages_kb=size(both, split.page_kb)))
    if largest == "hugepages" and (unused := _unused(story)):
        why.append(said("oom.hugepages_unused", free_kb=unused))
    much = said("much.most") if 2 * pages > split.total else said("much.largest_part")
    if split.mostly_free:
        free = split.parts["free"]
        much = said("much.most") if 2 * free > split.total else said("much.largest_part")
        holder = said("oom.largest_holder", holder=_name(split, largest).replace("_", " "), share=split.share(pages))
        is_free = said("oom.held", held_kb=size(free, split.page_kb), total_kb=total_kb, share=split.share(free))
        return reason(said("oom.is_free", much=much), "holds", (is_free, holder), split.span, sums)
    claim = said("oom.held_by", much=much, holder=largest.replace("_", " "))
    if largest == "unaccounted":
        claim = said("oom.in_no_line", much=much) if split.partial else said("oom.in_no_counter", much=much)
    return reason(claim, "holds", why, split.span, sums)


def _unused(story: Story) -> int:
    """KB of huge pages set aside that nobody has taken."""
    pools = story.memory.hugepages if story.memory is not None else ()
    return sum(pool.get("free", 0) * pool.get("size_kb", 0) for pool in pools)


def _name(split: Account, holder: str) -> str:
    """What a holder is called in the list."""
    return "slab or unaccounted" if split.partial and holder == "unaccounted" else holder


def cgroup_holders(story: Story) -> list[Reason]:
    """What a cgroup at its limit holds."""
    group = held(story.oom)
    if group is None:
        return []
    path, usage = group.path or said("oom.the_cgroup"), group.usage_kb
    rows = sorted(group.parts.items(), key=lambda item: -item[1])
    sums = [said("sum.stat", name=name.replace("_", " "), held_kb=kb) for name, kb in rows]
    if group.groups > 1:
        sums.append(said("sum.groups", groups=group.groups))
    unnamed, most = group.unnamed_kb, group.parts[group.largest]
    if usage is not None and unnamed is not None and unnamed > most:
        claim = said("oom.memcg_unnamed", much=_much(unnamed, usage), memcg=path)
        why = [said("oom.of_usage", held_kb=unnamed, usage_kb=usage, share=unnamed / usage)]
        kmem = next((usage.usage_kb for usage in story.oom.usages if usage.name == "kmem"), 0)
        if 2 * kmem > unnamed:
            why.append(said("oom.kmem_has", kmem_kb=kmem))
        return [reason(claim, "holds", why, group.spans, sums)]
    claim = said("oom.memcg_held_by", much=_much(most, usage), memcg=path, holder=group.largest.replace("_", " "))
    size_kb = said("size.kb", size_kb=most)
    why_most = said("oom.of_usage", held_kb=most, usage_kb=usage, share=most / usage) if usage else size_kb
    steps = [reason(claim, "holds", (why_most,), group.spans, sums)]
    if group.unflushed:
        steps.append(
            reason(said("oom.memcg_unflushed", memcg=path), "holds", (said("oom.flusher_asleep"),), group.spans)
        )
    return steps


def _much(kb: int, usage: int | None) -> Said:
    return said("much.most") if usage is not None and 2 * kb > usage else said("much.largest_part")
