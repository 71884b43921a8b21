"""Processes of this machine: each file is read by a worker that may die of it, and no other file is lost.

pebble's pool tells which task a dead or late worker had, and starts another one. What a worker has to say goes through
a file, for a pipe that a dying worker wrote half a message to would be of no more use.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import Any, NamedTuple

from kb.fleet.item import Block, Item, Settings, patience
from kb.process import own

_QUEUED = 4
"""Files a worker that are handed to the pool at once, so that none waits for this process."""
_TRIES = 2
_STARTS = 20
"""Pools that are started for one scan: workers that die before they read a file are no file's fault."""


class _Task(NamedTuple):
    place: int
    """Among the files of the scan."""
    item: Item
    tries: int = 0


def blocks(items: Iterable[Item], settings: Settings, jobs: int) -> Iterator[tuple[Item, Block]]:
    """What comes of each file, in the order of the files.

    A file that ends its worker, or is not read in time (:func:`kb.fleet.item.patience`), is tried once more behind the
    others; then it is an error with its name.

    Args:
        items: The files.
        settings: How they are read.
        jobs: Worker processes.
    """
    with tempfile.TemporaryDirectory(prefix="kb-scan-") as folder:
        run = _Run(items, settings, jobs, folder)
        try:
            ready: dict[int, tuple[Item, Block]] = {}
            for expected in range(len(run.waiting)):
                while expected not in ready:
                    ready.update(run.some())
                item, block = ready.pop(expected)
                yield item, _with_rows(block, run.path(expected))
        finally:
            run.stop()


def _with_rows(block: Block, path: str) -> Block:
    if not block.reports:
        return block
    with open(path, "rb") as file:
        rows = file.read()
    os.unlink(path)
    return block._replace(rows=rows)


class _Run:
    """A pool at work, and a new one when it is broken."""

    def __init__(self, items: Iterable[Item], settings: Settings, jobs: int, folder: str):
        self.waiting = deque(_Task(place, item) for place, item in enumerate(items))
        self._settings = settings
        self._jobs = jobs
        self._folder = folder
        self._running: dict[Future[Any], _Task] = {}
        self._starts = 0
        self._pool = self._start()

    def _start(self) -> Any:
        from pebble import ProcessPool

        self._starts += 1
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        return ProcessPool(self._jobs, context=context, initializer=begin, initargs=(self._settings,))

    def path(self, index: int) -> str:
        """Where the rows of a file are left."""
        return os.path.join(self._folder, str(index))

    def some(self) -> dict[int, tuple[Item, Block]]:
        """Wait for files that are done."""
        while self.waiting and len(self._running) < _QUEUED * self._jobs:
            task = self.waiting.popleft()
            limit = patience(task.item, self._settings)
            args = (task.item, self._settings, self.path(task.place))
            try:
                self._running[self._pool.schedule(work, args=args, timeout=limit)] = task
            except RuntimeError:  # the pool broke just now: its futures say so
                self.waiting.appendleft(task)
                break
        done = wait(self._running, return_when=FIRST_COMPLETED).done
        found = {}
        for future in done:
            if future not in self._running:  # the pool broke, and the task waits again
                continue
            task = self._running.pop(future)
            if (block := self._outcome(future, task)) is not None:
                found[task.place] = task.item, block
        if self.waiting and not self._running and not self._pool.active:
            self._restart()
        return found

    def _outcome(self, future: Future[Any], task: _Task) -> Block | None:
        """What came of a task; None where it is to be done again."""
        from pebble import ProcessExpired

        try:
            block: Block = future.result()
            return block
        except (BrokenProcessPool, CancelledError):
            self.waiting.append(task)
            self._restart()
            return None
        except ProcessExpired as error:
            why = f"its worker ended: {_ended(error.exitcode)}"
        except TimeoutError:
            why = f"not read within {patience(task.item, self._settings):.0f} s"
        except Exception as error:
            return Block(b"", size=task.item.size, errors=((task.item.source, f"{type(error).__name__}: {error}"),))
        if task.tries + 1 < _TRIES:
            self.waiting.append(task._replace(tries=task.tries + 1))
            return None
        return Block(b"", size=task.item.size, errors=((task.item.source, why),))

    def _restart(self) -> None:
        """Another pool; what the old one had not done is done again."""
        if self._starts >= _STARTS:
            raise RuntimeError("workers end before they read anything")
        self.waiting.extendleft(task for future, task in self._running.items() if not _done(future))
        self._running = {future: task for future, task in self._running.items() if _done(future)}
        self.stop()
        self._pool = self._start()

    def stop(self) -> None:
        """End the workers."""
        self._pool.stop()
        self._pool.join()


def _done(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _ended(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


# ---- in a worker


def begin(settings: Settings) -> None:
    """Make a worker ready: it ends with the process that started it, and its first file finds all it needs loaded."""
    threading.Thread(target=_orphaned, daemon=True).start()
    own()
    from kb.fleet.work import warm

    warm(settings)


def _orphaned() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def work(item: Item, settings: Settings, path: str) -> Block:
    """Read a file; its rows are left at a path."""
    from kb.fleet.work import read

    block = read(item, settings)
    if block.reports:
        with open(path, "wb") as file:
            file.write(block.rows)
    return block._replace(rows=b"")
