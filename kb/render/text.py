"""Diagnosis -> what ``kb match`` prints for a person: the answer, and with ``-v`` what stands behind it.

Marks stand beside words (``✓ holds``), so that nothing depends on colour; every claim ends in its lines.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from kb.identity.group import Group
from kb.model.memory import size
from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, PredicateMark, Reason, Verdict
from kb.render.answer import MARK, SEVERITIES, in_module, label_of
from kb.render.case import asks
from kb.render.first import FIRST, Page, first_screen
from kb.render.fixes import fixed_where
from kb.render.safe import safe, spans
from kb.render.zones import zone_table
from kb.words.speak import words as of_language

_CALLERS = 6
"""Frames of the stack that are shown, the guilty one included."""
ONCE = {"part.assuming": "part.assumed"}
"""What a predicate assumes is told once, under its own head."""


def to_text(diagnosis: Diagnosis, *, verbose: int = 0, color: bool = False, width: int = 100, lang: str = "en") -> str:
    """The diagnosis as text, with a line end.

    Args:
        diagnosis: What to show.
        verbose: 0: the answer in at most :data:`FIRST` lines. 1: behind it why, the zones, the predicates and sources
            of the case. 2: also each subtraction behind a claim, and all predicates of a case that does not say yes.
        color: Use ANSI colours.
        width: Columns to fill.
        lang: ``en`` or ``zh``; what the log and the cases say stays as it is.
    """
    return page(diagnosis, verbose=verbose, color=color, width=width, lang=lang)


def page(
    diagnosis: Diagnosis,
    group: Group | None = None,
    *,
    verbose: int = 0,
    color: bool = False,
    width: int = 100,
    lang: str = "en",
    paths: bool = False,
) -> str:
    """As :func:`to_text`, with the equal reports that the diagnosis stands for.

    Args:
        diagnosis: What to show.
        group: The group that it is the first of.
        verbose: As :func:`to_text`.
        color: As :func:`to_text`.
        width: As :func:`to_text`.
        lang: As :func:`to_text`.
        paths: Name the inputs as they were given; else the last part of their paths.
    """
    sheet = Page(color, max(60, width), of_language(lang).instead(ONCE))
    number = diagnosis.group if group is None else group.number
    first_screen(sheet, diagnosis, group, None if verbose else FIRST, number, paths)
    if verbose:
        _details(sheet, diagnosis, group, verbose > 1)
    return "\n".join(sheet.lines) + "\n"


def _details(page: Page, diagnosis: Diagnosis, group: Group | None, everything: bool) -> None:
    """What stands behind the answer."""
    _head(page, diagnosis)
    _reasoning(page, diagnosis, everything)
    if everything:
        _code(page, diagnosis)
    for line in zone_table(diagnosis.facts.detail, page.words, everything):
        page.plain(safe(line))
    _pictures(page, diagnosis, group)
    others: Iterable[Mapping[str, Any]] = diagnosis.facts.detail.get("counterfactuals") or ()
    _list(page, page.words("head.elsewhere"), (page.words.named(entry["named"]) for entry in others))
    _known(page, diagnosis, everything)
    _tail(page, diagnosis)


def _pictures(page: Page, diagnosis: Diagnosis, group: Group | None) -> None:
    """What is seen better than said."""
    from kb.pictures.choose import alone, overview, pictures
    from kb.render.picture import lines

    for picture in (*pictures(diagnosis), *overview([group or alone(diagnosis)])):
        head, *rows = lines(picture, page.words)
        page.section(head)
        page.lines += rows


def again(group: Group, lang: str = "en") -> str:
    """One line for a report that equals one that was told before: of an input that is still being written."""
    found, words, last = group.first, of_language(lang), group.seen[-1]
    title = found.report.title + in_module(found.report)
    return safe(words("seen.again", title=title, place=spans((last.span,)), count=group.count, report=group.number))


def brief(diagnosis: Diagnosis, lang: str = "en") -> str:
    """One line: where, what, and the case that says yes or maybe."""
    report, best, words = diagnosis.report, diagnosis.best, of_language(lang)
    module = f" [{report.module}]" if report.module and report.function else ""
    fix = next((one for one in diagnosis.known_fixes if one.verdict is Verdict.YES), None)
    if fix is not None and (best is None or best.verdict is not Verdict.YES):
        best = fix
    known = f"  {words.word(best.verdict.value)}: {best.case.id}" if best is not None else ""
    follows = "  " + words("brief.follows", report=report.follows + 1) if report.follows is not None else ""
    return safe(f"{spans((report.span,)):<16} {report.title}{module}{known}{follows}")


def also(
    notices: Collection[Diagnosis],
    *,
    most: int,
    beside: Callable[[Diagnosis], int | None] = lambda _: None,
    color: bool = False,
    width: int = 100,
    lang: str = "en",
) -> list[str]:
    """Notices that a case explains, the gravest first: a line each, what more there is with the last.

    Args:
        notices: Diagnoses of notices whose best match says yes.
        most: Notices to tell.
        beside: The number of the report just before which one was printed: harmless is what stands alone.
        color: Use ANSI colours.
        width: Columns to fill.
        lang: ``en`` or ``zh``.
    """
    page = Page(color, max(60, width), of_language(lang))
    known = [(each.report, each.best, *_alone(each, each.best, beside)) for each in notices if each.best is not None]
    known.sort(key=lambda one: -SEVERITIES.index(one[2]))
    rest = page.words("also.more", count=len(known) - most) if len(known) > most else page.words("also.all")
    for index, (report, match, severity, number) in enumerate(known[:most]):
        tail = rest if index == min(most, len(known)) - 1 else ""
        head = page.words("also.head", severity=page.words.word(severity))
        near = page.words("also.beside", report=number) if number is not None else ""
        body = f"{report.title} {spans((report.span,))}  {match.case.id}{near}{tail}"
        page.plain(f"{page.paint(head, severity)} {safe(body)}")
    return page.lines


def _alone(found: Diagnosis, match: Match, beside: Callable[[Diagnosis], int | None]) -> tuple[str, int | None]:
    """What a notice asks for; of one that is harmless only where it stands alone the report that it stands beside."""
    number = beside(found) if match.severity == "harmless" else None
    return (match.severity if number is None else "watch"), number


def _head(page: Page, diagnosis: Diagnosis) -> None:
    report, words = diagnosis.report, page.words
    where = in_module(report)
    page.section(words("head.report"))
    who = _who(page, report)
    if who:
        page.row(words("label.who"), who)
    page.row(words("label.kernel"), report.kernel or _era(page, diagnosis) or words("kernel.unknown"))
    for label, text in _asked(page, diagnosis.facts.detail):
        page.row(label, text)
    if report.function is not None:
        page.row(words("label.blamed"), f"{report.function}{where}: {words.joined(report.guilt)}")
    stack = _stack(report)
    if stack:
        page.row(words("label.stack"), stack)
    if report.follows is not None:
        page.row(words("label.follows"), words("follows.report", report=report.follows + 1))
    page.row(words("label.signature"), diagnosis.signature.id)


def _stack(report: Report) -> str:
    """The guilty frame and its callers, innermost first, with source lines where the log or its symbols have them."""
    frames = [frame for frame in report.frames if frame.reliable]
    names = [frame.function.partition(".")[0] or frame.function for frame in frames]
    start = names.index(report.function) if report.function in names else 0
    shown = [
        frame.function + (f" ({frame.source})" if frame.source else "") for frame in frames[start : start + _CALLERS]
    ]
    return " < ".join(shown) + (" < ..." if len(frames) > start + _CALLERS else "")


def _who(page: Page, report: Report) -> str:
    words = page.words
    parts = [
        report.comm or ("" if report.kind == "notice" else words("who.unknown_task")),
        f"pid {report.pid}" if report.pid is not None else "",
        f"CPU {report.cpu}" if report.cpu is not None else "",
        words("who.host", host=report.host) if report.host else "",
        words("who.tainted", taint=report.taint) if report.taint not in (None, "-") else "",
        words("who.work_item", work=report.fields["work"]) if "work" in report.fields else "",
    ]
    return ", ".join(part for part in parts if part)


def _era(page: Page, diagnosis: Diagnosis) -> str | None:
    era = diagnosis.facts.detail.get("kernels") or diagnosis.facts.detail.get("gfp_era")
    return page.words("kernel.by_its_text", kernels=era) if era else None


def _asked(page: Page, detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The request of an allocation report: order, mask, and who set which flag."""
    if detail.get("gfp_mask") is None:
        return
    words, order = page.words, detail.get("order")
    kb = size(1 << order, detail.get("page_kb") or 4) if order is not None else None
    asked = words("asked.size", order=order, size_kb=kb) if order is not None else ""
    name = detail.get("gfp_name") or words("asked.no_common_name")
    yield (
        words("label.asked"),
        asked
        + words(
            "asked.mask",
            mask=detail["gfp_mask"],
            flags=_flags(detail.get("gfp_flags", ())) or words("asked.nothing"),
            name=name,
        ),
    )
    if detail.get("slab_layer"):
        caller, added = (_flags(detail[key]) or words("asked.nothing") for key in ("caller", "slab_layer"))
        yield "", words("asked.by_whom", caller=caller, added=added)
    if detail.get("gfp_uncertain"):
        yield "", words("asked.uncertain", flags=_flags(detail["gfp_uncertain"]))


