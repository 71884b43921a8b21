"""Compressed records of pstore that were copied without being mounted: ``dmesg-efi-*.enc.z``.

fs/pstore/platform.c: raw deflate (``zlib_deflateInit2(.., -WINDOW_BITS, ..)``) up to 6.5 where zlib was chosen, and
always from 6.6 on; before that also lz4, lz4hc, lzo, 842 and zstd, which the record does not tell.
"""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from kb.errors import InputError
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_LARGEST = 16 << 20
"""Bytes of a record, packed or unpacked: backends have some kilobytes to a megabyte."""


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The text of a record."""
    packed = b""
    while len(packed) < _LARGEST and (piece := read(1 << 16)):
        packed += piece
    for bits in (-15, 15):  # a larger window than it was written with does no harm
        unpacker = zlib.decompressobj(bits)
        try:
            text = unpacker.decompress(packed, _LARGEST)
        except zlib.error:
            continue
        if text:
            yield Member("", pieces(iter((text,))), text=True)
            return
    help_ = "mount pstore on the machine (mount -t pstore pstore /sys/fs/pstore): the kernel unpacks its own records"
    walk.unread.append(InputError("is a record of pstore that is not packed with deflate", path=name, help=help_))
