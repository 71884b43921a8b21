"""``kb forget``: take out of the store what the law on personal data wants out."""

import argparse
import sys
from typing import TYPE_CHECKING

from kb import api
from kb.cli import OK, UNKNOWN
from kb.errors import UsageError
from kb.render.safe import safe

if TYPE_CHECKING:
    from kb.store.forget import Forgotten

_SHOWN = 5
"""Subjects that are named before the question."""


def run(options: argparse.Namespace) -> int:
    """Say what goes, ask, do it."""
    wanted = {"source": options.source, "host": options.host, "before": options.before}
    if not any(value is not None for value in wanted.values()):
        raise UsageError("nothing says what is to be forgotten", help="give --source, --host or --before")
    asks = not (options.yes or options.dry_run)
    if asks and not sys.stdin.isatty():
        help_ = "--dry-run shows what would go, --yes does it without a question"
        raise UsageError("kb forget asks before it takes anything out, and there is no terminal to ask on", help=help_)
    with api.KnowledgeBase(options.db) as base:
        if options.dry_run or asks:
            found = base.forget(**wanted, dry_run=True)
            print("\n".join(map(safe, _lines(found, base, "would take"))), flush=True)
            if options.dry_run:
                return OK
            if found and not _agreed():
                print("kb: nothing was taken out", file=sys.stderr)
                return UNKNOWN
        done = base.forget(**wanted)
        if not asks or done:
            print("\n".join(map(safe, _lines(done, base, "took"))))
    return OK


def _agreed() -> bool:
    print("This cannot be undone. Take it out? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _lines(found: "Forgotten", base: api.KnowledgeBase, did: str) -> list[str]:
    if not found:
        return [f"nothing in {base.path} matches"]
    out = [f"kb forget {did} out of {base.path}:", f"  {found.sightings:>7}  sightings, as counted"]
    out += [f"  {count:>7}  rows of {table}" for table, count in found.rows.items()]
    if found.cut:
        out.append(f"  {found.cut:>7}  rows of sightings cut to the first or last one, which does not match")
    out += [f"    {subject}" for subject in found.subjects[:_SHOWN]]
    more = len(found.subjects) - _SHOWN
    return [*out, f"    and {more} more"] if more > 0 else out
