"""Recordings of a terminal by ttyrec: frames of what it showed, in order.

A frame is a head of three 32-bit numbers, little endian (seconds, microseconds, length), and its bytes; a frame may end
anywhere, in a word too (ttyrec 1.0.8 ttyrec.h).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_HEAD = struct.Struct("<3I")
_OLDEST = 800_000_000
"""Seconds since 1970: 1995, before any recording."""
_LARGEST = 1 << 20
"""Bytes of a frame; a terminal reads some thousand at a time."""
_NOTE = "line numbers are those of the terminal's output"


def needed(head: bytes) -> bool:
    """Whether bytes are frames, one behind the other, none before the one before it."""
    at, before, frames = 0, _OLDEST, 0
    while at + _HEAD.size <= len(head):
        seconds, micro, size = _HEAD.unpack_from(head, at)
        if seconds < before or micro >= 1_000_000 or not 0 < size <= _LARGEST:
            return False
        at, before, frames = at + _HEAD.size + size, seconds, frames + 1
    return frames > 0


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The terminal's output."""
    yield Member("", pieces(_output(read)), text=True, note=_NOTE)


def _output(read: Read) -> Iterator[bytes]:
    while len(head := _exactly(read, _HEAD.size)) == _HEAD.size:
        size = _HEAD.unpack(head)[2]
        if size > _LARGEST:
            return
        yield _exactly(read, size)


def _exactly(read: Read, size: int) -> bytes:
    """So many bytes, fewer at the end."""
    data = b""
    while len(data) < size and (piece := read(size - len(data))):
        data += piece
    return data
