"""Packed inputs: how bytes are packed, and what they hold, unpacked as it is read."""

from collections.abc import Callable
from typing import Any, BinaryIO

from kb.errors import InputError

RATIO = 500
"""Times that an input may grow when it is unpacked: text grows ten to fifty times, a line over and over a hundred."""
FREE = 64 << 20
"""Bytes for which no ratio is asked."""


def packing_of(data: bytes) -> str | None:
    """How the bytes are packed, by their first bytes; a file's name proves nothing."""
    for magic, packing in _MAGIC:
        if data.startswith(magic):
            return packing
    return "zlib" if data.startswith(_ZLIB) and _inflates(data) else None


_ZLIB = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
"""RFC 1950 2.2: deflate with a window of 32 kB, at each of the four levels. Text may begin so, too."""
_PROBED = 4096


def _inflates(data: bytes) -> bool:
    """Whether the first bytes of a stream are one: chance ends within a few of them."""
    import zlib

    try:
        return bool(zlib.decompressobj().decompress(data[:_PROBED], _PROBED))
    except zlib.error:
        return False


_MAGIC = (
    (b"\x1f\x8b\x08", "gzip"), (b"\xfd7zXZ\0", "xz"), (b"]\0\0", "lzma"),
    *((b"BZh%d" % level + block, "bzip2") for level in range(1, 10) for block in (b"1AY&SY", b"\x17rE8P\x90")),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    *((bytes((0x50 + at, 0x2A, 0x4D, 0x18)), "zstd") for at in range(16)),
)  # fmt: skip
"""Of bzip2 with the mark of the first block, or of the end: three letters are no more than a word. The last ones are
zstd's skippable frames (RFC 8878 3.1.2), which pzstd puts first."""
_DICTIONARY = 96 << 20
"""Bytes that unpacking xz or lzma may take: ``xz -9`` asks for 65 million."""

Read = Callable[[int], bytes]
"""At most so many bytes, at least one; b"" at the end."""


class Pushed:
    """A stream whose first bytes somebody has read to see what it is."""

    def __init__(self, head: bytes, read: Read):
        self._head = head
        self._read = read

    def read(self, size: int = 1 << 20) -> bytes:
        """At most so many bytes."""
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._read(size)


class Unpacked:
    """What a packed stream holds, unpacked in pieces, so that a bomb is noticed while it grows.

    What a damaged file still gives is read; a sentence in ``notes`` says that it is cut.

    Args:
        name: What errors call the input.
        packed: The packed bytes.
        packing: From :func:`packing_of`.
        notes: Gets the sentence.

    Raises:
        InputError: The package for zstd is missing; from :meth:`read`, where nothing can be unpacked.
    """

    def __init__(self, name: str, packed: Pushed, packing: str, notes: list[str]):
        self._name = name
        self._packing = packing
        self._notes = notes
        self._size = 0
        self._over = False
        stream = _stream(name, packed, packing)
        self._read: Read = getattr(stream, "read1", stream.read)

    def read(self, size: int) -> bytes:
        """At most so many bytes, b"" at the end."""
        if self._over:
            return b""
        try:
            piece = self._read(size)
        except InputError:  # of a packed input inside of it
            raise
        except Exception as error:  # each library has its own errors, and what came before them is still good
            if "memory" in str(error).lower():
                zstd = self._packing == "zstd"  # its own bound is a window of 128 MiB
                reason = f"needs more than {128 if zstd else _DICTIONARY >> 20} MiB of memory to be unpacked"
                help_ = f"{'zstd --long=31' if zstd else 'xz'} -dc FILE | kb match, if you trust it"
                raise InputError(reason, path=self._name, help=help_) from error
            if not self._size:
                raise InputError(f"is no valid {self._packing} file: {error}", path=self._name) from error
            self._notes.append(f"{self._packing} data is cut or damaged after {self._size} bytes")
            piece = b""
        self._over = not piece
        self._size += len(piece)
        return piece


def _stream(name: str, packed: Pushed, packing: str) -> BinaryIO:
    """A reader that unpacks as it is read. The modules are imported where needed: few logs are packed."""
    file: Any = packed  # each of them asks for read() alone
    if packing == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if packing == "zlib":
        return _Zlib(packed)  # type: ignore[return-value]
    if packing in ("xz", "lzma"):
        return _Lzma(packed)  # type: ignore[return-value]
    if packing == "bzip2":
        import bz2

        return bz2.BZ2File(file)  # type: ignore[return-value]
    try:
        import zstandard
    except ImportError:
        raise InputError(
            "is packed with zstd, which needs the package zstandard",
            path=name,
            help="pip install 'kernel-kb[zstd]', or unpack it first: zstd -dc FILE | kb match",
        ) from None
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


class _Zlib:
    """A stream of zlib's; what is behind its end is no part of it."""

    def __init__(self, packed: Pushed):
        import zlib

        self._unpacker = zlib.decompressobj()
        self._packed = packed

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        while not self._unpacker.eof:
            data = self._unpacker.unconsumed_tail or self._packed.read(1 << 16)
            piece = self._unpacker.decompress(data, size)
            if piece:
                return piece
            if not data:
                raise EOFError("the end of the data is missing")
        return b""


class _Lzma:
    """The streams of an xz or lzma file, one behind the other, with the zeros between them (the .xz format, 2.2)."""

    def __init__(self, packed: Pushed):
        import lzma
        from functools import partial

        self._new = partial(lzma.LZMADecompressor, memlimit=_DICTIONARY)
        self._unpacker = self._new()
        self._packed = packed

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        data = b""
        while True:
            if self._unpacker.eof:
                data = self._unpacker.unused_data.lstrip(b"\0")
                while not data:
                    piece = self._packed.read(1 << 16)
                    if not piece:
                        return b""
                    data = piece.lstrip(b"\0")
                self._unpacker = self._new()
            elif self._unpacker.needs_input:
                data = self._packed.read(1 << 16)
                if not data:
                    raise EOFError("the end of the data is missing")
            piece = self._unpacker.decompress(data, size)
            data = b""
            if piece:
                return piece
