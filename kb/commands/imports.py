"""``kb import``, ``kb affected``, ``kb case search``, ``kb case promote``: known issues from history."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, note
from kb.commands import did_you_mean, opened
from kb.errors import InputError, UsageError
from kb.render.json import line
from kb.render.safe import safe

_MOST = 100
"""Bad records that are named one by one."""
SOURCES = ("vulns", "git", "patches")


def run(options: argparse.Namespace) -> int:
    """Import from history, or an export."""
    with opened(options) as base:
        if options.what not in SOURCES:
            return _dump(base, options)
        from kb.imports.run import run as take

        done = take(
            base.store, options.what, options.arguments, everything=options.all, progress=sys.stderr, bad=_Told()
        )
    spoilt = f", {done.bad} bad" if done.bad else ""
    print(f"{done.read} read, {done.cases} cases written, {done.passed_over} passed over{spoilt}")
    return OK


class _Told:
    """Names what cannot be used on stderr, as far as anybody would read on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, name: str, reason: str) -> None:
        self.count += 1
        if self.count <= _MOST:
            note(f"{name}: passed over: {reason}")
        elif self.count == _MOST + 1:
            note("more are passed over; the last line counts them")


def _dump(base: api.KnowledgeBase, options: argparse.Namespace) -> int:
    from kb.store.dump import load

    if options.arguments:
        help_ = f"first of {', '.join(SOURCES)}, or one file that `kb export` wrote"
        raise UsageError(f"{options.what!r} is no source of imports", help=help_)
    told = _Told()
    if options.what == "-":
        number = load(base.store, _rows(sys.stdin.buffer, "-"), bad=told)
    else:
        try:
            with open(options.what, "rb") as stream:
                number = load(base.store, _rows(stream, options.what), options.what, bad=told)
        except OSError as error:
            help_ = f"first of {', '.join(SOURCES)}, or a file that `kb export` wrote"
            raise InputError(f"cannot read it: {error.strerror}", path=options.what, help=help_) from None
    print(f"{number} rows read" + (f", {told.count} bad" if told.count else ""))
    return OK


_LONGEST = 64 << 20
"""Bytes of a row of an export: a log of 1 MB and what base64 adds are the largest thing in one."""


def _rows(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The lines of a file that may have no line ends at all."""
    while row := stream.readline(_LONGEST):
        if len(row) == _LONGEST:
            raise InputError(f"a line of more than {_LONGEST} bytes", path=name, help="give what `kb export` wrote")
        yield row


def affected(options: argparse.Namespace) -> int:
    """Whether a kernel has the fix of a case, and why."""
    from kb.cases.fixstatus import cite, fix_status

    with opened(options) as base:
        case = base.case(options.case)
    if case is None:
        help_ = did_you_mean(options.case, base) or "`kb case list` and `kb case search WORDS` find them"
        raise UsageError(f"no case {options.case!r}", help=help_)
    found = fix_status(case, options.kernel)
    status, reason = found.status, found.reason
    if options.json:
        fixes = [{"commit": fix.commit, "branch": fix.branch, "since": fix.since} for fix in case.fixes]
        row = {
            "schema": "kb.affected/1", "case": case.id, "kernel": options.kernel, "status": status, "reason": reason,
            "fixes": fixes,
        }  # fmt: skip
        print(line(row))
    else:
        print(safe(f"{status}: {reason}"))
        for fix in case.fixes:
            print(safe(f"  {fix.branch:<10} {cite(fix)}"))
    return {"fixed": OK, "affected": UNKNOWN}.get(status, EMPTY)


def search(options: argparse.Namespace) -> int:
    """Cases by words."""
    with opened(options) as base:
        found = base.search(" ".join(options.words), limit=options.limit)
    size = max((len(case_id) for case_id, _, _ in found), default=0)
    for case_id, status, title in found:
        if options.json:
            print(line({"id": case_id, "status": status, "title": title}))
        else:
            print(safe(f"{case_id:<{size}}  {status:<9}  {title}"))
    return OK if found else UNKNOWN


def promote(options: argparse.Namespace) -> int:
    """Make a case folder of an imported case."""
    from kb.imports.promote import promote as write
    from kb.store.imports import Imports

    with opened(options) as base:
        store = base.known
        case = Imports(store).get(options.id) if store is not None else None
        if store is None or case is None:
            raise UsageError(f"no imported case {options.id!r}", help="`kb case search WORDS` finds them")
        print(write(Path(options.into), case))
        Imports(store).forget(case.id)
    return OK
