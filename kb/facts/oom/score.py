"""Who the OOM killer had to choose: oom_badness() of mm/oom_kill.c over the printed task table.

========== ==================================================================================================
to 2.6.35   badness() over total_vm, run time and oom_adj: not all of it is printed, so it is not recomputed
2.6.36-3.5  (rss + page tables + swap) * 1000 / total + oom_score_adj; page tables and swap are not printed
3.6-3.13    rss + nr_ptes + swapents + (oom_score_adj - 30 for CAP_SYS_ADMIN) * (total / 1000), at least 1
3.14-4.16   CAP_SYS_ADMIN takes 3 % of the points off instead ("mm, oom: base root bonus on current usage")
4.17-5.8    no bonus for root
5.9+        may be negative: the floor of 1 is gone
========== ==================================================================================================

``total`` is memory plus swap the constraint allows. Capabilities are not printed: uid 0 stands for CAP_SYS_ADMIN.
"""

from dataclasses import dataclass

from kb.facts.oom.cgroup import NO_LIMIT_KB
from kb.kernel.release import Release
from kb.model.memory import OomTask
from kb.model.oom import OomReport
from kb.model.said import Said
from kb.words.speak import said

_NEVER = -1000
"""OOM_SCORE_ADJ_MIN: such a task is not chosen."""


@dataclass(frozen=True)
class Scored:
    """A row of the table with its points."""

    task: OomTask
    points: int
    """Pages, oom_score_adj's share included."""
    sum: Said
    """How the points come about."""


@dataclass(frozen=True)
class Choice:
    """The table ranked by the kernel's rule, and where the victim stands in it."""

    rule: Said | None
    """The formula; None when this kernel's cannot be recomputed."""
    ranked: tuple[Scored, ...] = ()
    """Highest first, unkillable tasks left out."""
    victim: Scored | None = None
    rank: int | None = None
    """1 when no task has more points than the victim (or its parent that was selected)."""
    allowed: int | None = None
    """``total``: pages of memory and swap that the constraint allows."""
    assumptions: tuple[Said, ...] = ()
    why_not: Said | None = None
    """What is missing, where nothing could be computed."""


def choose(oom: OomReport, allowed: int | None, release: Release | None, page_kb: int) -> Choice:
    """Rank the table and find the victim in it.

    Args:
        oom: the report.
        allowed: pages of memory and swap that the constraint allows, None when the log does not tell.
        release: kernel, None when not known: then the columns of the table tell the era.
        page_kb: kB a page, for ``pgtables_bytes``.
    """
    if not oom.tasks:
        return Choice(None, why_not=said("score.no_table"))
    columns = frozenset(oom.columns)
    if any(task.oom_score_adj is None for task in oom.tasks):
        return Choice(None, why_not=said("score.old_rule"))
    bonus, floor = _era(columns, release)
    assumptions = []
    if bonus and any(task.uid == 0 for task in oom.tasks):
        assumptions.append(said("assumed.root_by_uid"))
    if "cpu" in columns:
        assumptions.append(said("assumed.tables_left_out"))
    weighed = allowed is None and any(task.oom_score_adj not in (0, _NEVER) for task in oom.tasks)
    if weighed:
        assumptions.append(said("assumed.no_total"))
    scored = [_score(task, allowed, bonus, floor, page_kb) for task in oom.tasks if task.oom_score_adj != _NEVER]
    ranked = tuple(sorted(scored, key=lambda row: -row.points))
    wanted = _chosen_pid(oom)
    victim = next((row for row in ranked if row.task.pid == wanted or row.task.tgid == wanted), None)
    rank = 1 + sum(row.points > victim.points for row in ranked) if victim else None
    if victim is not None and weighed and not _certain(victim, ranked):
        return Choice(_rule(columns, bonus), ranked, victim, None, None, tuple(assumptions), said("score.no_total"))
    return Choice(_rule(columns, bonus), ranked, victim, rank, allowed, tuple(assumptions))


