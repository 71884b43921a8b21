"""Bytes of files that nobody vouches for: nothing that blocks for ever, and never more than a limit, held once."""

import io
import os
import stat
from collections.abc import Callable

from kb.errors import InputError

LIMIT = 4 << 30
"""Bytes an input may have, packed or unpacked; ``KB_MAX_INPUT`` (bytes) overrules it."""
_PIECE = 1 << 20
_HELP = "set KB_MAX_INPUT to a higher number of bytes if that is meant"


def limit() -> int:
    """Bytes an input may have.

    Raises:
        InputError: ``KB_MAX_INPUT`` is no number of bytes.
    """
    text = os.environ.get("KB_MAX_INPUT") or str(LIMIT)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text)):
        help_ = f"give a number of bytes, such as {LIMIT}, or unset it"
        raise InputError(f"no number of bytes: {text[:40]!r}", path="$KB_MAX_INPUT", help=help_)
    return int(text)


class Held:
    """Bytes that come in pieces, kept once, counted while they come.

    Args:
        name: What errors call the input.
        most: Bytes it may have, :func:`limit` by default.
        said: What it is when it has more: ``once unpacked``.
    """

    def __init__(self, name: str, most: int | None = None, said: str = ""):
        self._out = io.BytesIO()  # getvalue() hands the bytes over, where joining pieces would copy them
        self._name = name
        self._most = limit() if most is None else most
        self._said = f" {said}" if said else ""

    def __len__(self) -> int:
        return self._out.tell()

    def add(self, piece: bytes) -> None:
        """Keep a piece.

        Raises:
            InputError: That is more than the limit, or than this machine can hold.
        """
        if len(self) + len(piece) > self._most:
            raise InputError(f"is larger than {self._most} bytes{self._said}", path=self._name, help=_HELP)
        try:
            self._out.write(piece)
        except MemoryError:
            raise InputError(f"needs more memory than there is, after {len(self)} bytes", path=self._name) from None

    def bytes(self) -> bytes:
        """All of it."""
        return self._out.getvalue()


def read_all(read: Callable[[int], "bytes | str | None"], held: Held) -> bytes:
    """What a stream gives to its end, or to where it would have to be waited for.

    Args:
        read: Its method: takes a number of bytes.
        held: Where it is kept.

    Raises:
        InputError: It has more than ``held`` takes.
    """
    while piece := read(_PIECE):
        held.add(piece.encode("utf-8", "surrogateescape") if isinstance(piece, str) else piece)
    return held.bytes()


def read_regular(path: str | os.PathLike[str], most: int | None = None, *, within: str | None = None) -> bytes:
    """The bytes of a regular file.

    What is in a folder was put there by anybody: a link to ``/proc/kmsg`` or a FIFO would block the reader for ever, a
    device feed it without end.

    Args:
        path: Links are followed.
        most: Bytes it may have, :func:`limit` by default.
        within: Folder that the links must not lead out of.

    Raises:
        InputError: It is no regular file, leads out of the folder, is larger, or cannot be read.
    """
    name = os.fspath(path)
    most = limit() if most is None else most
    if within is not None and not _inside(name, within):
        raise InputError("a link that leads out of its folder", path=name)
    try:
        # O_NONBLOCK: opening a FIFO does not wait for a writer, and /proc/kmsg, regular by its mode, for no message
        handle = os.open(name, os.O_RDONLY | _FLAGS)
        with open(handle, "rb", buffering=0) as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"is no regular file but {_kind(status.st_mode)}", path=name)
            if status.st_size > most:
                raise InputError(f"is larger than {most} bytes", path=name, help=_HELP)
            whole = file.read(max(status.st_size + 1, _PIECE)) or b""
            more = file.read(_PIECE)
            if not more and len(whole) <= most:  # nearly always: read in one piece, not copied
                return whole
            held = Held(name, most)
            held.add(whole)
            held.add(more or b"")
            return read_all(file.read, held)
    except MemoryError:
        raise InputError("needs more memory than there is", path=name) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=name) from error


_FLAGS = sum(getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))


def _inside(path: str, folder: str) -> bool:
    place = os.path.realpath(folder)
    return os.path.commonpath((place, os.path.realpath(path))) == place


def _kind(mode: int) -> str:
    names = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return names.get(stat.S_IFMT(mode), "a device")