def _flags(value: Iterable[str]) -> str:
    return "|".join(str(flag).removeprefix("__GFP_") for flag in value)


def _reasoning(page: Page, diagnosis: Diagnosis, verbose: bool) -> None:
    reasons = diagnosis.facts.reasoning
    if not reasons:
        return
    page.section(page.words("head.why"))
    for reason in reasons:
        _reason(page, reason, verbose)


def _reason(page: Page, reason: Reason, verbose: bool) -> None:
    words = page.words
    label = f"{MARK.get(reason.verdict, ' ')} {words.word(reason.verdict)}"
    text = words.say(reason.says) + (f": {words.joined(reason.why)}" if reason.why else "")
    page.row(label, f"{text} {spans(reason.evidence)}".strip(), reason.verdict)
    if verbose:
        for line in reason.sums:
            page.row("", words.say(line), indent=4)


def _code(page: Page, diagnosis: Diagnosis) -> None:
    """The ``Code:`` bytes as instructions, or what is missing to read them."""
    from kb.kernel.code.disasm import disassemble

    text = diagnosis.facts.detail.get("code")
    lines = disassemble(str(text), diagnosis.report.arch) if text else ()
    if lines:
        page.section(page.words("head.code"))
        page.lines += [f"  {safe(page.words.say(line))}".rstrip() for line in lines]


