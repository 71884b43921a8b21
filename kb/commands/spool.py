"""Lines of an answer that wait for its end: in memory, what is more in a file, as long as there is room for one."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO

MOST = 4 << 20
"""Bytes that are held in memory: as many as of a log."""


class Spool:
    """Takes lines, and gives them back in their order.

    Args:
        most: Bytes that are held in memory.
    """

    def __init__(self, most: int = MOST):
        self._most = most
        self._held = io.BytesIO()
        self._file: FileIO | None = None
        self._size = 0
        """Bytes in the file."""

    def write(self, line: bytes) -> None:
        """Take a line, with its end."""
        self._held.write(line)
        if self._held.tell() > self._most:
            self._move()

    def lines(self) -> Iterator[bytes]:
        """All of them."""
        if self._file is not None:
            self._file.seek(0)
            with io.BufferedReader(self._file) as file:
                yield from file
        self._held.seek(0)
        yield from self._held

    def _move(self) -> None:
        """Put what is in memory into the file; where there is no room, memory has to do from now on."""
        from tempfile import TemporaryFile

        try:
            if self._file is None:
                self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - closed in lines()
            left = memoryview(self._held.getvalue())
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            self._most = sys.maxsize
            if self._file is not None:
                self._file.truncate(self._size)
            return
        self._size = self._file.tell()
        self._held = io.BytesIO()
