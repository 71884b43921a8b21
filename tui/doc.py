"""The text of one input, by physical line: held, or left in its file where that is large."""

import os
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb.api import Input

BLOCK = 1 << 14
"""Bytes between two places whose lines are counted: a few hundred lines are found at each look at one of them."""
_WINDOW = 1 << 20
"""Bytes that are searched at a time."""


class Doc:
    """An input and where its lines begin; one that is still being read grows.

    Args:
        name: What reports call it.
        part: Gives the bytes from an offset to another.
        size: Bytes of it; they are there, and counted once :meth:`grow` has told of them.
        notes: What was wrong with it.
    """

    def __init__(self, name: str, part: Callable[[int, int], bytes], size: int, notes: tuple[str, ...] = ()):
        self.name, self.notes, self._part, self._whole = name, notes, part, size
        self.size = 0
        """Bytes read so far."""
        self._ended = True  # by a line's end, as an empty text is
        self._counts = array("Q", [0])  # line ends before each block
        self._lines = 0
        self._block = (-1, array("Q"))  # the end of the bytes looked at last, and where lines begin in them

    @classmethod
    def of(cls, name: str, data: bytes, notes: tuple[str, ...] = ()) -> "Doc":
        """A text that is held."""
        doc = cls(name, lambda start, end: data[start:end], len(data), notes)
        doc.grow(data)
        return doc

    @classmethod
    def in_file(cls, each: "Input") -> "Doc":
        """A plain file that is about to be read."""
        file = each.tape.plain_file
        assert file is not None
        descriptor = os.dup(file.fileno())
        doc = cls(each.name, partial(_in_file, descriptor), os.fstat(descriptor).st_size, tuple(each.notes))
        weakref.finalize(doc, os.close, descriptor)
        each.tape.watch(doc.grow)
        return doc

    def grow(self, data: bytes) -> None:
        """Count the lines of the bytes that come next."""
        at = 0
        while at < len(data):
            step = min(BLOCK - self.size % BLOCK, len(data) - at)
            self._lines += data.count(b"\n", at, at + step)
            self.size, at = self.size + step, at + step
            if not self.size % BLOCK:
                self._counts.append(self._lines)
        if data:
            self._ended = data.endswith(b"\n")

    @property
    def read(self) -> float:
        """How much of it was read, 0 to 1."""
        return min(1.0, self.size / self._whole) if self._whole else 1.0

    def __len__(self) -> int:
        return self._lines + (not self._ended)

    def start(self, number: int) -> int:
        """Offset of a line, 1-based; that of the end for any line behind the last."""
        if number <= 1 or not self.size:
            return 0
        if number > len(self):
            return self.size
        block = bisect_left(self._counts, number - 1) - 1  # the one that holds the end of the line before
        starts = self._starts(block)
        place = number - 2 - self._counts[block]
        return int(starts[place]) if place < len(starts) else self.size  # fewer: the file was cut since

    def _starts(self, block: int) -> "array[int]":
        """Offsets behind the line ends of a block."""
        base, end = block * BLOCK, min((block + 1) * BLOCK, self.size)
        known, found = self._block
        if known != end:
            data = self._part(base, end)
            found, at = array("Q"), data.find(b"\n") + 1
            while at:
                found.append(base + at)
                at = data.find(b"\n", at) + 1
            self._block = (end, found)  # at once: another thread may read while it grows
        return found

    def line_at(self, offset: int) -> int:
        """Number of the line that holds an offset."""
        block = min(offset // BLOCK, len(self._counts) - 1)
        return int(self._counts[block]) + self._part(block * BLOCK, offset).count(b"\n") + 1

    def span(self, first: int, last: int) -> bytes:
        """Lines as they are."""
        return self._part(self.start(first), self.start(last + 1))

    def raw(self, number: int) -> bytes:
        """A line, 1-based, with its end."""
        return self.span(number, number)

    def text(self, number: int) -> str:
        """A line without its end; bytes that are no UTF-8 are surrogate-escaped."""
        return self.raw(number).rstrip(b"\r\n").decode("utf-8", "surrogateescape")

    def find(self, word: bytes, start: int, end: int) -> int:
        """Offset of the first place in ``start <= at < end`` that holds a word, capitals or not; -1 for none."""
        for at in range(start, end, _WINDOW):
            hit = self._part(at, min(at + _WINDOW, end) + len(word) - 1).lower().find(word.lower())
            if hit >= 0:
                return at + hit
        return -1

    def rfind(self, word: bytes, start: int, end: int) -> int:
        """Offset of the last place in ``start <= at < end`` that holds it; -1 for none."""
        for high, low in pairwise(reversed([*range(start, end, _WINDOW), max(start, end)])):
            hit = self._part(low, high + len(word) - 1).lower().rfind(word.lower())
            if hit >= 0:
                return int(low) + hit
        return -1


def _in_file(descriptor: int, start: int, end: int) -> bytes:
    return os.pread(descriptor, max(0, end - start), start)
