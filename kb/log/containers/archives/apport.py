"""apport's crash files: fields like those of a mail's head, some of them base64.

apport's problem_report.py, ``ProblemReport.write()``: ``Name: value``; ``Name:`` with lines that begin with a blank;
``Name: base64`` with lines each of which is base64 of its own: a gzip header, raw deflate, the trailer; or zstd.
"""

import binascii
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The fields of several lines, and the short ones that say what machine it was."""
    rows = lines_of(read)
    row = next(rows, b"")
    while row:
        field, _, value = row.partition(b":")
        body = _Body(rows)
        key, value = field.decode("utf-8", "replace").strip(), value.strip()
        if not walk.member():
            return
        if value == b"base64":
            yield Member(key, pieces(map(_decoded, body)))
        elif value:
            yield Member(key, pieces(chain((value + b"\n",), body)))
        else:
            yield Member(key, pieces(row[1:] for row in body))
        row = body.rest()


class _Body:
    """The lines of a field, up to the head of the next one."""

    def __init__(self, rows: Iterator[bytes]):
        self._rows = rows
        self._head: bytes | None = None

    def __iter__(self) -> Iterator[bytes]:
        while self._head is None:
            row = next(self._rows, b"")
            if not row.startswith(b" "):
                self._head = row
                return
            yield row

    def rest(self) -> bytes:
        """The head of the next field, b"" at the end."""
        for _ in self:
            pass
        return self._head or b""


def _decoded(row: bytes) -> bytes:
    try:
        return binascii.a2b_base64(row)
    except binascii.Error:
        return b""