def _certain(victim: Scored, ranked: tuple[Scored, ...]) -> bool:
    """Whether the rank is the same whatever the total: nobody has more points and weighs less, or the other way."""
    adj = victim.task.oom_score_adj or 0
    return all(
        (row.points <= victim.points) == ((row.task.oom_score_adj or 0) <= adj) or row.points == victim.points
        for row in ranked
        if (row.task.oom_score_adj or 0) != adj
    )


def _chosen_pid(oom: OomReport) -> int | None:
    """Pid of the process that was selected: to 5.0 the one killed may be its child."""
    if oom.selected is not None:
        return oom.selected[1]
    if oom.named_victim is not None:
        return oom.named_victim[1]
    return oom.victims[0].pid if oom.victims else None


def _era(columns: frozenset[str], release: Release | None) -> tuple[str | None, bool]:
    """Root's bonus (``adj``, ``share`` or None) and whether points are at least 1, from the release or the columns."""
    if "pgtables_bytes" in columns and (release is None or release.base >= (4, 17)):
        return None, release is None or release.base < (5, 9)
    if release is not None and release.base >= (3, 14):
        return "share", True
    if release is None and columns & {"nr_pmds"}:
        return "share", True
    return "adj", True


def _score(task: OomTask, allowed: int | None, bonus: str | None, floor: bool, page_kb: int) -> Scored:
    tables = task.page_tables or 0
    if task.pgtables_bytes is not None:
        tables = task.pgtables_bytes // (page_kb * 1024)
    points = task.rss + (task.swapents or 0) + tables
    bonus_said = share = None
    adj = task.oom_score_adj or 0
    if bonus == "share" and task.uid == 0:
        points -= points * 3 // 100
        bonus_said = said("part.root_bonus")
    if bonus == "adj" and task.uid == 0:
        adj -= 30
    if allowed is not None and adj:
        points += adj * (allowed // 1000)
        share = f" {'+' if adj > 0 else '-'} {abs(adj)} * {allowed // 1000}"
    if floor and points < 1:
        points = 1
    total = said("sum.score", rss_pages=task.rss, swap_pages=task.swapents or 0, table_pages=tables, root=bonus_said,
                 share=share, points_pages=points)  # fmt: skip
    return Scored(task, points, total)


def _rule(columns: frozenset[str], bonus: str | None) -> Said:
    root = {"share": said("part.root_share"), "adj": said("part.root_adj"), None: None}[bonus]
    if "cpu" in columns:
        return said("score.rule_rss", root=root)
    return said("score.rule", root=root)


def allowed_pages(
    oom: OomReport, total: int | None, swap_kb: int | None, page_kb: int
) -> tuple[int | None, Said | None]:
    """``total`` of the formula: the machine's memory and swap, or the cgroup's limit.

    Returns:
        Pages and where they come from; None where the log does not tell.
    """
    if oom.constraint == "memcg":
        return _group_total(oom, swap_kb, page_kb)
    if total is None:
        return None, None
    return total + (swap_kb or 0) // page_kb, said("total.all_memory_and_swap")


def _group_total(oom: OomReport, swap_kb: int | None, page_kb: int) -> tuple[int | None, Said | None]:
    """mem_cgroup_get_max(): the limit and as much swap as the group may use, never more than the machine has."""
    limits = {usage.name: usage for usage in oom.usages}
    both, memory, swap = limits.get("memory+swap"), limits.get("memory"), limits.get("swap")
    if memory is None or memory.limit_kb >= NO_LIMIT_KB:
        return None, None
    if both is None and swap is None:
        return memory.limit_kb // page_kb, said("total.memory_limit")
    may = (both.limit_kb - memory.limit_kb if both.limit_kb < NO_LIMIT_KB else None) if both is not None else None
    if both is None and swap is not None and swap.limit_kb < NO_LIMIT_KB:
        may = swap.limit_kb
    if may is None and swap_kb is None:
        return None, None
    add = min(kb for kb in (may, swap_kb) if kb is not None)
    how = said("total.memory_swap_limit") if both is not None else said("total.memory_and_swap_limits")
    return (memory.limit_kb + add) // page_kb, how if add else said("total.memory_limit")
