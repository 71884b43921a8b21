"""Runs ``kb.match`` over logs in worker processes, each log under a time limit, and keeps what scoring needs."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

LIMIT_SECONDS = 60.0
WORKERS = max(1, min(2, os.cpu_count() or 1))


@dataclass(frozen=True)
class Job:
    """One log to read: its bytes come from a file, changed by ``restamp`` where a style is named."""

    name: str
    path: Path
    style: str | None = None


@dataclass(frozen=True)
class Seen:
    """What kb says of one report."""

    kind: str
    title: str
    alt_titles: tuple[str, ...]
    function: str | None
    first: int
    last: int
    headline: int
    corrupted: str | None
    signature: str
    cause: str | None
    zones: int | None
    """Zones of the memory block, None without one."""
    freelists: int | None


@dataclass(frozen=True)
class Result:
    """What became of one log."""

    name: str
    seen: tuple[Seen, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    """``hang`` or the last lines of a traceback."""
    extra: dict[str, Any] = field(default_factory=dict)


class _Hang(BaseException):
    """The time limit passed. No Exception, so that no handler on the way swallows it."""


def _alarm(signum: int, frame: FrameType | None) -> None:
    raise _Hang


def look(data: bytes) -> tuple[Seen, ...]:
    """Every report of a log as kb sees it, in input order."""
    from kb.api import match

    seen = []
    for diagnosis in match(data):
        report = diagnosis.report
        zones = report.memory.zones if report.memory else None
        seen.append(
            Seen(
                kind=report.kind,
                title=report.title,
                alt_titles=tuple(report.alt_titles),
                function=report.function,
                first=report.span[0],
                last=report.span[1],
                headline=report.headline_line,
                corrupted=report.corrupted,
                signature=diagnosis.signature.id,
                cause=diagnosis.facts.cause,
                zones=None if zones is None else len(zones),
                freelists=None if zones is None else sum(zone.blocks is not None for zone in zones),
            )
        )
    return tuple(seen)


def one(job: Job) -> Result:
    """Reads one log; neither an exception nor a hang of kb escapes."""
    data = job.path.read_bytes()
    if job.style is not None:
        from tests.score.restamp import restamp

        data = restamp(data, job.style)
    signal.signal(signal.SIGALRM, _alarm)
    start = time.perf_counter()
    try:
        signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS)
        seen = look(data)
        return Result(job.name, seen, time.perf_counter() - start)
    except _Hang:
        return Result(job.name, seconds=LIMIT_SECONDS, error="hang")
    except Exception:
        return Result(job.name, seconds=time.perf_counter() - start, error=traceback.format_exc(limit=-2).strip())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def run(jobs: Iterable[Job], worker: Callable[[Job], Result] = one) -> Iterator[Result]:
    """Results in the order of the jobs. A worker that dies takes only its own log with it."""
    todo = list(jobs)
    while todo:
        at = 0
        with ProcessPoolExecutor(WORKERS) as pool:
            try:
                for at, future in enumerate([pool.submit(worker, job) for job in todo]):  # noqa: B007
                    yield future.result()
                return
            except BrokenProcessPool:
                pass
        # Whichever log killed its worker, the one waited for is the first that has no result.
        yield _alone(todo[at], worker)
        todo = todo[at + 1 :]


def _alone(job: Job, worker: Callable[[Job], Result]) -> Result:
    """One job in a process of its own: the pool broke, and this one may be why."""
    try:
        with ProcessPoolExecutor(1) as pool:
            return pool.submit(worker, job).result()
    except BrokenProcessPool:
        return Result(job.name, error="the process died")
