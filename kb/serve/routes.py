"""The interface for programs, version 1."""

import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from pydantic import StringConstraints
from starlette.responses import Response

from kb.errors import UsageError
from kb.render.json import line
from kb.serve import forms, work
from kb.serve.accept import chosen
from kb.serve.body import received
from kb.serve.keeping import Origin
from kb.serve.problem import Refused, responses
from kb.serve.service import Service, service, token
from kb.serve.upload import Body

_MANY = ("module", "file")
"""Parameters that may be given again."""


async def once(request: Request) -> None:
    """Refuse a parameter that is given twice: which of them counts would be anybody's guess."""
    names = [name for name, _ in request.query_params.multi_items() if name not in _MANY]
    if len(set(names)) < len(names):
        raise Refused(422, "a parameter is given more than once", help="/openapi.json tells")


router = APIRouter(prefix="/v1", dependencies=[Depends(once)], responses=responses(400, 401, 403, 422, 503))

_RELEASE = r"^[0-9]{1,3}\.[0-9]{1,4}"
"""How a release begins, as uname -r prints it."""
_Kernel = Annotated[
    str | None, Query(description="Release to assume where the log prints none", pattern=_RELEASE, max_length=200)
]
Here = Annotated[Service, Depends(service)]
_Limit = Annotated[int, Query(ge=1, le=500, description="Rows of an answer")]
_Notices = Annotated[bool, Query(description="Single messages that a case may explain as reports, too")]
_Lang = Annotated[Literal["en", "zh"], Query(description="Language of what kb says")]
_Host = Annotated[str | None, Query(max_length=300, description="Host, where the log names none")]
_Source = Annotated[str | None, Query(max_length=300, description="Where the log came from: `ticket:4711`")]
_Key = Annotated[
    str | None, Query(max_length=300, description="The sender's own name of the log: sent again, nothing is counted")
]
_Kind = Annotated[str | None, Query(max_length=300, description="Only this kind of report")]
_Words = Annotated[str | None, Query(max_length=300, description="Only those whose title holds all these words")]
_Case = Annotated[str | None, Query(max_length=300, description="Id of a case")]
_Module = Annotated[str, StringConstraints(pattern="^[0-9]{0,8}[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
_File = Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9_./+,-]{0,300}$")]
_BODY = "The log as it is, packed, or what holds logs; or a form (multipart) of files named log and context"
_LOG: dict[str, Any] = {
    "requestBody": {"required": True, "description": _BODY, "content": {"text/plain": {"schema": {}}}}
}
_REFUSED = responses(413, 415)
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One kb.report/1 object a report, or what people read",
        "content": {
            media: {"schema": {"type": "array", "items": {"type": "object"}} if form == "json" else {"type": "string"}}
            for media, form in work.FORMS.items()
        },
    }
}


def json(row: Any, status: int = 200) -> Response:
    """An answer of plain values."""
    return Response(line(row, default=str) + "\n", status, media_type="application/json")


async def matched(request: Request, here: Service, body: Body, asked: work.Asked, keep: bool = False) -> work.Answered:
    """What a worker says of a request's logs."""
    started = time.monotonic()
    found = await here.pool.run(work.match, here.settings.place, body.logs, body.context, asked, keep)
    here.metrics.matched(found.kinds, found.known, time.monotonic() - started)
    return found


@router.post("/match", openapi_extra=_LOG, responses={**_FORMS, **_REFUSED, **responses(406)}, response_class=Response)
async def match(
    request: Request, here: Here, kernel: _Kernel = None, notices: _Notices = False, lang: _Lang = "en"
) -> Response:
    """What a log says and what is known about it: ``kb match``. Writes nothing."""
    media = chosen(request.headers.get("accept", ""), list(work.FORMS))
    async with received(request, here.settings.largest, here.folder) as body:
        asked = work.Asked(work.FORMS[media], kernel or body.field("kernel"), notices, lang)
        found = await matched(request, here, body, asked)
    headers = {"KB-Reports": str(len(found.kinds)), "KB-Known": str(found.known)}
    return Response(found.body, media_type=media, headers=headers)


@router.post("/record", status_code=201, response_model=forms.Records, responses=_REFUSED, openapi_extra=_LOG)
async def record(request: Request, here: Here, host: _Host = None, source: _Source = None, key: _Key = None) -> Any:
    """Keep each report of a log as a sighting of its signature; what was recorded before counts once."""
    async with received(request, here.settings.largest, here.folder) as body:
        found = await matched(request, here, body, work.Asked(), keep=True)
        names = [value or body.field(name) for name, value in (("source", source), ("host", host), ("key", key))]
    with anyio.CancelScope(shield=True):  # what is begun is finished, whoever hangs up
        rows = await to_thread.run_sync(here.keeper.log, found.found, Origin(*names))
    return {"recorded": rows, "notes": found.notes}


