"""Inputs as bytes: files, folders, standard input, text, and what is in them; unpacked and in UTF-8."""

import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from kb.errors import InputError, NoLog
from kb.log.addresses import watched
from kb.log.files import open_regular, opened, passed_over, readable
from kb.log.stream import PART, TELLING, Stream, is_binary, plain, wordless
from kb.log.stream import Input as Input
from kb.log.stream import Source as Source
from kb.log.tape import Tape
from kb.log.text import encoded

if TYPE_CHECKING:
    from pathlib import Path

    from kb.log.containers.registry import Members
    from kb.log.containers.walk import Member, Walk

Log: TypeAlias = "str | bytes | Path | BinaryIO | Source"
"""An input that was read already is taken as it is."""

_KERNEL = re.compile(
    rb"(?:<\d{1,3}>)?\[ {0,6}\d{1,7}\.\d{6}\] |(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ ,;|]{0,20} [^ ,;|]{1,255} kernel: |kern {1,3}:"
)
"""How most logs begin: these need no look at what they may be instead."""
_STAMPS = re.compile(rb"\[ {0,6}(\d{1,7})\.(\d{6})\] |(\d\d:\d\d:\d\d)")
"""Times by which a log whose newest lines come first is told."""
_HALF_A_DAY = 12 * 3600
"""Seconds: a time of day so much later is that of the day before."""
_PROBE = 8192
"""Bytes by which a container is told."""
_FAR = 1 << 18
"""Bytes by which it is told that a text goes on in another form: somebody wrote, and then put the log behind it."""
_LARGEST_PART = 1 << 20
"""Bytes of one part of a pstore dump."""


def open_sources(paths: Iterable[Log]) -> Iterator[Source]:
    """Read every input named.

    Args:
        paths: Paths (``-`` is standard input; a folder gives its files, sorted, its subfolders too), log text (a
            ``str`` with a line break), bytes, or binary files. An archive or a mail gives the texts in it.

    Yields:
        One source a text, in order.

    Raises:
        InputError: A file is absent, cannot be read, is packed in a way that cannot be unpacked, or is too large
            (:func:`kb.log.files.limit`).
    """
    seen = 0
    for each in open_inputs(paths):
        if each.ends:
            assert each.walk is not None
            if not seen and each.walk.unread:
                raise each.walk.unread[0]
            seen = 0
            continue
        data = readable(each.name, each.tape.rest)
        seen += bool(data)
        yield Source(each.name, data, tuple(each.notes))


def open_inputs(paths: Iterable[Log]) -> Iterator[Input]:
    """The same inputs, none of them held whole: an input is to be read before the next one is asked for.

    Of what holds other inputs (a folder, an archive, a mail), each that is a text; what else it holds stands in the
    notes of its walk. What cannot be looked into at all is an input without bytes whose walk says why.

    Args:
        paths: As :func:`open_sources`.

    Raises:
        InputError: As :func:`open_sources`; some of it when the tape is read.
    """
    for path in paths:
        if isinstance(path, Source):
            yield Input(path.name, Tape(path.data), list(path.notes))
        elif isinstance(path, bytes | bytearray | memoryview):
            yield from _bytes(bytes(path))
        elif isinstance(path, str) and ("\n" in path or "\r" in path):
            yield from _bytes(encoded(path))
        elif isinstance(path, str | os.PathLike):
            yield from _from_path(os.fspath(path))
        else:
            name = getattr(path, "name", "-")
            yield from _inputs(Stream(name if isinstance(name, str) else "-", path.read))


def open_live(
    stream: BinaryIO, paused: Callable[[], None] | None = None, going: Callable[[], None] | None = None
) -> Iterator[Input]:
    """An input that may still be written: itself, or what it holds.

    Args:
        stream: A binary file; of a pipe, a socket or a terminal what is there is read, and pauses are told
            (:class:`kb.log.tape.Tape`).
        paused: Called at each pause.
        going: Called whenever it goes on.
    """
    head = Tape(stream, chunk=8192)
    while not head.ended and (len(head.data) < 64 or (len(head.data) < TELLING and b"\n" not in head.data)):
        if not head.fill(0) and b"\n" in head.data:
            break
    record = head.data.startswith(b"{") and head.data.find(b"\n") == len(head.data) - 1
    if record and not head.ended:
        record = not head.fill(0)  # a document of one line ends behind it, and what goes on later is none
    text = not head.ended and (record or _goes_on(head))
    for each in _inputs(Stream("-", getattr(stream, "read1", stream.read), head.data, live=True), stream, text):
        each.tape.paused, each.tape.going = paused, going
        yield each


