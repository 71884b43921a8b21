"""Logical lines of one input, decoded only where a report may be."""

import re
from collections.abc import Iterator

from kb.model.log import Line

_STAMP = re.compile(r"\[ *\d+\.\d{6}\]")
_PREFIX = re.compile(
    r"^(?:<(?P<level>\d+)>)?(?:(?:[A-Z][a-z]{2} +\d+ [\d:]{8}|\d{4}-\d\d-\d\dT\S+) (?P<host>\S+) kernel: )?"
    r"(?:\[(?P<wall>[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8} \d{4})\] ?)?"
    r"(?:\[ *(?P<time>\d+\.\d+)\] ?)?(?:\[ *(?P<caller>[TC]\d+)\] ?)?"
)
_HINT = re.compile(rb"BUG|WARNING|INFO: |Oops|nable to handle|fault|panic|KASAN|UBSAN|page allocation|oom-killer|Call Trace|Kernel|kernel|Mem-Info|error|refcount|ODEBUG|lockup|LOCKUP|stall|EDAC|Hardware Error|unreferenced|unregister_netdevice|trusty|Booting|Unhandled|Backtrace|corruption")


class Reader:
    """One log."""

    def __init__(self, data: bytes, source: str = "-"):
        self.data = data
        self.source = source
        self._at = 0

    def lines(self, offset: int = 0, number: int = 1) -> Iterator[Line]:
        """Logical lines from a byte offset, which must be the start of a line."""
        data, size = self.data, len(self.data)
        while offset < size:
            end = data.find(b"\n", offset)
            end = size if end < 0 else end + 1
            raw = data[offset:end]
            self._at = offset = end
            yield from _split(raw, number)
            number += 1

    def windows(self) -> Iterator[Iterator[Line]]:
        """A lazy iterator of lines around each candidate that has not been consumed."""
        while self._at < len(self.data):
            hit = _HINT.search(self.data, self._at)
            if hit is None:
                return
            start = hit.start()
            for _ in range(12):
                start = max(self.data.rfind(b"\n", self._at, max(start - 1, self._at)) + 1, self._at)
            yield self.lines(start, self.data.count(b"\n", 0, start) + 1)

    def release_at(self, number: int) -> str | None:
        """The kernel release of the boot that a line belongs to."""
        found = None
        for hit in re.finditer(rb"Linux version (\d\S+)", self.data):
            if self.data.count(b"\n", 0, hit.start()) + 1 > number:
                break
            found = hit[1].decode("ascii", "replace")
        return found


def _split(raw: bytes, number: int) -> Iterator[Line]:
    text = raw.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    cuts = sorted({0, *(m.start() for m in _STAMP.finditer(text))})
    first = True
    for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        part = text[start:end]
        got = _PREFIX.match(part)
        assert got is not None
        for piece in part[got.end() :].replace("\\x0a", "\n").replace("#012", "\n").split("\n"):
            yield Line(piece, number, number, raw, float(got["time"]) if got["time"] else None, got["wall"], got["caller"],
                       int(got["level"]) if got["level"] else None, got["host"], None, not first)  # fmt: skip
            first = False
