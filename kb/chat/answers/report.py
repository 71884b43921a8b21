"""Questions about the report that is the subject: what, why, who, where."""

from typing import NamedTuple

from kb.chat.asked import lines_named
from kb.chat.claims import cause_claim, known_claims, reason_claim, shown, status_claim
from kb.chat.question import Question, normal
from kb.chat.reply import Answer, Claim, answer, at, case, head
from kb.chat.state import Entry, State
from kb.model.log import Span
from kb.model.report import Frame

_FRAMES = 24
_LINES = 60


def _no_report(state: State) -> Answer:
    return answer([Claim(state.p("load.none", name=log.name)) for log in state.logs], "unknown")


def why(state: State, question: Question) -> Answer:
    """The cause, what holds, how much is excluded, and the case."""
    if state.current is None:
        return _no_report(state)
    entry, p = state.current, state.p
    report, facts = entry.report, entry.diagnosis.facts
    claims = [cause_claim(state)]
    claims += [reason_claim(state, reason, "why.holds") for reason in facts.reasoning if reason.verdict == "holds"]
    excluded = sum(reason.verdict == "excluded" for reason in facts.reasoning)
    if excluded:
        claims.append(Claim(p("why.excluded_count", count=excluded)))
    if report.damage:
        claims.append(Claim(p("why.damaged", reason=p.joined(report.damage)), (report.span,)))
    if report.follows is not None:
        claims.append(Claim(p("why.follows", number=report.follows + 1), (report.span,)))
    return answer(claims + known_claims(state))


def happened(state: State, question: Question) -> Answer:
    """What it is, who, when, the cause in one sentence, the case."""
    if state.chosen is not None:
        return shown(state, state.chosen)
    if state.current is None:
        return _no_report(state)
    entry = state.current
    claims = [cause_claim(state), *_who(state), *_kernel(state)]
    match = entry.diagnosis.best
    claims += known_claims(state)
    if match is not None:
        claims.append(status_claim(state, match))
    return answer(claims)


def excluded(state: State, question: Question) -> Answer:
    """The whole chain of reasons, with what is ruled out first."""
    if state.current is None:
        return _no_report(state)
    reasons = state.current.diagnosis.facts.reasoning
    claims = [
        reason_claim(state, reason, f"why.{verdict}")
        for verdict in ("excluded", "holds", "unknown")
        for reason in reasons
        if reason.verdict == verdict
    ]
    return answer(claims or [Claim(state.p("why.no_reasons"), head(state.current.report))])


def missing(state: State, question: Question) -> Answer:
    """What the log does not say, and what had to be assumed."""
    if state.current is None:
        return _no_report(state)
    entry, p = state.current, state.p
    span = (entry.report.span,)
    facts = entry.diagnosis.facts
    claims = [Claim(p("missing.unknown", text=p.say(one)), span) for one in facts.missing]
    assumed = facts.detail.get("assumptions_named") or ()
    claims += [Claim(p("missing.assumed", text=p.named(one)), span) for one in assumed]
    return answer(claims or [Claim(p("missing.none"), span)])


def who(state: State, question: Question) -> Answer:
    """The task, its pid, CPU, host and the taint."""
    return answer(_who(state)) if state.current is not None else _no_report(state)


def _who(state: State) -> list[Claim]:
    entry, p = state.entry, state.p
    report = entry.report
    parts = [
        report.comm or p("who.unknown_task"),
        *([p("who.pid", pid=report.pid)] if report.pid is not None else []),
        *([p("who.cpu", cpu=report.cpu)] if report.cpu is not None else []),
        *([p("who.host", host=report.host)] if report.host else []),
        *([p("who.taint", taint=report.taint)] if report.taint else []),
        *([p("who.workqueue", work=report.fields["work"])] if "work" in report.fields else []),
    ]
    lines = at(report, "comm", "pid", "cpu", "taint", "work")
    killed = _killed(state)
    key = "who.invoker" if killed or report.kind == "oom_kill" else "who.task"
    claims = [*killed, Claim(p(key, parts=", ".join(parts)), lines, (), state.source(entry))]
    if report.hardware:
        text = p("who.hardware", hardware=report.hardware)
        claims.append(Claim(text, at(report, "hardware"), (), state.source(entry)))
    return claims


def _killed(state: State) -> list[Claim]:
    """The victims of the OOM killer: not the task that asked for memory."""
    entry, p = state.entry, state.p
    facts = entry.diagnosis.facts
    rows = {row["pid"]: row for row in reversed(facts.detail.get("victims") or ())}
    claims = [
        Claim(
            p("who.killed", comm=row["comm"], pid=pid),
            tuple((a, b) for a, b in row["evidence"]),
            (),
            state.source(entry),
        )
        for pid, row in sorted(rows.items())
    ]
    named, pid = facts.get("oom.victim"), facts.get("oom.victim_pid")
    if not claims and named is not None and pid is not None:
        claims.append(Claim(p("who.killed", comm=named.value, pid=pid.value), named.evidence, (), state.source(entry)))
    return claims


