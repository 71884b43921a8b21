"""Packed inputs: how bytes are packed, and what they hold."""

import io
from typing import BinaryIO

from kb.errors import InputError
from kb.log.files import Held

_PIECE = 1 << 20


def packing_of(data: bytes) -> str | None:
    """How the bytes are packed, by their first bytes; a file's name proves nothing."""
    for magic, packing in _MAGIC:
        if data.startswith(magic):
            return packing
    return None


_MAGIC = ((b"\x1f\x8b\x08", "gzip"), (b"\xfd7zXZ\0", "xz"), (b"BZh", "bzip2"), (b"\x28\xb5\x2f\xfd", "zstd"))


def _stream(name: str, data: bytes, packing: str) -> BinaryIO:
    """A reader that unpacks ``data`` as it is read. The modules are imported where needed: few logs are packed."""
    packed = io.BytesIO(data)
    if packing == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=packed)  # type: ignore[return-value]
    if packing == "xz":
        import lzma

        return lzma.LZMAFile(packed)  # type: ignore[return-value]
    if packing == "bzip2":
        import bz2

        return bz2.BZ2File(packed)  # type: ignore[return-value]
    try:
        import zstandard
    except ImportError:
        raise InputError(
            "is packed with zstd, which needs the package zstandard",
            path=name,
            help="install kernel-kb[zstd], or unpack it first: zstd -dc FILE | kb match",
        ) from None
    return zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)


def unpack(name: str, data: bytes, packing: str, notes: list[str]) -> bytes:
    """Unpack in pieces, so that a bomb is noticed while it grows; what a damaged file still gives is kept.

    Args:
        name: What errors call the input.
        data: The packed bytes.
        packing: From :func:`packing_of`.
        notes: Gets a sentence where the data is cut or damaged.

    Raises:
        InputError: Nothing can be unpacked, it grows past the limit, or the package for zstd is missing.
    """
    held = Held(name, said="once unpacked")
    stream = _stream(name, data, packing)
    read = getattr(stream, "read1", stream.read)
    while True:
        try:
            piece = read(_PIECE)
        except Exception as error:  # each library has its own errors, and what came before them is still good
            if not len(held):
                raise InputError(f"is no valid {packing} file: {error}", path=name) from error
            notes.append(f"{packing} data is cut or damaged after {len(held)} bytes")
            break
        if not piece:
            break
        held.add(piece)
    return held.bytes()
