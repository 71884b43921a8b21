"""Tar archives, read as a stream: nothing is sought, nothing unpacked to disk."""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from kb.errors import InputError
from kb.log.containers.walk import Member, Walk
from kb.log.unpack import Pushed, Read

_HEADERS = 1 << 20
"""Bytes of extended headers, one or all global ones: names have 4096 (PATH_MAX)."""
_EXTENDED = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


class _TooLong(Exception):
    """An extended header that would be held whole is too long."""


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The regular files of an archive; links, devices and the like are passed over."""
    try:
        with tarfile.open(fileobj=Pushed(b"", read), mode="r|", tarinfo=_bounded(), errorlevel=0) as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                archive.members = []  # it would keep them all
                if not walk.member():
                    return
                if info.isdir():
                    continue
                if info.isreg():
                    opened = archive.extractfile(info)
                    if opened is not None:
                        yield Member(info.name, opened.read)
                else:
                    walk.pass_over(f"{name}!{info.name}", "a link" if info.issym() or info.islnk() else "no file")
    except _TooLong as error:
        walk.unread.append(InputError(str(error), path=name, help="tar -xf FILE, and give the logs in it"))
    except (tarfile.TarError, ValueError, OSError, EOFError) as error:
        walk.unread.append(InputError(f"is cut or damaged: {error}", path=name, help="tar -tf FILE shows where"))


def _bounded() -> type[tarfile.TarInfo]:
    """Headers of one archive whose extensions, which the standard library holds whole, have a bound."""
    world = 0

    class Bounded(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str | None, errors: str) -> "Bounded":
            nonlocal world
            info = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type]
            world += info.size if info.type == tarfile.XGLTYPE else 0
            if world > _HEADERS or (info.type in _EXTENDED and info.size > _HEADERS):
                raise _TooLong(f"has an extended header of more than {_HEADERS} bytes")
            return info

    return Bounded
