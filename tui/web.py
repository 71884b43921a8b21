"""``kb tui --web``: the same app for a browser, through textual-serve. Loopback by default: it asks for no password."""

import argparse
import shlex
import socket
import sys
from typing import Any

from kb.errors import UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(options: argparse.Namespace) -> int:
    """Serve until interrupted; each visitor gets a process of their own.

    Args:
        options: Of ``kb tui``; standard input can be no log here, since each visitor reads it anew.
    """
    if "-" in options.files:
        raise UsageError("--web reads files or the store, not standard input", help="save the log to a file first")
    try:
        from textual_serve.server import Server
    except ImportError:
        raise UsageError("--web needs the package textual-serve", help="pip install 'kernel-kb[web]'") from None
    allowed = places(options.host, options.port)
    url = f"http://{allowed[0]}"

    class Guarded(Server):  # type: ignore[misc]
        """Answers to its own pages only: any page in the person's browser can reach a port on loopback."""

        async def _make_app(self) -> Any:
            app = await super()._make_app()
            app.middlewares.append(guard(allowed))
            return app

        async def on_startup(self, app: Any) -> None:
            print(f"kb: {url} (Ctrl-C ends it)", file=sys.stderr, flush=True)

        def initialize_logging(self) -> None:
            """Requests are not logged: stderr is for notes."""

    if options.host not in LOOPBACK:
        print(f"kb: whoever reaches {url} may read the log and write notes as you", file=sys.stderr)
    Guarded(command(options), host=options.host, port=options.port, title="kb", public_url=url).serve()
    return 0


def places(host: str, port: int) -> list[str]:
    """``host:port`` as pages of the app name it, the one to show first."""
    shown = socket.getfqdn() if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
    names = [shown, "127.0.0.1", "localhost", "[::1]"] if host in LOOPBACK else [shown]
    return list(dict.fromkeys(f"{name}:{port}" for name in names))


def guard(allowed: list[str]) -> Any:
    """Middleware that refuses requests for another host (DNS rebinding) or from another page (cross-site)."""
    from aiohttp import web

    @web.middleware  # type: ignore[untyped-decorator]
    async def check(request: Any, handler: Any) -> Any:
        origin = request.headers.get("Origin")
        if request.host not in allowed or (origin is not None and origin.partition("://")[2] not in allowed):
            raise web.HTTPForbidden(text=f"kb answers to {allowed[0]} only\n")
        return await handler(request)

    return check


def command(options: argparse.Namespace) -> str:
    """The command that is run for each visitor: this one, without ``--web``."""
    words = [sys.executable, "-m", "kb", "tui"]
    for name in ("db", "cases", "kernel"):
        if getattr(options, name):
            words.append(f"--{name}={getattr(options, name)}")
    return shlex.join([*words, "--", *options.files])
