"""A walk through one input that holds others: its bounds, and what could not be looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kb.errors import InputError
from kb.log.containers.roles import says_log
from kb.log.files import limit
from kb.log.unpack import FREE, RATIO, Read

MEMBERS = 100_000
"""Members that are looked at, of all levels together. A sosreport of a large machine has some thirty thousand."""
DEEPEST = 8
"""Containers within containers: a log in a tar in a zip in a mail in an mbox is five."""
HELD = 32 << 20
"""Bytes that the containers of one input may hold at once, where a format cannot be read as a stream."""
_NAMED = 3
"""Members that a note names."""


class Member(NamedTuple):
    """What a container holds."""

    name: str
    """Its name within the container; empty where the container is one text in another form."""
    read: Read
    """Gives its bytes; good until the next member is asked for."""
    text: bool = False
    """True for text that was made here: it is no container of its own."""
    release: str | None = None
    """Kernel release that the container tells beside the text."""
    note: str | None = None
    """What reading it changed: ``line numbers are those of ...``."""
    handed: bool = False
    """True for what somebody chose to hand in: what it may hold counts as a log, whatever it is called."""


class Walk:
    """One input and all that is in it.

    Args:
        name: What errors call the input.
        packed: Bytes of it that were read so far.
    """

    def __init__(self, name: str, packed: Callable[[], int] = lambda: 0):
        self.name = name
        self.root = name
        """The folder or the input that was named; of a container in a folder, the folder."""
        self.over = False
        """True when a bound was reached: nothing more is read."""
        self.alone = False
        """True for one input that is read as it comes, though it may be none that can be read."""
        self.unread: list[InputError] = []
        """What says that it is a log and could not be looked into."""
        self._packed = packed
        self._most = limit()
        self._members = 0
        self._size = 0
        self._held = 0
        self._passed: dict[str, list[str]] = {}
        self._said: dict[str, None] = {}
        self.parts: dict[str, list[bytes]] = {}
        """Parts of dumps that pstore left as one file a part, by folder: they are one text."""

    def beside(self, name: str, packed: Callable[[], int]) -> Walk:
        """A walk through another container of the same folder: bounds of its own, told with the others."""
        walk = Walk(name, packed)
        walk.root = self.root
        walk.unread, walk._passed, walk.parts = self.unread, self._passed, self.parts
        walk._said = self._said
        return walk

    @property
    def passed(self) -> list[str]:
        """What was passed over, a sentence a reason, and what else there is to say."""
        told = list(self._said)
        for why, names in self._passed.items():
            count = int(names[0])
            shown = ", ".join(names[1:]) + (", ..." if count > _NAMED else "")
            told.append(f"passed over, {why}: {shown}" + (f" ({count} in all)" if count > _NAMED else ""))
        return told

    @property
    def notes(self) -> list[str]:
        """What was passed over, and what says that it is a log and could not be looked into."""
        told = [
            *self.passed,
            *(f"not read: {error.path or self.name}: {error.reason}" for error in self.unread[:_NAMED]),
        ]
        more = len(self.unread) - _NAMED
        return [*told, f"not read: {more} more"] if more > 0 else told

    def member(self) -> bool:
        """Count one more member; False when there are too many."""
        self._members += 1
        if self._members > MEMBERS:
            self.stop(f"holds more than {MEMBERS} members", "unpack it, and give the logs in it: kb match FOLDER/dmesg")
        return not self.over

    def stop(self, reason: str, help_: str) -> None:
        """End the walk: a bound was reached."""
        if not self.over:
            self.over = True
            self.unread.append(InputError(reason, path=self.name, help=help_))

    def pass_over(self, name: str, why: str) -> None:
        """Note a member that is no text: nothing is lost with it."""
        names = self._passed.setdefault(why, ["0"])
        names[0] = str(int(names[0]) + 1)
        if len(names) <= _NAMED:
            names.append(name)

    def say(self, name: str, what: str) -> None:
        """Note what was done to a member that somebody should know."""
        if len(self._said) < _NAMED:
            self._said.setdefault(f"{name}: {what}")

    def refused(self, error: InputError, member: str, handed: bool = False) -> None:
        """Note a member that cannot be looked into: of a log that is a fault, of anything else a note."""
        if handed or says_log(member):
            self.unread.append(error)
        else:
            self.pass_over(member, error.reason)

    def doubt(self, error: InputError | None, member: str, handed: bool = False) -> None:
        """Note what is wrong with a member that is read all the same: of anything but a log it is nothing."""
        if error is not None and (handed or says_log(member)):
            self.unread.append(error)

    def counted(self, read: Read, name: str, notes: list[str]) -> Read:
        """The same bytes, counted; damage ends them with a note."""

        def piece(size: int) -> bytes:
            if self.over:
                return b""
            try:
                got = read(size)
            except Exception as error:  # each library has its own errors, and what came before them is still good
                told = error if isinstance(error, InputError) else InputError(f"is cut or damaged: {error}", path=name)
                notes.append(told.reason)
                if says_log(name) or (told is error and name == self.name):  # a bound: what is behind it was not read
                    self.unread.append(told)
                return b""
            self._size += len(got)
            self._check()
            return b"" if self.over else got

        return piece

    def hold(self, read: Read, name: str) -> bytes | None:
        """All bytes of a container that cannot be read as a stream; None, with the reason noted, for too many."""
        pieces: list[bytes] = []
        size = 0
        while got := read(1 << 20):
            size += len(got)
            if self._held + size > HELD:
                help_ = "unpack it, and give the logs in it"
                self.unread.append(
                    InputError(f"is a container of more than {HELD} bytes in a stream", path=name, help=help_)
                )
                return None
            pieces.append(got)
        self._held += size
        return b"".join(pieces)

    def keeps(self, size: int) -> bool:
        """Whether so many bytes more may be held; they are counted where they may."""
        if self._held + size > HELD:
            return False
        self._held += size
        return True

    def release(self, size: int) -> None:
        """Say that so many bytes that were held are needed no more."""
        self._held -= size

    def _check(self) -> None:
        help_ = "unpack it yourself if you trust it, and give the logs in it"
        if self._size > self._most:
            self.stop(f"holds more than {self._most} bytes once unpacked", help_)
        elif self._size > FREE and (packed := self._packed()) and self._size > RATIO * packed:
            self.stop(f"grows to more than {RATIO} times its size when it is unpacked", help_)


def pieces(parts: Iterator[bytes]) -> Read:
    """Bytes that come in parts of any size, as a reader."""
    rest = b""

    def read(size: int) -> bytes:
        nonlocal rest
        if not rest:
            rest = next((part for part in parts if part), b"")
        piece, rest = rest[:size], rest[size:]
        return piece

    return read


def lines_of(read: Read, longest: int = 1 << 20) -> Iterator[bytes]:
    """Lines with their ends; one longer than ``longest`` comes in pieces."""
    rest = b""
    while piece := read(1 << 18):
        rows = (
            (rest + piece).splitlines(keepends=True)
            if b"\r" not in piece and b"\r" not in rest
            else _rows(rest + piece)
        )
        rest = rows.pop() if rows and not rows[-1].endswith(b"\n") and len(rows[-1]) < longest else b""
        yield from rows
    if rest:
        yield rest


def beginning(rows: Iterator[bytes], size: int) -> list[bytes]:
    """The first lines, as many as make up so many bytes: by them it is told how the others are read."""
    head: list[bytes] = []
    while size > 0 and (row := next(rows, b"")):
        head.append(row)
        size -= len(row)
    return head


def _rows(data: bytes) -> list[bytes]:
    """Lines that end with a line feed only: a lone carriage return is text."""
    rows = [row + b"\n" for row in data.split(b"\n")]
    rows[-1] = rows[-1][:-1]
    return rows if rows[-1] else rows[:-1]
