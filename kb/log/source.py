"""Inputs as bytes: files, folders, standard input, text; unpacked and in UTF-8."""

import io
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

from kb.errors import InputError
from kb.log.files import Held, opened, passed_over, read_all, read_regular, readable
from kb.log.tape import Tape, is_live
from kb.log.text import encoded
from kb.log.unpack import Pushed, Read, Unpacked, packing_of

if TYPE_CHECKING:
    from pathlib import Path

_TEXT_PROBE = 8192
_TELLING = 64
"""Bytes that tell how an input is packed and encoded."""


class Source(NamedTuple):
    """One input, ready to be read as lines."""

    name: str
    """Path as given, ``-`` for standard input and for text."""
    data: bytes
    """Unpacked, UTF-8 where it was UTF-16; empty where the input was not read."""
    notes: tuple[str, ...] = ()
    """What was wrong with the input: ``gzip data is cut or damaged after 400 bytes``, ``not read: a FIFO, ...``."""


Log: TypeAlias = "str | bytes | Path | BinaryIO | Source"
"""An input that was read already is taken as it is."""


class Input(NamedTuple):
    """One input, to be read as it comes."""

    name: str
    """As :attr:`Source.name`."""
    tape: Tape
    notes: list[str]
    """As :attr:`Source.notes`; damage behind the first megabytes is told when it is reached."""


class _Stream:
    """An input that was opened: unpacked, its first bytes looked at.

    Args:
        name: What errors and reports call it.
        read: Gives its bytes.
        head: Bytes of it that were read before.
    """

    def __init__(self, name: str, read: Read, head: bytes = b""):
        self.name = name
        self.notes: list[str] = []
        self.packed = False
        self.head = _first(head, read)
        self.read = read
        for _ in range(3):  # a .gz inside a .gz happens; more is no log
            packing = packing_of(self.head)
            if packing is None:
                break
            self.packed = True
            self.read = Unpacked(name, Pushed(self.head, self.read), packing, self.notes).read
            self.head = _first(b"", self.read)

    @property
    def foreign(self) -> bool:
        """True for what is no plain UTF-8 text, and for what must be put in order: it is read whole."""
        head = self.head[:_TEXT_PROBE]
        return _utf16(head) is not None or head.startswith(b"\xef\xbb\xbf") or b" Part" in head[:64]

    def whole(self) -> Source:
        """All of it, in UTF-8."""
        held = Held(self.name, said="once unpacked" if self.packed else "")
        data = readable(self.name, lambda: read_all(Pushed(self.head, self.read).read, held))
        return _plain(self.name, data, self.notes)

    def tape(self, file: BinaryIO | None = None) -> Input:
        """The same, to be read as it comes.

        Args:
            file: The file that is read: a live one, or one that can be read again.
        """
        if self.foreign and not (file is not None and is_live(file)):
            source = self.whole()
            return Input(source.name, Tape(source.data), list(source.notes))
        if file is not None and not self.packed:
            tape = Tape(file, start=self.head)
        else:
            tape = Tape(Pushed(b"", self.read), start=self.head)
        tape.limit(self.name, "once unpacked" if self.packed else "")
        return Input(self.name, tape, self.notes)


def _first(head: bytes, read: Read) -> bytes:
    """So many first bytes as tell what the input is."""
    while len(head) < _TELLING and (piece := read(_TEXT_PROBE)):
        head += encoded(piece) if isinstance(piece, str) else piece
    return head


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
        for source, _ in _opened(path):
            yield source if isinstance(source, Source) else source.whole()


def open_inputs(paths: Iterable[Log]) -> Iterator[Input]:
    """The same inputs, none of them held whole: an input is to be read before the next one is asked for.

    Args:
        paths: As :func:`open_sources`.

    Raises:
        InputError: As :func:`open_sources`; some of it when the tape is read.
    """
    for path in paths:
        for source, file in _opened(path):
            if isinstance(source, Source):
                yield Input(source.name, Tape(source.data), list(source.notes))
            else:
                yield source.tape(file)


def open_live(stream: BinaryIO) -> Input:
    """An input that may still be written.

    Args:
        stream: A binary file; of a pipe, a socket or a terminal what is there is read, and pauses are told
            (:class:`kb.log.tape.Tape`).
    """
    head = Tape(stream, chunk=_TEXT_PROBE)
    while not head.ended and len(head.data) < _TELLING:
        head.fill(0)
    return _Stream("-", getattr(stream, "read1", stream.read), head.data).tape(stream)


def _opened(path: Log) -> Iterator[tuple[Source | _Stream, BinaryIO | None]]:
    if isinstance(path, Source):
        yield path, None
    elif isinstance(path, bytes | bytearray | memoryview):
        yield from _bytes("-", bytes(path))
    elif isinstance(path, str) and ("\n" in path or "\r" in path):
        yield from _bytes("-", encoded(path))
    elif isinstance(path, str | os.PathLike):
        yield from _from_path(os.fspath(path))
    else:
        name = getattr(path, "name", "-")
        yield _Stream(name if isinstance(name, str) else "-", path.read), None


def _bytes(name: str, data: bytes) -> Iterator[tuple[Source | _Stream, None]]:
    if packing_of(data) is None:
        yield _plain(name, data, []), None
    else:
        yield _Stream(name, io.BytesIO(data).read), None


def _from_path(name: str) -> Iterator[tuple[Source | _Stream, BinaryIO | None]]:
    if name == "-":
        yield _Stream("-", sys.stdin.buffer.read), None
    elif os.path.isdir(name):
        for source in _from_folder(name):
            yield source, None
    else:
        with opened(name) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            yield _Stream(name, file.read), file if regular else None


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
                yield _Stream(path, io.BytesIO(data).read).whole()
        if parts:
            yield _plain(folder, b"".join(parts), [])


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


def _plain(name: str, data: bytes, notes: list[str]) -> Source:
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
