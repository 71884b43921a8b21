"""What a report says of itself, where nothing else is told of it: its own words, the check that failed, who called it.

The function that is blamed stands in the title; that it is blamed tells nobody what went wrong.
"""

import itertools
import re

from kb.facts.finding import Finding, at, spans
from kb.model.log import Line
from kb.model.report import Frame, Report
from kb.parse.plumbing import skips
from kb.split.anatomy import is_way_in
from kb.syntax.frames import plain
from kb.words.speak import said

_WORDS = {
    # lib/ubsan.c, v4.5 to v6.12: __ubsan_handle_*()
    "ubsan": re.compile(
        r"^index \S+ is out of range|^shift exponent |^left shift of |^division by zero|^load of |^member access "
        r"|^calling __builtin_unreachable|cannot be represented in type|null pointer of type|misaligned address|"
        r"address \S+ with insufficient space|byte alignment"
    ),
    # mm/kasan/report.c print_error_description()
    "kasan": re.compile(r"^(?:Read|Write|Free) of (?:size|addr) "),
    # kernel/kcsan/report.c print_report()
    "kcsan": re.compile(r"^(?:race at unknown origin, with )?(?:read|write|assert no)[\w ()-]{0,40} to 0x"),
    # mm/kmemleak.c print_unreferenced()
    "memory_leak": re.compile(r"^unreferenced object 0x"),
    # kernel/locking/lockdep.c lockdep_rcu_suspicious()
    "rcu_usage": re.compile(r"^[\w./-]+\.[ch]:\d+ .*!$"),
    # kernel/locking/lockdep.c assign_lock_key()
    "lockdep": re.compile(r"^The code is fine but needs lockdep annotation|^you didn't initialize this object"),
    # lib/smp_processor_id.c check_preemption_disabled()
    "preemptible": re.compile(r"^caller is "),
}
"""By kind: the lines under its headline that say what was wrong."""
_NEAR, _MOST = 24, 2
"""Lines of a report among which they stand, and how many are told."""
_CHECKS = {"warning": said("part.warn_on"), "kernel_bug": said("part.bug_on")}


def stated(report: Report) -> Finding:
    """The claims of a report of which no decoder said anything; no facts of their own."""
    out = Finding()
    told = _told(report)
    if told:
        out.say(said("check.words", message=" ".join(line.text.strip() for line in told).rstrip(":")), (), _at(told))
    elif report.kind in _CHECKS and "file" in report.fields:
        _check(report, out)
    else:
        _called(report, out)
    return out


def _at(lines: list[Line]) -> tuple[tuple[int, int], ...]:
    return spans((line.number, line.last) for line in lines)


def _told(report: Report) -> list[Line]:
    pattern = _WORDS.get(report.kind)
    if pattern is None:
        return []
    under = [line for line in report.lines if line.number > report.headline_line][:_NEAR]
    return [line for line in under if pattern.search(line.text.strip())][:_MOST]


def _check(report: Report, out: Finding) -> None:
    """The place of WARN_ON() or BUG_ON(), and what it says; who called where that is the function of the title."""
    fields = report.fields
    place = ":".join(filter(None, (fields["file"], fields.get("fileline"))))
    printed = fields.get("fn")
    inside = said("part.inside", function=printed) if printed and plain(printed) != report.function else None
    where = at(report, "file", "message") if "message" in fields else at(report, "file")
    if "message" in fields:
        out.say(said("check.says", message=fields["message"], place=place, inside=inside), (), where)
        return
    callers = _callers(report) if inside is None else []
    by = said("part.comma_called", callers=_names(callers)) if callers else None
    claim = said("check.failed", check=_CHECKS[report.kind], place=place, inside=inside, by=by)
    out.say(claim, (), (*where, *_lines(callers)))


def _called(report: Report, out: Finding) -> None:
    callers = _callers(report)
    if report.function is not None and callers:
        out.say(said("check.called", function=report.function, callers=_names(callers)), (), _lines(callers))


def _names(callers: list[Frame]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plain(one.function) for one in callers))


def _lines(frames: list[Frame]) -> tuple[tuple[int, int], ...]:
    return spans((frame.line, frame.line) for frame in frames)


def _callers(report: Report) -> list[Frame]:
    """The next two functions of the stack behind the one that is blamed, plumbing left out."""
    skip = skips(())
    stack = [frame for frame in report.frames if frame.reliable]
    names = [plain(frame.function) for frame in stack]
    if report.function not in names:
        return []
    behind = itertools.takewhile(lambda one: not is_way_in(one.function), stack[names.index(report.function) + 1 :])
    told = (one for one in behind if plain(one.function) != report.function and skip(plain(one.function), None) is None)
    return [*itertools.islice(told, _MOST)]
