"""``kb match``: logs in, diagnoses out."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN
from kb.errors import KbError, StoreError, UsageError
from kb.model.report import Report
from kb.model.verdict import Diagnosis

if TYPE_CHECKING:
    from kb.symbols import Symbols

HINT = 64
"""Notices of one wording that are looked at where only a hint is wanted: a flood must not cost a pipe its time."""
_NAMED = 5
"""Cases that a hint names."""


def run(options: argparse.Namespace) -> int:
    """Read, diagnose, print; the exit code tells whether anything was known."""
    if options.json + options.markdown + options.brief > 1:
        raise UsageError("--json, --markdown and --brief exclude one another")
    started = time.perf_counter()
    count = known = recorded = 0
    hints = _Hints()
    with api.KnowledgeBase(options.db, cases=options.cases) as base:
        symbols, diagnose = _symbols(options), _diagnoser(base, options)
        for report in _reports(options):
            if report.kind == "notice" and not options.notices:
                hints.take(report, base, options.kernel)
                continue
            if symbols is not None:
                report = symbols.annotate(report)
            diagnosis = diagnose(report, kernel=options.kernel, context=options.context)
            if options.record:
                recorded += base.record(report, source=options.source, host=options.host).new
            _print(diagnosis, options, count)
            count += 1
            known += diagnosis.known
    hints.show()
    if options.record and count:
        again = f", {count - recorded} known already" if recorded < count else ""
        print(f"kb: recorded {recorded}{again}", file=sys.stderr)
    if options.stats:
        print(f"kb: {count} reports, {known} known, {time.perf_counter() - started:.3f} s", file=sys.stderr)
    if not count:
        print("kb: no report in the input", file=sys.stderr)
        return EMPTY
    return OK if known else UNKNOWN


def _diagnoser(base: api.KnowledgeBase, options: argparse.Namespace) -> Callable[..., Diagnosis]:
    """How to diagnose. A damaged store that nobody named is noted: at 3 am the log must still be read."""
    if options.db or options.record or os.environ.get("KB_DB"):
        return base.diagnose

    usable = True

    def diagnose(report: Report, **more: Any) -> Diagnosis:
        nonlocal usable
        if usable:
            try:
                return base.diagnose(report, **more)
            except StoreError as error:
                usable = False
                print(f"kb: going on without the store: {error}", file=sys.stderr)
        return api.diagnose(report, base.cases, **more)

    return diagnose


def _reports(options: argparse.Namespace) -> Iterator[Report]:
    """Reports and notices of the files, or of standard input, which may be a log that is still being written.

    Without ``--notices`` they serve a hint, and a flood of one of them is not read to its end.
    """
    most = None if options.notices else HINT
    if options.files and options.files != ["-"]:
        return api.read(options.files, notices=True, most=most)
    return api.read_live(sys.stdin.buffer, notices=True, most=most)


class _Hints:
    """The notices that were not asked for but that a case explains: one line on stderr."""

    def __init__(self) -> None:
        self._count = 0
        self._cases: dict[str, None] = {}

    def take(self, report: Report, base: api.KnowledgeBase, kernel: str | None) -> None:
        """Count a notice that a case says yes to. A hint is no reason to fail: cases that cannot be used give none."""
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
        print(f"kb: {self._count} {have} a known case ({named}): --notices shows them", file=sys.stderr)


def _symbols(options: argparse.Namespace) -> "Symbols | None":
    if options.vmlinux is None and options.debuginfo is None:
        return None
    from kb.symbols import Symbols

    return Symbols(*(Path(path) if path else None for path in (options.vmlinux, options.debuginfo)))


def _print(diagnosis: Diagnosis, options: argparse.Namespace, index: int) -> None:
    if options.json:
        import json

        text = json.dumps(diagnosis.to_json(), ensure_ascii=True, separators=(", ", ": ")) + "\n"
    elif options.markdown:
        text = diagnosis.to_markdown(lang=options.lang) + "\n"
    elif options.brief:
        from kb.render.text import brief

        text = brief(diagnosis, options.lang) + "\n"
    else:
        rule = "" if index == 0 else "\n"
        page = {"verbose": options.verbose, "color": colored(options.color), "width": _width(), "lang": options.lang}
        text = rule + diagnosis.to_text(**page)
    sys.stdout.write(text if _speaks_utf8() else text.encode("ascii", "backslashreplace").decode("ascii"))
    sys.stdout.flush()


def colored(choice: str) -> bool:
    """Whether to colour stdout: only on a terminal, and never where NO_COLOR is set, unless asked to."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, 140)


def _speaks_utf8() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
