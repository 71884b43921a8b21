"""Tar archives, read as a stream: nothing is sought, nothing unpacked to disk."""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from kb.errors import InputError
from kb.log.containers.walk import Member, Walk
from kb.log.unpack import Pushed, Read

_HEADERS = 1 << 20
"""Bytes of extended headers, one or all global ones: names have 4096 (PATH_MAX)."""
_PIECE = 1 << 18
"""Bytes that are read at a time."""
_BLOCKS = 40_000
"""Blocks in a row that are no member, and that are looked at for the next one: 20 MB."""
_EXTENDED = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class _TooLong(Exception):
    """An extended header that would be held whole is too long."""


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The regular files of an archive; links, devices and the like are passed over."""
    skipped = _Skipped()
    header = _bounded(skipped)
    try:
        with tarfile.open(
            fileobj=Pushed(b"", read), mode="r|", bufsize=_PIECE, tarinfo=header, ignore_zeros=True, errorlevel=0
        ) as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                archive.members = []  # it would keep them all
                if not walk.member():
                    return
                if info.isdir():
                    continue
                if info.isreg():
                    yield Member(info.name, _content(archive, info))
                else:
                    walk.pass_over(f"{name}!{info.name}", "a link" if info.issym() or info.islnk() else "no file")
        if skipped.damaged:
            reason = f"is damaged: {skipped.damaged} blocks of 512 bytes are no part of it"
            walk.unread.append(InputError(reason, path=name, help="tar -tf FILE shows where"))
    except _TooLong as error:
        walk.unread.append(InputError(str(error), path=name, help="tar -xf FILE, and give the logs in it"))
    except (tarfile.TarError, ValueError, OSError, EOFError) as error:
        walk.unread.append(InputError(f"is cut or damaged: {error}", path=name, help="tar -tf FILE shows where"))


def _content(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Read:
    """What gives the bytes of a member, where its header was read: of one that is cut, up to the cut."""
    if info.sparse is not None:
        opened = archive.extractfile(info)
        return opened.read if opened is not None else lambda size: b""
    stream, left = archive.fileobj, info.size
    assert stream is not None

    def read(size: int) -> bytes:
        nonlocal left
        piece = stream.read(min(size, left))
        left -= len(piece)
        if left and not piece:
            raise tarfile.ReadError("unexpected end of data")
        return piece

    return read


class _Skipped:
    """Blocks between members, where a header should stand: zeros behind an archive, or damage."""

    def __init__(self) -> None:
        self.left = _BLOCKS
        self.ended = False
        """The archive before them has its end."""
        self.damaged = 0

    def another(self, zeros: bool) -> bool:
        """Count one more; False behind so many that were looked at for another archive (``cat a.tar b.tar``)."""
        self.left -= 1
        self.ended = self.ended or zeros  # behind what ends an archive, what is no other one is no damage
        self.damaged += not self.ended
        return self.left >= 0


def _bounded(skipped: _Skipped) -> type[tarfile.TarInfo]:
    """Headers of one archive whose extensions, which the standard library holds whole, have a bound."""
    world = 0

    class Bounded(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> "Bounded":
            nonlocal world
            try:
                info = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]
            except tarfile.HeaderError:
                if buf and not skipped.another(not any(buf)):
                    super().frombuf(b"", encoding, errors)  # type: ignore[arg-type]  # raises what the end of a file does
                raise
            skipped.left, skipped.ended = _BLOCKS, False
            world += info.size if info.type == tarfile.XGLTYPE else 0
            if world > _HEADERS or (info.type in _EXTENDED and info.size > _HEADERS):
                raise _TooLong(f"has an extended header of more than {_HEADERS} bytes")
            return info

    return Bounded
