"""``kb similar``, ``kb dup``, ``kb undup``: what resembles what, and what people say is the same."""

import argparse
import getpass
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kb import api
from kb.cli import EMPTY, OK, UNKNOWN, note
from kb.commands import named, opened
from kb.errors import UsageError
from kb.model.report import Report
from kb.render.json import line
from kb.render.safe import safe

if TYPE_CHECKING:
    from kb.identity.rank import Neighbour, Query

_ID = re.compile(r"(?:kb\d+:)?[0-9a-f]{4,16}")


def run(options: argparse.Namespace) -> int:
    """Neighbours of each report of a log, or of a signature of the store."""
    only = {None: None, "cases": True, "seen": False}[options.only]
    found = 0
    with opened(options) as base:
        subjects = _subjects(base, options.subject)
        if not subjects:
            note("no report in the input")
            return EMPTY
        for index, subject in enumerate(subjects):
            query, title = _query(base, subject)
            neighbours = base.similar(subject, limit=options.limit, cases=only)
            same = _declared(base, query.signature)
            found += len(neighbours) + len(same)
            if options.json:
                print(line(_json(query, title, neighbours, same)))
            else:
                print(("\n" if index else "") + "\n".join(map(safe, _lines(query, title, neighbours, same))))
    return OK if found else UNKNOWN


def _subjects(base: api.KnowledgeBase, subject: str) -> list[Report | str]:
    if subject != "-" and not Path(subject).exists() and _ID.fullmatch(subject):
        return [base.show(subject).row.signature]
    return list(api.read(sys.stdin.buffer if subject == "-" else named(subject), told=note))


def _query(base: api.KnowledgeBase, subject: Report | str) -> "tuple[Query, str]":
    from kb.recall import query_of, stored_query

    if isinstance(subject, Report):
        return query_of(subject), subject.title
    return stored_query(base.store, subject), base.show(subject).row.title


def _declared(base: api.KnowledgeBase, signature: str) -> list[str]:
    from kb.store.duplicates import Duplicates

    return Duplicates(base.known).same_as(signature) if base.known is not None else []


def _lines(query: "Query", title: str, neighbours: "list[Neighbour]", same: list[str]) -> list[str]:
    out = [title, f"  signature   {query.signature}"]
    out += [f"  declared the same as   {other}" for other in same]
    if not neighbours:
        return [*out, "  nothing is near"]
    for each in neighbours:
        entry = each.entry
        name = entry.case or entry.signature
        out += ["", f"  {each.score:.2f}  {name}  {entry.title}"]
        if each.because:
            out.append(f"        {each.because}")
        out += [f"        {_mark(ours, theirs)} {ours or theirs}" for ours, theirs in each.explained()]
    return out


def _mark(ours: str, theirs: str) -> str:
    """``=`` in both stacks, ``-`` in the query's alone, ``+`` in the neighbour's alone."""
    return "=" if ours and theirs else "-" if ours else "+"


def _json(query: "Query", title: str, neighbours: "list[Neighbour]", same: list[str]) -> dict[str, Any]:
    return {
        "schema": "kb.identity/1",
        "signature": query.signature,
        "title": title,
        "frames": list(query.frames),
        "declared": same,
        "similar": [
            {
                "case": each.entry.case,
                "signature": each.entry.signature,
                "title": each.entry.title,
                "score": each.score,
                "because": each.because,
                "aligned": [list(pair) for pair in each.explained()],
            }
            for each in neighbours
        ],
    }


def duplicate(options: argparse.Namespace) -> int:
    """Declare two signatures the same."""
    return _declare(options, same=True)


def distinct(options: argparse.Namespace) -> int:
    """Take such a declaration back."""
    return _declare(options, same=False)


def _declare(options: argparse.Namespace, *, same: bool) -> int:
    from kb.store.duplicates import Duplicates

    with opened(options) as base:
        left, right = _known(base, options.left), _known(base, options.right)
        if left == right:
            raise UsageError("both are one signature already", help=f"`kb show {left}` shows it")
        duplicates = Duplicates(base.store)
        if not same and right not in duplicates.same_as(left):
            raise UsageError(f"{left} and {right} are not declared the same")
        if not same and not duplicates.history(left, right):
            help_ = "take back a link of the chain between them: " + ", ".join(duplicates.same_as(left))
            raise UsageError("they are the same through others only", help=help_)
        author = options.author or getpass.getuser()
        duplicates.declare(left, right, same=same, author=author, reason=options.reason)
    print(f"{left} {'=' if same else '!='} {right}")
    return OK


def _known(base: api.KnowledgeBase, name: str) -> str:
    """The id of a signature that was seen, or ``case:<id>``."""
    if name.startswith("case:") or not _ID.fullmatch(name):
        case = base.case(name.removeprefix("case:"))
        if case is None:
            raise UsageError(f"no signature and no case {name!r}", help="`kb log` and `kb case search` find them")
        return f"case:{case.id}"
    return base.show(name).row.signature
