"""The bytes of an input that may be longer than memory, or never end: a window over them that moves on.

Offsets are those of the whole input. What lies behind the window is dropped; whoever asks for more says from where on
it still wants to see the bytes.
"""

from __future__ import annotations

import functools
import io
import os
import select
import stat
import time
from typing import TYPE_CHECKING, BinaryIO

from kb.log.files import limit, within
from kb.log.text import encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from kb.log.records import Piece
    from kb.log.unpack import Pushed


LONGEST = 64 << 10
"""Bytes of a physical line that are read at once; a longer one comes in pieces."""
CHUNK = 1 << 20
"""Bytes that are read at a time."""
WHOLE = 4 << 20
"""Bytes up to which all of an input is in the window when it has settled."""
PATIENCE = 0.25
"""Seconds after which an input that is still being written counts as silent."""


_SETTLED = 1.0
"""Seconds in which a live input that was piped or pasted has come, at most."""


class Tape:
    """A window over an input.

    Args:
        source: Its bytes, or a binary file: one whose descriptor is a pipe, a socket or a terminal is live, which means
            that a read gives what is there and a silence is told.
        chunk: Bytes read at a time.
        start: Bytes of the file that were read before.
        base: Offset in the input at which a plain file stands: what is before it is read for the lines' numbers only.
    """

    def __init__(self, source: bytes | BinaryIO | Pushed, chunk: int = CHUNK, start: bytes = b"", base: int = 0):
        self.base = base
        """Offset of the first byte of :attr:`data`."""
        self.data = source if isinstance(source, bytes) else start
        self.ended = isinstance(source, bytes)
        """True when the input is over: there is nothing behind :attr:`data`."""
        self._stream = None if isinstance(source, bytes) else source
        self._chunk = chunk
        self._counted = (0, 1)
        """An offset and the number of the line that begins there: where the next count starts."""
        self._descriptor = _descriptor(self._stream)
        self._origin = 0 if self._descriptor is None else _position(self._stream) - len(start) - base
        self._ticked = 0.0
        self._allowed: Callable[[int], None] = lambda size: None
        self._watch: list[Callable[[bytes], None]] = []
        self._regular = self._descriptor is not None and stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self.live = self._stream is not None and is_live(self._stream)
        """True for an input that is still being written, as far as anybody knows."""
        self.outer: BinaryIO | None = None
        """The file that it is of: itself, packed, or in an archive."""
        self.paused: Callable[[], None] | None = None
        """Called when a live input is silent."""
        self.going: Callable[[], None] | None = None
        """Called when a live input is not."""

    @property
    def end(self) -> int:
        """Offset behind the last byte that was read."""
        return self.base + len(self.data)

    @property
    def whole(self) -> bool:
        """True when the window is all of the input."""
        return self.ended and not self.base

    @property
    def plain_file(self) -> BinaryIO | None:
        """The file, where it is a plain one that is read from its beginning as it stands."""
        whole = self._can_go_back and self.base == 0 and self._origin == 0
        return self._stream if whole and isinstance(self._stream, io.BufferedReader | io.FileIO) else None

    def limit(self, name: str, said: str) -> None:
        """Let an input that is not live have so many bytes as :func:`kb.log.files.limit` says, and no more."""
        if not self.live:
            self._allowed = functools.partial(within, most=limit(), name=name, said=said)
            self._allowed(self.end)

    def watch(self, seen: Callable[[bytes], None]) -> None:
        """Let somebody see all bytes that are read, in order."""
        self._watch.append(seen)
        seen(self.data)

    def settle(self) -> None:
        """Read what fits into the window: how the lines of a text were broken is seen only in all of it.

        A live input is given a moment: a log that is piped or pasted comes at once, one that is being written goes on.
        """
        until = None
        while not self.ended and len(self.data) < WHOLE:
            if not self.fill(0) and self.data:
                break
            if self.live and self.data:
                until = until or time.monotonic() + _SETTLED
                if time.monotonic() > until:
                    break

    def fill(self, keep: int) -> bool:
        """Read on.

        Args:
            keep: Offset from which on bytes stay in the window.

        Returns:
            False where a live input was silent for :data:`PATIENCE`, and once a second where it is not; True otherwise,
            also where the input has ended.
        """
        if self.ended:
            return True
        assert self._stream is not None
        if self.live and not _ready(self._descriptor):
            self._ticked = time.monotonic()
            if self.paused is not None:
                self.paused()
            return False
        if self.live and self.going is not None:
            self.going()
        more = self._read()
        if not more:
            self.ended = True
            return True
        for seen in self._watch:
            seen(more)
        keep = min(max(keep, self.base), self.end)
        if not self._can_go_back and keep > self._counted[0]:
            self.number(keep)
        self.data = self.data[keep - self.base :] + more
        self.base = keep
        self._allowed(self.end)
        return not (self.live and self._tick())

    def _tick(self) -> bool:
        """True once a second, so that an input that never pauses is told of as one that does."""
        now = time.monotonic()
        if now - self._ticked < 1.0:
            return False
        self._ticked = now
        return True

    def rest(self) -> bytes:
        """All that is in the window and behind it: of a tape that nobody has read, the whole input."""
        if self.ended:
            return self.data
        held = io.BytesIO()
        held.write(self.data)
        while not self.ended:
            end = self.end
            self.fill(end)
            held.write(self.data[end - self.base :])
        return held.getvalue()

    def line_end(self, offset: int) -> int:
        """Offset behind the end of the line that holds an offset; the end of what was read for a line without one."""
        end = self.data.find(b"\n", offset - self.base)
        return self.end if end < 0 else self.base + end + 1

    def newline_before(self, floor: int, offset: int) -> int:
        """Offset of the last line end in ``floor <= at < offset``, -1 for none."""
        found = self.data.rfind(b"\n", max(floor - self.base, 0), offset - self.base)
        return -1 if found < 0 else self.base + found

    def number(self, offset: int) -> int:
        """Number of the line that begins at an offset, 1-based; counts on from the last one asked for."""
        known, number = self._counted
        if self.base <= offset < known:
            number -= self.data.count(b"\n", offset - self.base, min(known, self.end) - self.base)
        else:
            if offset < known:
                known, number = 0, 1
            if known < self.base:
                behind = min(offset, self.base)
                number += self._passed(known, behind)
                known = behind
            number += self.data.count(b"\n", known - self.base, offset - self.base)
        self._counted = (offset, number)
        return number

    @property
    def _can_go_back(self) -> bool:
        """True for a plain file: lines that were passed are counted only if somebody asks for a number."""
        return self._regular and hasattr(os, "pread")

    def _passed(self, start: int, end: int) -> int:
        """Line ends of bytes that are no longer in the window, read once more."""
        assert self._descriptor is not None
        found = 0
        while start < end:
            part = os.pread(self._descriptor, min(self._chunk, end - start), self._origin + start)
            if not part:
                break
            found += part.count(b"\n")
            start += len(part)
        return found

    def _read(self) -> bytes:
        stream = self._stream
        assert stream is not None
        if self.live:
            assert self._descriptor is not None
            return os.read(self._descriptor, self._chunk)
        read = getattr(stream, "read1", stream.read)
        pieces: list[bytes] = []
        size = 0
        while size < self._chunk:
            piece = read(self._chunk - size)
            if not piece:
                self.ended = True
                break
            pieces.append(piece if isinstance(piece, bytes) else encoded(piece))
            size += len(pieces[-1])
        return b"".join(pieces)


