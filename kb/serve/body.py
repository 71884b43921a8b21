"""Bodies of requests: counted while they come; in memory up to a size, beyond it in a file of the owner's."""

import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from kb.serve.problem import Refused
from kb.serve.settings import MEMORY
from kb.serve.upload import Body, Upload

_TEXTS = ("kernel", "host", "source", "key", "lang", "record", "text")
"""Fields of a form beside its files."""
_PACKED = ("", "identity", "gzip", "x-gzip", "bzip2", "xz", "zstd")
"""What a body may be said to be packed with: its own first bytes tell it then."""
_FILES = 32
_PIECE = 1 << 20


async def counted(request: Request, largest: int) -> AsyncGenerator[bytes, None]:
    """The pieces of a body.

    Raises:
        Refused: 413, as soon as it is longer than allowed, or says that it will be.
    """
    refuse_announced(request.headers, largest)
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > largest:
            raise too_large(largest)
        yield piece


def _encoding(headers: Headers) -> str:
    return headers.get("content-encoding", "").strip().lower()


def _look_at(headers: Headers) -> None:
    """Refuse what is packed in a way whose bytes would be read as they are."""
    if _encoding(headers) not in _PACKED:
        raise Refused(415, "packed in a way that kb does not know here", help="gzip, bzip2, xz, zstd, or as it is")


LOG_HELP = "send the part around the report, compress it, or start kb serve with a larger --max-body"


def refuse_announced(headers: Headers, largest: int, help_: str = LOG_HELP) -> None:
    """Refuse a body that says it is longer than allowed: nothing of it need come."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > largest:
        raise too_large(largest, help_)


def too_large(largest: int, help_: str = LOG_HELP) -> Refused:
    """What is said of a body that is longer than allowed."""
    return Refused(413, f"longer than {largest} bytes", help=help_, headers={"Connection": "close"})


@asynccontextmanager
async def received(request: Request, largest: int, folder: Path) -> AsyncIterator[Body]:
    """The body of a request: the log itself, or a form with the fields ``log`` and ``context``.

    Args:
        request: From whom.
        largest: Bytes that it may have, all parts together.
        folder: Where files of it lie until the block ends.
    """
    made: list[str] = []
    try:
        if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            if _encoding(request.headers) not in ("", "identity"):
                raise Refused(415, "a form that is packed as a whole", help="pack the files in it, or send it as it is")
            yield await _form(request, largest, folder, made)
        else:
            _look_at(request.headers)
            name = request.query_params.get("name") or "-"
            spool = _Spool(name, folder, made, request.headers.get("content-type", "").startswith("text/plain"))
            async for piece in counted(request, largest):
                spool.add(piece)
            log = spool.done()
            if not log.data and log.path is None and "content-type" not in request.headers:
                raise Refused(422, "no body", help="the log is the body: curl --data-binary @FILE")
            yield Body((log,))
    finally:
        for path in made:
            if os.path.exists(path):
                os.unlink(path)


class _Spool:
    """An input as it comes in."""

    def __init__(self, name: str, folder: Path, made: list[str], text: bool = False):
        self._name = name
        self._text = text
        self._folder = folder
        self._made = made
        self._held = bytearray()
        self._file: BinaryIO | None = None

    def add(self, piece: bytes) -> None:
        if self._file is None and len(self._held) + len(piece) > MEMORY:
            path = self._folder / f"body-{secrets.token_hex(8)}"
            self._made.append(str(path))
            self._file = open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")  # noqa: SIM115
            self._file.write(self._held)
            self._held.clear()
        if self._file is not None:
            self._file.write(piece)
        else:
            self._held += piece

    def done(self) -> Upload:
        if self._file is None:
            return Upload(self._name, bytes(self._held), text=self._text)
        self._file.close()
        return Upload(self._name, path=self._made[-1], text=self._text)


async def _form(request: Request, largest: int, folder: Path, made: list[str]) -> Body:
    parser = MultiPartParser(
        request.headers, counted(request, largest), max_files=_FILES, max_fields=_FILES, max_part_size=MEMORY
    )
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, KeyError) as error:
        raise Refused(400, f"the form cannot be read: {getattr(error, 'message', error)}") from error
    try:
        return await _fields(form, folder, made)
    finally:
        await form.close()


async def _fields(form: FormData, folder: Path, made: list[str]) -> Body:
    uploads: dict[str, list[Upload]] = {"log": [], "context": []}
    texts = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name in uploads and (value.filename or value.size):
                _look_at(value.headers)
                spool = _Spool(value.filename or "-", folder, made)
                while piece := await value.read(_PIECE):
                    spool.add(piece)
                uploads[name].append(spool.done())
        elif name in uploads or name == "text":
            if value.strip():
                uploads["log" if name == "text" else name].append(Upload("-", value.encode("utf-8", "replace")))
        elif name in _TEXTS:
            texts.append((name, value))
    if not uploads["log"]:
        raise Refused(422, "the form holds no log", place="log", help="a file or a text named log")
    return Body(tuple(uploads["log"]), tuple(uploads["context"]), tuple(texts))
