"""``kb tui --web``: the same app for a browser, through textual-serve. On loopback, and for who has the address alone.

Whoever reaches the port could read the log and write notes as the person who started it: every other user of the
machine, every page in a browser. So the address that is printed holds a token that opens once and gives that browser a
cookie; without either nothing is answered.
"""

import argparse
import hmac
import re
import secrets
import shlex
import sys
from collections.abc import Callable
from typing import Any

from kb.errors import UsageError

_FIRST_KEY = """<script>
(() => {
  const send = WebSocket.prototype.send, waiting = [];
  WebSocket.prototype.send = function (data) {
    if (this.readyState !== WebSocket.CONNECTING) return send.call(this, data);
    this.addEventListener("open", () => send.call(this, data), {once: true});
  };
  const box = () => document.querySelector(".xterm-helper-textarea");
  const press = key => {
    const event = new KeyboardEvent("keydown", {...key, bubbles: true, cancelable: true});
    Object.defineProperty(event, "keyCode", {value: key.code});
    const taken = !box().dispatchEvent(event);
    if (!taken && key.key.length === 1) {
      const typed = new KeyboardEvent("keypress", {key: key.key, bubbles: true, cancelable: true});
      for (const name of ["keyCode", "charCode", "which"])
        Object.defineProperty(typed, name, {value: key.key.charCodeAt(0)});
      box().dispatchEvent(typed);
    }
  };
  document.addEventListener("keydown", event => {
    if (!event.isTrusted || event.target === box()) return;
    const {key, keyCode, ctrlKey, altKey, shiftKey} = event;
    waiting.push({key, code: keyCode, ctrlKey, altKey, shiftKey});
    event.preventDefault();
  }, true);
  const look = setInterval(() => {
    if (!box()) return;
    if (document.activeElement !== box()) box().focus();
    while (waiting.length) press(waiting.shift());
  }, 20);
})();
</script>"""
"""Of the page: the terminal has the focus from the start; keys that come before it or its connection wait for it."""
_LINK = re.compile(r"""<link[^<>]{0,200}?\bhref="https?://([^/"<>]{0,253})[^<>]{0,1000}>""")
"""Of the page's fonts: those of another host are left out, the page of a log asks nobody else for anything."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(options: argparse.Namespace) -> int:
    """Serve until interrupted; each visit gets a process of its own.

    Args:
        options: Of ``kb tui``; standard input can be no log here, since each visit reads it anew.
    """
    if "-" in options.files:
        raise UsageError("--web reads files or the store, not standard input", help="save the log to a file first")
    if options.host not in LOOPBACK:
        help_ = f"from elsewhere: ssh -L {options.port}:127.0.0.1:{options.port} HOST, then open its address here"
        raise UsageError(f"--web listens on loopback, not on {options.host}", help=help_)
    try:
        from textual_serve.server import Server
    except ImportError:
        raise UsageError("--web needs the package textual-serve", help="pip install 'kernel-kb[web]'") from None
    allowed = places(options.host, options.port)
    url = f"http://{allowed[0]}"

    def tell(token: str) -> None:
        print(f"kb: {url}/?token={token} (opens once; Ctrl-C ends kb)", file=sys.stderr, flush=True)

    door = Door(tell)
    server: Any = Server(command(options), host=options.host, port=options.port, title="kb", public_url=url)
    make_app = server._make_app

    async def guarded() -> Any:
        app = await make_app()
        app.middlewares.append(guard(allowed, door))
        return app

    async def started(app: Any) -> None:
        door.issue()

    server._make_app, server.on_startup = guarded, started
    server.initialize_logging = lambda: None  # requests are not logged: stderr is for notes
    server.serve()
    return 0


def places(host: str, port: int) -> list[str]:
    """``host:port`` as pages of the app name it, the one to show first."""
    shown = f"[{host}]" if ":" in host else host
    names = [shown, "127.0.0.1", "localhost", "[::1]"] if host in LOOPBACK else [shown]
    return list(dict.fromkeys(f"{name}:{port}" for name in names))


class Door:
    """Who may come in: once who has the token, then who has the cookie that it gave.

    Args:
        told: Takes each new token, for the person who started the server.
    """

    def __init__(self, told: Callable[[str], None]):
        self._told = told
        self._token = ""
        self._cookie = secrets.token_urlsafe(32)

    def issue(self) -> None:
        """Make a new token; the one before opens nothing any more."""
        self._token = secrets.token_urlsafe(32)
        self._told(self._token)

    def open(self, token: str) -> str | None:
        """The cookie, for the token; that is used up then. None for anything else."""
        if not self._token or not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        self.issue()
        return self._cookie

    def knows(self, cookie: str) -> bool:
        """Whether a visitor came in before."""
        return hmac.compare_digest(cookie.encode(), self._cookie.encode())


def guard(allowed: list[str], door: Door) -> Any:
    """Middleware that refuses requests for another host (DNS rebinding), from another page, and without the cookie."""
    from aiohttp import web

    # a cookie goes to all ports of a host: the name keeps two servers apart
    name = f"kb-{allowed[0].rpartition(':')[2]}"

    async def check(request: Any, handler: Any) -> Any:
        origin = request.headers.get("Origin")
        if request.host not in allowed or (origin is not None and origin.partition("://")[2] not in allowed):
            raise web.HTTPForbidden(text=f"kb answers to {allowed[0]} only\n")
        if request.host != allowed[0]:  # the page opens its socket there, and a cookie is one host's
            raise web.HTTPFound(f"http://{allowed[0]}{request.path_qs}")
        token = request.query.get("token")
        if token is not None and request.method == "GET" and request.path == "/":
            cookie = door.open(token)
            if cookie is None:
                raise web.HTTPForbidden(text="this address was used: kb printed another one\n")
            answer = web.HTTPSeeOther("/")  # the token does not stay in the address
            answer.set_cookie(name, cookie, httponly=True, samesite="Strict", path="/")
            raise answer
        if not door.knows(request.cookies.get(name, "")):
            raise web.HTTPForbidden(text="open the address that kb printed\n")
        response = await handler(request)
        if request.path == "/" and isinstance(response, web.Response) and response.text:
            text = _LINK.sub(lambda link: link[0] if link[1] in allowed else "", response.text)
            response.text = text.replace("<head>", f"<head>{_FIRST_KEY}", 1)
        if not response.prepared:
            response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        return response

    return web.middleware(check)


def command(options: argparse.Namespace) -> str:
    """The command that is run for each visitor: this one, without ``--web``."""
    words = [sys.executable, "-m", "kb", "tui"]
    for name in ("db", "cases", "kernel"):
        if getattr(options, name):
            words.append(f"--{name}={getattr(options, name)}")
    return shlex.join([*words, "--", *options.files])
