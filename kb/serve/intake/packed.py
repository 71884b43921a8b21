"""Bodies of live requests unpacked as they come: what is unpacked at a time is bounded, and the end is asked for."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from kb.log.unpack import packing_of
from kb.serve.intake.journal import Malformed

KNOWN = "gzip, xz, zstd, or as it is"
"""What bodies may be packed with."""
_UNPACKED = 1 << 20
"""Bytes that are unpacked at a time."""
_ZSTD = 256
"""Bytes of zstd that are unpacked at a time: a block of 128 kB takes four of them at least."""
_WINDOW = 8 << 20
"""Bytes that zstd may look back (RFC 8878, 3.1.1.1.2: what a decoder should take)."""
_MEMORY = 80 << 20
"""Bytes that xz may take: its -9 needs 65 MB."""


class _Stream(Protocol):
    """A gzip member, a zlib or xz stream, a zstd frame."""

    @property
    def error(self) -> type[Exception]:
        """What its library raises of damaged bytes."""

    @property
    def eof(self) -> bool:
        """Whether it is over."""

    def step(self, piece: bytes) -> tuple[bytes, bytes, bool]:
        """Unpack a part: what it gives, the bytes not used yet, and whether there is more in those used."""


class Unpacker:
    """Unpacks streams, one behind the other.

    Args:
        make: Makes what unpacks one; None: nothing is said to be packed, and the first bytes tell.
    """

    def __init__(self, make: Callable[[], _Stream] | None):
        self._make = make
        self._stream: _Stream | None = None
        self._taken = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What a piece holds, in parts.

        Raises:
            Malformed: It is damaged.
        """
        if self._make is None and not self._taken and (kind := packing_of(piece)) is not None:
            self._make = _made(kind)
            if self._make is None:
                raise Malformed(f"the body is packed ({kind})", place="byte 0 of the body", help=KNOWN)
        if self._make is None:
            self._taken += len(piece)
            yield piece
            return
        self._taken += len(piece)
        more = False
        while piece or more:
            if self._stream is None or self._stream.eof:
                piece, more = piece.lstrip(b"\0"), False  # tapes and xz pad with zeros; no stream begins with one
                if not piece:
                    return
                self._stream = self._make()
            try:
                part, piece, more = self._stream.step(piece)
            except self._stream.error as error:
                raise self._malformed("the compressed body is damaged", len(piece)) from error
            yield part

    def end(self) -> None:
        """The body is over.

        Raises:
            Malformed: The last stream is not.
        """
        if self._stream is not None and not self._stream.eof:
            raise self._malformed("the compressed body is cut: it ends within its data", 0)

    def _malformed(self, reason: str, left: int) -> Malformed:
        help_ = "send it again, whole; what was read before counts once"
        return Malformed(reason, place=f"byte {self._taken - left} of the body", help=help_)


def unpacker(encoding: str) -> Unpacker | None:
    """What unpacks a ``Content-Encoding``; None for one that is not known here."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return Unpacker(None)
    make = _made(name)
    return Unpacker(make) if make is not None else None


def _made(name: str) -> Callable[[], _Stream] | None:
    if name in ("gzip", "x-gzip", "deflate"):
        return _Zlib
    if name == "xz":
        return _Xz
    return _zstd() if name == "zstd" else None


class _Zlib:
    error = zlib.error

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(47)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def step(self, piece: bytes) -> tuple[bytes, bytes, bool]:
        part = self._inner.decompress(piece, _UNPACKED)
        if self._inner.eof:
            return part, self._inner.unused_data, False
        return part, self._inner.unconsumed_tail, len(part) == _UNPACKED


class _Xz:
    error = lzma.LZMAError

    def __init__(self) -> None:
        self._inner = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def step(self, piece: bytes) -> tuple[bytes, bytes, bool]:
        part = self._inner.decompress(piece, _UNPACKED)
        if self._inner.eof:
            return part, self._inner.unused_data, False
        return part, b"", not self._inner.needs_input


def _zstd() -> Callable[[], _Stream] | None:
    try:
        import zstandard
    except ImportError:
        return None
    one = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    return lambda: _Zstd(one.decompressobj(), zstandard.ZstdError)


class _Zstd:
    def __init__(self, inner: Any, error: type[Exception]):
        self._inner = inner
        self.error = error

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    def step(self, piece: bytes) -> tuple[bytes, bytes, bool]:
        part = self._inner.decompress(piece[:_ZSTD])
        unused = self._inner.unused_data if self._inner.eof else b""
        return part, unused + piece[_ZSTD:], False
