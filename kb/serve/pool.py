"""The processes that read logs: one job at a time each; one that dies or hangs costs the job that it had, no other.

anyio runs each worker behind pipes of its own, so that there is nothing that a dead one could leave locked. What it
does not tell is whether a worker died of its job or had been dead before; hence the mark that each job makes first.
"""

import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from kb.serve.job import job
from kb.serve.problem import Refused

T = TypeVar("T")


class Busy(Refused):
    """No worker was there for a job, which has not been begun."""


class Pool:
    """Worker processes. To be made where the event loop runs.

    Args:
        workers: How many.
        waiting: Jobs that may wait for one.
        deadline: Seconds that a job may take, and may wait.
        folder: A folder of the service's own.
    """

    def __init__(self, workers: int, waiting: int, deadline: float, folder: Path):
        self._workers = workers
        self._limiter = CapacityLimiter(workers)
        self._inner = CapacityLimiter(workers + 1)
        self._waiting = waiting
        self._deadline = deadline
        self._folder = folder
        self._used: dict[int, float] = {}
        self.lost = 0
        """Workers that died or were ended at the deadline."""
        self.whole = False
        """Whether a job was done since the last worker was lost."""

    @property
    def busy(self) -> int:
        """Jobs that run."""
        return self._limiter.borrowed_tokens

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return self._limiter.statistics().tasks_waiting

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in a worker.

        Raises:
            Refused: 503: all workers are busy, the worker died, or the job did not end in time.
        """
        async with self._turn():
            for _ in range(self._workers + 1):
                begun = self._folder / f"job-{secrets.token_hex(8)}"
                try:
                    return await self._once(str(begun), function, arguments)
                except BrokenWorkerProcess:
                    self._gone()
                    if begun.exists():
                        help_ = "send it again, or read it with kb match"
                        raise Refused(503, "the process that read the log died", help=help_, after=1) from None
                finally:
                    begun.unlink(missing_ok=True)
        raise Busy(503, "the processes that read logs die before they begin", after=2)

    async def probe(self, function: Callable[..., Any], *arguments: Any) -> bool:
        """Whether a worker does a job, tried once and beside the queue."""
        begun = self._folder / f"job-{secrets.token_hex(8)}"
        try:
            await self._once(str(begun), function, arguments)
        except (BrokenWorkerProcess, Refused):
            self._gone()
            return False
        finally:
            begun.unlink(missing_ok=True)
        return True

    async def _once(self, begun: str, function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        with anyio.move_on_after(self._deadline):
            try:
                pid, done = await to_process.run_sync(
                    job, begun, function, arguments, cancellable=True, limiter=self._inner
                )
            except ProcessLookupError as error:  # anyio would end a worker that had died while it was being started
                raise BrokenWorkerProcess from error
            self._used[pid] = time.monotonic()
            self.whole = True
            return done
        self._gone()
        help_ = "give less of it, or read it with kb match"
        raise Refused(503, f"the log was not read within {self._deadline:g} s", help=help_, after=1)

    def check(self) -> None:
        """Notice the workers that died while nobody used them; those that anyio ends after long rest are not meant."""
        for pid, used in list(self._used.items()):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                del self._used[pid]
                if time.monotonic() - used < to_process.WORKER_MAX_IDLE_TIME:
                    self._gone()

    def _gone(self) -> None:
        self.lost += 1
        self.whole = False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self.queued >= self._waiting:
            raise Busy(503, "too many logs wait to be read", after=2)
        owner = object()
        with anyio.move_on_after(self._deadline) as waited:
            await self._limiter.acquire_on_behalf_of(owner)
        if waited.cancelled_caught:
            raise Busy(503, "no process became free to read the log", after=2)
        try:
            yield
        finally:
            self._limiter.release_on_behalf_of(owner)
