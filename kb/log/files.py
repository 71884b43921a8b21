"""Bytes of files that nobody vouches for: nothing that blocks for ever, and never more than a limit, held once."""

import io
import os
import stat
from collections.abc import Callable
from typing import BinaryIO

from kb.errors import InputError
from kb.log.text import encoded

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
        self._said = said

    def __len__(self) -> int:
        return self._out.tell()

    def add(self, piece: bytes) -> None:
        """Keep a piece.

        Raises:
            InputError: That is more than the limit, or than this machine can hold.
        """
        size = len(self)
        within(size + len(piece), self._most, self._name, self._said)
        try:
            self._out.write(piece)
        except MemoryError:
            raise InputError(f"needs more memory than there is, after {size} bytes", path=self._name) from None

    def bytes(self) -> bytes:
        """All of it."""
        return self._out.getvalue()


def within(size: int, most: int, name: str, said: str = "") -> None:
    """Nothing, for a size that is allowed.

    Args:
        size: Bytes.
        most: Bytes that an input may have.
        name: What the error calls it.
        said: What it is when it has more: ``once unpacked``.

    Raises:
        InputError: It is larger.
    """
    if size > most:
        raise InputError(f"is larger than {most} bytes{said and ' ' + said}", path=name, help=_HELP)


def read_all(read: Callable[[int], "bytes | str | None"], held: Held) -> bytes:
    """What a stream gives to its end, or to where it would have to be waited for.

    Args:
        read: Its method: takes a number of bytes.
        held: Where it is kept.

    Raises:
        InputError: It has more than ``held`` takes.
    """
    while piece := read(_PIECE):
        held.add(encoded(piece) if isinstance(piece, str) else piece)
    return held.bytes()


def opened(path: str | os.PathLike[str]) -> BinaryIO:
    """What a path holds that a person named, open for reading: a file, a FIFO or a device.

    Raises:
        InputError: It is absent, no file, larger than :func:`limit`, or cannot be opened.
    """
    name = os.fspath(path)
    try:
        status = os.stat(name)
        if stat.S_ISREG(status.st_mode):
            within(status.st_size, limit(), name)
        # a device is not waited for (/dev/kmsg ends where the log does now), the writer of a FIFO is
        flags = os.O_RDONLY | (0 if stat.S_ISFIFO(status.st_mode) else _FLAGS)
        file = open(os.open(name, flags), "rb", buffering=0)  # noqa: SIM115  (the caller closes it)
        if file.isatty():
            os.set_blocking(file.fileno(), True)
        return file
    except OSError as error:
        raise _refused(error, name) from error


def read_named(path: str | os.PathLike[str]) -> bytes:
    """What a path holds that a person named, read to its end.

    Raises:
        InputError: As :func:`opened`, or it is larger, or cannot be read.
    """
    name = os.fspath(path)
    with opened(path) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return read_regular(name)
        return readable(name, lambda: read_all(file.read, Held(name)))


def readable(name: str, read: "Callable[[], bytes]") -> bytes:
    """What ``read`` gives, its failures as errors of the input.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        return read()
    except OSError as error:
        raise _refused(error, name) from error


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """A regular file, open for reading, as :func:`read_regular` reads it.

    Raises:
        InputError: It is absent, no regular file, larger than :func:`limit`, or cannot be opened.
    """
    name = os.fspath(path)
    try:
        file = open(os.open(name, os.O_RDONLY | _FLAGS), "rb", buffering=0)  # noqa: SIM115  (the caller closes it)
    except OSError as error:
        raise _refused(error, name) from error
    try:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"is {_kind(status.st_mode)}, no regular file", path=name)
        within(status.st_size, limit(), name)
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: str | os.PathLike[str], most: int | None = None) -> bytes:
    """The bytes of a regular file. Never blocks: what is in a folder was put there by anybody.

    Args:
        path: Links are followed; :func:`passed_over` tells where they lead.
        most: Bytes it may have, :func:`limit` by default.

    Raises:
        InputError: It is absent, no regular file, larger, or cannot be read.
    """
    name = os.fspath(path)
    most = limit() if most is None else most
    try:
        with open(os.open(name, os.O_RDONLY | _FLAGS), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"is {_kind(status.st_mode)}, no regular file", path=name)
            within(status.st_size, most, name)
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
        raise _refused(error, name) from error


_FLAGS = sum(getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
"""O_NONBLOCK: no FIFO is waited for, and /proc/kmsg, regular by its mode, ends where it would wait for a message."""


def passed_over(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> str | None:
    """Why an entry of a folder is not read with the folder, None for a regular file of its own.

    A link out of it leads to what the folder's owner could not have read, or to what blocks (``/proc/kmsg``).
    """
    place, target = os.path.realpath(folder), os.path.realpath(path)
    if os.path.commonpath((place, target)) != place:
        return "a link that leads out of the folder"
    try:
        mode = os.stat(target).st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return None if stat.S_ISREG(mode) else f"{_kind(mode)}, no regular file"


def _kind(mode: int) -> str:
    names = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
    return names.get(stat.S_IFMT(mode), "a device")


def _refused(error: OSError, name: str) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", path=name, help="give a log file, a folder, or - for standard input")
    if isinstance(error, PermissionError):
        return InputError("no permission to read it", path=name, help="run as a user who may read the log")
    return InputError(f"cannot be read: {error.strerror or error}", path=name)
