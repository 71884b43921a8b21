r"""Events and tasks of a calendar (RFC 5545): what their descriptions say, each line of theirs a line.

A line of the file that is longer than 75 bytes goes on in the next, behind a blank (3.1); in a text a line end is
written ``\n``, a comma, a semicolon and a backslash have a backslash before them (3.3.11).
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_TEXT = re.compile(rb"(?:DESCRIPTION|COMMENT|SUMMARY)(?:;[^:\n]{0,200})?:", re.I)
_ESCAPED = re.compile(rb"\\([nN,;\\])")
_LARGEST = 16 << 20
"""Bytes of a property."""
_NOTE = "line numbers are those of the descriptions"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The texts."""
    yield Member("", pieces(_texts(lines_of(read))), text=True, note=_NOTE)


def _texts(rows: Iterator[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for row in rows:
        row = row.rstrip(b"\r\n")
        if row[:1] in (b" ", b"\t") and len(held) < _LARGEST:
            held += row[1:]
            continue
        yield _text(held)
        held[:] = row
    yield _text(held)


def _text(held: bytearray) -> bytes:
    found = _TEXT.match(held)
    if found is None:
        return b""
    return _ESCAPED.sub(lambda one: b"\n" if one[1] in b"nN" else one[1], bytes(held[found.end() :])) + b"\n"
