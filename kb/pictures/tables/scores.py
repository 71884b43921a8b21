"""Whom the OOM killer could choose: each task of its table with its points, and how they come about."""

from dataclasses import dataclass

from kb.facts.oom.story import tell
from kb.model.memory import OomTask, size
from kb.model.said import Said
from kb.model.verdict import Diagnosis


@dataclass(frozen=True, eq=False, slots=True)
class Scored:
    """A task; sizes in kB."""

    name: str
    pid: int
    uid: int
    rss: int
    swap: int | None
    tables: int | None
    """Page tables."""
    adj: int | None
    """oom_score_adj"""
    points: int | None
    """Pages; None where the rule of this kernel cannot be recomputed, or nobody may kill the task."""
    sum: Said | None
    """The arithmetic."""
    victim: bool
    line: int


@dataclass(frozen=True, slots=True)
class Scores:
    """The table, most points first, then by resident memory."""

    tasks: tuple[Scored, ...]
    rule: Said | None
    """The formula."""
    allowed: int | None
    """Pages of memory and swap that the constraint allows."""
    allowed_from: Said | None
    rank: int | None
    """Of the victim: 1 where no task has more points."""
    why_not: Said | None
    """What is missing, where nothing could be computed."""


def scores(found: Diagnosis) -> Scores | None:
    """The table of an OOM kill, None where the report prints none."""
    if found.report.kind != "oom_kill":
        return None
    story = tell(found.report)
    oom, choice = story.oom, story.choice
    if not oom.tasks:
        return None
    killed = {victim.pid for victim in oom.victims} or (
        {oom.named_victim[1]} if oom.named_victim is not None else set()
    )
    points = {id(row.task): row for row in choice.ranked}
    rows = []
    for task in oom.tasks:
        row = points.get(id(task))
        rows.append(
            Scored(
                task.name,
                task.pid,
                task.uid,
                size(task.rss, story.page_kb),
                size(task.swapents, story.page_kb) if task.swapents is not None else None,
                _tables(task, story.page_kb),
                task.oom_score_adj,
                row.points if row is not None else None,
                row.sum if row is not None else None,
                task.pid in killed,
                task.line,
            )
        )
    rows.sort(key=lambda row: (row.points is None, -(row.points or 0), -row.rss))
    return Scores(tuple(rows), choice.rule, choice.allowed, story.allowed_how, choice.rank, choice.why_not)


def _tables(task: OomTask, page_kb: int) -> int | None:
    if task.pgtables_bytes is not None:
        return task.pgtables_bytes // 1024
    return size(task.page_tables, page_kb) if task.page_tables is not None else None
