"""Who holds the memory by program: the rows of the task table that bear one name, summed."""

from dataclasses import dataclass

from kb.facts.oom.story import Story, reason
from kb.model.memory import size
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.words.speak import said

_SHOWN = 5
_FEW = 0.1
"""Below this share of memory the processes are not where it went."""


@dataclass(frozen=True)
class Program:
    """The tasks of one name. Pages."""

    name: str
    tasks: int
    rss: int
    swap: int
    kinds: tuple[int, int, int] | None = None
    """Of ``rss``: anonymous, of files, shared; None where the table has no such columns (to 6.7)."""


def by_program(story: Story) -> list[Program]:
    """Programs of the table, the largest first. Pages that several tasks share are counted in each."""
    sums: dict[str, Program] = {}
    for task in story.oom.tasks:
        old = sums.get(task.name) or Program(task.name, 0, 0, 0, (0, 0, 0))
        anon, file, shared, kinds = task.rss_anon, task.rss_file, task.rss_shmem, None
        if old.kinds is not None and anon is not None and file is not None and shared is not None:
            kinds = (old.kinds[0] + anon, old.kinds[1] + file, old.kinds[2] + shared)
        swap = old.swap + (task.swapents or 0)
        sums[task.name] = Program(task.name, old.tasks + 1, old.rss + task.rss, swap, kinds)
    return sorted(sums.values(), key=lambda row: -(row.rss + row.swap))


def programs(story: Story) -> Reason | None:
    """The largest program, and whether processes hold the memory at all; None without a table of two tasks or more."""
    rows = by_program(story)
    if (
        len(story.oom.tasks) < 2
        or (story.oom.fault is not None and not story.no_kill)
        or not rows[0].rss + rows[0].swap
    ):
        return None
    spans = story.at("table")
    everything, page_kb = sum(row.rss for row in rows), story.page_kb
    sums = [_line(row, page_kb) for row in rows[:_SHOWN] if row.rss or row.swap]
    total = story.account.total if story.account is not None else 0
    if total and everything < _FEW * total:
        why = said(
            "program.all", tasks=len(story.oom.tasks), rss_kb=size(everything, page_kb), share=everything / total
        )
        return reason(said("program.hold_it"), "excluded", (why,), spans, sums)
    top = rows[0]
    whys: list[Said] = [said("program.largest", tasks=top.tasks, rss_kb=size(top.rss, page_kb),
                             swap_kb=size(top.swap, page_kb))]  # fmt: skip
    if top.kinds is not None and 2 * top.kinds[2] > top.rss:
        whys.append(said("program.shared", shared_kb=size(top.kinds[2], page_kb)))
    victim = story.choice.victim.task if story.choice.victim is not None else None
    if victim is not None and (victim.oom_score_adj or 0) > 0:
        held = victim.rss + (victim.swapents or 0)
        if any(row.task.rss + (row.task.swapents or 0) > held for row in story.choice.ranked):
            whys.append(said("program.by_adj", victim=victim.name, adj=victim.oom_score_adj))
    return reason(said("program.is_largest", program=top.name), "holds", whys, spans, sums)


def _line(row: Program, page_kb: int) -> Said:
    """A program's pages, by kind where the table tells (6.8+)."""
    kinds = None
    if row.kinds is not None:
        anon, file, shared = (size(pages, page_kb) for pages in row.kinds)
        kinds = said("part.rss_kinds", anon_kb=anon, file_kb=file, shared_kb=shared)
    return said("sum.program", program=row.name, tasks=row.tasks, rss_kb=size(row.rss, page_kb), kinds=kinds,
                swap_kb=size(row.swap, page_kb))  # fmt: skip