def kernel(state: State, question: Question) -> Answer:
    """The release, as printed or as the text tells."""
    return answer(_kernel(state)) if state.current is not None else _no_report(state)


def _kernel(state: State) -> list[Claim]:
    entry, p = state.entry, state.p
    report, detail = entry.report, entry.diagnosis.facts.detail
    source = state.source(entry)
    if report.kernel:
        return [Claim(p("kernel.printed", release=report.kernel), at(report, "kernel"), (), source)]
    if era := detail.get("kernels") or detail.get("gfp_era"):
        return [Claim(p("kernel.era", era=era), (report.span,), (), source)]
    return [Claim(p("kernel.unknown"), (report.span,), (), source)]


def when(state: State, question: Question) -> Answer:
    """The stamp of the opening line."""
    if state.current is None:
        return _no_report(state)
    report, p = state.current.report, state.p
    parts = [p("when.stamp", time=report.time)] if report.time is not None else []
    parts += [p("when.wall", wall=report.wall.strip("[] "))] if report.wall else []
    return answer([Claim(", ".join(parts) or p("when.unknown"), head(report), (), state.source(state.current))])


def blamed(state: State, question: Question) -> Answer:
    """The function that is blamed, and why it."""
    if state.current is None:
        return _no_report(state)
    report, p = state.current.report, state.p
    if report.function is None:
        return answer([Claim(p("blamed.none"), (report.span,), (), state.source(state.current))])
    fact = state.current.diagnosis.facts.get("function")
    name = report.function + (f" [{report.module}]" if report.module else "")
    text = p("blamed.function", function=name, because=p.joined(report.guilt))
    return answer([Claim(text, fact.evidence if fact else head(report), (), state.source(state.current))])


def stack(state: State, question: Question) -> Answer:
    """The frames of the main stack, innermost first, each with its line."""
    if state.current is None:
        return _no_report(state)
    entry, p = state.current, state.p
    frames = [frame for frame in entry.report.frames if frame.reliable]
    if not frames:
        return answer([Claim(p("stack.none"), (entry.report.span,), (), state.source(entry))])
    claims = []
    guilty = entry.report.function
    for frame in frames[:_FRAMES]:
        mark = ""
        if guilty is not None and frame.function.partition(".")[0] == guilty:
            mark, guilty = p("stack.guilty"), None
        module = f" [{frame.module}]" if frame.module else ""
        lines = ((frame.line, frame.line),) if frame.line else head(entry.report)
        text = p("stack.frame", function=frame.function, module=module, mark=mark)
        claims.append(Claim(text, lines, (), state.source(entry), 1))
    if len(frames) > _FRAMES:
        claims.append(Claim(p("stack.more", count=len(frames) - _FRAMES)))
    return answer(claims)


def named_frames(entry: Entry, question: Question) -> list[Frame]:
    """The frames of a report whose function or module stands in a line."""
    words = set(question.strange)
    return [one for one in entry.report.frames if one.function.partition(".")[0] in words or one.module in words]


def frame(state: State, question: Question) -> Answer:
    """A function or module of the stack: where it stands, who called it, whether it is blamed."""
    if state.current is None:
        return _no_report(state)
    entry, p = state.current, state.p
    frames = [one for one in entry.report.frames if one.reliable]
    claims = []
    for one in named_frames(entry, question)[:_FRAMES]:
        after = frames[frames.index(one) + 1 :] if one in frames else []
        caller = p("stack.caller", function=after[0].function) if after else ""
        module = f" [{one.module}]" if one.module else ""
        text = p("stack.frame", function=one.function, module=module, mark=caller)
        span = ((one.line, one.line),) if one.line else head(entry.report)
        claims.append(Claim(text, span, (), state.source(entry)))
    if entry.report.function in question.strange:
        claims += blamed(state, question).claims
    return answer(claims)


def named_fields(entry: Entry, question: Question) -> list[str]:
    """The named fields of a report (``address``, ``file`` ...) that stand in a line as words."""
    words = question.text.lower().replace("?", " ").split()
    return [name for name in entry.report.fields if name in words and name != "what"]  # "what" asks


def field(state: State, question: Question) -> Answer:
    """A named field as the log prints it."""
    if state.current is None:
        return _no_report(state)
    entry = state.current
    claims = []
    for name in named_fields(entry, question):
        text = state.p("field.one", name=name, value=entry.report.fields[name])
        claims.append(Claim(text, at(entry.report, name), (), state.source(entry)))
    return answer(claims)


