"""The case file: Markdown that opens with a fenced TOML block. Text in, :class:`Case` out, every error with its line.

docs/case-format.md describes it for writers. TOML because it has types (``0x40``), takes ``3.10`` in quotes only,
refuses duplicate keys and needs no dependency; in a fence because then any forge renders the file, prose and all.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from kb.errors import CaseError, CaseInvalid, InputError
from kb.log.files import read_regular
from kb.model.case import (
    CHECKS,
    Affected,
    Case,
    Check,
    Dispute,
    Fix,
    Predicate,
    Severity,
    Source,
    Step,
    Workaround,
    is_id,
)

LARGEST = 1 << 20
"""Bytes a case's file may have."""

STATUSES = ("draft", "unsighted", "sighted", "reviewed", "withdrawn", "imported")
"""What ``status`` may be."""

PRACTICE = "practice"
"""Who says of a workaround what follows from the code and is common among operators, and was not measured."""

SECTIONS = ("What happens", "Why", "What to do", "Notes")
"""The prose sections, in their order; ``Notes`` is the last one and only ever appended to."""

_TEXT, _TEXTS, _TEXT_OR_TEXTS = "text", "a list of texts", "text or a list of texts"

TOP: Mapping[str, str] = {
    "id": _TEXT, "title": _TEXT, "kind": _TEXT_OR_TEXTS, "status": _TEXT, "summary": _TEXT, "subsystem": _TEXT,
    "severity": _TEXT, "keywords": _TEXTS, "broader": _TEXTS, "signatures": _TEXTS, "recorded": _TEXTS,
}  # fmt: skip
"""Keys outside any table, and their types."""

REQUIRED = ("id", "title", "kind", "status", "summary")

MATCH: Mapping[str, str] = {
    "require": _TEXTS, "refute": _TEXTS, "support": _TEXTS, "seen_in": _TEXTS, "provided": _TEXT,
}  # fmt: skip
"""Keys of ``[match]``; a ``[[match.any]]`` has ``all``."""

TABLES: Mapping[str, tuple[type, Mapping[str, str], tuple[str, ...]]] = {
    "affected": (Affected, {"kernel": _TEXT, "by": _TEXT, "note": _TEXT}, ("kernel",)),
    "fix": (Fix, {"commit": _TEXT, "subject": _TEXT, "since": _TEXT, "branch": _TEXT, "by": _TEXT, "note": _TEXT,
                  "prerequisites": _TEXTS, "missing_when": _TEXTS}, ("commit", "subject")),
    "workaround": (Workaround, {"do": _TEXT, "caveat": _TEXT, "by": _TEXT, "when": _TEXTS}, ("do",)),
    "verify": (Step, {"run": _TEXT, "expect": _TEXT, "means": _TEXT, "kernel": _TEXT}, ("run", "expect")),
    "source": (Source, {"id": _TEXT, "text": _TEXT, "url": _TEXT, "sha256": _TEXT, "file": _TEXT, "release": _TEXT},
               ("id",)),
    "checked": (Check, {"what": _TEXT, "on": _TEXT, "against": _TEXT}, ("what", "on", "against")),
    "dispute": (Dispute, {"claim": _TEXT, "finding": _TEXT, "source": _TEXT, "by": _TEXT}, ("claim", "finding")),
}  # fmt: skip
"""The ``[[tables]]``: what each becomes, its keys with their types, and those that must be there."""

_CLOSED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "": {"status": STATUSES, "severity": tuple(Severity)}, "checked": {"what": CHECKS}
}  # fmt: skip
"""Keys that hold a word of a closed set, by table."""

