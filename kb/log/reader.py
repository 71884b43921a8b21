"""Logical lines of one input, decoded only where a report may be.

A log is scanned as bytes for what opens reports (:mod:`kb.log.scan`); a window of lines is decoded around each hit and
grows as long as its consumer asks for more. Quiet stretches are never decoded. Line numbers are those of the input's
physical lines, also where the reader jumped.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO

from kb.log.decode import Cursor, decode
from kb.log.scan import Aside, find_openers, set_aside
from kb.log.wrap import SAMPLE, Habits, habits, rejoin
from kb.model.log import Line

_BACK = 12
"""Lines before a hit that a window begins with: borders, ``[ cut here ]``, ``CPU:`` lines of the same report."""
_BACK_BYTES = 64 << 10
"""Bytes before a hit in which those lines are looked for."""
_RECORD_LINES = 200
"""Lines before a hit inside a record of several lines: some twelve records of a journal."""
_INSIDE = re.compile(
    rb'[ \t]{0,40}"[\w.@]{1,64}" ?: ?(?P<pretty>)|    [A-Z_][A-Z0-9_]{1,63}=(?P<verbose>)'
    rb"|[A-Z_][A-Z0-9_]{2,63}=(?P<export>)|(?:[ \t]{0,40}\d{1,3},$)(?P<array>)"
)
"""How a line begins that stands inside a record of journalctl -o json-pretty, verbose, export or dmesg -J."""
_RECORD_STARTS = {
    "pretty": re.compile(rb"^[ \t]{0,40}(?:\},)?\{[ \t]{0,4}\r?$", re.M),
    "array": re.compile(rb"^[ \t]{0,40}(?:\},)?\{[ \t]{0,4}\r?$", re.M),
    "verbose": re.compile(rb"^[A-Z][a-z]{2} \d{4}-\d\d-\d\d [^\n]{1,60}\[s=", re.M),
    "export": re.compile(rb"(?<=\n\n)[A-Z_]{3,64}="),
}
_VERSION = re.compile(rb"Linux version (\d[\w.+~-]{1,100})")


class Reader:
    """The lines of one log.

    Args:
        data: The whole log, as it came.
        source: Its name, for reports.
        aside: Where the offsets of notices go that are passed on the way to reports; None: they are not looked for.
    """

    def __init__(self, data: bytes, source: str = "-", aside: Aside | None = None):
        self.data = data
        self.source = source
        self._aside = aside
        self._taken: list[tuple[int, int]] = []
        """The windows so far: in them, the search for openers saw no notice."""
        self._done = 0
        """Offset behind the last line that a window's consumer took."""
        self._counted = (0, 1)
        """An offset and the number of the line that begins there: where the next count starts."""
        self._habits: dict[int, Habits] = {}
        """How lines were broken, by stretch."""
        self._boots: list[tuple[int, str]] | None = None

    def lines(self, offset: int = 0, number: int = 1) -> Iterator[Line]:
        """Logical lines from a place on.

        Args:
            offset: Byte offset, the start of a line.
            number: Number of that line, 1-based.
        """
        for line, _ in self._decode(offset, number):
            if line is not None:
                yield line

    def windows(self) -> Iterator[Iterator[Line]]:
        """For each candidate not yet consumed, the lines from a little before it to the end of the log.

        The consumer stops taking lines when its report is over; the next window begins at the first candidate behind
        the last line it took.
        """
        while True:
            hit = next(find_openers(self.data, self._done, self._aside), None)
            if hit is None:
                return
            begin = self._begin(hit)
            yield from self._around(hit, begin)
            if self._taken and begin <= self._taken[-1][1]:  # a flood of candidates is one stretch
                begin = self._taken.pop()[0]
            self._taken.append((begin, self._done))

    def noticed(self) -> Iterator[Iterator[Line]]:
        """The same around each notice, once the windows are through. Line numbers and boots are those of the log."""
        aside = self._aside or Aside()
        for begin, end in self._taken:
            set_aside(self.data, begin, end, aside)
        again = Reader(self.data, self.source)
        for hit in sorted(aside.offsets):
            while hit >= again._done:
                yield from again._around(hit, again._begin(hit))

    def _around(self, hit: int, begin: int) -> Iterator[Iterator[Line]]:
        before = self._done
        yield self._window(begin)
        if self._done <= hit and self._done == before:
            self._done = self._line_end(hit)  # nothing was taken: the candidate is declined

    def _decode(self, offset: int, number: int) -> Iterator[tuple[Line | None, int]]:
        lines = decode(Cursor(self.data, offset, number))
        block = offset // SAMPLE
        if block not in self._habits:
            self._habits[block] = habits(self.data, offset)
        how = self._habits[block]
        return rejoin(lines, how) if how.any else lines

    def _window(self, start: int) -> Iterator[Line]:
        for line, end in self._decode(start, self._number(start)):
            self._done = max(self._done, end)
            if line is not None:
                yield line

    def _begin(self, hit: int) -> int:
        """Offset of the line some lines before a hit, not before what was consumed."""
        line = self._line_start(hit)
        inside = _INSIDE.match(self.data, line)
        start = self._back(hit, _BACK if inside is None else _RECORD_LINES)
        if inside is None:
            if self._layout is None:
                return start
            start = self._back(hit, _RECORD_LINES)
        layout = self._layout if inside is None else inside.lastgroup
        heads = [found.start() for found in _RECORD_STARTS[layout or "pretty"].finditer(self.data, start, hit)]
        return heads[-_BACK] if len(heads) >= _BACK else heads[0] if heads else self._back(hit, _BACK)

    @property
    def _layout(self) -> str | None:
        """The records of several lines that the log consists of, by its first lines."""
        head = self.data[:4096]
        return next((name for name in ("verbose", "export") if _RECORD_STARTS[name].search(b"\n\n" + head)), None)

    def _back(self, hit: int, lines: int) -> int:
        """Offset of the line so many lines before the one with the hit."""
        floor = max(self._done, hit - _BACK_BYTES)
        start = hit
        for _ in range(lines + 1):
            newline = self.data.rfind(b"\n", floor, start)
            if newline < 0:
                if floor == self._done:
                    return floor
                return start + 1 if start < hit else self._line_start(hit)
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
        before = bisect_right(self.boots, number, key=itemgetter(0))
        return self.boots[before - 1][1] if before else None


def follow(stream: BinaryIO, idle: float = 1.0, start: bytes = b"") -> Iterator[Line | None]:
    """Lines of an input that may never end, as they come.

    Args:
        stream: A binary file: a pipe, a socket's file, a terminal.
        idle: Seconds of silence after which None is yielded, once a silence.
        start: Bytes of the input that were read before.
    """
    from kb.log.stream import follow as follow_stream

    return follow_stream(stream, idle, start)
