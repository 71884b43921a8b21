"""Standard input as it comes: a finished log, or one that is still being written (``dmesg -w | kb tui``)."""

import os
import select
import time

QUIET = 0.7
"""Seconds without a byte after which what has come is shown, though more may follow."""
_PIECE = 1 << 20


class Feed:
    """A descriptor that is read without ever waiting for it.

    Args:
        descriptor: Where the log comes from; None for a log that is there already.
        data: What is there already.
    """

    def __init__(self, descriptor: int | None, data: bytes = b""):
        self._descriptor = descriptor
        self._pieces = [data]
        self._last = time.monotonic()
        self.size = len(data)
        """Bytes that came so far."""
        self.ended = descriptor is None

    def poll(self) -> None:
        """Take what has come."""
        while not self.ended and self._descriptor is not None:
            if not select.select([self._descriptor], [], [], 0)[0]:
                return
            piece = os.read(self._descriptor, _PIECE)
            if not piece:
                self.ended = True
                os.close(self._descriptor)
                return
            self._pieces.append(piece)
            self.size += len(piece)
            self._last = time.monotonic()

    @property
    def quiet(self) -> bool:
        """Whether nothing more has come for a while, or ever will."""
        return self.ended or time.monotonic() - self._last > QUIET

    @property
    def data(self) -> bytes:
        """All that came."""
        self._pieces = [b"".join(self._pieces)]
        return self._pieces[0]
