"""Lines of an input that never ends (``journalctl -kf | kb match``): decoded as they come."""

import os
import select
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.decode import LONGEST, decode
from kb.log.files import Held, read_all
from kb.log.records import Piece
from kb.model.log import Line

_CHUNK = 1 << 16


class StreamCursor:
    """Physical lines of a live input, in the form :func:`kb.log.decode.decode` reads them.

    Args:
        stream: The input. With a file descriptor its silence is noticed; without, reading just blocks.
        idle: Seconds of silence after which one pause is told.
        start: Bytes of it that were read before.
    """

    def __init__(self, stream: BinaryIO, idle: float, start: bytes = b""):
        self.offset = 0
        self.number = 1
        self._stream = stream
        self._idle = idle
        self._buffer = start
        self._ended = False
        self._whole = True
        self._told = False
        self._held: Piece | None = None
        try:
            self._descriptor: int | None = stream.fileno()
        except (OSError, AttributeError, ValueError):
            self._descriptor = None

    def line(self) -> Piece:
        """The next line; b"" at the end of the input; None once when nothing came for a while."""
        if self._held is not None:
            held, self._held = self._held, None
            return held
        end = self._buffer.find(b"\n")
        while end < 0 and len(self._buffer) < LONGEST and not self._ended:
            if not self._ready():
                self._told = True
                return None, self.number, False
            seen = len(self._buffer)
            self._fill()
            end = self._buffer.find(b"\n", seen)
        size = min(len(self._buffer) if end < 0 else end + 1, LONGEST)
        raw, self._buffer = self._buffer[:size], self._buffer[size:]
        self.offset += size
        number, piece = self.number, not self._whole
        self._whole = raw.endswith(b"\n")
        self.number += self._whole
        return raw, number, piece

    def read(self, size: int) -> bytes:
        """Bytes of a binary field; waits for them."""
        while len(self._buffer) < size and not self._ended:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        self.offset += len(data)
        self.number += data.count(b"\n")
        self._whole = data.endswith(b"\n")
        return data

    def back(self, piece: Piece) -> None:
        """Put the last line back."""
        self._held = piece

    def _ready(self) -> bool:
        """False when nothing came for the time of a pause that was not told yet."""
        if self._descriptor is None or self._told:
            return True
        try:
            return bool(select.select([self._descriptor], [], [], self._idle)[0])
        except (OSError, ValueError):  # Windows knows select() on sockets only
            self._descriptor_lost()
            return True

    def _descriptor_lost(self) -> None:
        self._told = True

    def _fill(self) -> None:
        read1 = getattr(self._stream, "read1", None)
        if read1 is not None:
            data = read1(_CHUNK)
        elif self._descriptor is not None:
            data = os.read(self._descriptor, _CHUNK)
        else:
            data = self._stream.readline(_CHUNK)
        if data:
            self._buffer += data
            self._told = False
        else:
            self._ended = True


def gather(stream: BinaryIO, patience: float = 0.5) -> tuple[bytes, bool]:
    """What a stream gives before it first falls silent.

    Args:
        stream: A binary file.
        patience: Seconds of silence that end the wait.

    Returns:
        The bytes so far, and whether the stream has ended: one that has not is to be followed.

    Raises:
        InputError: It gives more than :func:`kb.log.files.limit` without a pause.
    """
    held = Held("-")
    try:
        descriptor = stream.fileno()
        select.select([descriptor], [], [], 0)
    except (OSError, AttributeError, ValueError):  # no descriptor, or one that cannot be waited on
        return read_all(stream.read, held), True
    while select.select([descriptor], [], [], patience if len(held) else None)[0]:
        data = os.read(descriptor, _CHUNK)
        if not data:
            return held.bytes(), True
        held.add(data)
    return held.bytes(), False


def follow(stream: BinaryIO, idle: float = 1.0, start: bytes = b"") -> Iterator[Line | None]:
    """Lines as they come; None once after ``idle`` seconds of silence.

    Args:
        stream: A binary file: a pipe, a socket's file, a terminal.
        idle: Seconds.
        start: Bytes of it that were read before (:func:`gather`).
    """
    for line, _ in decode(StreamCursor(stream, idle, start)):
        yield line
