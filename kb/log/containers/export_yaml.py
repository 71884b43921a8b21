"""Logs exported as YAML, a document a record: what ``gcloud logging read`` prints.

Of YAML 1.2 only what such tools write: ``---`` between records, mappings, scalars plain, in quotes, or as a block.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO

from kb.log.containers.export import TEXT, Record, ordered, record
from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_FIELD = re.compile(r"( {0,8})([\w.@/-]{1,64}):(?: (.*))?$")
_BLOCK = re.compile(r"[|>][+-]?$")
_NOTE = "line numbers are those of the exported messages, a line each, the oldest first"
_LARGEST = 1 << 20
"""Characters of a text."""


def needed(head: bytes) -> bool:
    """Whether bytes begin with a record that has a text."""
    first, *rows = head.decode("utf-8", "replace").split("\n")[:200]
    found = [_FIELD.match(row.rstrip("\r")) for row in rows]
    return (
        first.rstrip() == "---" and found[:1] != [None] and any(each is not None and each[2] in TEXT for each in found)
    )


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages."""
    yield Member("", pieces(ordered(_records(lines_of(read)), walk, name)), text=True, note=_NOTE)


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
