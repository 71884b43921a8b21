"""Zip archives, by their central directory: the standard library reads it, which needs a file that can be sought."""

import io
import os
import zipfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from kb.errors import InputError
from kb.log.containers.documents import workbook
from kb.log.containers.walk import Member, Walk
from kb.log.unpack import Read

_DIRECTORY = 4 << 20
"""Bytes of a central directory that are read: some fifty thousand members."""
_TAIL = 22 + 65535 + 20 + 56
"""APPNOTE.TXT 4.3.16, .14: the end record, a comment, and zip64's two records before it."""


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The files of an archive."""
    held = b""
    if file is None:
        data = walk.hold(read, name)
        if data is None:
            return
        held = data
    opened: IO[bytes] = file if file is not None else io.BytesIO(held)
    try:
        if _directory(opened) > _DIRECTORY:
            reason = f"has a directory of more than {_DIRECTORY} bytes: too many members"
            walk.unread.append(InputError(reason, path=name, help="unpack it, and give the logs in it"))
            return
        with zipfile.ZipFile(opened) as archive:
            yield from _files(name, archive, walk)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        walk.unread.append(_unreadable(name, opened, error))
    finally:
        walk.release(len(held))


def _files(name: str, archive: zipfile.ZipFile, walk: Walk) -> Iterator[Member]:
    book = any(map(workbook.holds, archive.namelist()))
    if book:
        yield from workbook.sheets(name, archive, walk)
    for info in archive.infolist():
        if info.is_dir() or (book and workbook.holds(info.filename)):
            continue
        if not walk.member():
            return
        place = f"{name}!{info.filename}"
        if info.flag_bits & 1:
            error = InputError("is encrypted", path=place, help="unzip it with its password, and give the logs in it")
            walk.unread.append(error)
            continue
        try:
            with archive.open(info) as opened:
                yield Member(info.filename, opened.read)
        except (NotImplementedError, zipfile.BadZipFile, RuntimeError, OSError) as error:
            walk.refused(InputError(f"cannot be unpacked: {error}", path=place, help="unzip it with 7z"), place)


def _unreadable(name: str, file: IO[bytes], error: Exception) -> InputError:
    file.seek(0)
    if file.read(4) == b"PK\7\x08":
        help_ = "zip -s 0 FILE.zip --out whole.zip, with all parts in one folder, then kb match whole.zip"
        return InputError("is one part of a split zip archive", path=name, help=help_)
    if b"PK\5\6" not in _tail(file):
        help_ = "get it again, or: zip -FF FILE --out whole.zip, then kb match whole.zip"
        return InputError("is a zip archive that is cut: its directory is missing", path=name, help=help_)
    return InputError(f"is no zip archive that can be read: {error}", path=name, help="unzip -t FILE")


def _tail(file: IO[bytes]) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _TAIL, 0))
    tail = b""
    while piece := file.read(_TAIL):
        tail += piece
    return tail


def _directory(file: IO[bytes]) -> int:
    """Bytes of the central directory, as the end record tells."""
    tail = _tail(file)
    at = tail.rfind(b"PK\5\6")
    told = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    wide = tail.rfind(b"PK\6\6")
    if wide >= 0:
        told = max(told if told != 0xFFFFFFFF else 0, int.from_bytes(tail[wide + 40 : wide + 48], "little"))
    file.seek(0)
    return told
