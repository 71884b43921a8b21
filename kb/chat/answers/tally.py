"""Who used the memory, and how many there are: of tasks, reports, CPUs."""

import re
from typing import TYPE_CHECKING

from kb.chat.claims import cause_claim
from kb.chat.named import fitting, holdings, named, of_names, of_nothing, titled
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer, head
from kb.chat.state import Entry, State
from kb.model.memory import size

if TYPE_CHECKING:
    from kb.chat.named import Named
    from kb.model.memory import OomTask

_LISTED = 6
_ROWS = 5
_WIDE = 120
"""Characters of a headline."""


def used(state: State, question: Question) -> Answer:
    """The tasks of the OOM killer's table that hold most memory, or those that are named, and their sum."""
    entry = _with_tasks(state)
    if entry is None:
        return answer([Claim(state.p("used.none")), *([holdings(state)] if state.entries else [])], "unknown")
    from kb.facts.oom.story import tell

    story, p = tell(entry.report), state.p
    tasks = sorted(story.oom.tasks, key=lambda task: -task.rss)
    if not tasks:
        return answer([Claim(p("used.none"), (entry.report.span,))], "unknown")
    wanted = _wanted(state, question)
    mine = [task for task in tasks if any(one.inside.search(f"{task.name} (pid {task.pid})") for one in wanted)]
    if wanted and not mine:
        return of_names(state, wanted, asked=True)
    shown = mine or tasks
    claims = [
        Claim(
            p("used.task", comm=task.name, pid=task.pid, pages=task.rss, kb=size(task.rss, story.page_kb)),
            ((task.line, task.line),) if task.line else head(entry.report),
            (),
            state.source(entry),
        )
        for task in shown[:_ROWS]
    ]
    if len(mine) > 1:
        pages = sum(task.rss for task in mine)
        lines = tuple((task.line, task.line) for task in mine if task.line)
        text = p("used.sum", count=len(mine), pages=pages, kb=size(pages, story.page_kb))
        claims.insert(0, Claim(text, lines, (), state.source(entry)))
    rest = len(shown) - _ROWS
    return answer([*claims, *([Claim(p("load.more", count=rest))] if rest > 0 else [])])


def _with_tasks(state: State) -> Entry | None:
    """The report with the OOM killer's table of tasks: the one in question before others."""
    among = [one for one in (state.current, *state.entries) if one is not None and one.report.kind == "oom_kill"]
    return next((one for one in among if _table(one)), among[0] if among else None)


def _table(entry: Entry) -> "tuple[OomTask, ...]":
    from kb.facts.oom.story import tell

    return tell(entry.report).oom.tasks


def _wanted(state: State, question: Question) -> "list[Named]":
    return [one for one in named(question, state.logged) if one.own is not None or not one.inside.search("memory")]


def count(state: State, question: Question) -> Answer:
    """How many of what is named there are: tasks, killed ones, CPUs, reports and when each came."""
    p, text = state.p, normal(question.text).lower()
    if not state.entries:
        return answer([Claim(p("triage.no_report"))], "unknown")
    kind, things, entries = fitting(state, question)
    killing = "SCORE" in question.topics or re.search("kill|杀", text) is not None
    if not killing and _OF_TASKS.search(text) and (found := _tasks(state, question)):
        return found
    if kind is None and (words := titled(state, text)):
        kind, entries = words
    of_events = kind is not None and _OOM.search(kind.lower()) is not None  # "OOM kills" are reports, not tasks
    if killing and not of_events and (found := _killed(state)):
        return found
    if things and not entries:
        return of_names(state, things, asked=True)
    if kind is not None and not entries:
        return of_nothing(state, kind)
    if _OF_CPUS.search(text):
        return _cpus(state, entries)
    if _OF_HOSTS.search(text):
        return _hosts(state, entries)
    if kind is None and not _OF_REPORTS.search(text):
        return answer([Claim(p("count.what")), holdings(state)], "unknown")
    return _reports(state, question, kind, entries)


_OF_TASKS = re.compile(
    r"\bprocess(?:es)?\b|\btasks? (?:were |are )?(?:listed|running|in the (?:dump|table))|进程|任务表"
)
_OF_CPUS = re.compile(r"\bcpus\b|多少(?:个|颗)?\s*cpu|几(?:个|颗)\s*cpu")
_OF_HOSTS = re.compile(r"\b(?:hosts|machines|servers|boxes)\b|(?:多少|几)\s*台")
_OOM = re.compile("oom|out of memory|内存不足|内存耗尽")
_OF_REPORTS = re.compile("report|problem|error|failure|splat|time|often|次|报告|问题|错误|故障")


