"""The task table of an OOM report, as dump_tasks() printed it from 2.6.32 on."""

from collections.abc import Iterable, Mapping

from kb.kernel.numbers import number
from kb.model.memory import OomTask

_FRONT = ("uid", "tgid", "total_vm", "rss")


_LAYOUTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rss_anon", ("rss_anon", "rss_file", "rss_shmem", "pgtables_bytes", "swapents", "oom_score_adj")),
    ("pgtables_bytes", ("pgtables_bytes", "swapents", "oom_score_adj")),
    ("nr_pmds", ("nr_ptes", "nr_pmds", "swapents", "oom_score_adj")),
    ("nr_ptes", ("nr_ptes", "swapents", "oom_score_adj")),
    ("oom_score_adj", ("cpu", "oom_adj", "oom_score_adj")),
    ("oom_adj", ("cpu", "oom_adj")),
)
"""Columns behind ``rss`` by the column that tells the layout (formats of dump_tasks())."""


def read_tasks(
    head: Iterable[str], rows: Iterable[tuple[int, str, int]]
) -> tuple[tuple[str, ...], tuple[OomTask, ...]]:
    """The rows by the columns of the table's head; where that is cut off, by how many numbers a row has.

    Args:
        head: The names of the columns as printed.
        rows: Pid, the text behind it, and the line of each row.

    Returns:
        The columns behind the pid (empty where the head does not tell) and the tasks.
    """
    printed = set(head)
    back = next((layout for mark, layout in _LAYOUTS if mark in printed), None)
    tasks = []
    for pid, rest, line in rows:
        columns = _FRONT + (back or _guess(rest))
        parts = rest.split(None, len(columns))
        numbers: dict[str, int] = {}
        for column, part in zip(columns, parts, strict=False):
            value = number(part)
            if value is None:
                break
            numbers[column] = value
        if len(numbers) < len(_FRONT):
            continue
        name = parts[len(columns)] if len(parts) > len(columns) else ""
        tasks.append(_task(pid, numbers, name, line))
    return (_FRONT + back if back else ()), tuple(tasks)


def _guess(rest: str) -> tuple[str, ...]:
    """The layout that a row without its head has."""
    count = 0
    for part in rest.split():
        if number(part) is None:
            break
        count += 1
    by_count = {len(_FRONT) + len(layout): layout for _mark, layout in reversed(_LAYOUTS)}
    return by_count.get(count, _LAYOUTS[1][1])


def _task(pid: int, numbers: Mapping[str, int], name: str, line: int) -> OomTask:
    """One row."""
    tables = None
    if "nr_ptes" in numbers:
        tables = numbers["nr_ptes"] + numbers.get("nr_pmds", 0)
    return OomTask(
        pid=pid,
        uid=numbers["uid"],
        tgid=numbers["tgid"],
        total_vm=numbers["total_vm"],
        rss=numbers["rss"],
        name=name,
        oom_score_adj=numbers.get("oom_score_adj"),
        swapents=numbers.get("swapents"),
        pgtables_bytes=numbers.get("pgtables_bytes"),
        rss_anon=numbers.get("rss_anon"),
        rss_file=numbers.get("rss_file"),
        rss_shmem=numbers.get("rss_shmem"),
        line=line,
        page_tables=tables,
        oom_adj=numbers.get("oom_adj"),
    )
