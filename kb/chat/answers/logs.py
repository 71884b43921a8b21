"""Logs and their reports: load, list, choose, compare."""

from pathlib import Path
from typing import Any, BinaryIO

from kb.chat.answers.report import happened
from kb.chat.claims import shown
from kb.chat.question import Question
from kb.chat.reply import Answer, Claim, answer, case, head
from kb.chat.state import Entry, Log, State
from kb.model.log import Span
from kb.model.report import Report

MOST = 30
"""Reports that a list shows."""

_ORDINALS = (
    "first 1st 一", "second 2nd 二 两", "third 3rd 三", "fourth 4th 四", "fifth 5th 五",
    "sixth 六", "七", "八", "九", "十",
)  # fmt: skip
_NUMBERS = {word: number for number, words in enumerate(_ORDINALS, 1) for word in words.split()}


def loaded(state: State, log: str | bytes | Path | BinaryIO, name: str | None = None) -> Answer:
    """Load a log; its first report becomes the subject."""
    from kb import api

    if isinstance(log, str) and "\n" not in log:
        log = str(Path(log.strip("\"'")).expanduser())
    claims: list[Claim] = []
    first: Entry | None = None
    logs: dict[str, Log] = {}
    found: dict[str, list[Report]] = {}
    told: set[str] = set()
    for each in api.documents(log):
        if isinstance(each, Report):
            found.setdefault(each.source, []).append(each)
            told.update(each.sources)
            continue
        held = Log(name or each.name, each.data)
        claims += [Claim(state.p("load.note", name=held.name, note=note)) for note in each.notes]
        if each.data or not each.notes:
            logs[each.name] = held
    for source, held in logs.items():
        state.logs.append(held)
        fresh = [
            Entry(number, held, report, state.base)
            for number, report in enumerate(found.get(source, ()), len(state.entries) + 1)
        ]
        state.entries += fresh
        if not fresh:
            claims += [Claim(state.p("load.none", name=held.name))] if source not in told else []
            continue
        first = first or fresh[0]
        claims.append(Claim(state.p("load.done", name=held.name, count=len(fresh))))
        claims += _list(state, fresh, mark=False)
    if first is not None:
        state.use(first)
        state.listed = ()
    return answer(claims)


def _list(state: State, entries: list[Entry], *, mark: bool) -> list[Claim]:
    p = state.p
    claims = []
    for entry in entries[:MOST]:
        values: dict[str, Any] = {"number": entry.number, "title": entry.report.title}
        if mark:
            current = p("reports.current") if entry is state.current else ""
            text = p("reports.entry", **values, current=current)
        else:
            text = p("load.entry", **values)
        claims.append(Claim(text, (entry.report.span,), (), state.source(entry), 1))
    if len(entries) > MOST:
        claims.append(Claim(p("load.more", count=len(entries) - MOST)))
    return claims


def reports(state: State, question: Question) -> Answer:
    """List the reports."""
    state.listed = ()
    if not state.entries:
        return answer([Claim(state.p("load.none", name=log.name)) for log in state.logs])
    return answer(_list(state, state.entries, mark=True))


def numbers(state: State, question: Question) -> list[int]:
    """The numbers that a line names, in its order: ``the second one``, ``report 3``, ``1 and 2``."""
    found = []
    for name, parts in question.args:
        if name == "number":
            found.append(int(parts["number"]))
        elif name == "span" and "first4" in parts:  # "1-2"
            found += [int(parts["first4"]), int(parts["last4"])]
        elif name == "ordinal":
            found.append(_number(state, parts))
    return found


def _number(state: State, parts: dict[str, str]) -> int:
    digits = parts.get("digit") or parts.get("digit2") or parts.get("digit3")
    if digits:
        return int(digits)
    word = (parts.get("word") or parts.get("chinese") or parts.get("step") or "").lower()
    if word.isdecimal():
        return int(word)
    here = state.current.number if state.current is not None else 0
    count = len(state.listed) or len(state.entries)
    steps = {"next": here + 1, "下一个": here + 1, "previous": here - 1, "prev": here - 1, "上一个": here - 1,
             "last": count, "最后一个": count}  # fmt: skip
    return steps[word] if word in steps else _NUMBERS.get(word, 0)


def select(state: State, question: Question) -> Answer:
    """Make another report the subject (or one of the cases just listed), and say what it is."""
    wanted = numbers(state, question)[0]
    if state.listed and 1 <= wanted <= len(state.listed):
        found = state.base.case(state.listed[wanted - 1])
        if found is not None:
            state.show(found)
            return shown(state, found)
    entry = _entry(state, wanted)
    if entry is None:
        return answer([Claim(state.p("load.out_of_range", number=wanted, count=len(state.entries)))], "unknown")
    state.use(entry)
    return happened(state, question)


def _entry(state: State, number: int) -> Entry | None:
    return next((entry for entry in state.entries if entry.number == number), None)


def compare(state: State, question: Question) -> Answer:
    """Two reports side by side; two logs when logs are named."""
    if len(question.all("path")) >= 2 or (_logs_meant(question) and len(state.logs) >= 2):
        return changed(state, question)
    pair = _pair(state, question)
    if pair is None:
        return answer([Claim(state.p("compare.need"))], "nothing_loaded")
    return answer(_compared(state, *pair))


