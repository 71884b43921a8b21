"""What one asks first on call: how bad it is, what to do now, how many, who used the memory, what a word means."""

import re
from typing import TYPE_CHECKING

from kb.chat.asked import lines_named
from kb.chat.claims import cause_claim
from kb.chat.named import fitting, holdings, named, of_names, of_nothing, quotes, spans_of, titled
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer, case, head
from kb.chat.state import Entry, State
from kb.model.memory import size
from kb.model.verdict import Verdict
from kb.render.answer import SEVERITIES
from kb.render.answer import answer as first_screen
from kb.render.answer import severity as severity_of

if TYPE_CHECKING:
    from kb.chat.named import Named
    from kb.glossary import Explained
    from kb.model.memory import OomTask

_LISTED = 6
_ROWS = 5
_DEFINED = 3
_WIDE = 120
"""Characters of a headline."""


def _worst(state: State) -> Entry:
    """The report that asks most: the one in question before others that ask as much."""
    return max(
        state.entries,
        key=lambda entry: (SEVERITIES.index(severity_of(entry.diagnosis)), entry is state.current, -entry.number),
    )


def _severity(state: State) -> list[Claim]:
    entry = _worst(state)
    found = severity_of(entry.diagnosis)
    text = state.p("triage.severity", title=entry.report.title, means=state.p.facts(f"severity.{found}"))
    best = entry.diagnosis.best
    cited = (case(best.case.id),) if best is not None and best.verdict is Verdict.YES else ()
    return [Claim(text, (entry.report.span,), cited, state.source(entry))]


def severity(state: State, question: Question) -> Answer:
    """How bad it is, and what that asks for."""
    if not state.entries:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    asks_data = [claim for claim in _told(state, question) if "data" in question.text.lower()]
    return answer([*_severity(state), *asks_data, Claim(state.p("triage.next"))])


def reboot(state: State, question: Question) -> Answer:
    """Whether to reboot: what the severity says of that, never more."""
    if not state.entries:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    found = severity_of(_worst(state).diagnosis)
    claim = Claim(state.p(f"reboot.{found}"), (_worst(state).report.span,), (), state.source(_worst(state)))
    return answer([claim, *_severity(state), *_step(state)])


def _step(state: State, *names: str) -> list[Claim]:
    """The first screen's one step with its risk."""
    entry = state.entry
    parts = first_screen(entry.diagnosis, state.p.facts)
    best = entry.diagnosis.best
    return [
        Claim(
            f"{part.label}: {part.text}",
            (entry.report.span,),
            (case(best.case.id),) if best is not None and part.name in ("now", "risk") else (),
            state.source(entry),
            int(part.name == "risk"),
        )
        for part in parts
        if part.name in (names or ("now", "risk", "next"))
    ]


def now(state: State, question: Question) -> Answer:
    """The one step of the first screen, with its risk."""
    if state.chosen is not None:
        from kb.chat.answers.case import workaround

        return workaround(state, question)
    if state.current is None:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    steps = _step(state)
    if not steps:
        return answer([Claim(state.p("triage.no_step")), *_severity(state)], "unknown")
    return answer([*steps, Claim(state.p("triage.more"))])


def boss(state: State, question: Question) -> Answer:
    """What it is, how bad, why, and what is done: for somebody who does not read kernel logs."""
    if state.current is None:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    return answer([*_severity(state), cause_claim(state), *_step(state, "now", "risk", "next")[:2]])


_AFTER = re.compile(r"recover|resum|reset (?:done|success)|back to normal|[Ll]ink is [Uu]p|re-?connected|stall ended")


