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
from kb.commands.terminal import Progress, paged

if TYPE_CHECKING:
    from kb.commands.output import Output
    from kb.log.kept import Kept
    from kb.log.source import Source
    from kb.model.report import Report
    from kb.model.verdict import Diagnosis
    from kb.symbols import Symbols

HINT = 64
"""Notices of one wording that are looked at where only a hint is wanted: a flood must not cost a pipe its time."""
_TOLD = 3
"""Notices that are told where nobody asked for them."""


def run(options: argparse.Namespace) -> int:
    """Read, diagnose, print; the exit code tells whether anything was known."""
    _check(options)
    started = time.perf_counter()
    context, logs = _context(options.context)
    live = not logs and options.files in ([], ["-"])
    several = len(options.files) + len(logs) > 1 or any(map(os.path.isdir, options.files))
    seen = _Seen(options)
    told = Progress(live, seen.share)
    with api.KnowledgeBase(options.db, cases=options.cases) as base, paged(options, live), told as progress:
        try:
            for found in _diagnoses(options, base, context, _reports(options, logs, live, seen, progress), seen):
                seen.take(found, live, several)
                progress.report(found.report)
        finally:
            progress.stop()
            seen.end()
        seen.hints.show(options, seen.count, seen.beside)
        if seen.count:  # for a hint alone they are no matter
            tell_left_out(base)
        if several and not options.json and not _document(options):
            seen.summary()
    if options.report is not None and options.report > seen.count > 0:
        note(f"no report {options.report}: the input has {seen.count}")
    if options.record and seen.count:
        again = f", {seen.count - seen.recorded} known already" if seen.recorded < seen.count else ""
        note(f"recorded {seen.recorded}{again}")
    if options.stats:
        note(f"{seen.count} reports, {seen.known} known, {time.perf_counter() - started:.3f} s")
    if not seen.count:
        note("no report in the input")
        return EMPTY
    if options.fail_on is not None:
        return UNKNOWN if seen.failed else OK
    return OK if seen.known else UNKNOWN


def _kept() -> Kept:
    from kb.log.kept import Kept

    return Kept()


def _counts(found: Diagnosis) -> bool:
    """Whether a diagnosis makes the exit code that of something known: a notice that is harmless does not."""
    if found.report.kind != "notice":
        return found.known
    return any(match.verdict.value == "yes" and match.severity != "harmless" for match in found.matches)


def _failing(what: str) -> Callable[[Diagnosis], bool]:
    """Whether a report is what ``--fail-on`` names."""
    from kb.errors import UsageError
    from kb.render.answer import SEVERITIES, severity

    if what in ("known", "unknown"):
        return lambda found: found.known == (what == "known")
    name, _, least = what.partition("=")
    if name != "severity" or least not in SEVERITIES:
        help_ = f"known, unknown, or severity=one of {', '.join(SEVERITIES)}"
        raise UsageError(f"--fail-on cannot be {what!r}", help=help_)
    return lambda found: SEVERITIES.index(severity(found)) >= SEVERITIES.index(least)


def _document(options: argparse.Namespace) -> bool:
    """Whether the answer is one document, complete in itself."""
    return bool(options.html or options.format)


def _check(options: argparse.Namespace) -> None:
    from kb.errors import UsageError

    if options.json + options.markdown + options.html + options.brief + bool(options.format) > 1:
        raise UsageError("--json, --markdown, --html, --brief and --format exclude one another")
    if options.output is not None:
        if not _document(options):
            raise UsageError("--output goes with --html and --format", help="kb match FILE > OUTPUT")
        from kb.commands.files import same

        if any(same(options.output, path) for path in options.files):
            raise UsageError("that would write over the log itself", help=f"name another file than {options.output}")
    if options.fail_on is not None:
        _failing(options.fail_on)
    if options.report is not None and options.report < 1:
        raise UsageError("--report counts from 1")


def _diagnoses(
    options: argparse.Namespace, base: api.KnowledgeBase, context: api.Context, reports: Iterator[Report], seen: _Seen
) -> Iterator[Diagnosis]:
    """Each report diagnosed, and recorded where that is asked for; of notices that are not, the hint is taken."""
    symbols, diagnose = _symbols(options), _diagnoser(base, options)
    once = None
    for report in reports:
        if report.kind == "notice" and not options.notices:
            seen.hints.take(report, base, options.kernel)
            continue
        if symbols is not None:
            report = symbols.annotate(report)
        if once is None:
            from kb.diagnose import Once

            once = Once()
        found = once(diagnose(report, kernel=options.kernel, context=context, everything=options.all))
        if options.record:
            seen.recorded += base.record(report, source=options.source, host=options.host).new
        yield found