def _logs_meant(question: Question) -> bool:
    return "logs" in question.text.lower() or "日志" in question.text


def _pair(state: State, question: Question) -> tuple[Entry, Entry] | None:
    wanted = [entry for number in numbers(state, question) if (entry := _entry(state, number)) is not None]
    if len(wanted) >= 2:
        return wanted[0], wanted[1]
    if len(wanted) == 1 and state.current is not None and wanted[0] is not state.current:
        return state.current, wanted[0]
    if len(state.entries) == 2 or (len(state.entries) > 2 and question.has("both")):
        return state.entries[-2], state.entries[-1]
    return None


def _compared(state: State, left: Entry, right: Entry) -> list[Claim]:
    p = state.p
    one, two = left.diagnosis, right.diagnosis
    claims = [
        Claim(p("compare.head", side=side, title=entry.report.title), (entry.report.span,), (), state.source(entry))
        for side, entry in (("A", left), ("B", right))
    ]
    if one.signature.id == two.signature.id:
        claims.append(Claim(p("compare.same", id=one.signature.id), (), (one.signature.id,)))
    elif {one.signature.id, *one.signature.alt} & {two.signature.id, *two.signature.alt}:
        claims.append(Claim(p("compare.alternative"), (), (one.signature.id, two.signature.id)))
    else:
        claims.append(Claim(p("compare.other"), (), (one.signature.id, two.signature.id)))
    for name in ("kind", "title", "function", "module", "kernel", "comm", "taint", "order", "gfp_name", "cause",
                 "free_kb"):  # fmt: skip
        claims += _field(state, name, left, right)
    frames = [[frame for frame in each.report.frames if frame.reliable] for each in (left, right)]
    a, b = ({frame.function for frame in each} for each in frames)
    if a and b:
        lines: list[tuple[Span, ...]] = [((each[0].line, each[-1].line),) for each in frames]
        claims.append(_both(p("compare.frames", count=len(a & b), left=len(a), right=len(b)), left, right, lines))
    for key in dict.fromkeys(match.case.id for each in (one, two) for match in each.matches):
        verdicts = [next((m.verdict.value for m in each.matches if m.case.id == key), "no") for each in (one, two)]
        text = p("compare.differs", name=key, left=p(f"verdict.{verdicts[0]}"), right=p(f"verdict.{verdicts[1]}"))
        claims.append(Claim(text, (), (case(key),)))
    return claims


def _both(text: str, left: Entry, right: Entry, lines: list[tuple[Span, ...]]) -> Claim:
    """A claim over two reports: lines of two logs are told apart as A and B."""
    if left.log is right.log:
        return Claim(text, tuple(dict.fromkeys((*lines[0], *lines[1]))), indent=1)
    cited = [f"{side} {name}" for side, part in zip("AB", lines, strict=True) for name in Claim("", part).citations]
    return Claim(text, (), tuple(cited), indent=1)


def _field(state: State, name: str, left: Entry, right: Entry) -> list[Claim]:
    p = state.p
    facts = [each.diagnosis.facts.get(name) for each in (left, right)]
    a, b = (None if fact is None else fact.value for fact in facts)
    if a is None and b is None:
        return []
    lines = [
        fact.evidence[:1] if fact is not None and fact.evidence else head(each.report)
        for fact, each in zip(facts, (left, right), strict=True)
    ]
    label = p(f"compare.{name}")
    if a == b:
        return [_both(p("compare.equal", name=label, value=p.word(str(a))), left, right, lines)]
    shown = [p("compare.absent") if value is None else p.word(str(value)) for value in (a, b)]
    return [_both(p("compare.differs", name=label, left=shown[0], right=shown[1]), left, right, lines)]


def changed(state: State, question: Question) -> Answer:
    """Which problems came, went or stayed between two logs."""
    p = state.p
    named = [parts["path"] for parts in question.all("path")]
    logs = [log for log in state.logs if not named or log.name in named]
    if len(logs) < 2:
        return answer([Claim(p("compare.need"))], "nothing_loaded")
    left, right = logs[-2:]
    a, b = ({e.mark.id: e for e in reversed(state.entries) if e.log is log} for log in (left, right))
    claims = [
        Claim(p(side, name=log.name, title=entry.report.title), (entry.report.span,), (key,), state.source(entry))
        for side, log, mine, other in (("compare.only_left", left, a, b), ("compare.only_right", right, b, a))
        for key, entry in sorted(mine.items(), key=lambda item: item[1].number)
        if key not in other
    ]
    both = sorted(set(a) & set(b), key=lambda key: a[key].number)
    if not claims:
        claims.append(Claim(p("compare.unchanged"), (), tuple(both)))
    claims += [Claim(p("compare.both", title=a[key].report.title), (a[key].report.span,), (key,), state.source(a[key]))
               for key in both]  # fmt: skip
    if len(a) == len(b) == 1:
        claims += _compared(state, *a.values(), *b.values())
    return answer(claims)