def _killed(state: State) -> Answer | None:
    """How many tasks the OOM killer's reports name as killed; None where none does."""
    killed = [entry.diagnosis.facts.detail.get("victims") or () for entry in state.entries]
    pids = {(row["pid"], row["comm"]): row["evidence"] for rows in killed for row in rows}
    if not pids:
        return None
    spans = tuple((first, last) for rows in pids.values() for first, last in rows)
    names = ", ".join(f"{comm} (pid {pid})" for pid, comm in pids)
    text = state.p("count.victims", count=len(pids), times=sum(bool(rows) for rows in killed), names=names)
    return answer([Claim(text, spans)])


def _cpus(state: State, entries: list[Entry]) -> Answer:
    """How many CPUs reports came from."""
    p, own = state.p, [entry for entry in entries if entry.report.cpu is not None]
    cpus = sorted({entry.report.cpu for entry in own if entry.report.cpu is not None})
    if not cpus:
        return answer([Claim(p("count.what")), holdings(state)], "unknown")
    return answer([Claim(p("count.cpus", count=len(cpus), cpus=", ".join(map(str, cpus))), _spans(own))])


def _hosts(state: State, entries: list[Entry]) -> Answer:
    """How many machines reports came from."""
    p, own = state.p, [entry for entry in entries if entry.report.host]
    hosts = list(dict.fromkeys(entry.report.host or "" for entry in own))
    if not hosts:
        return answer([Claim(p("host.none")), holdings(state)], "unknown")
    more = p("load.more", count=len(hosts) - _LISTED) if len(hosts) > _LISTED else ""
    text = p("count.hosts", count=len(hosts), hosts=", ".join(hosts[:_LISTED])) + more
    return answer([Claim(text, _spans(own))])


def _reports(state: State, question: Question, kind: str | None, entries: list[Entry]) -> Answer:
    """How many reports there are of a kind (None: of any), each with when it came; of hung tasks, how many tasks."""
    p, rest = state.p, len(entries) - _LISTED
    claims = [Claim(p("count.reports", count=len(entries), kind=kind or p("count.all")), _spans(entries))]
    if all(entry.report.kind == "hung_task" for entry in entries):  # told again as long as it hangs
        tasks = {(entry.report.comm, entry.report.pid): entry for entry in entries}
        names = ", ".join(f"{comm} (pid {pid})" for comm, pid in list(tasks)[:_LISTED])
        more = p("load.more", count=len(tasks) - _LISTED) if len(tasks) > _LISTED else ""
        claims.insert(0, Claim(p("count.hung", count=len(tasks), names=names) + more, _spans(list(tasks.values()))))
    for entry in entries[:_LISTED]:
        text = f"{entry.number}. {entry.report.headline.strip()[:_WIDE]}{_at(entry)}"
        claims.append(Claim(text, (entry.report.span,), (), state.source(entry), 1))
    if rest > 0:
        claims.append(Claim(p("count.more", count=rest)))
    if len(entries) == 1:
        state.use(entries[0])
        claims.append(cause_claim(state))
    if kind is None and state.current is not None:
        from kb.chat.answers.store import seen

        claims += [claim for claim in seen(state, question).claims if claim.text != p("seen.none")]
    return answer(claims)


def _tasks(state: State, question: Question) -> Answer | None:
    """How many tasks the OOM killer's table lists, all or those that are named; None where no report has one."""
    entry = _with_tasks(state)
    if entry is None or not _table(entry):
        return None
    wanted = _wanted(state, question)
    tasks = [
        task
        for task in _table(entry)
        if not wanted or any(one.inside.search(f"{task.name} (pid {task.pid})") for one in wanted)
    ]
    if not tasks:
        return of_names(state, wanted, asked=True)
    lines = tuple((task.line, task.line) for task in tasks if task.line)
    name = ", ".join(one.shown for one in wanted) or state.p("count.tasks_all")
    first, last = (lines[0][0], lines[-1][1]) if lines else entry.report.span
    shown = lines if wanted else ((first, last),)
    return answer([Claim(state.p("count.tasks", count=len(tasks), name=name), shown, (), state.source(entry))])


def _spans(entries: list[Entry]) -> tuple[tuple[int, int], ...]:
    return tuple(entry.report.span for entry in entries)


def _at(entry: Entry) -> str:
    report = entry.report
    who = f", {report.comm} (pid {report.pid})" if report.comm and report.pid is not None else ""
    return who + (f", {report.time:.6f} s" if report.time is not None else "")
