"""Where a large input is cut: at what stands there, so that it is cut alike from a file and from a pipe.

Once in so many bytes, at the first stretch of lines that open nothing, what was learned of an input is forgotten if no
report is being read there: the parts on both sides can be read by processes of their own, and the reports are the same
whoever reads them.
"""

import sys

from kb.log.places import in_records
from kb.log.scan import find

SMALLEST = 32 << 20
"""Bytes of a part: a second process costs a start, and remembers nothing of what the first has read."""
_SOUGHT = 16 << 20
"""Bytes behind each multiple of that in which a cut is looked for."""
_BEFORE, _BEHIND = 300, 100
"""Lines without an opener that a cut has before and behind it: a report goes on behind its last headline, and what the
reader looks back to stands within sixty lines."""
_HEAD = 4096
"""Bytes by which it is told that lines are parts of records, which are not cut."""


class Cuts:
    """The cuts of an input whose bytes come in order; whoever can skip bytes gives those from :attr:`wanted` on."""

    def __init__(self) -> None:
        self.found: list[int] = []
        """Offsets, rising, each the beginning of a line."""
        self.wanted = SMALLEST
        """Offset of the next byte that is looked at."""
        self._start = SMALLEST
        self._head = b""
        self._held = b""
        """Bytes before that one, from the last opener on."""
        self._searched = 0
        """How many of them were searched."""

    def feed(self, at: int, data: bytes) -> None:
        """Take the bytes from an offset on."""
        if at == len(self._head) < _HEAD:
            self._head += data[: _HEAD - at]
        while self.wanted < at + len(data):
            if self._start == self.wanted == SMALLEST and in_records(self._head):
                self.wanted = sys.maxsize
            else:
                self._take(data[self.wanted - at :])

    def _take(self, data: bytes) -> None:
        limit = self._start + _SOUGHT
        data = data[: limit - self.wanted]
        held = self._held + data
        self.wanted += len(data)
        base, whole, last = self.wanted - len(held), held.rfind(b"\n") + 1, 0
        for hit in (*find(held, self._searched, whole), whole):
            if held.count(b"\n", last, hit) > _BEFORE + _BEHIND:
                self._cut(held[last:hit], base + last)
                return
            if hit < whole:
                last = hit
        self._held, self._searched = held[last:], whole - last
        if self.wanted == limit:
            self._begin(limit)

    def _cut(self, quiet: bytes, base: int) -> None:
        """Cut a stretch that opens nothing."""
        at = _line(quiet, 0, _BEFORE + 1)
        end = _line(quiet, at, _BEHIND)
        if not in_records(quiet[at:end]):
            self.found.append(base + at)
        self._begin(base + end)

    def _begin(self, behind: int) -> None:
        self._start = self.wanted = (behind // SMALLEST + 1) * SMALLEST
        self._held, self._searched = b"", 0


def _line(data: bytes, at: int, count: int) -> int:
    """Where the line begins that is so many behind the one at an offset."""
    for _ in range(count):
        at = data.index(b"\n", at) + 1
    return at
