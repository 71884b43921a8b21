"""``kb doctor``: what a report of a fault needs to say, for a person to paste or a machine to read."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from kb.cli import OK, UNUSABLE
from kb.doctor import examine
from kb.doctor.packages import install
from kb.render.safe import safe


def run(options: argparse.Namespace) -> int:
    """Print it; exit code 4 where kb, the store or a folder of cases cannot be used."""
    found = examine(options.db, options.cases)
    if options.json:
        print(json.dumps(found, ensure_ascii=True))
    else:
        for line in _lines(found):
            print(safe(_short(line)).encode("ascii", "backslashreplace").decode("ascii"))
    for finding in found["findings"]:
        print(safe(f"kb: {finding['reason']}"), file=sys.stderr)
        if finding["help"]:
            print(safe(f"  help: {finding['help']}"), file=sys.stderr)
    return UNUSABLE if found["problems"] else OK


def _short(line: str) -> str:
    """A line without the name of the user, who will paste it somewhere."""
    home = os.path.expanduser("~")
    return line.replace(home, "~") if len(home) > 1 else line


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for name, part in found.items():
        if name in _PARTS:
            words = [f"failed: {part['failed']}"] if "failed" in part else list(_PARTS[name](part))
            for index, text in enumerate(words):
                yield f"{name if index == 0 else '':<12} {text}".rstrip()


def _kb(part: dict[str, Any]) -> Iterator[str]:
    yield part["version"] + (f", commit {part['commit']}" if part["commit"] else "")
    yield part["path"]


def _python(part: dict[str, Any]) -> Iterator[str]:
    where = " in an environment" if part["environment"] else ""
    yield f"{part['version']} ({part['implementation']}){where}, {part['executable']}"
    if part["lacks"]:
        yield f"lacks {', '.join(part['lacks'])}"


def _system(part: dict[str, Any]) -> Iterator[str]:
    yield part["platform"] + (f", {part['name']}" if part["name"] else "")


def _sqlite(part: dict[str, Any]) -> Iterator[str]:
    yield f"{part['version']}, FTS5 {_yes(part['fts5'])}, JSON {_yes(part['json'])}"
    yield ", ".join(part["options"])


def _packages(part: list[dict[str, Any]]) -> Iterator[str]:
    rows = []
    for each in part:
        extra = f" (kernel-kb[{each['extra']}])" if each["extra"] else ""
        wrong = f", NOT {each['wanted']}" if each["fits"] is False else ""
        wrong += ", CANNOT BE LOADED" if each["problem"] else ""
        rows.append((each["name"], (each["version"] or "missing") + wrong, each["for"] + extra))
    yield from _table(rows)
    if absent := sorted({each["extra"] for each in part if each["extra"] and not each["version"]}):
        what = f"'kernel-kb[{','.join(absent)}]'"
        yield f"for what is missing: {install(what)}"


def _tools(part: list[dict[str, Any]]) -> Iterator[str]:
    yield from _table([(each["path"] or each["name"] + ": missing", each["for"]) for each in part])


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows as lines, each column as wide as its widest word."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield " ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()


def _store(part: dict[str, Any]) -> Iterator[str]:
    yield part["path"]
    if not part["there"]:
        yield "not there yet" + ("" if part["writable"] else ", and cannot be made")
    else:
        yield f"{part['size']} bytes, mode {part['mode']} ({'private' if part['private'] else 'NOT PRIVATE'})"
        yield f"writable {_yes(part['writable'])}, schema {part['schema']} (this kb: {part['known']}), sound " + (
            "not examined to the end" if part["sound"] is None and not part["problem"] else _yes(part["sound"])
        )
    if part["problem"]:
        yield part["problem"]


def _cache(part: dict[str, Any]) -> Iterator[str]:
    yield part["path"]
    if not part["there"]:
        yield "not there yet"
    else:
        private = "private" if part["private"] else "NOT PRIVATE: not used"
        yield f"{part['files']} files, {part['size']} bytes, {private}, writable {_yes(part['writable'])}"


def _cases(part: dict[str, Any]) -> Iterator[str]:
    yield f"{part['cases']} usable, {len(part['broken'])} broken" if part["cases"] is not None else "not read"
    for folder in part["folders"]:
        yield f"{folder['path']}: {folder['problem'] or folder['cases']}" + (", writable" if folder["writable"] else "")
    for each in part["broken"]:
        place = f"{each['path']}:{each['line']}" if each["line"] else each["path"]
        yield f"broken: {place}: {each['reason']}"


def _known(part: dict[str, Any]) -> Iterator[str]:
    if part["path"] is None:
        yield "no known fixes: their index cannot be made"
        return
    age = f", {part['days']} days old" if part["days"] is not None else ""
    yield f"{part['fixes']} known fixes of {part['date'] or 'no date'}{age}"
    yield f"made from {part['commit'] or 'no commit'}: kb import vulns DIR adds what is newer"
    if not part["fit"]:
        yield "their keys are another version's"


def _plain(part: dict[str, Any]) -> Iterator[str]:
    words = ((name, _yes(value) if isinstance(value, bool) else value) for name, value in part.items())
    yield ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in words if value is not None)


def _terminal(part: dict[str, Any]) -> Iterator[str]:
    yield from _plain(part)
    if not (part["stdin"] and part["stdout"]):
        yield "not a terminal: kb tui and the prompt of kb chat need one"


def _environment(part: dict[str, Any]) -> Iterator[str]:
    given = [f"{name}={value}" for name, value in part.items() if value is not None]
    yield from given or ["nothing that kb reads is set"]


def _yes(value: object) -> str:
    return "yes" if value else "no"


_PARTS: dict[str, Any] = {
    "kb": _kb,
    "python": _python,
    "system": _system,
    "sqlite": _sqlite,
    "packages": _packages,
    "tools": _tools,
    "store": _store,
    "cache": _cache,
    "cases": _cases,
    "known": _known,
    "locale": _plain,
    "terminal": _terminal,
    "environment": _environment,
}
"""How a part is told, in the order of the parts."""
