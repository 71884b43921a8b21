"""Recordings of a terminal by asciinema: what it showed, in order.

asciicast v2 and v3: a head of JSON on the first line, then an event a line, ``[time, "o", text]``; v1: one document
whose ``stdout`` holds ``[delay, text]``. A text may end anywhere, in a word too.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_EVENT = re.compile(rb'\[\s{0,40}[\d.]{1,30},\s{0,40}("(?:[^"\\]|\\.){0,100000}")\s{0,40}\]')
"""An event of version 1."""
_LARGEST = 16 << 20
"""Bytes of a line, and of a document."""
_NOTE = "line numbers are those of the terminal's output"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The terminal's output."""
    rows = lines_of(read, _LARGEST)
    yield Member("", pieces(_output(rows)), text=True, note=_NOTE)


def _output(rows: Iterator[bytes]) -> Iterator[bytes]:
    held = next(rows, b"")
    head = _value(held)
    if head is None:  # version 1: one document
        text = bytearray(held)
        for row in rows:
            text += row
            if len(text) > _LARGEST:
                break
        head = _value(text)
        if head is None:  # cut, or longer than is held: the events that are whole
            yield from (_text([0, _value(found[1])]) for found in _EVENT.finditer(text))
            return
    if isinstance(head, dict) and isinstance(head.get("stdout"), list):
        yield from map(_text, head["stdout"])
        return
    for row in rows:
        yield _text(_value(row), "o")


def _text(event: Any, code: str | None = None) -> bytes:
    """What an event shows: its last member, where its code is the one of output."""
    if not isinstance(event, list) or len(event) < 2 or not isinstance(event[-1], str):
        return b""
    shown = event[-1] if code is None or event[1] == code else ""
    return shown.encode("utf-8", "surrogateescape" if shown.isascii() else "replace")


def _value(row: bytes | bytearray) -> Any:
    try:
        return json.loads(row)
    except (ValueError, RecursionError):
        return None