def lines(state: State, question: Question) -> Answer:
    """Lines of the log as they stand, made safe to print; those of the report when none are named."""
    p = state.p
    log = state.current.log if state.current is not None else state.logs[-1]
    first, last = _range(state, question)
    if first > last:
        first, last = last, first
    count = len(log.lines)
    if first > count or last < 1:
        return answer([Claim(p("lines.outside", name=log.name, count=count, first=first))], "unknown")
    first, last = max(first, 1), min(last, count)
    end = min(last, first + _LINES - 1)
    claims = [Claim(p("lines.range", name=log.name, count=end - first + 1), ((first, end),))]
    for number in range(first, end + 1):
        claims.append(Claim(f"{number:>6}  " + log.lines[number - 1].decode("utf-8", "surrogateescape")))
    if end < last:
        claims.append(Claim(p("lines.cut", first=end + 1, last=last)))
    return answer(claims)


def _range(state: State, question: Question) -> tuple[int, int]:
    for parts in question.all("span"):
        for number in "", "2", "3", "4", "5":
            if first := parts.get(f"first{number}"):
                return _line(first), _line(parts.get(f"last{number}") or first)
    if first := question.first("number"):
        return int(first), int(first)
    return state.current.report.span if state.current is not None else (1, _LINES)


def _line(text: str) -> int:
    """A line's number, in digits or as a Chinese numeral up to ten."""
    return int(text) if text.isdecimal() else 1 + "一二三四五六七八九十".index(text)


def signature(state: State, question: Question) -> Answer:
    """The signature's id, its key, and why its frame was chosen."""
    if state.current is None:
        return _no_report(state)
    mark, p = state.current.diagnosis.signature, state.p
    claims = [Claim(p("signature.one", key=mark.key), (), (mark.id,))]
    if mark.guilt:
        because = p.joined(mark.guilt)
        claims.append(Claim(p("signature.why", because=because), (state.current.report.span,)))
    return answer(claims)


class _Topic(NamedTuple):
    """What a topic of grammars/chat.lark is about."""

    reasons: tuple[str, ...]
    """Beginnings of names of the reasoning chain."""
    why: tuple[str, ...] = ()
    """Where no claim is of the topic: sentences that reasons rest on."""
    setting: str = ""
    """What a workaround turns."""


_TOPICS = {
    "COMPACTION": _Topic(("compaction.",), setting="compact_memory"),
    "RECLAIM": _Topic(("reclaim.", "gfp.forbids_waiting", "task.decided")),
    "FRAGMENTED": _Topic(("oom.fragmented",), ("zone.no_block", "part.although_free", "extfrag.block_free")),
    "MIN_FREE": _Topic(("min_free.",), setting="min_free_kbytes"),
    "EXTFRAG": _Topic(("extfrag.",), setting="extfrag_threshold"),
    "TASK": _Topic(("task.decided",)),
    "TOO_LARGE": _Topic(("size.",)),
    "SWAP": _Topic(("oom.swap_could_help",)),
    "CGROUP": _Topic(("oom.memcg_at_limit", "oom.limited")),
    "RESERVE": _Topic((), ("zone.reserve_alone", "refused.reserve"), "lowmem_reserve"),
    "SCORE": _Topic(("oom.highest_score", "oom.killed_for_asking")),
}


def topic(state: State, question: Question) -> Answer:
    """What the chain of reasons, the case's advice and its disputes say about one possible cause or setting."""
    p = state.p
    claims: list[Claim] = []
    if state.current is not None:
        facts = state.current.diagnosis.facts
        topics = [_TOPICS[name] for name in question.topics]
        found = [r for r in facts.reasoning if any(r.name.startswith(one.reasons) for one in topics)]
        if not found:
            inside = {name for one in topics for name in one.why}
            found = [r for r in facts.reasoning if any(not inside.isdisjoint(part.names()) for part in r.why)]
        for reason in found:
            plain = reason_claim(state, reason, "why.holds")
            text = plain.text.removeprefix(p("why.holds", claim=""))
            verdict = p(f"topic.{reason.verdict}")
            claims.append(Claim(p("topic.verdict", verdict=verdict, claim=text), plain.lines, (), plain.source))
        settings = [one.setting for one in topics if one.setting]
        match = state.match
        for way in match.case.workarounds if match is not None else ():
            if any(word in way.do for word in settings):
                text = f"{way.do}: {way.caveat}"
                claims.append(Claim(text, (), (case(match.case.id),) if match else ()))
    if not claims and lines_named(normal(question.text)):
        from kb.chat.answers.triage import told

        return told(state, question)
    if not claims:
        return answer([Claim(p("topic.none"), _span(state))], "unknown")
    return answer(claims)


def _span(state: State) -> tuple[Span, ...]:
    return (state.current.report.span,) if state.current is not None else ()