def recovered(state: State, question: Question) -> Answer:
    """How the log goes on behind the report: whether all is well again no log can say."""
    if state.current is None:
        return answer([Claim(state.p("triage.no_report"))], "unknown")
    entry = state.current
    last, count = entry.report.span[1], len(entry.log.lines)
    p, claims = state.p, []
    behind = [(n, entry.log.lines[n - 1].decode("utf-8", "replace")) for n in range(last + 1, count + 1)]
    claims.append(Claim(p("recovered.goes_on", count=count - last), ((last, count),), (), state.source(entry)))
    claims += [Claim(text.strip(), ((n, n),), (), None, 1) for n, text in behind if _AFTER.search(text)][:_ROWS]
    return answer(claims, "unknown")


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
    """How many reports of what is named, and when each came."""
    p = state.p
    if not state.entries:
        return answer([Claim(p("triage.no_report"))], "unknown")
    kind, things, entries = fitting(state, question)
    text = normal(question.text).lower()
    killing = "SCORE" in question.topics or re.search("kill|杀", text)
    if not killing and re.search(
        r"\bprocess(?:es)?\b|\btasks? (?:were |are )?(?:listed|running|in the (?:dump|table))|进程|任务表", text
    ):
        found = _tasks(state, question)
        if found is not None:
            return found
    if kind is None and (words := titled(state, text)):
        kind, entries = words
    if killing:
        killed = [(entry, entry.diagnosis.facts.detail.get("victims") or ()) for entry in state.entries]
        pids = {(row["pid"], row["comm"]): row["evidence"] for _, rows in killed for row in rows}
        if pids and (kind is None or not re.search("oom|out of memory|内存不足|内存耗尽", kind.lower())):
            spans = tuple((a, b) for rows in pids.values() for a, b in rows)
            named_ = ", ".join(f"{comm} (pid {pid})" for pid, comm in pids)
            times = sum(bool(rows) for _, rows in killed)
            return answer([Claim(p("count.victims", count=len(pids), times=times, names=named_), spans)])
    if things and not entries:
        return of_names(state, things, asked=True)
    if kind is not None and not entries:
        return of_nothing(state, kind)
    if re.search(r"\bcpus\b|多少(?:个|颗)?\s*cpu|几(?:个|颗)\s*cpu", text):
        cpus = sorted({entry.report.cpu for entry in entries if entry.report.cpu is not None})
        if not cpus:
            return answer([Claim(p("count.what")), holdings(state)], "unknown")
        own = [entry for entry in entries if entry.report.cpu is not None]
        return answer([Claim(p("count.cpus", count=len(cpus), cpus=", ".join(map(str, cpus))), _spans(own))])
    if kind is None and not re.search(r"report|problem|error|failure|splat|time|often|次|报告|问题|错误|故障", text):
        return answer([Claim(p("count.what")), holdings(state)], "unknown")
    claims = [Claim(p("count.reports", count=len(entries), kind=kind or p("count.all")), _spans(entries))]
    if all(entry.report.kind == "hung_task" for entry in entries):  # told again as long as it hangs
        tasks = {(entry.report.comm, entry.report.pid): entry for entry in entries}
        named_ = ", ".join(f"{comm} (pid {pid})" for comm, pid in list(tasks)[:_LISTED])
        more = p("load.more", count=len(tasks) - _LISTED) if len(tasks) > _LISTED else ""
        claims.insert(0, Claim(p("count.hung", count=len(tasks), names=named_) + more, _spans(list(tasks.values()))))
    claims += [
        Claim(
            f"{entry.number}. {entry.report.headline.strip()[:_WIDE]}{_at(entry)}",
            (entry.report.span,),
            (),
            state.source(entry),
            1,
        )
        for entry in entries[:_LISTED]
    ]
    if len(entries) > _LISTED:
        claims.append(Claim(p("count.more", count=len(entries) - _LISTED)))
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


def define(state: State, question: Question) -> Answer:
    """What words mean, by the tables of ``kb explain``."""
    found = defined(question, logs=bool(state.logs))
    claims = [Claim(f"{one.word} ({one.what}): {one.means}", (), ("kb explain",)) for one in found]
    return answer(claims or [Claim(state.p("define.none"))], None if found else "unknown")