def _goes_on(head: Tape) -> bool:
    """Whether a live input is lines of values whose text has no known name, and none that can be told by what is there.

    So they are lines like any other: who would tell more of them had to wait for the end.
    """
    if _KERNEL.match(head.data) is not None:
        return False
    from kb.log.containers.registry import GUESSED, format_of

    if format_of("-", head.data[:_PROBE]) != GUESSED:
        return False
    from kb.log.containers.exports.unnamed import HELD, told

    had = -1
    while not head.ended and had < len(head.data) < HELD:  # until nothing comes
        had = len(head.data)
        head.fill(0)
    return not head.ended and not told(head.data)


def _bytes(data: bytes) -> Iterator[Input]:
    stream = Stream("-", _over, data)
    members = _members_of(stream, io.BytesIO(data))
    if members is not None:
        yield from _held(stream, members)
    elif stream.packed:
        yield from _inputs(stream, text=True)
    else:
        source = plain("-", data, [])
        yield from _alone(Input("-", Tape(source.data), list(source.notes), _doubted(stream)))


def _over(size: int) -> bytes:
    return b""


def _from_path(name: str) -> Iterator[Input]:
    if name == "-":
        yield from _inputs(Stream("-", sys.stdin.buffer.read))
    elif os.path.isdir(name):
        yield from _from_folder(name)
    else:
        with opened(name) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            for each in _inputs(Stream(name, file.read), file if regular else None):
                each.tape.outer = file if regular else None
                yield each


def open_alone(name: str) -> Iterator[Input]:
    """A regular file that holds no others, and behind it what addresses in it say; nothing for any other file.

    Raises:
        InputError: As :func:`open_sources`.
    """
    from kb.log.containers.closed import closed

    with open_regular(name) as file:
        stream = Stream(name, file.read)
        other = _members_of(stream, file) is not None or closed(stream.head, name) is not None or is_binary(stream.head)
        if stream.head and not other and PART.match(stream.head[:64]) is None:
            yield from watched(stream.tape(file))


# ---- what an input holds


def _falls(head: bytes) -> bool:
    """Whether a log's first two times that differ go back: a quick look, before the whole one."""
    before: dict[bool, float] = {}
    for found in _STAMPS.finditer(head, 0, 4096):
        dated = found[1] is None
        if dated:
            hours, minutes, seconds = map(int, found[3].split(b":"))
            now = float(hours * 3600 + minutes * 60 + seconds)
        else:
            now = float(found[1] + b"." + found[2])
        if before.setdefault(dated, now) != now:
            ahead = now - before[dated]
            return ahead < 0 or (dated and ahead > _HALF_A_DAY)
    return False


def _container(stream: Stream) -> bool:
    """Whether an input may hold others: most logs are told by how they begin."""
    if _KERNEL.match(stream.head) is None:
        return True
    return not stream.live and _falls(stream.head)


def _members_of(stream: Stream, file: BinaryIO | None = None) -> "Members | None":
    """What gives the inputs that an input holds; None for a text.

    Args:
        stream: The input.
        file: The plain file that has its bytes as they are, where there is one.
    """
    if not _container(stream):
        return None
    from kb.log.containers.closed import closed
    from kb.log.containers.registry import container_of, ends_in_zip, further, members_of

    members = container_of(stream.name, stream.head[:_PROBE])
    if members is None and file is not None and not stream.packed and ends_in_zip(stream.head, file):
        return members_of("archives.zip")
    if members is None and closed(stream.head, stream.name) is None and stream.far(_FAR):
        members = further(stream.name, stream.head)
    return members


def _inputs(stream: Stream, file: BinaryIO | None = None, text: bool = False) -> Iterator[Input]:
    """An input that was named, or what it holds, unless it is known for a text."""
    members = None if text else _members_of(stream, None if stream.live else file)
    if members is None:
        stream.walk = _doubted(stream)
        yield from _alone(stream.tape(file))
    else:
        yield from _held(stream, members, file)


def _held(stream: Stream, members: "Members", file: BinaryIO | None = None) -> Iterator[Input]:
    """What an input holds."""
    from kb.log.containers.walk import Walk

    walk = Walk(stream.name, lambda: stream.taken)
    seekable = file if file is not None and not stream.packed and not stream.live else None
    yield from _members(members(stream.name, stream.all(), seekable, walk), stream, walk, 1)
    yield from _parts(walk)
    yield Input(stream.name, Tape(b""), stream.notes, walk, ends=True)


def _alone(each: Input) -> Iterator[Input]:
    """An input that was named and holds no others."""
    if each.walk is None or not each.walk.over:
        yield from watched(each)
    if each.walk is not None:
        yield Input(each.name, Tape(b""), [], each.walk, ends=True)


