"""What one asks first on call: how bad it is, what to do now, how many, who used the memory, what a word means."""

import re
from typing import TYPE_CHECKING

from kb.chat.asked import lines_named
from kb.chat.claims import cause_claim
from kb.chat.named import holdings, named, of_kind, of_nothing, quotes, spans_of
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer, case, head
from kb.chat.state import Entry, State
from kb.model.memory import size
from kb.model.verdict import Verdict
from kb.render.answer import SEVERITIES
from kb.render.answer import answer as first_screen
from kb.render.answer import severity as severity_of

if TYPE_CHECKING:
    from kb.glossary import Explained

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
    """The tasks of the OOM killer's table that hold most memory."""
    entry = next(
        (one for one in (state.current, *state.entries) if one is not None and one.report.kind == "oom_kill"), None
    )
    if entry is None:
        return answer([Claim(state.p("used.none")), *([holdings(state)] if state.entries else [])], "unknown")
    from kb.facts.oom.story import tell

    story, p = tell(entry.report), state.p
    tasks = sorted(story.oom.tasks, key=lambda task: -task.rss)
    wanted = [one for one in named(question, state.logged) if one.own is not None or not one.inside.search("memory")]
    mine = [task for task in tasks if any(one.inside.search(f"{task.name} {task.pid}") for one in wanted)]
    if wanted and not mine:
        return answer([Claim(p("named.nothing", name=wanted[0].shown)), holdings(state)], "unknown")
    if not tasks:
        return answer([Claim(p("used.none"), (entry.report.span,))], "unknown")
    claims = [
        Claim(
            p("used.task", comm=task.name, pid=task.pid, pages=task.rss, kb=size(task.rss, story.page_kb)),
            ((task.line, task.line),) if task.line else head(entry.report),
            (),
            state.source(entry),
        )
        for task in (mine or tasks)[:_ROWS]
    ]
    rest = len(mine or tasks) - _ROWS
    return answer([*claims, *([Claim(p("load.more", count=rest))] if rest > 0 else [])])


def count(state: State, question: Question) -> Answer:
    """How many reports of what is named, and when each came."""
    p = state.p
    kind, entries = of_kind(state, question)
    if not state.entries:
        return answer([Claim(p("triage.no_report"))], "unknown")
    text = normal(question.text).lower()
    if "SCORE" in question.topics or re.search("kill|杀", text):
        pids = {
            (row["pid"], row["comm"]): row["evidence"]
            for entry in state.entries
            for row in entry.diagnosis.facts.detail.get("victims") or ()
        }
        if kind is None and pids:
            spans = tuple((a, b) for rows in pids.values() for a, b in rows)
            named_ = ", ".join(f"{comm} (pid {pid})" for pid, comm in pids)
            return answer([Claim(p("count.victims", count=len(pids), times=len(state.entries), names=named_), spans)])
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
_MEANS = re.compile(r"(?i) mean(?:s|ing)?$")
_ASKING_CHINESE = re.compile(
    r"(?:请?解释(?:一?下)?|什么是|什么叫|啥是|说明)(?P<the>) ?(?P<word>\S.*)"
    r"|(?P<word2>\S.*?) ?(?:(?:是什么|什么|是啥|啥|是) ?(?:意思)?|的?意思|怎么看|如何看|怎么读)(?:是什么|是啥)?$"
)


def defined(question: Question, *, logs: bool) -> "list[Explained]":
    """The entries of the glossary that a line asks for; where logs are loaded, "the zone" is one of theirs."""
    from kb.chat.asked import term
    from kb.glossary import explain

    text = " ".join(normal(question.text).split()).strip(_ENDS)
    hit = _ASKING_CHINESE.match(text) if question.language == "zh" else _ASKING.match(text)
    if hit is None or (logs and "the " in (hit["the"] or "").lower()):
        return []
    word = next(value for name, value in hit.groupdict().items() if value and name != "the")
    word = _MEANS.sub("", word)
    letter = re.fullmatch(r"taint(?: flag| letter)? ([A-Z])", word)
    for one in (word, word.rstrip("s"), term(word), _kind_of(word), letter[1] if letter else ""):
        found = [each for each in explain(one) if not logs or each.what not in ("fact", "reason")] if one else []
        if found:
            return found[:_DEFINED]
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
