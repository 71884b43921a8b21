"""The process: a socket, uvicorn on it, and a stop that lets every request in flight end."""

import logging
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from types import FrameType

import uvicorn

from kb.errors import UsageError
from kb.serve.app import build
from kb.serve.guard import Guard, is_loopback, say
from kb.serve.intake import netconsole
from kb.serve.service import Service
from kb.serve.settings import Netconsole, Settings
from kb.serve.tokens import load


def run(settings: Settings) -> int:
    """Serve until told to stop (SIGTERM, ^C).

    Raises:
        UsageError: The address is not this machine's own and there are no tokens, or it cannot be listened on.
        StoreError: The store that was named cannot be opened or made.
    """
    tokens = load(settings.tokens) if settings.tokens is not None else ()
    if not tokens and not is_loopback(settings.host):
        help_ = "give --tokens FILE, or leave --host out and put a proxy in front"
        raise UsageError(f"{settings.host} can be reached by others, and there are no tokens", help=help_)
    listening = _listen(settings.host, settings.port)
    datagrams = None
    if settings.netconsole is not None:
        datagrams = _datagrams(settings.netconsole)
        host, port = datagrams.getsockname()[:2]
        print(f"kb: listening to netconsole on {host} port {port}", file=sys.stderr, flush=True)
    here = Service(settings, tokens, datagrams)
    here.look()
    # httptools, which uvicorn takes where it is there, holds a header of any length
    config = uvicorn.Config(
        Guard(build(here), tokens, here.metrics, settings.largest), access_log=False, log_config=None,
        server_header=False, timeout_graceful_shutdown=settings.grace, lifespan="on", http="h11",
        h11_max_incomplete_event_size=1 << 16,
    )  # fmt: skip
    logging.basicConfig(handlers=[_Rows()], level=logging.ERROR, force=True)
    # uvicorn raises the signal again once it has stopped: that is the end of this process then, and not its death
    signal.signal(signal.SIGTERM, lambda *_: None)
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"kb: serving on http://{name}:{listening.getsockname()[1]}", file=sys.stderr, flush=True)
    _Server(config, here.stop).run(sockets=[listening])
    return 0


class _Rows(logging.Handler):
    """What libraries log, as lines of the service's own log: what went wrong and where, no text of a request."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        error = record.exc_info[1] if record.exc_info else None
        frames = traceback.extract_tb(error.__traceback__) if error is not None else []
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
        say(logger=record.name, message=str(record.msg), error=type(error).__name__ if error else None, at=where)


class _Server(uvicorn.Server):
    """uvicorn, which waits for requests in flight: those without an end are to be told."""

    def __init__(self, config: uvicorn.Config, told: Callable[[], None]):
        super().__init__(config)
        self._told = told

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: uvicorn's signal handler."""
        self._told()
        super().handle_exit(sig, frame)


def _datagrams(place: Netconsole) -> socket.socket:
    try:
        return netconsole.opened(place)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot listen to netconsole on {place.host} port {place.port}: {reason}") from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot listen on {host} port {port}: {reason}", help="--port 0 takes any") from None
    made.setblocking(False)
    return made
