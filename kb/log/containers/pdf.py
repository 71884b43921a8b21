"""A PDF: the text of its pages, by pypdf (the extra ``pdf``), lines as they were shown; pictures in it are not read."""

import io
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

from kb.errors import InputError
from kb.log.containers.roles import says_log
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_PAGES = 2_000
"""Pages that are read: a hundred thousand lines or so."""
_NOTE = "line numbers are those of the text of the pages"
_HELP = "or give the log's text: pdftotext -layout FILE - | kb match"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The text of all pages; none is no log, but nothing that can be looked into any further."""
    data = None
    try:
        try:
            import pypdf
        except ImportError as error:
            reason = "is a PDF: reading the text of its pages needs pypdf"
            raise InputError(reason, path=name, help=f"pip install 'kernel-kb[pdf]', {_HELP}") from error
        data = walk.hold(read, name)
        if data is not None:
            pages = _pages(pypdf.PdfReader, name, data)
            first = next((page for page in pages if page.strip()), None)
            if first is None:
                raise InputError("is a PDF without text: its pages are pictures", path=name, help="give the log's text")
            yield Member("", pieces(chain((first,), pages)), note=_NOTE)
    except InputError as error:
        if name == walk.name or says_log(name):
            walk.unread.append(error)
        else:
            walk.pass_over(name, error.reason)
    finally:
        walk.release(len(data or b""))


def _pages(reader: type, name: str, data: bytes) -> Iterator[bytes]:
    """The pages' text, one by one."""
    try:
        for page in islice(reader(io.BytesIO(data)).pages, _PAGES):
            yield page.extract_text().encode("utf-8", "replace") + b"\n"
    except Exception as error:  # its own errors are many, and a hostile file meets any of Python's
        raise InputError(f"is a PDF that cannot be read: {error}", path=name, help=_HELP) from error