class Cursor:
    """A place on a tape: its bytes line by line, with numbers and offsets."""

    __slots__ = ("_file", "_held", "_seen", "_tape", "_whole", "number", "offset")

    def __init__(self, tape: Tape, offset: int = 0, number: int = 1):
        self._tape = tape
        self.offset = offset
        """Offset behind the last piece read."""
        self.number = number
        """Number of the next line."""
        self._whole = True
        self._held: Piece | None = None
        self._open()

    def line(self) -> Piece:
        """The next physical line, its number, and whether it continues the piece before.

        b"" at the end of the input; None where a live input is silent: to be asked again.
        """
        if self._held is not None:
            held, self._held = self._held, None
            self.offset += len(held[0] or b"")
            return held
        raw = self._file.readline(LONGEST)
        while not raw.endswith(b"\n") and len(raw) < LONGEST and not self._tape.ended:
            told = self._tape.fill(self.offset)
            self._open()
            if not told:
                return None, self.number, False
            raw = self._file.readline(LONGEST)
        self.offset += len(raw)
        number, piece = self.number, not self._whole
        self._whole = raw.endswith(b"\n")
        self.number += self._whole
        return raw, number, piece

    def read(self, size: int) -> bytes:
        """Bytes of a binary field; waits for them."""
        data = self._file.read(size)
        while len(data) < size and not self._tape.ended:
            self._tape.fill(self.offset)
            self._open()
            data = self._file.read(size)
        self.offset += len(data)
        self.number += data.count(b"\n")
        self._whole = data.endswith(b"\n")
        return data

    def ahead(self, size: int) -> bytes:
        """The bytes that come next, as far as they have been read; fewer where they have not."""
        start = self.offset - self._tape.base
        return self._tape.data[start : start + size] if self._held is None and self._whole else b""

    def skip(self, size: int, lines: int) -> None:
        """Pass bytes that :meth:`ahead` gave: whole lines, so many."""
        self.offset += size
        self.number += lines
        self._open()

    def back(self, piece: Piece) -> None:
        """Put the last line back."""
        self._held = piece
        self.offset -= len(piece[0] or b"")

    def _open(self) -> None:
        self._file = io.BytesIO(self._tape.data)  # shares the bytes: nothing is copied
        self._file.seek(self.offset - self._tape.base)


def is_live(stream: BinaryIO | Pushed) -> bool:
    """Whether a file is a pipe, a socket or a terminal: what somebody may still write to."""
    descriptor = _descriptor(stream)
    if descriptor is None:
        return False
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


def _descriptor(stream: BinaryIO | Pushed | None) -> int | None:
    """The descriptor of a file that is read as it stands: an unpacker has that of the packed file."""
    if stream is None or not isinstance(stream, io.BufferedReader | io.FileIO):
        return None
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _position(stream: BinaryIO | Pushed | None) -> int:
    """Where a plain file is read from: a shell may have read its beginning."""
    try:
        return stream.tell() if isinstance(stream, io.BufferedReader | io.FileIO) else 0
    except (OSError, ValueError):
        return 0


def _ready(descriptor: int | None) -> bool:
    """False when nothing came for a while."""
    if descriptor is None:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE)[0])
    except (OSError, ValueError):  # Windows knows select() on sockets only
        return True
