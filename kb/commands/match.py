"""``kb match``: logs in, diagnoses out."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, note
from kb.commands import named, tell_left_out

if TYPE_CHECKING:
    from kb.log.source import Source
    from kb.model.report import Report
    from kb.model.verdict import Diagnosis
    from kb.symbols import Symbols

HINT = 64
"""Notices of one wording that are looked at where only a hint is wanted: a flood must not cost a pipe its time."""
_NAMED = 5
"""Cases that a hint names."""


def run(options: argparse.Namespace) -> int:
    """Read, diagnose, print; the exit code tells whether anything was known."""
    if options.json + options.markdown + options.brief > 1:
        from kb.errors import UsageError

        raise UsageError("--json, --markdown and --brief exclude one another")
    started = time.perf_counter()
    count = known = recorded = 0
    hints = _Hints()
    context, logs = _context(options.context)
    once = None
    with api.KnowledgeBase(options.db, cases=options.cases) as base:
        symbols, diagnose = _symbols(options), _diagnoser(base, options)
        for report in _reports(options, logs):
            if report.kind == "notice" and not options.notices:
                hints.take(report, base, options.kernel)
                continue
            if symbols is not None:
                report = symbols.annotate(report)
            if once is None:
                from kb.diagnose import Once

                once = Once()
            diagnosis = once(diagnose(report, kernel=options.kernel, context=context, everything=options.all))
            if options.record:
                recorded += base.record(report, source=options.source, host=options.host).new
            _print(diagnosis, options, count)
            count += 1
            known += diagnosis.known
        if count:  # for a hint alone they are no matter
            tell_left_out(base)
    hints.show()
    if options.record and count:
        again = f", {count - recorded} known already" if recorded < count else ""
        note(f"recorded {recorded}{again}")
    if options.stats:
        note(f"{count} reports, {known} known, {time.perf_counter() - started:.3f} s")
    if not count:
        note("no report in the input")
        return EMPTY
    return OK if known else UNKNOWN


def _diagnoser(base: api.KnowledgeBase, options: argparse.Namespace) -> Callable[..., Diagnosis]:
    """How to diagnose. A damaged store that nobody named is noted: at 3 am the log must still be read."""
    if options.db or options.record or os.environ.get("KB_DB"):
        return base.diagnose

    from kb.errors import StoreError

    usable = True

    def diagnose(report: Report, **more: Any) -> Diagnosis:
        nonlocal usable
        if usable:
            try:
                return base.diagnose(report, **more)
            except StoreError as error:
                usable = False
                note(f"going on without the store: {error}")
        return api.diagnose(report, base.cases, **more)

    return diagnose


def _context(paths: list[str]) -> tuple[api.Context, list[Source]]:
    """What stands beside the log, and the logs among the values of ``--context``, which takes all words behind it."""
    if not paths:
        return (), []
    evidence, logs, told = api.sort_out(paths)
    for each in told:
        note(each)
    return evidence, logs


def _reports(options: argparse.Namespace, logs: list[Source]) -> Iterator[Report]:
    """Reports and notices of the files, or of standard input, which may be a log that is still being written.

    Without ``--notices`` they serve a hint for a person, and a flood of one of them is not read to its end.
    """
    notices, most = options.notices or not options.json, None if options.notices else HINT
    if logs or (options.files and options.files != ["-"]):
        inputs: list[Any] = [*map(named, options.files), *logs]
        return api.read(inputs, notices=notices, most=most, told=note, jobs=options.jobs or _cores())
    return api.read_live(sys.stdin.buffer, notices=notices, most=most, told=note)


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


class _Hints:
    """The notices that were not asked for but that a case explains: one line on stderr."""

    def __init__(self) -> None:
        self._count = 0
        self._cases: dict[str, None] = {}

    def take(self, report: Report, base: api.KnowledgeBase, kernel: str | None) -> None:
        """Count a notice that a case says yes to. A hint is no reason to fail: cases that cannot be used give none."""
        from kb.errors import KbError

        try:
            diagnosis = api.diagnose(report, base.cases, kernel=kernel)
        except KbError:
            return
        if diagnosis.known and diagnosis.best is not None:
            self._count += 1
            self._cases[diagnosis.best.case.id] = None

    def show(self) -> None:
        """Say what ``--notices`` would show, if anything."""
        if not self._count:
            return
        have = "message that is no report has" if self._count == 1 else "messages that are no report have"
        named = ", ".join(list(self._cases)[:_NAMED]) + (", ..." if len(self._cases) > _NAMED else "")
        note(f"{self._count} {have} a known case ({named}): --notices shows them")


def _symbols(options: argparse.Namespace) -> Symbols | None:
    if options.vmlinux is None and options.debuginfo is None:
        return None
    from pathlib import Path

    from kb.symbols import Symbols

    return Symbols(*(Path(path) if path else None for path in (options.vmlinux, options.debuginfo)))


def _print(diagnosis: Diagnosis, options: argparse.Namespace, index: int) -> None:
    if options.json:
        from kb.render.json import line

        text = line(diagnosis.to_json()) + "\n"
    elif options.markdown:
        text = diagnosis.to_markdown(lang=options.lang) + "\n"
    elif options.brief:
        from kb.render.text import brief

        text = brief(diagnosis, options.lang) + "\n"
    else:
        rule = "" if index == 0 else "\n"
        page = {"verbose": options.verbose, "color": colored(options.color), "width": _width(), "lang": options.lang}
        text = rule + diagnosis.to_text(**page)
    sys.stdout.write(text)
    sys.stdout.flush()


def colored(choice: str) -> bool:
    """Whether to colour stdout: only on a terminal, and never where NO_COLOR is set, unless asked to."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int:
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, 140)