_ENDS = " \t?!.,;:'\"()[]？！。，；：“”‘’（）…"
_ASKING = re.compile(
    r"(?i)(?:what(?:'s|s| is| are| does| do)|define|explain|meaning of|definition of|how (?:do|does|should|can|to) "
    r"(?:i |you |we |one )?read|what do you mean by) (?P<the>(?:is |are |an? |the ){0,3})(?P<word>\S.*)"
)
_BETWEEN = re.compile(r"(?i)\b(?:difference between|compare) ")
_AND = re.compile(r"(?i) (?:and|vs\.?|versus|with) ")
_APART = re.compile(r"(?:之间)?(?:的|有)?(?:什么|啥|何)?(?:区别|不同|差别|差异)")
_AND_CHINESE = re.compile("[和与跟]")
_WORKS = re.compile(r"(?i)how (?:does|do) (?P<the>)(?:the |an? )?(?P<word>\S.*?) (?:work|choose|decide)\b.*")
_SYSCTL = re.compile(r"^(?:/proc/sys/)?(?:vm|kernel|fs|net)[./]")
_MEANS = re.compile(r"(?i) mean(?:s|ing)?$")
_ASKING_CHINESE = re.compile(
    r"(?:请?解释(?:一?下)?|什么是|什么叫|啥是|说明)(?P<the>) ?(?P<word>\S.*)"
    r"|(?P<word2>\S.*?) ?(?:(?:是什么|什么|是啥|啥|是) ?(?:意思)?|的?意思|怎么看|如何看|怎么读)(?:是什么|是啥)?$"
)


def defined(question: Question, *, logs: bool) -> "list[Explained]":
    """The entries of the glossary that a line asks for; where logs are loaded, "the zone" is one of theirs."""
    text = " ".join(normal(question.text).split()).strip(_ENDS)
    if two := _two(text):
        each = [_meaning(word.strip(), logs)[:1] for word in two]
        return [one for found in each for one in found] if all(each) else []
    hit = _ASKING_CHINESE.match(text) if question.language == "zh" else _WORKS.fullmatch(text) or _ASKING.match(text)
    if hit is None:
        bare = (not logs and question.kind in (None, "define")) or _LETTER.fullmatch(text)
        return _meaning(text, logs)[:_DEFINED] if bare else []
    if logs and "the " in (hit["the"] or "").lower():
        return []
    word = next(value for name, value in hit.groupdict().items() if value and name != "the")
    return _meaning(_MEANS.sub("", word), logs)[:_DEFINED]


def _two(text: str) -> list[str]:
    """The two words whose difference a line asks for."""
    found, apart = _BETWEEN.search(text), _APART.search(text)
    if found is not None:
        words = _AND.split(text[found.end() :], maxsplit=1)
    else:
        words = _AND_CHINESE.split(text[: apart.start()], maxsplit=1) if apart is not None else []
    return words if len(words) == 2 else []


_LETTER = re.compile(r"(?i)taint(?: flag| letter)? (?-i:([A-Z]))")


def _meaning(word: str, logs: bool) -> "list[Explained]":
    """What the glossary has of a word, as typed or by its synonym."""
    from kb.chat.asked import term
    from kb.glossary import explain

    letter = _LETTER.fullmatch(word)
    bare = re.sub(r"^(?:an?|the) ", "", _SYSCTL.sub("", word))
    for one in (word, bare, bare.removesuffix("s"), term(bare), _kind_of(bare), letter[1] if letter else ""):
        found = [each for each in explain(one) if not logs or each.what not in ("fact", "reason")] if one else []
        if found:
            return sorted(found, key=lambda each: each.what in ("fact", "reason"))
    return []


def _kind_of(word: str) -> str:
    from kb.chat.asked import kinds_named

    found = kinds_named(word)
    whole = len(found) == 1 and found[0][0].lower() == word.lower() and len(found[0][1].kinds) == 1
    return min(found[0][1].kinds) if whole else ""


def told(state: State, question: Question) -> Answer:
    """The lines of the log that tell what was asked for (kb/words/asked.toml)."""
    claims = _told(state, question)
    word = lines_named(normal(question.text))[0][0]
    if not claims:
        return answer(
            [Claim(state.p("told.none", word=word), spans_of(state)), *([holdings(state)] if state.entries else [])],
            "unknown",
        )
    return answer([Claim(state.p("told.lines", word=word)), *claims])


def _told(state: State, question: Question) -> list[Claim]:
    rows = lines_named(normal(question.text))
    if not rows:
        return []
    finds = rows[0][1].finds
    specific = [one.inside for one in named(question, state.logged)]
    claims = quotes(state, [finds], 12)
    kept = [claim for claim in claims if any(one.search(claim.text) for one in specific)]
    return (kept or claims)[:_LISTED]
