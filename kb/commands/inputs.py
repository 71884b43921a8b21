"""``kb inputs``: what kb sees in its inputs, before anything is diagnosed."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from kb.cli import OK, UNUSABLE, note
from kb.commands import named

if TYPE_CHECKING:
    from kb.errors import InputError
    from kb.log.source import Input

_LOOKED_AT = 400
"""Lines by which a transport is told."""


def run(options: argparse.Namespace) -> int:
    """List the inputs."""
    from kb.log.source import open_inputs, open_live

    live = not options.files or options.files == ["-"]
    found = open_live(sys.stdin.buffer) if live else open_inputs(map(named, options.files))
    unread: list[InputError] = []
    for each in found:
        if each.ends and each.walk is not None:
            unread += each.walk.unread
            for passed in each.walk.passed:
                note(f"{each.name}: {passed}")
            continue
        row = _seen(each, options.verbose)
        sys.stdout.write(
            json.dumps(row) + "\n" if options.json else "".join(f"{line}\n" for line in _shown(row, options.verbose))
        )
    for error in unread:
        note(f"not read: {error}")
    return UNUSABLE if unread else OK


def _seen(each: Input, verbose: int) -> dict[str, Any]:
    """One input as plain values."""
    from kb.log.containers.roles import says_log, says_numbers
    from kb.log.tape import Tape
    from kb.parse import reading

    each.tape.settle()
    tape = Tape(each.tape.rest()) if verbose > 1 else each.tape
    head = tape.data[: 1 << 20]
    kind = _numbers(tape)
    row: dict[str, Any] = {
        "schema": "kb.input/1",
        "name": each.name,
        "role": kind or ("log" if says_log(each.name) else "machine" if says_numbers(each.name) else "text"),
        "encoding": "utf-8" if _decodes(head) else "not utf-8",
        "transport": _transport(head),
        "release": each.release,
    }
    found = [] if kind else list(reading.reports(tape, each.name))
    tape.settle()
    while not tape.ended:
        tape.fill(tape.end)
    row["lines"] = tape.number(tape.end) - (not tape.data or tape.data.endswith(b"\n"))
    row["reports"] = [{"line": report.span[0], "kind": report.kind, "title": report.title} for report in found]
    row["notes"] = each.notes
    if verbose > 1 and found:
        row["contests"] = list(_contests(tape.data, each.name))
    return row


def _numbers(tape: Any) -> str | None:
    """``vmstat``, ``sysctl`` ... of a file that is evidence."""
    from kb.evidence.beside import numbers
    from kb.evidence.files import recognise

    if not tape.whole or not numbers(tape.data):
        return None
    return recognise(tape.data.decode("utf-8", "replace"))


def _decodes(data: bytes) -> bool:
    try:
        data[: data.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _transport(data: bytes) -> str:
    """What most lines were brought by: the name of a rule of :mod:`kb.log.transport`, ``json``, or ``none``."""
    from kb.log.transport import Rule, strip

    sticky: list[Rule] = []
    rows = [row for row in data.decode("utf-8", "replace").splitlines()[:_LOOKED_AT] if row.strip()]
    rules = Counter("json" if row.startswith("{") else strip(row, sticky).rule or "none" for row in rows)
    return rules.most_common(1)[0][0] if rules else "none"


def _contests(data: bytes, name: str) -> Iterator[str]:
    """Why lines were given to which of several reports."""
    from kb.log.reader import Reader
    from kb.split.explain import contests, shown

    return map(shown, contests(Reader(data, name).lines(), name))


def _shown(row: dict[str, Any], verbose: int) -> Iterable[str]:
    from kb.render.safe import safe, safe_lines

    count = len(row["reports"])
    told = [row["role"], f"transport {row['transport']}", row["encoding"], f"{row['lines']} lines"]
    told.append("1 report" if count == 1 else f"{count} reports")
    yield safe(f"{row['name']}: {', '.join(told)}")
    for text in row["notes"]:
        yield safe(f"  {text}")
    if verbose:
        for report in row["reports"]:
            yield safe(f"  line {report['line']}: {report['title']} ({report['kind']})")
    for text in row.get("contests", ()):
        yield safe_lines("\n".join(f"  {part}" for part in text.splitlines()))
