"""Who is let in: before any route is looked up, and before a byte of the body is read.

On loopback without tokens everybody on the machine may do everything, but no page of the web may: it could name this
server by a name of its own (DNS rebinding: a foreign Host) or post to it from where it stands (a foreign Origin).
"""

import base64
import binascii
import ipaddress
import json
import sys
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.serve.body import refuse_announced, too_large
from kb.serve.metrics import Metrics
from kb.serve.problem import Refused
from kb.serve.settings import JSON
from kb.serve.tokens import Token, allows, who

OPEN = ("/healthz", "/openapi.json")
"""What is told without a token."""
_ROLES = {
    ("POST", "/v1/record"): "record",
    ("POST", "/v1/ingest"): "record",
    ("POST", "/loki/api/v1/push"): "record",
    ("POST", "/upload"): "record",
    ("POST", "/v1/annotations"): "annotate",
    ("GET", "/metrics"): "read",
}
"""What is asked for, where it is more than to read."""
_WHOLE = ("/v1/ask", "/v1/annotations")
"""What reads a body as a whole; all else that takes one counts it itself."""
_WHOLE_HELP = "send the part around the report, or the log itself to /v1/match"


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own, without asking anybody."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """The outermost layer: lets in, counts and logs.

    Args:
        app: What is guarded.
        tokens: Whose requests are answered; none: those of this machine.
        metrics: Counts the answers.
        largest: Bytes that a body may have that is read as a whole.
        log: Whether a line of JSON a request goes to stderr.
    """

    def __init__(self, app: ASGIApp, tokens: Iterable[Token], metrics: Metrics, largest: int = JSON, log: bool = True):
        self._app = app
        self._tokens = tuple(tokens)
        self._metrics = metrics
        self._json = min(largest, JSON)
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":  # as GET (RFC 9110, 9.3.2); the server knows what was asked, and sends no body
            scope = {**scope, "method": "GET"}
        started, status, size = time.monotonic(), 500, 0
        token: Token | None = None
        bounded = scope["path"] in _WHOLE

        async def counting() -> Message:
            nonlocal size
            if bounded and not size:
                refuse_announced(Headers(scope=scope), self._json, _WHOLE_HELP)
            message = await receive()
            size += len(message.get("body", b""))
            if bounded and size > self._json:
                raise too_large(self._json, _WHOLE_HELP)
            return message

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_SAFE]
            await send(message)

        try:
            try:
                token = self._let_in(scope, Headers(scope=scope))
            except Refused as refused:
                await refused.response()(scope, counting, answering)
            else:
                scope.setdefault("state", {})["token"] = token
                await self._app(scope, counting, answering)
        finally:
            route = getattr(scope.get("route"), "path", None) or "-"
            self._metrics.answered(route, status)
            if self._log:
                row = {
                    "method": method if method.isalpha() and len(method) < 12 else "?",
                    "route": route,
                    "status": status,
                    "bytes": size,
                    "seconds": round(time.monotonic() - started, 4),
                    "token": token.name if token is not None else None,
                }
                say(**row)

    def _let_in(self, scope: Scope, headers: Headers) -> Token | None:
        """Whose request it is.

        Raises:
            Refused: 401, 403.
        """
        path, host = scope["path"], headers.get("host", "")
        if not self._tokens and not is_loopback(_name(host)):
            help_ = "without tokens kb serve answers to the names of this machine alone"
            raise Refused(403, "the Host is not this machine", help=help_)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refused(403, "the Origin is another place", help="the page that asks must come from here")
        if not self._tokens or path in OPEN:
            return None
        token = who(self._tokens, _secret(headers))
        if token is None:
            help_ = "send Authorization: Bearer TOKEN; a browser asks for it as the password"
            raise Refused(401, "no token, or none that is known", help=help_, headers=_CHALLENGE)
        needed = _ROLES.get((scope["method"], path), "read")
        if not allows(token.role, needed):
            raise Refused(403, f"the token may {token.role}, this needs one that may {needed}")
        return token


def say(**row: object) -> None:
    """Write a line of the service's own log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"time": stamp, **row}), file=sys.stderr, flush=True)


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kb", Basic realm="kb", charset="UTF-8"'}
_SAFE = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"), (b"cache-control", b"no-store")]
"""With ``no-referrer`` a browser would say of a form of the page's own, too, that its Origin is null."""


def _name(host: str) -> str:
    """The name of a Host without its port."""
    if host.startswith("["):
        return host.partition("]")[0].strip("[]")
    return host.partition(":")[0]


def _secret(headers: Headers) -> str:
    """The secret that a request bears: a bearer's token, or the password that a browser sends."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value.strip() if scheme.lower() == "bearer" else ""
