"""Errors as RFC 9457 ``application/problem+json``: kb's reason, place and help."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi import HTTPException as FastHTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from kb.errors import InputError, KbError, StoreError, StoreLocked, UsageError

MEDIA = "application/problem+json"
_TITLES = {
    400: "The request cannot be read",
    401: "A token is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Not that method",
    406: "No such form",
    413: "Too large",
    415: "No such media type",
    422: "The request cannot be answered",
    500: "kb failed",
    503: "Come again",
}


class Problem(BaseModel):
    """What went wrong."""

    type: str = Field(default="about:blank", description="Always this: the title says it")
    title: str = Field(description="The status in words")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="kb's reason")
    place: str | None = Field(None, description="Where: a member of an input, a parameter")
    line: int | None = Field(default=None, description="Line of that, from 1")
    help: str | None = Field(None, description="What to do")


class Refused(FastHTTPException):
    """A request that is answered with a problem; FastAPI lets its own kind alone pass while it reads a body.

    Args:
        status: The HTTP status.
        reason: Why.
        place: Where.
        help: What to do.
        after: Seconds after which to come again (``Retry-After``).
        headers: More of the answer's headers.
    """

    def __init__(
        self, status: int, reason: str, *, place: str | None = None, help: str | None = None,
        after: int | None = None, headers: dict[str, str] | None = None,
    ):  # fmt: skip
        again = {} if after is None else {"Retry-After": str(after)}
        super().__init__(status, reason, {**(headers or {}), **again})
        self.problem = Problem(title=_TITLES.get(status, "Error"), status=status, detail=reason, place=place, help=help)

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.problem.model_dump(), self.problem.status, self.headers, MEDIA)


def of_error(error: KbError) -> Refused:
    """An error of kb as the answer to who asked."""
    status, after = 500, None
    if isinstance(error, UsageError | InputError):
        status = 422
    elif isinstance(error, StoreLocked):
        status, after = 503, 5
    place = None if isinstance(error, StoreError) else error.path  # where the store lies is nobody's business
    return Refused(status, error.reason, place=place, help=error.help, after=after)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with, for the OpenAPI document."""
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _TITLES[status], "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error of an app with a problem."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return error.response()

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, KbError)
        return of_error(error).response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return Refused(error.status_code, str(error.detail), headers=dict(error.headers or {})).response()

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(map(str, first.get("loc", ())))
        return Refused(422, str(first.get("msg", "is not valid")), place=place, help="/openapi.json tells").response()

    async def hung_up(request: Request, error: Exception) -> Response:
        return Refused(400, "the sender hung up").response()  # nobody reads it; the log of requests has it

    async def broken(request: Request, error: Exception) -> Response:
        return Refused(500, "an error of kb itself; its log names the request").response()

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(KbError, failed)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(ClientDisconnect, hung_up)
    app.add_exception_handler(Exception, broken)
