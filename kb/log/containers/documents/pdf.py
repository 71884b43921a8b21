"""A PDF: the text of its pages, by pypdf (the extra ``pdf``), lines as they were shown; pictures in it are not read."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from typing import Any, BinaryIO

from kb.errors import InputError
from kb.log.containers.roles import says_log
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_PAGES = 2_000
"""Pages that are read: a hundred thousand lines or so."""
_STREAM = 8 << 20
"""Bytes of one stream once unpacked: a page full of text has some ten thousand."""
_STEPS = 300_000
"""Operators and operands of one stream."""
_OPERATIONS = 2_000_000
"""Operators of all pages, two or three a line of text: some ten seconds."""
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
            pages = _pages(pypdf, name, data)
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


def _bounded(pypdf: Any) -> AbstractContextManager[Any]:
    """Bounds on each stream that is read meanwhile, where this pypdf has some to set."""
    if not hasattr(pypdf, "apply_configuration"):
        return nullcontext()
    bounds: AbstractContextManager[Any] = pypdf.apply_configuration(
        zlib_maximum_output_length=_STREAM,
        lzw_maximum_output_length=_STREAM,
        run_length_maximum_output_length=_STREAM,
        stream_parsing_work_maximum_count=_STEPS,
    )
    return bounds


def _pages(pypdf: Any, name: str, data: bytes) -> Iterator[bytes]:
    """The pages' text, one by one."""
    operations = 0

    def count(*_: object) -> None:
        nonlocal operations
        operations += 1
        if operations > _OPERATIONS:
            raise InputError(f"is a PDF of more than {_OPERATIONS} operations", path=name, help=_HELP)

    try:
        with _bounded(pypdf):
            pages = pypdf.PdfReader(io.BytesIO(data)).pages
            length = min(len(pages), _PAGES)
        for number in range(length):
            with _bounded(pypdf):
                text = pages[number].extract_text(visitor_operand_before=count)
            yield text.encode("utf-8", "replace") + b"\n"
    except InputError:
        raise
    except Exception as error:  # its own errors are many, and a hostile file meets any of Python's
        raise InputError(f"is a PDF that cannot be read: {error}", path=name, help=_HELP) from error
