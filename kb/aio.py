"""The API for programs that run an event loop: the same calls, each in a thread, so that the loop goes on meanwhile.

from kb import aio

async with aio.KnowledgeBase("kb.db") as base:
    async for report in base.read(attachment):
        diagnosis = await base.diagnose(report)

await aio.match(log)

A call that is cancelled returns at once; what it was doing ends in its thread, and what it wrote stays written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from kb import api

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO, Self

    from kb.identity.rank import Neighbour
    from kb.model.case import Case
    from kb.model.report import Report
    from kb.model.verdict import Annotation, Diagnosis, Sighting
    from kb.store import Shown

P = ParamSpec("P")
T = TypeVar("T")
_END = object()


async def match(
    log: api.Log | Iterable[api.Log],
    *,
    cases: Iterable[Case] | None = None,
    kernel: str | None = None,
    context: api.Context = (),
    notices: bool = False,
    told: Callable[[str], None] | None = None,
) -> list[Diagnosis]:
    """All diagnoses of a log, without a database: :func:`kb.match`."""
    return await asyncio.to_thread(
        api.match, log, cases=cases, kernel=kernel, context=context, notices=notices, told=told
    )


def read(log: api.Log | Iterable[api.Log], *, notices: bool = False) -> AsyncIterator[Report]:
    """The reports of a log, each when it has been read: :func:`kb.read`."""
    return _Stream(lambda: api.read(log, notices=notices))


def read_live(stream: BinaryIO, *, notices: bool = False) -> AsyncIterator[Report]:
    """The reports of an input that may never end, each as soon as it is over: :func:`kb.api.read_live`."""
    return _Stream(lambda: api.read_live(stream, notices=notices))


class KnowledgeBase:
    """A :class:`kb.KnowledgeBase`, whose calls do not block. Any number of tasks may use it.

    Args:
        path: As :class:`kb.KnowledgeBase`.
        cases: As :class:`kb.KnowledgeBase`.
    """

    def __init__(self, path: str | Path | None = None, *, cases: str | Path | None = None):
        self.sync = api.KnowledgeBase(path, cases=cases)
        """The base itself, for the calls that have no twin here."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the store; what is being written is finished."""
        await asyncio.to_thread(self.sync.close)

    def read(self, log: api.Log | Iterable[api.Log], *, notices: bool = False) -> AsyncIterator[Report]:
        """The reports of a log, each when it has been read."""
        return _Stream(lambda: self.sync.read(log, notices=notices))

    async def diagnose(
        self, report: Report, *, kernel: str | None = None, context: api.Context = (), everything: bool = False
    ) -> Diagnosis:
        """What a report says and what is known about it; writes nothing."""
        return await asyncio.to_thread(
            self.sync.diagnose, report, kernel=kernel, context=context, everything=everything
        )

    async def record(
        self, report: Report, *, source: str | None = None, host: str | None = None, seen: str | None = None,
        key: str | None = None,
    ) -> Sighting:  # fmt: skip
        """Store one sighting of a report's signature; each event counts once."""
        return await asyncio.to_thread(self.sync.record, report, source=source, host=host, seen=seen, key=key)

    async def annotate(self, subject: Report | str, body: str, *, author: str, key: str | None = None) -> Annotation:
        """Add a note to a report's signature, or to a subject by name."""
        return await asyncio.to_thread(self.sync.annotate, subject, body, author=author, key=key)

    async def show(self, prefix: str) -> Shown:
        """A signature by the beginning of its id."""
        return await asyncio.to_thread(self.sync.show, prefix)

    async def similar(self, subject: Report | str, *, limit: int = 10, cases: bool | None = None) -> list[Neighbour]:
        """What resembles a report or a signature, best first."""
        return await asyncio.to_thread(self.sync.similar, subject, limit=limit, cases=cases)

    async def case(self, case_id: str) -> Case | None:
        """A case by its id or the only one that begins so."""
        return await asyncio.to_thread(self.sync.case, case_id)

    async def search(self, words: str, *, limit: int = 50) -> list[tuple[str, str, str]]:
        """Cases that hold all words: ``(id, status, title)``."""
        return await asyncio.to_thread(self.sync.search, words, limit=limit)


class _Stream(Generic[T]):
    """An iterator whose steps are taken in threads, one at a time; it is made at the first."""

    def __init__(self, made: Callable[[], Iterator[T]]):
        self._made = made
        self._inner: Iterator[T] | None = None
        self._turn = asyncio.Lock()
        self._step: asyncio.Task[T | object] | None = None

    def __aiter__(self) -> _Stream[T]:
        return self

    async def __anext__(self) -> T:
        async with self._turn:
            # who is cancelled leaves the step to its thread: the next one waits for it, and nothing is lost
            self._step = self._step or asyncio.create_task(asyncio.to_thread(self._next))
            try:
                found = await asyncio.shield(self._step)
            finally:
                if self._step.done():
                    self._step = None
        if found is _END:
            raise StopAsyncIteration
        return found  # type: ignore[return-value]

    def _next(self) -> T | object:
        if self._inner is None:
            self._inner = self._made()
        return next(self._inner, _END)
