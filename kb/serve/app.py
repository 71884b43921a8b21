"""The ASGI application: routes, errors, what tells of the service itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from starlette.responses import JSONResponse, Response

from kb import __version__
from kb.serve import forms, live, metrics, people, problem, routes
from kb.serve.service import Service, service

_Here = Annotated[Service, Depends(service)]


def build(here: Service) -> FastAPI:
    """The application of a service, without the guard around it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with here.running():
            yield

    app = FastAPI(
        title="kb", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        description="What a kernel log says, what is known about it, what to do now.",
    )  # fmt: skip
    app.state.service = here
    problem.install(app)
    app.include_router(routes.router)
    app.include_router(live.router)
    app.include_router(people.router)
    app.add_api_route("/healthz", healthz, response_model=forms.State)
    down: dict[int | str, dict[str, Any]] = {503: {"model": forms.State, "description": "No log can be read now"}}
    app.add_api_route("/readyz", readyz, response_model=forms.State, responses={**down, **problem.responses(401, 403)})
    app.add_api_route("/metrics", counted, response_class=Response, responses=problem.responses(401, 403))
    _documented(app)
    return app


def _documented(app: FastAPI) -> None:
    """Have the OpenAPI document know the problem that all errors are, in place of FastAPI's own."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = problem.Problem.model_json_schema()
            for operations in document["paths"].values():
                for operation in operations.values():
                    operation["responses"].update({str(k): v for k, v in problem.responses(422).items()})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        return app.openapi_schema or document

    app.openapi = openapi  # type: ignore[method-assign]


async def healthz() -> Any:
    """Whether the process lives: no more than that."""
    return {"status": "ok"}


async def readyz(here: _Here) -> Any:
    """Whether a log would be read now: one is."""
    reason = await here.ready()
    if reason is None:
        return {"status": "ok"}
    return JSONResponse({"status": "not ready", "reason": reason}, 503, {"Retry-After": "1"})


async def counted(here: _Here) -> Response:
    """Counts, for Prometheus."""
    return Response(here.metrics.text(here.pool, here.intake), media_type=metrics.MEDIA)