class _Seen:
    """What a run has seen: counts for the exit code and the summary, and what is written."""

    def __init__(self, options: argparse.Namespace):
        self._options = options
        self._output: Output | None = None
        self.hints = _Hints()
        self.tally = api.Tally()
        self.kept = _kept() if options.html else None
        self._fails = _failing(options.fail_on) if options.fail_on is not None else None
        self.count = self.known = self.recorded = self.failed = 0

    def take(self, found: Diagnosis, live: bool, several: bool) -> None:
        """Count a diagnosis and write what can be written by now."""
        output = self._opened(several)
        self.count += 1
        self.known += _counts(found)
        self.failed += self._fails is not None and self._fails(found)
        output.add(found)
        if live:
            self.going()

    def _opened(self, several: bool) -> Output:
        if self._output is None:
            from kb.commands.output import output

            self._output = output(self._options, several, self.kept)
        return self._output

    def going(self) -> None:
        """A live input goes on: say what has waited long enough."""
        if self._output is not None and self._output.due():
            self._output.pause()

    def pause(self) -> None:
        """A live input is silent: say what is known so far."""
        if self._output is not None:
            self._output.pause()

    def end(self) -> None:
        """Write the rest; a document of a run without reports is one, too."""
        if self._output is not None or _document(self._options):
            self._opened(False).end()
        if self.kept is not None:
            self.kept.close()

    def share(self) -> float | None:
        """How much of the present input was read."""
        return self.tally.share

    def beside(self, notice: Diagnosis) -> int | None:
        """The number of the report beside which a notice was printed."""
        group = self._output.groups.beside(notice) if self._output is not None else None
        return group.number if group is not None else None

    def summary(self) -> None:
        """One line on all inputs: with the answer where a person reads it, else beside it."""
        groups = self._output.groups.made if self._output is not None else 0
        from kb.words.speak import words

        text = words(self._options.lang)(
            "summary.inputs",
            files=self.tally.inputs,
            reports=self.count,
            groups=groups,
            known=self.known,
            unread=self.tally.unread,
        )
        if self._options.brief or self._options.markdown or not self.count:
            note(text)
        else:
            sys.stdout.write(f"\n{text}\n")


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


def _reports(
    options: argparse.Namespace, logs: list[Source], live: bool, seen: _Seen, progress: Progress
) -> Iterator[Report]:
    """Reports and notices of the files, or of standard input, which may be a log that is still being written.

    Without ``--notices`` some are told to a person, and a flood of one of them is not read to its end.
    """
    notices, most = options.notices or not options.json, None if options.notices else HINT
    if live:
        if sys.stdin.isatty():
            note("reads what is typed or pasted here, until ^D; kb match FILE reads a file, kb match --help tells more")
        calls = {"paused": seen.pause, "going": seen.going}
        return api.read_live(sys.stdin.buffer, notices=notices, most=most, told=note, kept=seen.kept, **calls)
    inputs: list[Any] = [*map(named, options.files), *logs]
    return api.read(
        inputs,
        notices=notices,
        most=most,
        told=note,
        tally=seen.tally,
        kept=seen.kept,
        jobs=options.jobs or _cores(),
        begun=progress.over(inputs),
    )


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


class _Hints:
    """The notices that were not asked for but that a case explains: the gravest behind the reports, one line each."""

    def __init__(self) -> None:
        self._found: dict[str, Diagnosis] = {}
        """By case: the first notice of each."""

    def take(self, report: Report, base: api.KnowledgeBase, kernel: str | None) -> None:
        """Keep a notice that a case says yes to. A hint is no reason to fail: cases that cannot be used give none."""
        from kb.errors import KbError

        try:
            diagnosis = api.diagnose(report, base.cases, kernel=kernel)
        except KbError:
            return
        if diagnosis.known and diagnosis.best is not None:
            self._found.setdefault(diagnosis.best.case.id, diagnosis)

    def show(self, options: argparse.Namespace, count: int, beside: Callable[[Diagnosis], int | None]) -> None:
        """Tell them where a person reads; a ticket is told on stderr that there are some.

        Args:
            options: Those of the command.
            count: Reports that were told before.
            beside: The number of the report beside which a notice stands.
        """
        if not self._found:
            return
        if options.markdown or _document(options):
            have = "message that is no report has" if len(self._found) == 1 else "messages that are no report have"
            note(f"{len(self._found)} {have} a known case: --notices shows them")
            return
        from kb.commands.output import colored, width
        from kb.render.text import also

        gap = "\n" if count and not options.brief else ""
        look = {"color": colored(options.color), "width": width(), "lang": options.lang}
        lines = also(self._found.values(), most=_TOLD, beside=beside, **look)
        sys.stdout.write(gap + "".join(f"{line}\n" for line in lines))
        sys.stdout.flush()


def _symbols(options: argparse.Namespace) -> Symbols | None:
    if options.vmlinux is None and options.debuginfo is None:
        return None
    from pathlib import Path

    from kb.symbols import Symbols

    return Symbols(*(Path(path) if path else None for path in (options.vmlinux, options.debuginfo)))
