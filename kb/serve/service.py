"""What the routes share: the settings, the base, the workers."""

import logging
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from fastapi import Request

from kb import api
from kb.serve import retention, webhook, work
from kb.serve.intake import netconsole
from kb.serve.intake.arrived import Boot
from kb.serve.intake.reassembly import Held, Reassembly
from kb.serve.keeping import Keeper
from kb.serve.metrics import Metrics
from kb.serve.pool import Pool
from kb.serve.problem import Refused
from kb.serve.settings import Settings
from kb.serve.tokens import Token, allows

_LOG = logging.getLogger(__name__)
_LOOK = 0.5
"""Seconds between two looks at the workers, and at what live logs have brought."""
_AFTER = 2.0
"""Seconds after which a part of the service that failed is run again."""
_LAST = 5.0
"""Seconds that live requests which go on are given to end when the service stops."""


class Service:
    """A running service.

    Args:
        settings: What it was started with.
        tokens: Whose requests are answered.
        datagrams: Where netconsole's come in.
    """

    def __init__(self, settings: Settings, tokens: tuple[Token, ...], datagrams: socket.socket | None = None):
        self._datagrams = datagrams
        self.settings = settings
        self.tokens = tokens
        self.metrics = Metrics()
        self.base = api.KnowledgeBase(settings.place.db, cases=settings.place.cases)
        self.pool: Pool
        self.folder: Path
        self.keeper = Keeper(self.base, self.metrics, settings.webhook)
        self.intake = Reassembly(self._read, self._keep_live, settings.workers)
        self._stopped: float | None = None

    def look(self) -> None:
        """Open the store that somebody named: that it cannot be is told at the start, not to who records first.

        Raises:
            StoreError: It cannot be opened or made. One that may only be read can be.
        """
        if self.base.named:
            self.base.store.rows("select 1")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From the start to the stop, workers kept warm."""
        settings = self.settings
        with tempfile.TemporaryDirectory(prefix="kb-serve-") as folder, self.base:
            self.folder = Path(folder)
            self.pool = Pool(settings.workers, settings.waiting, settings.deadline, self.folder)
            async with anyio.create_task_group() as group:
                group.start_soon(_lasting, self._keep)
                group.start_soon(_lasting, self._take)
                if settings.webhook is not None:
                    group.start_soon(_lasting, webhook.run, self.base, self.metrics, settings.webhook)
                if settings.keep is not None:
                    group.start_soon(_lasting, retention.run, self.base, settings.keep)
                if self._datagrams is not None and settings.netconsole is not None:
                    sources = settings.netconsole.sources
                    taken = self.metrics.taken
                    group.start_soon(_lasting, netconsole.run, self._datagrams, sources, self.intake, taken)
                yield
                await self.intake.drain(settings.grace)
                group.cancel_scope.cancel()

    def stop(self) -> None:
        """The service was told to stop: requests without an end come to theirs."""
        self._stopped = time.monotonic()

    def stops(self, *, now: bool) -> bool:
        """Whether a live request is to end; one that brings nothing now, at once."""
        return self._stopped is not None and (now or time.monotonic() - self._stopped > _LAST)

    async def _take(self) -> None:
        """Read the reports of live logs as they are over."""
        async with anyio.create_task_group() as group:
            while True:
                await self.intake.tick(group)
                await anyio.sleep(_LOOK)

    async def _read(self, lines: bytes, boot: Boot) -> tuple[work.Found, ...]:
        found = await self.pool.run(work.live, self.settings.place, lines)
        self.metrics.read(each.report.kind for each in found)
        return found

    async def _keep_live(self, reports: tuple[Held, ...], boot: Boot, source: str) -> None:
        host = boot.host if boot.named or source == "netconsole" else None
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.keeper.live, reports, source, host, boot.id)

    async def _keep(self) -> None:
        """See to it that a worker is there before the next request asks for it."""
        while True:
            self.pool.check()
            if not self.pool.whole:
                await self.pool.probe(work.warm, self.settings.place)
            await anyio.sleep(_LOOK)

    async def ready(self) -> str | None:
        """Why no log can be read now, None where one can."""
        self.pool.check()
        if not self.pool.whole:
            return "a worker is being started"
        if not await self.pool.probe(work.warm, self.settings.place):
            return "a worker was lost"
        return None


async def _lasting(part: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Run a part of the service that never ends; again where it failed, since the others would go on without it."""
    while True:
        try:
            await part(*arguments)
        except Exception:
            _LOG.exception("a part of the service failed and is run again")
        await anyio.sleep(_AFTER)


async def service(request: Request) -> Service:
    """The service that a request came to."""
    found: Service = request.app.state.service
    return found


def token(request: Request) -> Token | None:
    """Whose request it is; None where the service asks for no tokens."""
    found: Token | None = request.scope.get("state", {}).get("token")
    return found


def need(request: Request, role: str) -> None:
    """Refuse a request whose token may not do this."""
    found = token(request)
    if found is not None and not allows(found.role, role):
        raise Refused(403, f"the token may {found.role}, this needs one that may {role}")
