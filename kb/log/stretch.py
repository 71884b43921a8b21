"""Lines whose bytes come again, printk's stamps aside: they need no decoding the second time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, count

from kb.log.scan import NOTICES, line_test
from kb.log.tape import Cursor
from kb.model.log import Line

_STAMP = re.compile(rb"\[ {0,8}(\d{1,10}\.\d{6})\]")


class Stretch:
    """Lines of an input, one behind the other.

    Args:
        lines: Lines of which each is one physical line with one stamp of printk (:func:`plain`).
    """

    __slots__ = ("_between", "_last", "_lines", "_notable", "_parts", "_size")

    def __init__(self, lines: Sequence[Line]):
        self._lines, self._last = lines[:-1], len(lines[-1].raw)
        ends = list(accumulate([len(line.raw) for line in lines]))
        self._parts = [
            (line.text, end - len(line.raw), end, line[5:]) for line, end in zip(self._lines, ends, strict=False)
        ]
        """Of each but the last: its text, where it begins and ends, and what follows the time in a line."""
        raw = b"".join([line.raw for line in lines])
        self._between = _STAMP.split(raw)[0::2]
        self._size = len(raw)
        self._notable: list[int] | None = None

    def notable(self, again: Sequence[Line]) -> list[Line]:
        """Those of the lines that have come again which may be notices: the same each time."""
        if self._notable is None:
            test = line_test(NOTICES)
            self._notable = [index for index, line in enumerate(self._lines) if test(line.text)]
        return [again[index] for index in self._notable]

    def again(self, cursor: Cursor, until: float) -> list[Line] | None:
        """The next lines of an input but the last, which are taken from it; None where they are others.

        Args:
            cursor: The place in the input.
            until: Time that none of them has reached (s since boot).
        """
        block = cursor.ahead(self._size)
        if len(block) < self._size:
            return None
        parts = _STAMP.split(block)
        if parts[0::2] != self._between:
            return None
        times = list(map(float, parts[1::2]))
        if max(times) >= until:
            return None
        new, number = tuple.__new__, cursor.number
        found = [
            new(Line, (text, at, at, block[start:end], time, *rest))
            for at, time, (text, start, end, rest) in zip(count(number), times, self._parts, strict=False)
        ]
        cursor.skip(self._size - self._last, len(found))
        return found


def plain(lines: Sequence[Line]) -> bool:
    """Whether each line is one physical line behind the one before, and the stamp that it has is all that is one."""
    number = lines[0].number
    return all(
        line.number == line.last == at
        and not line.continued
        and line.time is not None
        and line.raw.endswith(b"\n")
        and len(_STAMP.findall(line.raw)) == 1
        for at, line in enumerate(lines, number)
    )


def unstamped(line: Line) -> tuple[bytes, ...]:
    """The bytes of a line without its stamps."""
    return tuple(_STAMP.split(line.raw)[0::2])
