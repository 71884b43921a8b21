"""Inputs: paths, standard input, bytes, text, binary files; packed or not; folders."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kb.errors import InputError


class Source(NamedTuple):
    """One input: its name (``-`` for standard input) and its bytes, unpacked."""

    name: str
    data: bytes


def open_sources(logs: Iterable[str | bytes | Path | BinaryIO]) -> Iterator[Source]:
    """Open inputs one after the other; a folder gives its files in order of their names."""
    for log in logs:
        if isinstance(log, bytes):
            yield Source("-", unpack(log, "-"))
        elif isinstance(log, Path):
            yield from _path(log)
        elif isinstance(log, str):
            if log == "-":
                yield Source("-", unpack(sys.stdin.buffer.read(), "-"))
            elif "\n" in log:
                yield Source("-", log.encode("utf-8", "surrogateescape"))
            else:
                yield from _path(Path(log))
        else:
            yield Source(str(getattr(log, "name", "-")), unpack(log.read(), "-"))


def _path(path: Path) -> Iterator[Source]:
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file():
                yield from _path(inner)
        return
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", path=str(path), help="give a file or - for stdin") from error
    yield Source(str(path), unpack(data, str(path)))


def unpack(data: bytes, name: str) -> bytes:
    """Bytes without their compression, by magic."""
    if data[:2] == b"\x1f\x8b":
        import gzip

        try:
            return gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise InputError(f"damaged gzip: {error}", path=name) from error
    return data
