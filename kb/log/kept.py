"""The lines of inputs that were read once, to be shown beside what was found in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from tempfile import SpooledTemporaryFile

_IN_MEMORY = 16 << 20
_MOST = 256 << 20
"""Bytes that are kept of all inputs together; lines behind them are not."""


class Kept:
    """Keeps the bytes of inputs while they are read: in memory, what is more in a file."""

    def __init__(self, most: int = _MOST):
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed in close()
        self._places: dict[str, tuple[int, int]] = {}
        self._room = most
        self._size = 0

    def of(self, name: str) -> Callable[[bytes], None]:
        """What takes the bytes of an input; inputs are read one after the other."""
        start = self._size
        self._places[name] = (start, start)

        def take(data: bytes) -> None:
            data = data[: self._room]
            self._room -= len(data)
            self._file.write(data)
            self._size += len(data)
            self._places[name] = (start, self._size)

        return take

    def count(self, name: str) -> int:
        """Physical lines that were kept of an input."""
        return sum(1 for _ in self._all(name))

    def lines(self, name: str, wanted: Collection[int] | None = None) -> Iterator[tuple[int, bytes]]:
        """Physical lines with their numbers, 1-based, without line ends.

        Args:
            name: Of the input.
            wanted: Numbers of the lines; None: all.
        """
        for number, line in enumerate(self._all(name), 1):
            if wanted is None or number in wanted:
                yield number, line.rstrip(b"\r\n")

    def _all(self, name: str) -> Iterator[bytes]:
        start, end = self._places.get(name, (0, 0))
        self._file.seek(start)
        at = start
        while at < end:
            line = self._file.readline(end - at)
            if not line:
                break
            at += len(line)
            yield line

    def close(self) -> None:
        """Drop what was kept."""
        self._file.close()
