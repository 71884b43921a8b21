"""The pages for people: each works without a script, by the keyboard, and loads nothing from elsewhere."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from kb.errors import KbError
from kb.serve import pages, routes, work
from kb.serve.body import received
from kb.serve.keeping import Origin
from kb.serve.problem import Refused, of_error
from kb.serve.routes import Here
from kb.serve.service import need

router = APIRouter(include_in_schema=False)
_PAGE = 100
_Name = Annotated[str | None, Query(max_length=300)]


def _shown(page: str, status: int = 200, policy: str = pages.POLICY) -> Response:
    headers = {"Content-Security-Policy": policy}
    return Response(page.encode("utf-8", "replace"), status, headers, "text/html")


@router.get("/")
def start() -> Response:
    """The page that takes a log."""
    return _shown(pages.start())


@router.get("/style.css")
def style() -> Response:
    """How the pages look."""
    return Response(pages.STYLE, media_type="text/css")


@router.post("/")
async def answer(request: Request, here: Here) -> Response:
    """What a log says; kept only when asked."""
    try:
        async with received(request, here.settings.largest, here.folder) as body:
            record = body.field("record") is not None
            if record:
                need(request, "record")
            asked = work.Asked("html", body.field("kernel"))
            found = await routes.matched(request, here, body, asked, record)
        kept = []
        if found.found:
            rows = await to_thread.run_sync(here.keeper.log, found.found, Origin("page"))
            kept = [pages.Kept(each.signature, each.title, each.count) for each in rows]
        return _shown(pages.with_links(found.body.decode(), kept), policy=pages.FRAMES)
    except (Refused, KbError) as error:
        problem = (error if isinstance(error, Refused) else of_error(error)).problem
        return _shown(pages.refused(problem.title, problem.detail, problem.help), problem.status)


@router.get("/signatures")
def signatures(here: Here, after: _Name = None) -> Response:
    """Signatures, most recent first."""
    store = here.base.known
    last = routes.known_signature(here, after).row if after else None
    rows = store.signatures(limit=_PAGE, after=last) if store is not None else []
    more = rows[-1].signature if len(rows) == _PAGE else None
    return _shown(pages.signatures(rows, more))


@router.get("/signatures/{name}")
def signature(here: Here, name: str) -> Response:
    """A signature: the permalink of what was kept."""
    from kb.store.summary import timeline

    shown = routes.known_signature(here, name)
    row = shown.row
    near = here.base.similar(row.signature, limit=5)
    return _shown(pages.signature(shown, near, timeline(here.base.store, row.signature)))


@router.get("/cases")
def cases(here: Here) -> Response:
    """The library."""
    return _shown(pages.cases((each.id, each.status, each.title) for each in here.base.cases))


@router.get("/cases/{name}")
def case(here: Here, name: str) -> Response:
    """A case."""
    found = here.base.case(name) if name.strip() else None
    if found is None:
        raise Refused(404, f"no case {name[:80]!r}")
    return _shown(pages.case(found))


@router.get("/search")
def search(here: Here, q: _Name = None) -> Response:
    """Cases that hold all words."""
    return _shown(pages.cases(here.base.search(q or ""), f"Cases with {q or 'nothing'}"))
