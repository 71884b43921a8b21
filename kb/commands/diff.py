"""``kb diff``: what is new, gone, more often or rarer between two logs or two boots."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, note
from kb.commands import named, opened

if TYPE_CHECKING:
    from kb.model.report import Report
    from kb.model.verdict import Diagnosis


class _Problem(NamedTuple):
    """A signature in both logs."""

    first: Diagnosis
    before: int
    after: int

    @property
    def change(self) -> str:
        """How it has changed."""
        if not self.before or not self.after:
            return "gone" if self.before else "new"
        return "more" if self.after > self.before else "less" if self.after < self.before else "same"


_ORDER = ("new", "more", "less", "gone", "same")
_MARK = {"new": "+", "more": ">", "less": "<", "gone": "-", "same": "="}


def run(options: argparse.Namespace) -> int:
    """Compare; problems are told apart by their signatures."""
    with opened(options) as base:
        if options.after is not None:
            before, after = (list(api.read(named(path), told=note)) for path in (options.before, options.after))
        else:
            before, after = _last_two(api.read(named(options.before), told=note))
        problems = _compared(base, before, after, options.kernel)
    if not before and not after:
        note("no report in either")
        return EMPTY
    shown = [one for one in problems if options.all or one.change != "same"]
    for one in sorted(shown, key=lambda one: _ORDER.index(one.change)):
        print(_json(one) if options.json else _line(one))
    if not options.json and not shown:
        print("nothing has changed")
    return UNKNOWN if any(one.change in ("new", "more") for one in problems) else OK


def _compared(base: api.KnowledgeBase, before: list[Report], after: list[Report], kernel: str | None) -> list[_Problem]:
    firsts: dict[str, Diagnosis] = {}
    counts: dict[str, list[int]] = {}
    for side, reports in enumerate((before, after)):
        for report in reports:
            found = base.diagnose(report, kernel=kernel)
            if counts.setdefault(found.signature.id, [0, 0])[1] == 0 and side:  # of the later log rather
                firsts[found.signature.id] = found
            firsts.setdefault(found.signature.id, found)
            counts[found.signature.id][side] += 1
    return [_Problem(firsts[mark], *both) for mark, both in counts.items()]


def _last_two(reports: Iterable[Report]) -> tuple[list[Report], list[Report]]:
    """The reports of the last boot but one, and of the last."""
    boots: list[list[Report]] = [[], *_boots(reports)]
    if len(boots) < 3:
        note("only one boot in it: give two logs")
    return boots[-2], boots[-1]


def _boots(reports: Iterable[Report]) -> Iterator[list[Report]]:
    """Reports by boot: by journald's id, else where printk's clock begins anew."""
    held: list[Report] = []
    for report in reports:
        if held and _another(held[-1], report):
            yield held
            held = []
        held.append(report)
    yield held


def _another(last: Report, report: Report) -> bool:
    ids = last.lines[0].boot, report.lines[0].boot
    if None not in ids:
        return ids[0] != ids[1]
    return last.time is not None and report.time is not None and report.time < last.time - 1


def _line(one: _Problem) -> str:
    from kb.render.safe import safe

    counts = f"{one.before} -> {one.after}"
    best = one.first.best
    known = f"  {best.verdict.value}: {best.case.id}" if best is not None else ""
    return safe(f"{_MARK[one.change]} {one.change:<5}{counts:<12}{one.first.report.title}{known}")


def _json(one: _Problem) -> str:
    from kb.render.json import line

    best = one.first.best
    return line(
        {
            "schema": "kb.diff/1",
            "change": one.change,
            "before": one.before,
            "after": one.after,
            "title": one.first.report.title,
            "kind": one.first.report.kind,
            "signature": one.first.signature.id,
            "case": best.case.id if best is not None else None,
            "verdict": best.verdict.value if best is not None else None,
        }
    )
