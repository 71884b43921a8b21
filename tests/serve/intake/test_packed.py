"""Packed bodies: unpacked as they come, within bounds; what is cut or damaged is told, with the place."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable

import pytest

from kb.serve.intake import packed
from kb.serve.intake.journal import Malformed
from tests.serve.test_api import OOPS

zstandard = pytest.importorskip("zstandard")
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "deflate": zlib.compress, "xz": lzma.compress, "zstd": zstandard.compress,
}  # fmt: skip
LOG = OOPS * 100


def unpacked(encoding: str, body: bytes, size: int = 7) -> bytes:
    unpack = packed.unpacker(encoding)
    assert unpack is not None
    parts = [part for at in range(0, len(body), size) for part in unpack.feed(body[at : at + size])]
    unpack.end()
    return b"".join(parts)


@pytest.mark.parametrize("encoding", PACK)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_body_is_unpacked_however_it_is_cut_into_pieces(encoding: str, size: int) -> None:
    pack = PACK[encoding]
    assert unpacked(encoding, pack(LOG), size) == LOG
    assert unpacked(encoding, pack(LOG) + pack(b"") + pack(OOPS), size) == LOG + OOPS
    assert unpacked(encoding, pack(LOG) + bytes(8), size) == LOG
    assert unpacked(encoding, b"", size) == b""


@pytest.mark.parametrize("encoding", PACK)
def test_a_body_that_is_cut_anywhere_is_told(encoding: str) -> None:
    body = PACK[encoding](OOPS)
    for at in range(1, len(body)):
        with pytest.raises(Malformed, match="cut") as told:
            unpacked(encoding, body[:at], 50)
        assert told.value.place == f"byte {at} of the body"
    with pytest.raises(Malformed, match="cut"):
        unpacked(encoding, body + body[:9])


@pytest.mark.parametrize("encoding", PACK)
def test_a_body_that_is_damaged_is_told(encoding: str) -> None:
    for body in (b"\xff" * 200, PACK[encoding](OOPS) + b"\xff" * 200):
        with pytest.raises(Malformed, match="damaged") as told:
            unpacked(encoding, body)
        assert told.value.help


@pytest.mark.parametrize("encoding", PACK)
def test_what_is_unpacked_at_a_time_is_bounded(encoding: str) -> None:
    size = 64 << 20
    bomb = PACK[encoding](bytes(size))
    unpack = packed.unpacker(encoding)
    assert unpack is not None
    sizes = [len(part) for at in range(0, len(bomb), 1 << 16) for part in unpack.feed(bomb[at : at + (1 << 16)])]
    unpack.end()
    assert sum(sizes) == size
    assert max(sizes) <= 32 << 20


def test_what_would_take_much_memory_is_refused() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 512 << 20}]
    with pytest.raises(Malformed, match="damaged"):
        unpacked("xz", lzma.compress(OOPS, filters=filters), 1 << 16)
    assert unpacked("xz", lzma.compress(OOPS, preset=9), 1 << 16) == OOPS


@pytest.mark.parametrize("encoding", ["gzip", "xz", "zstd"])
def test_what_is_packed_and_does_not_say_so_is_unpacked(encoding: str) -> None:
    assert unpacked("", PACK[encoding](LOG), 64) == LOG
    assert unpacked("identity", LOG) == LOG


def test_what_is_packed_in_a_way_that_is_not_known_here_is_told() -> None:
    with pytest.raises(Malformed, match="bzip2"):
        unpacked("", bz2.compress(LOG), 64)
