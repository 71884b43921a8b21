"""``kb rekey``, ``kb export``, ``kb stats``, ``kb log``, ``kb store load``: the store as a whole."""

import argparse
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, note
from kb.commands import opened
from kb.errors import InputError, UsageError
from kb.render.json import line
from kb.render.safe import safe

if TYPE_CHECKING:
    from pathlib import Path

    from kb.store import Store
    from kb.store.summary import Recent


def rekey(options: argparse.Namespace) -> int:
    """Bring the store to the present version of signatures."""
    from kb.imports.rekey import rekey as upgrade

    with opened(options) as base:
        done = upgrade(_there(base))
    print(f"{done.renamed} signatures renamed, {done.cases} imported cases keyed again")
    if done.untold:
        note(f"{done.untold} signatures have no evidence and keep their ids")
    return OK


def export(options: argparse.Namespace) -> int:
    """Write the store as NDJSON; a file appears only once it is whole."""
    from kb.store.dump import export as lines

    with opened(options) as base:
        store = _there(base)
        if options.file == "-":
            for line in lines(store):
                sys.stdout.write(line)
            return OK
        part = f"{options.file}.part"
        try:
            with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="ascii") as stream:
                stream.writelines(lines(store))
            os.replace(part, options.file)
        except OSError as error:
            raise InputError(f"cannot write it: {error.strerror}", path=options.file) from None
    return OK


def stats(options: argparse.Namespace) -> int:
    """Counts."""
    from kb.store.summary import stats as count

    with opened(options) as base:
        found = count(_there(base))
    if options.json:
        print(line(found))
        return OK
    for name, value in found.items():
        if isinstance(value, dict):
            for key, number in value.items():
                print(safe(f"{name.replace('_', ' '):<20} {number:>10}  {key}"))
        elif name != "schema":
            print(safe(f"{name.replace('_', ' '):<20} {value if value is not None else '-':>10}"))
    return OK


def log(options: argparse.Namespace) -> int:
    """Recent sightings, newest first."""
    shown = 0
    with opened(options) as base:
        store, offset = _there(base), 0
        from kb.store.summary import recent

        while shown < options.limit and (rows := recent(store, limit=200, offset=offset)):
            offset += len(rows)
            for row in rows:
                fixed = _regressed(base, row)
                if shown < options.limit and (fixed or not options.regressions):
                    shown += 1
                    print(_json(row, fixed) if options.json else safe(_line(row, fixed)))
    return OK if shown else UNKNOWN


def _regressed(base: api.KnowledgeBase, row: "Recent") -> str:
    """Why a sighting is a regression: the kernel it was seen on has the fix of the case it links to."""
    if row.kernel is None:
        return ""
    from kb.cases.fixstatus import fix_status

    for case_id in row.cases:
        case = base.case(case_id)
        if case is not None:
            found = fix_status(case, row.kernel)
            if found.status == "fixed":
                return f"{case_id}: {found.reason}"
    return ""


def _line(row: "Recent", fixed: str) -> str:
    where = ", ".join(part for part in (row.host, row.kernel, row.source) if part and part != "-")
    known = f"  [{', '.join(row.cases)}]" if row.cases else ""
    again = f"\n        seen again after its fix: {fixed}" if fixed else ""
    return f"{row.last[:19]}Z {row.count:>5}  {row.signature}  {row.title}{known}  {where}".rstrip() + again


def _json(row: "Recent", fixed: str) -> str:
    return line({"schema": "kb.log/1", **asdict(row), "regression": fixed or None})


def _there(base: api.KnowledgeBase) -> "Store":
    store = base.known
    if store is None:
        raise UsageError(f"there is no store at {base.path}", help="`kb match --record` and `kb import` make one")
    return store


def load(options: argparse.Namespace) -> int:
    """The results of a scan, into the store."""
    from pathlib import Path

    return OK if load_results(options, Path(options.folder)) else EMPTY


def load_results(options: argparse.Namespace, folder: "Path") -> int:
    """Fold results into the store and tell how many reports are new; returns how many there are."""
    from kb.fleet.load import load as fold

    with api.KnowledgeBase(options.db) as base:
        found = fold(base.store, folder)
    again = f", {found.reports - found.new} known already" if found.new < found.reports else ""
    note(f"recorded {found.new}{again}")
    return found.reports
