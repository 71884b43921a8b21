"""Where logs come in: ``POST /upload`` of systemd-journal-upload, ``/v1/ingest`` of collectors, Loki's push."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from kb.serve import forms
from kb.serve.body import counted
from kb.serve.intake import bodies, packed, push, reassembly
from kb.serve.intake.arrived import Arrived, Boot
from kb.serve.intake.journal import Malformed
from kb.serve.problem import Refused, responses
from kb.serve.routes import Here, once
from kb.serve.service import Service

router = APIRouter(dependencies=[Depends(once)], responses=responses(400, 401, 403, 413, 415, 422, 503))
_LOOK = 0.5
"""Seconds after which a request that brings nothing is asked whether the service stops."""
_AT_ONCE = 256
"""Records that are taken before others get their turn."""
_PART = 1 << 14
"""Bytes that are read before others get theirs: they may hold thousands of values that are no record."""
_SHORT = 1 << 16
"""Bytes of a push that are read at once; a longer one is given to a worker."""
_LOKI = 4 << 20
"""Bytes of a push, which is read in one go: what Loki itself takes by default (grpc_server_max_recv_msg_size)."""
_SHAPES = "an object with message, MESSAGE, msg, log or line, alone, a line each, or in an array"
_HOST = "Host whose lines these are, where the records name none"
_Host = Annotated[str | None, Query(max_length=255, pattern="^[!-~]+$", description=_HOST)]
_Source = Annotated[str | None, Query(max_length=255, pattern="^[!-~]+$", description="Who sends: `ingest` by default")]


_ENTRIES = {"type": "string", "pattern": "^([A-Z_][A-Z0-9_]{0,63}=[^\n]*\n|\n)*$"}
_PUSH = {
    "type": "object",
    "required": ["streams"],
    "properties": {
        "streams": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["values"],
                "properties": {
                    "stream": {"type": "object", "additionalProperties": {"type": "string"}},
                    "values": {
                        "type": "array",
                        "items": {
                            "type": "array",
                            "prefixItems": [
                                {"type": "string", "pattern": "^[0-9]{1,19}$"},
                                {"type": "string"},
                                {"type": "object"},
                            ],
                            "minItems": 2,
                            "maxItems": 3,
                        },
                    },
                },
            },
        }
    },
}


def _body(description: str, schemas: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    """What the document says of a body that is read as it comes."""
    content = {media: {"schema": schema} for media, schema in schemas.items()}
    return {"requestBody": {"required": required, "description": description, "content": content}}


_JOURNAL = _body("Entries in the export format", {bodies.JOURNAL: _ENTRIES, "text/plain": _ENTRIES})
_RECORDS = _body(
    "Records: objects of JSON, alone, a line each, or in arrays (application/json, too); or plain lines",
    {"application/x-ndjson": {}, "text/plain": {}},
)
_STREAMS = _body("Streams", {"application/json": _PUSH}, required=True)


@router.post("/upload", status_code=202, response_class=PlainTextResponse, openapi_extra=_JOURNAL)
async def upload(request: Request, here: Here) -> Response:
    """A journal, as systemd-journal-upload sends it."""
    await _taken(request, here, bodies.JOURNAL, Boot(_address(request), named=False), "journal")
    return PlainTextResponse("OK.\n", 202)


@router.post("/v1/ingest", status_code=202, response_model=forms.Taken, openapi_extra=_RECORDS)
async def ingest(request: Request, here: Here, host: _Host = None, source: _Source = None) -> Any:
    """Records of collectors: lines or arrays of JSON, a journal's export, plain lines; one request or many."""
    media = request.headers.get("content-type", "")
    sender = Boot(host) if host else Boot(_address(request), named=False)
    taken, form = await _taken(request, here, media, sender, source or "ingest")
    if form.unread and not form.read:
        raise Refused(422, "JSON in which no record of a log was found", place="the body", help=_SHAPES)
    return {"records": taken, "unread": form.unread}


@router.post("/loki/api/v1/push", status_code=204, response_class=Response, openapi_extra=_STREAMS)
async def loki(request: Request, here: Here) -> Response:
    """A push of Promtail, Alloy or Fluent Bit, as JSON."""
    if "protobuf" in request.headers.get("content-type", ""):
        raise Refused(415, "a push in protobuf", help="let it send JSON; or send to /v1/ingest")
    taken = reassembly.Request("loki")
    unpack, held = _unpacker(request), bytearray()
    try:
        async for piece in counted(request, _LOKI):
            for part in unpack.feed(piece):
                held += part
                if len(held) > _LOKI:
                    raise Refused(413, f"longer than {_LOKI} bytes", help="send less at a time")
        unpack.end()
    except Malformed as error:
        raise _refused(error) from error
    rows = push.rows(bytes(held)) if len(held) <= _SHORT else await here.pool.run(push.rows, bytes(held))
    if rows is None:
        raise Refused(400, "is no push of streams and values", place="the body", help=push.HELP)
    form = push.Rows(Boot(_address(request), named=False))
    for part in _parts(rows):
        await pass_on(here.intake, form.feed(part), taken)
    here.metrics.taken("loki", taken.records)
    return Response(status_code=204)


async def _taken(
    request: Request, here: Service, media: str, sender: Boot, source: str
) -> tuple[int, bodies.Form]:  # fmt: skip
    """Take the records of a body as they come; how many they were, and what has read them."""
    taken, form, unpack = reassembly.Request(source), bodies.form(media, sender), _unpacker(request)
    if form is None:
        raise Refused(415, "a body that is neither text nor JSON", help="let it send JSON, lines of it, or plain lines")
    try:
        async for piece in _pieces(request, here):
            for unpacked in unpack.feed(piece):
                for part in _parts(unpacked):
                    await pass_on(here.intake, form.feed(part), taken)
        unpack.end()
        await pass_on(here.intake, form.rest(), taken)
    except Malformed as error:
        raise _refused(error) from error
    finally:
        here.metrics.taken("journal" if source == "journal" else "ingest", taken.records)
    return taken.records, form


async def pass_on(intake: reassembly.Reassembly, found: Iterable[Arrived], taken: reassembly.Request) -> None:
    """Give records to where they are put together, a few at a time: a megabyte of line ends is a million lines."""
    records = iter(found)
    while batch := list(islice(records, _AT_ONCE)):
        await intake.add(batch, taken)
        await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()


def _parts(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PART] for at in range(0, len(data), _PART))


async def _pieces(request: Request, here: Service) -> AsyncIterator[bytes]:
    """The pieces of a body that may never end; it ends when the service does."""
    while True:
        message = None
        with anyio.move_on_after(_LOOK):
            message = await request.receive()
        if here.stops(now=message is None):
            raise Refused(503, "the service stops", help="send it again", after=2, headers={"Connection": "close"})
        if message is None:
            continue
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


def _refused(error: Malformed) -> Refused:
    return Refused(400, str(error), place=error.place or "the body", help=error.help)


def _unpacker(request: Request) -> packed.Unpacker:
    encoding = request.headers.get("content-encoding", "")
    found = packed.unpacker(encoding)
    if found is None:
        raise Refused(415, "packed in a way that kb does not know here", help=packed.KNOWN)
    return found


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "-"