def _known(page: Page, diagnosis: Diagnosis, everything: bool) -> None:
    page.section(page.words("head.known"))
    if not diagnosis.matches:
        page.row("", page.words("known.none"))
    for index, match in enumerate(diagnosis.matches):
        if index:
            page.plain()
        if everything or index == 0:
            _match(page, match, everything)
        else:
            _named(page, match)
    for match in diagnosis.known_fixes:
        page.plain()
        _known_fix(page, match, diagnosis.report.kernel)


def _known_fix(page: Page, match: Match, kernel: str | None) -> None:
    """A fix that comes with kb: what it cured, in which releases it is, and whether this kernel has it."""
    case, words, verdict = match.case, page.words, match.verdict.value
    label = words("fix.near") if match.how == "near" else words.word(verdict)
    page.row(f"{MARK[verdict]} {label}", f"{case.id.upper()}: {case.title}", verdict)
    page.row("", fixed_where(words, match, kernel))
    for doubt in match.doubts:
        page.row("", words("mark.but") + words.say(doubt), verdict)


def _named(page: Page, match: Match) -> None:
    case, verdict = match.case, match.verdict.value
    page.row(label_of(match, page.words), f"{case.id}: {case.title}", "maybe" if match.type_only else verdict)


def _match(page: Page, match: Match, everything: bool) -> None:
    case, words, verdict = match.case, page.words, match.verdict.value
    _named(page, match)
    page.row(words("label.severity"), asks(words, match), match.severity)
    page.row("", case.summary)
    for doubt in match.doubts:
        page.row("", words("mark.but") + words.say(doubt), verdict)
    for mark in match.marks:
        if everything or mark.role != "any" or mark.verdict is not Verdict.NO:  # an alternative that was not needed
            _predicate(page, mark)
    status = words.word(match.fix_status)
    page.row(words("label.status"), f"{status}: {words.say(match.fix_why)}" if match.fix_why is not None else status)
    for span in case.affected if everything else ():
        if span.note:
            page.row(words("label.affected"), f"{span.kernel}: {span.note}")
    for fix in case.fixes:
        since = (
            f" (in v{fix.since})" if fix.since and fix.branch == "mainline" else f" ({fix.since})" if fix.since else ""
        )
        branch = "" if fix.branch == "mainline" else f" [{fix.branch}]"
        page.row(words("label.fix"), f'{fix.commit[:12]} ("{fix.subject}"){since}{branch}')
    for way in match.workarounds:
        page.row(words("label.now"), way.do)
        page.row("", words("now.but", caveat=way.caveat))
    for step in case.verify:
        page.row(words("label.check"), step.run)
        page.row("", words("check.expect", expect=step.expect) + (f": {step.means}" if step.means else ""))
    for dispute in case.disputes:
        source = f" ({dispute.source or dispute.by})" if dispute.source or dispute.by else ""
        page.row(words("label.dispute"), f"{dispute.claim} {dispute.finding}{source}")
    for one in case.sources:
        page.row(words("label.source"), " ".join(part for part in (f"{one.id}:", one.text, one.url) if part))


def _predicate(page: Page, mark: PredicateMark) -> None:
    """One predicate with its mark. What refutes a case is good news when it does not hold."""
    words = page.words
    verdict, role = mark.verdict.value, "" if mark.role == "require" else f"{words.word(mark.role)}: "
    if mark.role == "refute":
        verdict = {"yes": "no", "no": "yes"}.get(verdict, verdict)
        role = words("mark.not") if mark.verdict.value == "no" else words("mark.but")
    because = f"  {words.say(mark.why)}" if mark.why is not None else ""
    page.row("", f"{MARK[verdict]} {role}{mark.predicate.text}{because} {spans(mark.evidence)}".rstrip())


def _tail(page: Page, diagnosis: Diagnosis) -> None:
    facts, words = diagnosis.facts, page.words
    assumed: Iterable[Mapping[str, Any]] = facts.detail.get("assumptions_named") or ()
    _list(page, words("head.assumed"), map(words.named, assumed))
    _list(page, words("head.unknown"), map(words.say, facts.missing))
    _list(page, words("head.next"), map(words.say, facts.steps))
    others = (f"{other.case or other.signature}  {other.score:.2f}  {other.title}" for other in diagnosis.similar)
    _list(page, words("head.similar"), others)


def _list(page: Page, name: str, entries: Iterable[str]) -> None:
    entries = tuple(entries)
    if not entries:
        return
    page.section(name)
    for entry in entries:
        page.row("-", entry)
