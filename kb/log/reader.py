"""Logical lines of one input, decoded only where a report may be.

A log is scanned as bytes for what opens reports (:mod:`kb.log.scan`); a window of lines is decoded around each hit and
grows as long as its consumer asks for more. Quiet stretches are never decoded. Line numbers are those of the input's
physical lines, also where the reader jumped.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.decode import Cursor, decode
from kb.log.scan import find_openers
from kb.model.log import Line

_BACK = 12
"""Lines before a hit that a window begins with: borders, ``[ cut here ]``, ``CPU:`` lines of the same report."""
_BACK_BYTES = 64 << 10
"""Bytes before a hit in which those lines are looked for."""
_VERSION = re.compile(rb"Linux version (\d[\w.+~-]{1,100})")


class Reader:
    """The lines of one log.

    Args:
        data: The whole log, as it came.
        source: Its name, for reports.
    """

    def __init__(self, data: bytes, source: str = "-"):
        self.data = data
        self.source = source
        self._done = 0
        """Offset behind the last line that a window's consumer took."""
        self._counted = (0, 1)
        """An offset and the number of the line that begins there: where the next count starts."""
        self._boots: list[tuple[int, str]] | None = None

    def lines(self, offset: int = 0, number: int = 1) -> Iterator[Line]:
        """Logical lines from a place on.

        Args:
            offset: Byte offset, the start of a line.
            number: Number of that line, 1-based.
        """
        for line, _ in decode(Cursor(self.data, offset, number)):
            if line is not None:
                yield line

    def windows(self) -> Iterator[Iterator[Line]]:
        """For each candidate not yet consumed, the lines from a little before it to the end of the log.

        The consumer stops taking lines when its report is over; the next window begins at the first candidate behind
        the last line it took.
        """
        hits = find_openers(self.data, self._done)
        for hit in hits:
            if hit < self._done:
                continue
            before = self._done
            yield self._window(self._begin(hit))
            if self._done <= hit and self._done == before:
                self._done = self._line_end(hit)  # nothing was taken: the candidate is declined
            hits = find_openers(self.data, self._done)
        return

    def _window(self, start: int) -> Iterator[Line]:
        for line, end in decode(Cursor(self.data, start, self._number(start))):
            self._done = max(self._done, end)
            if line is not None:
                yield line

    def _begin(self, hit: int) -> int:
        """Offset of the line some lines before a hit, not before what was consumed."""
        data, floor = self.data, max(self._done, hit - _BACK_BYTES)
        start = hit
        for _ in range(_BACK + 1):
            newline = data.rfind(b"\n", floor, start)
            if newline < 0:
                return self._done if floor == self._done else self._line_start(hit)
            start = newline
        return start + 1

    def _line_start(self, offset: int) -> int:
        return self.data.rfind(b"\n", self._done, offset) + 1 or self._done

    def _line_end(self, offset: int) -> int:
        end = self.data.find(b"\n", offset)
        return len(self.data) if end < 0 else end + 1

    def _number(self, offset: int) -> int:
        """Number of the line that begins at an offset; counts on from the last one asked for."""
        known, number = self._counted
        if offset < known:
            known, number = 0, 1
        number += self.data.count(b"\n", known, offset)
        self._counted = (offset, number)
        return number

    @property
    def boots(self) -> list[tuple[int, str]]:
        """Line number and kernel release of each ``Linux version`` line, in order."""
        if self._boots is None:
            known, number, found = 0, 1, []
            for hit in _VERSION.finditer(self.data):
                number += self.data.count(b"\n", known, hit.start())
                known = hit.start()
                found.append((number, hit[1].decode("ascii", "replace")))
            self._boots = found
        return self._boots

    def release_at(self, number: int) -> str | None:
        """Kernel release of the boot that a line belongs to, None where no boot message stands before it."""
        release = None
        for line, found in self.boots:
            if line > number:
                break
            release = found
        return release


def follow(stream: BinaryIO, idle: float = 1.0) -> Iterator[Line | None]:
    """Lines of an input that may never end, as they come.

    Args:
        stream: A binary file: a pipe, a socket's file, a terminal.
        idle: Seconds of silence after which None is yielded, once a silence.
    """
    from kb.log.stream import follow as follow_stream

    return follow_stream(stream, idle)
