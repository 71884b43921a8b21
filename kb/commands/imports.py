"""``kb import``, ``kb case search``, ``kb case promote``: known issues from history."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kb import api
from kb.cli import OK, UNKNOWN, note
from kb.commands import opened
from kb.errors import InputError, UsageError
from kb.render.json import case_line, line
from kb.render.safe import safe

_MOST = 100
"""Bad records that are named one by one."""
SOURCES = ("vulns", "git", "patches")


def run(options: argparse.Namespace) -> int:
    """Import from history, or an export."""
    if options.pack is not None:
        return _pack(options)
    with opened(options) as base:
        if options.what == "changelog":
            return _changelog(base, options)
        if options.what not in SOURCES:
            return _dump(base, options)
        from kb.imports.run import run as take

        done = take(
            base.store, options.what, options.arguments, everything=options.all, progress=sys.stderr, bad=_Told()
        )
    why = {**done.why, "dealt with before": done.known}
    reasons = ", ".join(f"{count} {reason}" for reason, count in why.items() if count)
    if reasons:
        note(f"passed over: {reasons}")
    spoilt = f", {done.bad} bad" if done.bad else ""
    print(f"{done.read} read, {done.cases} cases written, {done.passed_over} passed over{spoilt}")
    return OK


def _pack(options: argparse.Namespace) -> int:
    """Make a pack of known fixes; the store is not touched."""
    from kb.imports.pack import pack
    from kb.imports.run import Progress

    if options.what != "vulns" or len(options.arguments) != 1:
        raise UsageError("--pack makes a pack of one folder of CVE records", help="kb import vulns DIR --pack FILE")
    folder, told = Path(options.arguments[0]), _Told()
    bar = Progress(sys.stderr, "vulns", None)
    print(f"{pack(folder, Path(options.pack), bad=told, told=bar.tell)} known fixes packed")
    return OK


def _changelog(base: api.KnowledgeBase, options: argparse.Namespace) -> int:
    """Keep what a distribution says of its kernels."""
    from kb.imports.changelog import read, text_of
    from kb.known.distribution import keep
    from kb.known.index import opened as index_of
    from kb.store.imports import Imports

    if not options.arguments:
        raise UsageError("kb import changelog: which?", help="kb import changelog FILE|PACKAGE...")
    index = index_of()
    subjects = dict(index.rows("select subject, case_id from subjects")) if index is not None else {}
    known = frozenset(case.id for place in (index, base.known) if place is not None for case in Imports(place))
    for name in options.arguments:
        log = read(text_of(name), subjects, known)
        keep(base.path, log)
        held = len({case for build in log.builds for case in build.holds})
        print(f"{log.stream}: {len(log.builds)} builds read, {held} of {len(known)} known fixes in them")
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


def search(options: argparse.Namespace) -> int:
    """Cases by words."""
    with opened(options) as base:
        found = base.search(" ".join(options.words), limit=options.limit)
        if options.json:
            for case in map(base.case, (case_id for case_id, _, _ in found)):
                if case is not None:
                    print(line(case_line(case)))
            return OK if found else UNKNOWN
    size = max((len(case_id) for case_id, _, _ in found), default=0)
    for case_id, status, title in found:
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
