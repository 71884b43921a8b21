"""Where the lines around a place of an input begin and end, and the records of several lines that it stands in."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb.log.tape import Tape
    from kb.log.wrap import Habits

BACK = 64
"""Lines before a hit that a window begins with: borders, ``[ cut here ]``, registers above a stack without headline."""
_RECORDS = 12
"""Records before a hit that a window begins with, where a record has several lines."""
BACK_BYTES = 64 << 10
"""Bytes before a hit in which those lines are looked for."""
RECORD_LINES = 200
"""Lines before a hit inside a record of several lines: some twelve records of a journal."""
INSIDE = re.compile(
    rb'[ \t]{0,40}"[\w.@]{1,64}" ?: ?(?P<pretty>)|    [A-Z_][A-Z0-9_]{1,63}=(?P<verbose>)'
    rb"|[A-Z_][A-Z0-9_]{2,63}=(?![\"'$])(?P<export>)|(?:[ \t]{0,40}\d{1,3},$)(?P<array>)"
    rb"|[^\0-\x1f][\0-\x7f]\0{6}(?P<binary>)"
)
"""How a line begins that stands inside a record of journalctl -o json-pretty, verbose, export or dmesg -J; a shell's
variable stands in quotes."""
_RECORD_STARTS = {
    "pretty": re.compile(rb"^[ \t]{0,40}(?:\},)?\{[ \t]{0,4}\r?$", re.M),
    "array": re.compile(rb"^[ \t]{0,40}(?:\},)?\{[ \t]{0,4}\r?$", re.M),
    "verbose": re.compile(rb"^[^\s\d]{1,36} \d{4}-\d\d-\d\d [^\n]{1,60}\[s=", re.M),
    "binary": re.compile(rb"(?<=\n\n)[A-Z_]{3,64}="),
    "export": re.compile(rb"(?<=\n\n)[A-Z_]{3,64}="),
}


class Places:
    """Places in an input.

    Args:
        tape: The input.
    """

    def __init__(self, tape: Tape):
        self.tape = tape
        self.done = 0
        """Offset behind the last line that a window's consumer took."""
        self._habits: dict[int, Habits] = {}
        """How lines were broken, by stretch."""

    def line_start(self, offset: int) -> int:
        """Offset of the line that holds an offset, not before what was consumed."""
        floor = max(self.done, self.tape.base)
        return self.tape.newline_before(floor, offset) + 1 or floor

    def begin(self, hit: int, lines: int) -> int:
        """Offset of the line so many lines before a hit, or of some records before it; not before what was consumed."""
        base, data = self.tape.base, self.tape.data
        inside = INSIDE.match(data, self.line_start(hit) - base)
        start = self.back(hit, lines if inside is None else RECORD_LINES)
        if inside is None:
            if self.layout is None:
                return start
            start = self.back(hit, RECORD_LINES)
        layout = self.layout if inside is None else inside.lastgroup
        heads = [at.start() for at in _RECORD_STARTS[layout or "pretty"].finditer(data, start - base, hit - base)]
        if not heads:
            return self.back(hit, BACK)
        return base + (heads[-_RECORDS] if len(heads) >= _RECORDS else heads[0])

    @functools.cached_property
    def layout(self) -> str | None:
        """The records of several lines that the log consists of, by its first lines."""
        head = self.tape.data[:4096]
        return next((name for name in ("verbose", "export") if _RECORD_STARTS[name].search(b"\n\n" + head)), None)

    def back(self, hit: int, lines: int) -> int:
        """Offset of the line so many lines before the one with the hit; two that came twice count as one."""
        floor = max(self.done, hit - BACK_BYTES, self.tape.base)
        start = hit
        line: bytes | None = None
        for _ in range(2 * lines + 1):
            newline = self.tape.newline_before(floor, start)
            if newline < 0:
                if floor == self.done:
                    return floor
                return start + 1 if start < hit else self.line_start(hit)
            behind, line = line, self.tape.data[newline + 1 - self.tape.base : start - self.tape.base]
            start = newline
            lines -= line != behind
            if lines < 0:
                break
        return start + 1

    def behind(self, hit: int, lines: int) -> int:
        """Offset behind so many line ends from a hit on; -1 where fewer were read."""
        data, base = self.tape.data, self.tape.base
        at = hit - base
        for _ in range(lines):
            at = data.find(b"\n", at) + 1
            if not at:
                return -1
        return base + at

    def broken(self, offset: int) -> Habits | None:
        """How the lines from an offset on were broken, None where they were not: a large log is no pasted text."""
        from kb.log.wrap import LARGEST, SAMPLE, habits

        if not self.tape.whole or len(self.tape.data) > LARGEST:
            return None
        block = offset // SAMPLE
        if block not in self._habits:
            self._habits[block] = habits(self.tape.data, offset)
        return self._habits[block] if self._habits[block].any else None


def in_records(data: bytes) -> bool:
    """Whether lines are parts of records that have several: of journalctl -o export, verbose, json-pretty."""
    if any(pattern.search(b"\n\n" + data) is not None for pattern in _RECORD_STARTS.values()):
        return True
    return any(INSIDE.match(line) is not None for line in data.split(b"\n"))