@router.get("/signatures", response_model=forms.SignaturePage, responses=responses(404))
def signatures(
    here: Here,
    order: Annotated[Literal["last", "count"], Query(description="The latest first, or the most frequent")] = "last",
    kind: _Kind = None,
    words: _Words = None,
    limit: _Limit = 100,
    after: Annotated[str | None, Query(description="The signature that the page before ended with")] = None,
) -> Any:
    """Signatures of the store, most recent or most frequent first."""
    store = here.base.known
    if store is None:
        return {"signatures": [], "after": None}
    last = known_signature(here, after).row if after else None
    rows = store.signatures(order=order, kind=kind, words=words, limit=limit, after=last)
    return {"signatures": [asdict(row) for row in rows], "after": rows[-1].signature if len(rows) == limit else None}


def known_signature(here: Service, name: str) -> Any:
    """All on a signature by the beginning of its id.

    Raises:
        Refused: 404.
    """
    if here.base.known is None:
        raise Refused(404, "nothing was recorded yet", help="POST /v1/record stores")
    try:
        return here.base.show(name)
    except UsageError as error:
        raise Refused(404, f"no signature, or several, begin with {name[:80]!r}", help=error.help) from None


@router.get("/signatures/{name}", response_model=forms.Row, responses=responses(404))
def signature(here: Here, name: Annotated[str, PathParameter(description="Its id, or how it begins")]) -> Response:
    """A signature (kb.identity.signature/1): where and when it was seen, its evidence and notes, and what is near."""
    from kb.store.summary import timeline

    shown = known_signature(here, name)
    near = here.base.similar(shown.row.signature, limit=5)
    row = {
        **shown.to_json(),
        "hosts": sorted({seen.host for seen in shown.sightings if seen.host}),
        "timeline": [{"day": day, "count": count} for day, count in timeline(here.base.store, shown.row.signature)],
        "near": [
            {"case": each.entry.case, "signature": each.entry.signature, "title": each.entry.title,
             "score": round(each.score, 3), "because": each.because}
            for each in near
        ],
    }  # fmt: skip
    return json(row)


@router.get("/cases", response_model=forms.CaseList)
def cases(here: Here) -> Any:
    """The cases of the library; imported ones are found by /v1/search."""
    return {"cases": [{"id": each.id, "status": each.status, "title": each.title} for each in here.base.cases]}


@router.get("/cases/{name}", response_model=forms.Row, responses=responses(404))
def case(here: Here, name: Annotated[str, PathParameter(description="Its id")]) -> Response:
    """A case (kb.case/1): of the library, imported, or a known fix."""
    found = here.base.case(name) if name.strip() else None
    if found is None:
        raise Refused(404, f"no case {name[:80]!r}", help="/v1/cases names them, /v1/search finds imported ones")
    return json({"schema": "kb.case/1", **asdict(found)})


@router.get("/search", response_model=forms.CaseList)
def search(
    here: Here, q: Annotated[str, Query(min_length=1, max_length=300, description="Words")], limit: _Limit = 50
) -> Any:
    """Cases that hold all words."""
    rows = here.base.search(q, limit=limit)
    return {"cases": [{"id": name, "status": status, "title": title} for name, status, title in rows]}


@router.post("/annotations", status_code=201, response_model=forms.Annotation, responses=responses(413))
def annotate(request: Request, here: Here, note: forms.Note) -> Any:
    """Add a note to a signature or a case. It is never changed."""
    by = token(request)
    made = here.base.annotate(
        note.subject, note.body, author=note.author or (by.name if by is not None else "service"), key=note.key
    )
    return {name: getattr(made, name) for name in ("id", "subject", "author", "time", "body")}


@router.post("/ask", response_model=forms.Row, responses=responses(413))
async def ask(here: Here, asked: forms.Question) -> Response:
    """Answer one question about a log, the cases or the store: ``kb ask`` (kb.reply/1)."""
    return json(await here.pool.run(work.ask, here.settings.place, asked.question, asked.log, asked.lang))


@router.get("/affected", response_model=forms.Row, responses=responses(404))
async def affected(
    here: Here,
    kernel: Annotated[str, Query(pattern=_RELEASE, max_length=200, description="As uname -r prints it")],
    case: _Case = None,
    module: Annotated[list[_Module] | None, Query(max_length=1000, description="Only fixes of these modules")] = None,
    file: Annotated[list[_File] | None, Query(max_length=1000, description="Only fixes of files below these")] = None,
) -> Response:
    """Whether a kernel has a case's fix (kb.affected/1), or which known crash fixes it lacks (kb.affected-list/1)."""
    names = tuple(module or ()), tuple(file or ())
    found = await here.pool.run(work.affected, here.settings.place, case, kernel, *names)
    if found is None:
        raise Refused(404, f"no case {str(case)[:80]!r}", help="/v1/cases names them, /v1/search finds imported ones")
    return json(found)
