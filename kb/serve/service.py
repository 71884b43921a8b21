"""What the routes share: the settings, the base, the workers."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from fastapi import Request

from kb import api
from kb.serve import work
from kb.serve.metrics import Metrics
from kb.serve.pool import Pool
from kb.serve.problem import Refused
from kb.serve.settings import Settings
from kb.serve.tokens import Token, allows

_LOOK = 0.5
"""Seconds between two looks at the workers."""


class Service:
    """A running service.

    Args:
        settings: What it was started with.
        tokens: Whose requests are answered.
    """

    def __init__(self, settings: Settings, tokens: tuple[Token, ...]):
        self.settings = settings
        self.tokens = tokens
        self.metrics = Metrics()
        self.base = api.KnowledgeBase(settings.place.db, cases=settings.place.cases)
        self.pool: Pool
        self.folder: Path

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From the start to the stop, workers kept warm."""
        settings = self.settings
        with tempfile.TemporaryDirectory(prefix="kb-serve-") as folder, self.base:
            self.folder = Path(folder)
            self.pool = Pool(settings.workers, settings.waiting, settings.deadline, self.folder)
            async with anyio.create_task_group() as group:
                group.start_soon(self._keep)
                yield
                group.cancel_scope.cancel()

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


def service(request: Request) -> Service:
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
