"""``kb mcp``: kb for assistants."""

import argparse
import sys
from pathlib import Path
from typing import Any

from kb.cli import OK
from kb.commands import opened
from kb.errors import UsageError
from kb.process import last


def run(options: argparse.Namespace) -> int:
    """Serve until the other side leaves (stdio) or a signal comes (HTTP)."""
    last()
    try:
        from kb.mcp import build
    except ImportError as error:
        raise UsageError(
            f"kb mcp needs a package that is not installed: {error.name}", help="pip install 'kernel-kb[mcp]'"
        ) from None
    root = Path(options.root) if options.root is not None else None
    if root is not None and not root.is_dir():
        raise UsageError("no such folder", path=options.root)
    with opened(options) as base:
        server = build(base, root=root, allow_write=options.allow_write)
        if options.http is None:
            server.run()
        else:
            _over_http(server, options.http)
    return OK


def _over_http(server: Any, port: int) -> None:
    """On this machine alone: the protocol's own check of Host and Origin keeps pages of the web out."""
    import socket

    import uvicorn

    try:
        listening = socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot listen on port {port}: {error}", help="--http 0 takes any") from None
    print(f"kb: serving on http://127.0.0.1:{listening.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
    config = uvicorn.Config(server.streamable_http_app(host="127.0.0.1"), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])
