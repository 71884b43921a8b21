"""Diagnosis -> what to do now and where to look next, with what the report tells filled in."""

import re

from kb.model.case import Workaround
from kb.model.report import Report
from kb.model.verdict import Diagnosis, Match, Verdict
from kb.syntax.frames import plain
from kb.words.speak import Words

def remedy(found: Diagnosis) -> tuple[Match, Workaround] | None:
    """The one thing to do now: the first workaround of the first case that has one; a yes goes before a maybe."""
    for verdict in (Verdict.YES, Verdict.MAYBE):
        for match in found.matches:
            if match.verdict is verdict and match.workarounds:
                return match, match.workarounds[0]
    return None


def next_step(found: Diagnosis, words: Words) -> str:
    """What to look at next: what the facts ask for, else the first check of the case; the remedy is not said again.

    Of what nobody knows, how to find out more; what follows from another report is looked for there.
    """
    way = remedy(found)
    for step in map(words.say, found.facts.steps):
        if way is None or bare(step) != bare(way[1].do):
            return step
    if found.best is not None and found.best.case.verify:
        check = found.best.case.verify[0]
        return words("next.expect", command=check.run, expect=check.expect)
    fixed = any(fix.verdict is Verdict.YES for fix in found.known_fixes)
    known = found.best is not None or fixed or found.report.follows is not None
    return "" if known else _search(found.report, words)


def _search(report: Report, words: Words) -> str:
    """Where to look for a report that no case explains; of a stack without source lines, how it gets them, too."""
    if report.kind == "notice":
        return ""
    if report.function is None and report.damage:
        return words("next.whole_log")
    if report.function is None or report.function not in {plain(frame.function) for frame in report.frames}:
        return words("next.search", title=report.title)
    if any(frame.source for frame in report.frames):
        return words("next.search_function", function=report.function, title=report.title)
    return words("next.source_lines", function=report.function)


def bare(step: str) -> str:
    """A command without the note behind it."""
    return step.partition("  # ")[0].strip()


def filled(text: str, report: Report) -> str:
    return text
