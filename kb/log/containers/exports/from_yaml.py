"""YAML in which logs stand: a document a record, as ``gcloud logging read`` prints; texts in quotes, as kubectl does.

Of YAML 1.2 only what such tools write: ``---`` between records, mappings, scalars plain, in quotes, or as a block;
a text in double quotes is folded over lines (7.3.1), all others can be read as they stand.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

from kb.log.containers.exports.document import packed
from kb.log.containers.exports.records import TEXT, Record, ordered, record
from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Pushed, Read

_FIELD = re.compile(r"( {0,8})([\w.@/-]{1,64}):(?: (.*))?$")
_BLOCK = re.compile(r"[|>][+-]?$")
_NOTE = "line numbers are those of the exported messages, a line each, the oldest first"
_REST = re.compile(r'((?:[^"\\]|\\.)*)"\s*$')
_HEAD = 8192
"""Bytes by which it is told which of the two they are."""
_LARGEST = 1 << 20
"""Characters of a text."""


_CLUSTER = re.compile(rb"^(?:apiVersion|kind|items|status): ?", re.M)
"""What Kubernetes' objects begin with."""
_QUOTED = re.compile(
    r'(?P<before> {0,80}(?:- ){0,8}(?:"?[\w./ -]{1,80}"?: {1,8})?)"(?P<text>(?:[^"\\]|\\.)*)(?P<end>"?)'
)
_BASE64 = re.compile(rb" {0,80}([\w.-]{1,253}): ?\"?([A-Za-z0-9+/]{64,}={0,2})\"?\r?\n?$", re.A)
"""A secret, a configuration's ``binaryData``."""
_CODED = re.compile(rb"^ {0,80}(?:- )?[\w.-]{1,253}: \"?[A-Za-z0-9+/]{64}", re.A | re.M)
_FOLDED = re.compile(rb'^ {0,80}(?:- ){0,8}(?:[\w./-]{1,80}: )?"(?:[^"\\\n]|\\[^n\n])*\\n', re.M)
_OPENS = re.compile(
    rb"^( {0,80})(?:(?:- ){1,8}|(?:- ){0,8}\"?[\w./-][\w./ -]{0,80}\"?: {1,8})"
    rb"\|(?:([1-9])[+-]?|[+-]?([1-9])?)[ \r]{0,8}\n",
    re.A | re.M,
)
"""A block begins behind this line."""
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "e": "\x1b",
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "v": "\v",
    "f": "\f",
    "_": " ",
}
_TEXT_NOTE = "line numbers are those of the document with its texts unfolded"


def needed(head: bytes) -> bool:
    """Whether bytes begin with a record that has a text, or with a document that has texts in quotes."""
    return _is_records(head) or any(each.search(head) is not None for each in (_CLUSTER, _FOLDED, _OPENS, _CODED))


def _is_records(head: bytes) -> bool:
    first, *rows = head.decode("utf-8", "replace").split("\n")[:200]
    found = [_FIELD.match(row.rstrip("\r")) for row in rows]
    return (
        first.rstrip() == "---" and found[:1] != [None] and any(each is not None and each[2] in TEXT for each in found)
    )


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages, or the document with its texts as they were."""
    head = read(_HEAD)
    rows = lines_of(Pushed(head, read).read)
    if _is_records(head):
        yield Member("", pieces(ordered(_records(rows), walk, name)), text=True, note=_NOTE)
    else:
        held: list[tuple[str, bytes]] = []
        yield Member("", pieces(_unfolded(_flush(_without(rows, held, walk)))), text=True, note=_TEXT_NOTE)
        while held:
            inner, data = held.pop(0)
            walk.release(len(data))
            yield Member(inner, pieces(iter((data,))))


def _without(rows: Iterator[bytes], held: list[tuple[str, bytes]], walk: Walk) -> Iterator[bytes]:
    """The same lines; what values in base64 encode is held."""
    for raw in rows:
        found = _BASE64.match(raw)
        data = packed(found[2].decode("ascii")) if found is not None else None
        if found is not None and data is not None and walk.keeps(len(data)):
            held.append((found[1].decode("ascii"), data))
        yield raw


def _flush(rows: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines, those of blocks without the indentation that YAML puts before them (8.1.1.1)."""
    outer, indent = -1, 0
    for raw in rows:
        blanks = len(raw) - len(raw.lstrip(b" "))
        if outer >= 0 and raw.strip() and blanks <= outer:
            outer = -1
        if outer < 0:
            if (opened := _OPENS.match(raw)) is not None:
                outer, more = len(opened[1]), int(opened[2] or opened[3] or 0)
                indent = outer + more if more else 0
            yield raw
            continue
        indent = indent or (blanks if raw.strip() else 0)
        yield raw[min(indent, blanks) :]


def _unfolded(rows: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a document, those in double quotes as they were before they were folded."""
    for raw in rows:
        found = _QUOTED.match(raw.decode("utf-8", "surrogateescape"))
        if found is None or (found["end"] and "\\n" not in found["text"]):
            yield raw
            continue
        held = [found["text"].rstrip("\r\n")]
        size, ended = 0, bool(found["end"])
        while not ended and size < _LARGEST and (raw := next(rows, b"")):
            line = raw.decode("utf-8", "surrogateescape").strip()
            rest = _REST.match(line)
            held.append(line if rest is None else rest[1])
            size, ended = size + len(line), rest is not None
        said = _ESCAPED.sub(_escaped, _folded(held))
        yield (found["before"].rstrip() + "\n" + said.rstrip("\n") + "\n").encode("utf-8", "surrogateescape")


def _folded(rows: list[str]) -> str:
    """Lines of a text in quotes as one: a line break is a blank, none behind a backslash, an empty line is a break."""
    out = ""
    for at, row in enumerate(rows):
        cut = len(row) - len(row.rstrip("\\"))
        joins = cut % 2 == 1
        out += row[:-1] if joins else row
        if at + 1 < len(rows) and not joins:
            out += " " if row and rows[at + 1] else "\n" * (not rows[at + 1])
    return out


def _escaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        value = int(code, 16)
        return chr(value) if value < 0xD800 or 0xDFFF < value < 0x110000 else "\ufffd"
    return _ESCAPES.get(found[4], found[4])


def _records(rows: Iterator[bytes]) -> Iterator[Record]:
    fields: dict[str, Any] = {}
    block, indent = "", 0
    text: list[str] = []
    size = 0
    for raw in chain(rows, (b"---",)):
        row = raw.decode("utf-8", "replace").rstrip("\r\n")
        if block and (not row.strip() or row.startswith(" " * (indent + 1))):
            size += len(row) + 1
            if size < _LARGEST:
                text.append(row.strip(" ") + "\n")
            continue
        if block:
            fields[block], block = "".join(text), ""
        if row == "---":
            yield from filter(None, (record(fields),))
            fields = {}
            continue
        found = _FIELD.match(row)
        if found is not None and len(fields) < 1000:
            value = found[3] or ""
            if _BLOCK.match(value):
                block, indent, text, size = found[2], len(found[1]), [], 0
            else:
                fields[found[2]] = _scalar(value)


def _scalar(value: str) -> str:
    """A scalar out of its quotes."""
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return value
