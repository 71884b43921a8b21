"""Inputs as bytes: files, folders, standard input, text; unpacked and in UTF-8."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from kb.errors import InputError
from kb.log.files import Held, passed_over, read_all, read_named, read_regular
from kb.log.text import encoded
from kb.log.unpack import packing_of, unpack

_TEXT_PROBE = 8192


@dataclass(frozen=True, slots=True)
class Source:
    """One input, ready to be read as lines."""

    name: str
    """Path as given, ``-`` for standard input and for text."""
    data: bytes
    """Unpacked, UTF-8 where it was UTF-16; empty where the input was not read."""
    notes: tuple[str, ...] = field(default=())
    """What was wrong with the input: ``gzip data is cut or damaged after 400 bytes``, ``not read: a FIFO, ...``."""


Log = str | bytes | Path | BinaryIO | Source
"""An input that was read already is taken as it is."""


def open_sources(paths: Iterable[Log]) -> Iterator[Source]:
    """Read every input named.

    Args:
        paths: Paths (``-`` is standard input; a folder gives its files, sorted, its subfolders too), log text (a
            ``str`` with a line break), bytes, or binary files.

    Yields:
        One source a file, in order.

    Raises:
        InputError: A file is absent, cannot be read, is packed in a way that cannot be unpacked, or is too large
            (:func:`kb.log.files.limit`).
    """
    for path in paths:
        if isinstance(path, Source):
            yield path
        elif isinstance(path, bytes | bytearray | memoryview):
            yield _source("-", bytes(path))
        elif isinstance(path, str) and ("\n" in path or "\r" in path):
            yield _source("-", encoded(path))
        elif isinstance(path, str | os.PathLike):
            yield from _from_path(path)
        else:
            name = getattr(path, "name", "-")
            name = name if isinstance(name, str) else "-"
            yield _source(name, read_all(path.read, Held(name)))


def _from_path(path: str | os.PathLike[str]) -> Iterator[Source]:
    name = os.fspath(path)
    if name == "-":
        yield _source("-", read_all(sys.stdin.buffer.read, Held("-")))
    elif os.path.isdir(name):
        yield from _from_folder(name)
    else:
        yield _source(name, read_named(name))


def _from_folder(name: str) -> Iterator[Source]:
    """Text files and packed files of a folder, sorted by path; binary files are passed over.

    What is no regular file of the folder is not read; a source without data says so in its notes.
    """
    for folder, folders, files in os.walk(name, onerror=_unreadable):
        folders.sort()
        parts: list[bytes] = []  # of a dump that pstore left as one file a part
        for file in sorted(files):
            path = os.path.join(folder, file)
            reason = passed_over(path, name)
            if reason is not None:
                yield Source(path, b"", (f"not read: {reason}",))
                continue
            data = read_regular(path)
            if _PART.match(data[:64]):
                parts.append(data if data.endswith(b"\n") else data + b"\n")
            elif not is_binary(data):
                yield _source(path, data)
        if parts:
            yield _source(folder, b"".join(parts))


def _unreadable(error: OSError) -> None:
    raise InputError(f"cannot read the folder: {error.strerror}", path=str(error.filename)) from error


def is_binary(data: bytes) -> bool:
    """True for bytes that are no text, no UTF-16 text and nothing that can be unpacked."""
    probe = data[:_TEXT_PROBE]
    if not probe.strip(b"\0") or packing_of(probe) is not None or _utf16(probe) is not None:
        return False
    odd = sum(probe.count(byte) for byte in (b"\1", b"\2", b"\3", b"\4", b"\5", b"\6", b"\x0e", b"\x0f", b"\x10"))
    return probe.startswith((b"\x7fELF", b"\x89PNG", b"PK\3\4")) or (probe.count(b"\0") + odd) * 10 > len(probe)


_PART = re.compile(rb"^(?:[A-Z][a-z]{3,12})#(\d{1,9}) Part(\d{1,9})\r?$", re.M)
"""fs/pstore/platform.c pstore_dump(): the head of one part of a dump; part 1 is the newest text."""


def _in_order(data: bytes) -> bytes:
    """The parts of a pstore dump, oldest text first; any other data unchanged."""
    heads = list(_PART.finditer(data))
    if len(heads) < 2 or heads[0].start() != 0:
        return data
    ends = [*(head.start() for head in heads[1:]), len(data)]
    parts = [(int(head[1]), -int(head[2]), data[head.start() : end]) for head, end in zip(heads, ends, strict=True)]
    ordered = sorted(parts, key=lambda part: part[:2])
    if ordered == parts:
        return data
    return b"".join(text if text.endswith(b"\n") else text + b"\n" for _, _, text in ordered)


def _source(name: str, data: bytes) -> Source:
    notes: list[str] = []
    for _ in range(3):  # a .gz inside a .gz happens; more is no log
        packing = packing_of(data)
        if packing is None:
            break
        data = unpack(name, data, packing, notes)
    encoding = _utf16(data[:_TEXT_PROBE])
    if encoding is not None:
        data = data.decode(encoding, "replace").lstrip("\ufeff").encode("utf-8")
    elif data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    ordered = _in_order(data) if b" Part" in data[:64] else data
    if ordered is not data:
        notes.append("parts of a pstore dump put in order: line numbers are those of the joined text")
        data = ordered
    return Source(name, data, tuple(notes))


def _utf16(probe: bytes) -> str | None:
    """``utf-16-le`` or ``utf-16-be`` where the bytes are such text, with or without a byte order mark."""
    if probe.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if probe.startswith(b"\xfe\xff"):
        return "utf-16-be"
    half = len(probe) // 2
    if half < 8:
        return None
    even, odd = probe[0::2].count(0), probe[1::2].count(0)
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return None
