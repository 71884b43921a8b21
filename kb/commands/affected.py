"""``kb affected``: whether a kernel has the fix of a case, and which of all known fixes it lacks."""

import argparse
from pathlib import Path

from kb.cli import EMPTY, OK, UNKNOWN
from kb.commands import did_you_mean, opened
from kb.errors import InputError, UsageError
from kb.render.json import line
from kb.render.safe import safe

_MODULES = 1 << 20
"""Bytes of a list of modules."""


def run(options: argparse.Namespace) -> int:
    """Whether a kernel has the fix of a case, and why; without a case, which known fixes it lacks."""
    from kb.cases.fixstatus import cite
    from kb.known.answer import affected
    from kb.known.distribution import kept

    if options.case is None:
        return _lacking(options)
    if options.module or options.file:
        raise UsageError("--module and --file choose among all known fixes", help="leave CASE out")
    with opened(options) as base:
        case = base.case(options.case)
    if case is None:
        help_ = did_you_mean(options.case, base) or "`kb case list` and `kb case search WORDS` find them"
        raise UsageError(f"no case {options.case!r}", help=help_)
    row = affected(case, options.kernel, kept(base.path))
    if options.json:
        print(line(row))
    else:
        print(safe(f"{row['status']}: {row['reason']}"))
        for fix in case.fixes:
            print(safe(f"  {fix.branch:<10} {cite(fix)}"))
    return {"fixed": OK, "affected": UNKNOWN}.get(row["status"], EMPTY)


def _lacking(options: argparse.Namespace) -> int:
    from kb.known.distribution import kept
    from kb.known.lacking import lacking, modules_of

    modules = modules_of(text for name in options.module for text in [_listed(name)])
    with opened(options) as base:
        logs = kept(base.path)
        found = lacking(base.known, options.kernel, modules=modules, files=tuple(options.file), changelogs=logs)
    if options.json:
        print(line(found.to_json()))
    else:
        for each in found.lacks:
            print(safe(f"{each.case.id.upper():<15} {each.own or '-':<9} {each.case.title}"))
        if not found.lacks and found.counts["unknown"]:
            print(safe(f"{found.kernel}: its number does not tell what it has"))
        print(safe(found.summary()))
    if found.lacks:
        return UNKNOWN
    return EMPTY if found.counts["unknown"] else OK


def _listed(name: str) -> str:
    """A module's name, or what a file of them holds (``lsmod``, ``/proc/modules``, those of a sosreport)."""
    path = Path(name)
    if "/" not in name and not path.is_file():
        return name
    try:
        with path.open("rb") as stream:
            return stream.read(_MODULES).decode("utf-8", "replace")
    except OSError as error:
        raise InputError(
            f"cannot read it: {error.strerror}", path=name, help="give names, or what lsmod prints"
        ) from None