def _doubted(stream: Stream) -> "Walk | None":
    """A walk that says why an input cannot be looked into; None for one that looks like text."""
    if not _container(stream):
        return None
    head = stream.head
    from kb.log.containers.closed import closed, sealed
    from kb.log.containers.walk import Walk

    error = closed(head, stream.name)
    shut = error is not None and sealed(error)
    if error is None and is_binary(head):
        help_ = "unpack it first, or give the log's text"
        error = NoLog("is no text, and nothing that kb can look into", path=stream.name, help=help_)
    error = error or wordless(head, stream.name)
    if error is None:
        return None
    walk = Walk(stream.name)
    walk.alone = True
    walk.over = shut
    walk.unread.append(error)
    return walk


def _members(found: "Iterator[Member]", outer: Stream, walk: "Walk", depth: int) -> Iterator[Input]:
    from kb.log.containers.closed import closed
    from kb.log.containers.walk import DEEPEST

    for member in found:
        name = f"{outer.name}!{member.name}" if member.name else outer.name
        notes: list[str] = [*(outer.notes if not member.name else ()), *((member.note,) if member.note else ())]
        before = len(notes)
        try:
            stream = Stream(name, walk.counted(member.read, name, notes), walk=walk, notes=notes)
        except InputError as error:
            walk.refused(error, name)
            continue
        stream.release = member.release
        inner = None if member.text else _members_of(stream)
        if inner is not None:
            if depth >= DEEPEST:
                walk.stop(
                    f"holds containers more than {DEEPEST} deep", "unpack the inner ones, and give the logs in them"
                )
            else:
                yield from _members(inner(name, stream.all(), None, walk), stream, walk, depth + 1)
        elif (refused := closed(stream.head, name)) is not None:
            walk.refused(refused, name, member.handed)
        elif is_binary(stream.head):
            walk.refused(InputError("binary", path=name), name)
        elif PART.match(stream.head[:64]):
            yield from _part(stream, name.rpartition("/")[0] or outer.name, walk)
        elif stream.head:
            walk.doubt(wordless(stream.head, name), name, member.handed)
            yield from watched(stream.tape())
        elif len(stream.notes) > before:
            walk.refused(InputError(stream.notes[-1], path=name), name)
        if walk.over:
            return


def _part(stream: Stream, folder: str, walk: "Walk") -> Iterator[Input]:
    """Keep one part of a dump of pstore; what is too long for one, or too much with the others, is read as it comes."""
    data, read = b"", stream.all()
    while len(data) <= _LARGEST_PART and (piece := read(_LARGEST_PART)):
        data += piece
    if len(data) <= _LARGEST_PART and walk.keeps(len(data)):
        walk.parts.setdefault(folder, []).append(data if data.endswith(b"\n") else data + b"\n")
        return
    stream.head = data
    yield from watched(stream.tape())


def _parts(walk: "Walk") -> Iterator[Input]:
    """The dumps of pstore whose parts were met since."""
    for folder, parts in walk.parts.items():
        walk.release(sum(map(len, parts)))
        source = plain(folder, b"".join(parts), [])
        yield Input(folder, Tape(source.data), list(source.notes), walk)
    walk.parts.clear()


# ---- folders


def _from_folder(name: str) -> Iterator[Input]:
    """Text files and packed files of a folder, and what they hold, sorted by path; binary files are passed over.

    What is no regular file of the folder is not read; an input without data says so in its notes.
    """
    from kb.log.containers.walk import Walk

    walk = Walk(name)
    for folder, folders, files in os.walk(name, onerror=_unreadable):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(folder, file)
            reason = passed_over(path, name)
            if reason is not None:
                yield Input(path, Tape(b""), [f"not read: {reason}"], walk)
                continue
            try:
                with open_regular(path) as opened_file:
                    stream = Stream(path, opened_file.read)
                    yield from _in_folder(stream, opened_file, folder, walk)
            except InputError as error:  # the others are read all the same
                walk.unread.append(error)
        yield from _parts(walk)
    yield Input(name, Tape(b""), [], walk, ends=True)


def _in_folder(stream: Stream, file: BinaryIO, folder: str, walk: "Walk") -> Iterator[Input]:
    from kb.log.containers.closed import closed

    path = stream.name
    inner = _members_of(stream, file)
    if inner is not None:
        own = walk.beside(path, lambda: stream.taken)
        seekable = None if stream.packed else file
        yield from _members(inner(path, stream.all(), seekable, own), stream, own, 1)
        return
    stream.walk = walk
    if (error := closed(stream.head, path)) is not None:
        walk.refused(error, path)
    elif is_binary(stream.head):
        walk.refused(InputError("binary", path=path), path)
    elif PART.match(stream.head[:64]):
        yield from _part(stream, folder, walk)
    elif stream.head:
        walk.doubt(wordless(stream.head, path), path)
        yield from watched(stream.tape(file))


def _unreadable(error: OSError) -> None:
    raise InputError(f"cannot read the folder: {error.strerror}", path=str(error.filename)) from error