_DOTTED = re.compile(r"""(?<![\w-])(?>(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""")
"""A key of more parts than any case has."""
_PLAIN = "a case needs no list within a list"
_HEADER = re.compile(r"\s*(\[{1,2})\s*([\w.]+)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_TOML_AT = re.compile(r"\(at line (\d{1,9}), column (\d{1,9})\)")


@dataclass(frozen=True)
class Document:
    """A case file taken apart: the case if it could be made, all that is wrong, and where each thing stands."""

    path: str
    text: str
    case: Case | None
    errors: tuple[CaseInvalid, ...]
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line of each key, 1-based: ``title``, ``match.require``, ``fix[0].commit``, and of each table: ``fix[0]``."""
    sections: Mapping[str, int] = field(default_factory=dict)
    """Line of each ``## Section``."""
    heading: tuple[str, int] | None = None
    """The ``# Heading`` and its line."""

    def line(self, *names: str) -> int:
        """The line of the first of these keys that is there, else of the fence."""
        return next((self.lines[name] for name in names if name in self.lines), 1)


def parse(text: str, path: str = "case.md") -> Case:
    """The case a file's text describes.

    Raises:
        CaseInvalid: The first thing that breaks the format, with its line and what to do about it.
    """
    document = read(text, path)
    if document.errors:
        raise document.errors[0]
    assert document.case is not None
    return document.case


def load(path: Path) -> Document:
    """Take a file apart; one that cannot be read is a :class:`CaseError`."""
    try:
        text = read_regular(path, LARGEST).decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 at byte {error.start}"
        return Document(str(path), "", None, (CaseInvalid(reason, path=str(path), help="save the file as UTF-8"),))
    except InputError as error:
        raise CaseError(f"the case {error.reason}", path=str(path)) from None
    return read(text.replace("\r\n", "\n"), str(path))


def read(text: str, path: str = "case.md") -> Document:
    """Take a file's text apart; never raises."""
    lines = text.split("\n")
    errors: list[CaseInvalid] = []
    fence = _fence(lines, path, errors)
    if fence is None:
        return Document(path, text, None, tuple(errors))
    start, end = fence
    where = _positions(lines, start + 1, end)
    sections, heading = _prose(lines, end + 1)
    toml = "\n".join(lines[start + 1 : end])
    try:
        if _DOTTED.search(toml):  # tomllib takes time by the square of a key's parts
            raise RecursionError
        data = tomllib.loads(toml)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        errors.append(_toml_error(error, start + 1, path))
        return Document(path, text, None, tuple(errors), where, sections, heading)
    reader = _Reader(path, where, lines, errors)
    case = reader.case(data, "\n".join(lines[end + 1 :]).strip("\n"))
    errors.sort(key=lambda error: error.line or 0)
    return Document(path, text, None if errors else case, tuple(errors), where, sections, heading)


def _fence(lines: Sequence[str], path: str, errors: list[CaseInvalid]) -> tuple[int, int] | None:
    """Indices of the opening and the closing line of the TOML block."""
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[start].strip() not in ("```toml", "~~~toml"):
        help_ = "begin with ```toml, the keys id, title, kind, status and summary, then ``` on a line of its own"
        errors.append(CaseInvalid("the file does not open with a ```toml block", path=path, line=start + 1, help=help_))
        return None
    mark = lines[start].strip()[:3]
    for index in range(start + 1, len(lines)):
        if lines[index].strip() == mark:
            return start, index
    errors.append(CaseInvalid("the ```toml block never ends", path=path, line=start + 1, help=f"close it with {mark}"))
    return None


def _toml_error(error: Exception, offset: int, path: str) -> CaseInvalid:
    if isinstance(error, RecursionError):
        return CaseInvalid("tables or lists within each other without end", path=path, line=offset, help=_PLAIN)
    if not isinstance(error, tomllib.TOMLDecodeError):
        return CaseInvalid("a number of more digits than any has", path=path, line=offset, help="put text in quotes")
    reason = str(error)
    at = _TOML_AT.search(reason)
    line = int(at[1]) + offset if at else offset
    reason = _TOML_AT.sub("", reason).strip()
    help_ = "a key may stand once only" if "overwrite" in reason else "see https://toml.io; text goes in quotes"
    return CaseInvalid(f"not valid TOML: {reason}", path=path, line=line, help=help_)


def _positions(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """The line of each key and table, which tomllib does not tell. A text over several lines may add a wrong one that
    nobody asks for.
    """
    where: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for index in range(start, end):
        header = _HEADER.match(lines[index])
        if header:
            table = header[2]
            if header[1] == "[[":
                number = counts.get(table, 0)
                counts[table] = number + 1
                table = f"{table}[{number}]"
            where.setdefault(table, index + 1)
        elif key := _KEY.match(lines[index]):
            where.setdefault(f"{table}.{key[1]}" if table else key[1], index + 1)
    return where


def _prose(lines: Sequence[str], start: int) -> tuple[dict[str, int], tuple[str, int] | None]:
    """Sections and heading with their lines; fenced code is skipped."""
    sections: dict[str, int] = {}
    heading = None
    fenced = False
    for index in range(start, len(lines)):
        line = lines[index]
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced:
            continue
        elif line.startswith("# ") and heading is None:
            heading = (line[2:].strip(), index + 1)
        elif line.startswith("## "):
            sections.setdefault(line[3:].strip(), index + 1)
    return sections, heading


class _Reader:
    """TOML data into a case, collecting all that is wrong on the way."""

    def __init__(self, path: str, where: Mapping[str, int], lines: Sequence[str], errors: list[CaseInvalid]):
        self.path = path
        self.where = where
        self.lines = lines
        self.errors = errors
        self.meant: set[str] = set()
        """Keys that misspelt ones stand for: they are not missing too."""

    def wrong(self, reason: str, *keys: str, help: str | None = None) -> None:
        line = next((self.where[key] for key in keys if key in self.where), 1)
        self.errors.append(CaseInvalid(reason, path=self.path, line=line, help=help))

    def case(self, data: dict[str, Any], prose: str) -> Case | None:
        """The case, or None where a key it cannot be without is missing or wrong."""
        values = {key: data.pop(key) for key in list(data) if key in TOP}
        match = data.pop("match", {})
        tables = {name: data.pop(name, []) for name in TABLES}
        for key in data:
            self.unknown(key, key, [*TOP, "match", *TABLES])
        top = self.checked(values, TOP, REQUIRED, "")
        rules = self.match(match)
        rows = {name: self.rows(name, entries) for name, entries in tables.items()}
        if self.errors:
            return None
        kind = top.pop("kind")
        return Case(
            **top, **rules, kind=(kind,) if isinstance(kind, str) else kind, prose=prose, path=self.path,
            affected=rows["affected"], fixes=rows["fix"], workarounds=rows["workaround"], verify=rows["verify"],
            sources=rows["source"], disputes=rows["dispute"], checked=rows["checked"],
        )  # fmt: skip

    def unknown(self, key: str, place: str, known: Sequence[str]) -> None:
        import difflib

        near = difflib.get_close_matches(key, known, 1)
        self.meant.update(near)
        help_ = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        self.wrong(f"unknown key {key!r}", place, f"{place}[0]", help=help_)

    def checked(self, values: Any, schema: Mapping[str, str], required: Sequence[str], table: str) -> dict[str, Any]:
        """The values of a table, lists as tuples, those that break the schema reported and left out."""
        if not isinstance(values, dict):
            self.wrong(f"[[{table}]] must be a table", table)
            return {}
        prefix = f"{table}." if table else ""
        good: dict[str, Any] = {}
        for key, value in values.items():
            if key not in schema:
                self.unknown(key, prefix + key, list(schema))
            elif type(value) is date:
                good[key] = value.isoformat()
            elif _fits(value, schema[key]):
                good[key] = tuple(value) if isinstance(value, list) else value
            else:
                self.wrong(f"{key} must be {schema[key]}", prefix + key, table, help=_quote_help(value))
        for key in required:
            if key not in values and key not in self.meant:
                self.wrong(f"{key} is missing" + (f" in [[{table.split('[')[0]}]]" if table else ""), table)
            elif good.get(key) in ("", ()):
                self.wrong(f"{key} is empty", prefix + key)
        if not table and good.get("id") and not is_id(good["id"]):
            self.wrong(f"{good['id'][:80]!r} is no id", "id", help="words of letters and digits, joined by hyphens")
        for key, words in _CLOSED.get(table.partition("[")[0], {}).items():
            if good.get(key, words[0]) not in words:
                self.wrong(f"{key} is {good[key]!r}", prefix + key, table, help=f"one of {', '.join(words)}")
        return good

    def rows(self, name: str, entries: Any) -> tuple[Any, ...]:
        made, schema, required = TABLES[name]
        if not isinstance(entries, list):
            self.wrong(f"{name} must be a list of tables", name, help=f"write [[{name}]], with two brackets")
            return ()
        rows = []
        for index, entry in enumerate(entries):
            before = len(self.errors)
            values = self.checked(entry, schema, required, f"{name}[{index}]")
            if name == "workaround":
                values.setdefault("caveat", "")  # its absence is the linter's to report
            for key in ("missing_when", "when"):
                if key in values:
                    values[key] = self.predicates(values[key], f"{name}[{index}].{key}")
            if len(self.errors) == before:
                rows.append(made(**values))
        return tuple(rows)

    def match(self, match: Any) -> dict[str, Any]:
        """``require``, ``refute``, ``support``, ``seen_in``, ``provided`` and the ``[[match.any]]`` groups."""
        if not isinstance(match, dict):
            self.wrong("match must be a table", "match", help="write [match]")
            return {}
        groups = match.pop("any", [])
        values = self.checked(match, MATCH, (), "match")
        rules: dict[str, Any] = {
            key: self.predicates(values.get(key, ()), f"match.{key}") for key in ("require", "refute", "support")
        }
        self.predicates(values.get("seen_in", ()), "match.seen_in")
        rules["seen_in"] = values.get("seen_in", ())
        rules["provided"] = values.get("provided", "")
        if not isinstance(groups, list):
            self.wrong("match.any must be a list of tables", "match.any", help="write [[match.any]]")
            groups = []
        rules["any"] = tuple(
            self.predicates(
                self.checked(group, {"all": _TEXTS}, ("all",), f"match.any[{index}]").get("all", ()),
                f"match.any[{index}].all",
            )
            for index, group in enumerate(groups)
        )
        return rules

    def predicates(self, texts: Sequence[str], place: str) -> tuple[Predicate, ...]:
        from kb.cases.predicate import parse as parse_predicate

        start = self.where.get(place, 1)
        found = []
        for text in texts:
            line = self.line_of(text, start)
            try:
                found.append(parse_predicate(text, path=self.path, line=line))
            except CaseInvalid as error:
                self.errors.append(error)
        return tuple(found)

    def line_of(self, text: str, start: int) -> int:
        """The line a text of a list stands on: the list may run over several."""
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        for index in range(start - 1, min(start + 80, len(self.lines))):
            if text in self.lines[index] or escaped in self.lines[index]:
                return index + 1
        return start


def _fits(value: Any, schema: str) -> bool:
    if isinstance(value, str):
        return schema != _TEXTS
    return schema != _TEXT and isinstance(value, list) and all(isinstance(item, str) for item in value)


def _quote_help(value: Any) -> str:
    if isinstance(value, str):
        return "put it in brackets: [...]"
    return f'put it in quotes: "{value}"' if isinstance(value, int | float) else "put each text in quotes"
