"""``kb verify``: the commands that would confirm or rule out, as a script to read."""

import argparse
from pathlib import Path

from kb import api
from kb.cli import OK, note
from kb.commands import did_you_mean, named, opened
from kb.errors import UsageError
from kb.kernel.release import Release
from kb.render.script import script


def run(options: argparse.Namespace) -> int:
    """Print the script for a case, or for the first report of a log."""
    release = Release.parse(options.kernel) if options.kernel else None
    with opened(options) as base:
        case, cases = base.library.get(options.subject), base.cases
    if case is not None:
        print(script(f"{case.id}: {case.title}", case.kind, case.verify, release), end="")
        return OK
    if options.subject != "-" and not Path(options.subject).exists():
        help_ = did_you_mean(options.subject, base) or "`kb case list` names the cases"
        raise UsageError(f"{options.subject!r} is neither a case nor a file", help=help_)
    diagnosis = next(
        iter(api.match(named(options.subject), cases=cases, kernel=options.kernel, notices=True, told=note)), None
    )
    if diagnosis is None:
        raise UsageError(f"no report in {options.subject}")
    kernel = diagnosis.report.kernel
    steps = diagnosis.best.case.verify if diagnosis.best else ()
    print(
        script(diagnosis.report.title, (diagnosis.report.kind,), steps, Release.parse(kernel) if kernel else None),
        end="",
    )
    return OK
