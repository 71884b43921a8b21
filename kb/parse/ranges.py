"""A large file in ranges of its bytes, by one process or several: the same reports in the same order.

A file is cut where a stretch of it holds nothing that may open a report, if no report is being read there. Each range
is read as an input of its own: what was learned of prefixes, who asked for stacks and whether the kernel goes down is
forgotten at a cut, however many processes read it. What reports are to one another is found out behind all of them.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, BinaryIO, NamedTuple

from kb.log.learn import Doubtful
from kb.log.reader import Reader, in_records
from kb.log.scan import find
from kb.log.tape import Tape
from kb.model.report import Report

SMALLEST = 32 << 20
"""Bytes of a range: a second process costs a start, and remembers nothing of what the first has read."""
_SOUGHT = 16 << 20
"""Bytes behind the place where a cut would be even in which one is looked for."""
_BEFORE, _BEHIND = 300, 100
"""Lines without an opener that a cut has before and behind it: a report goes on behind its last headline, and what the
reader looks back to stands within sixty lines."""
_HEAD = 4096
"""Bytes by which it is told that lines are parts of records."""
_PROGRAM = "import sys; from kb.parse.ranges import work; work(*sys.argv[1:])"


class Outcome(NamedTuple):
    """What ranges say beside their reports."""

    end: int
    """The cut at which they ended; -1 for the end of the file."""
    release: str | None
    """Kernel release of the last boot."""
    doubtful: list[tuple[Doubtful, str | None]]
    """Lines with a headline behind what may be a prefix, each with the release of its boot."""
    whole: bool
    """False where they hold a part of something that is put together over the whole file (a panic screen's QR code)."""


class Ranges:
    """The reports of a file from one place to a cut.

    Args:
        tape: The file, from a place on.
        name: Its name.
        cuts: Offsets, rising, at which it is cut.
        last: The cut at which to end if it is one; -1 for the end of the file.
    """

    def __init__(self, tape: Tape, name: str, cuts: list[int], last: int):
        from kb.parse.reading import belongs, opens
        from kb.split.splitter import Splitter

        self._cuts, self._last = cuts, last
        self._reader = Reader(tape, name, opens, belongs=belongs, stops=self._stops)
        self._splitter = Splitter(name, self._reader.release_at)
        self._end = -1

    def reports(self) -> Iterator[Report]:
        """The reports up to the cut at which they end."""
        from kb.parse.again import read
        from kb.parse.debugger import bystander
        from kb.split.windows import split

        reader = self._reader
        for splat in split(reader.windows(), reader.source, again=reader.again, splitter=self._splitter):
            if splat is not None:
                report = read(splat)
                if not bystander(report):
                    yield report

    def go_on(self) -> Iterator[Report]:
        """The reports behind that cut, up to the end of the file."""
        self._last = self._end = -1
        return self.reports()

    def outcome(self, whole: bool = True) -> Outcome:
        """What there is to say behind the reports."""
        reader = self._reader
        doubtful = [(each, reader.release_at(each.number)) for each in reader.doubtful]
        return Outcome(self._end, reader.release_at(sys.maxsize), doubtful, whole)

    def _stops(self, offset: int) -> bool:
        """Forget at each cut that is passed; whether the last of them is behind."""
        while self._cuts and offset >= self._cuts[0]:
            cut = self._cuts.pop(0)
            if self._reader.done <= cut and self._splitter.forget():
                self._reader.forget()
                if -1 < self._last <= cut:
                    self._end = cut
                    return True
        return False


def cuts_of(file: BinaryIO) -> list[int]:
    """Where a plain file is cut."""
    size = os.fstat(file.fileno()).st_size
    if in_records(os.pread(file.fileno(), _HEAD, 0)):
        return []
    cuts: list[int] = []
    for start in range(SMALLEST, size - SMALLEST + 1, SMALLEST):
        data = os.pread(file.fileno(), min(_SOUGHT, size - start), start)
        found = _quiet(data)
        if found is not None and not in_records(data[found : found + _HEAD]):
            cuts.append(start + found)
    return cuts


def _quiet(data: bytes) -> int | None:
    """The beginning of a line with so many lines before and behind it that open nothing."""
    last = 0
    for hit in (*find(data), len(data)):
        if hit - last > 8 * (_BEFORE + _BEHIND) and data.count(b"\n", last, hit) > _BEFORE + _BEHIND:
            at = last
            for _ in range(_BEFORE + 1):
                at = data.index(b"\n", at) + 1
            return at
        last = hit
    return None


def read_ranges(tape: Tape, path: str, cuts: list[int], jobs: int) -> Iterator[Report]:
    """The reports of a file that is cut, in order: the first ranges are read here, others by processes of their own.

    Args:
        tape: The file, not read yet.
        path: The same file.
        cuts: From :func:`cuts_of`.
        jobs: Processes, this one among them.
    """
    from kb.parse.reading import finished

    starts = sorted({cuts[len(cuts) * number // jobs] for number in range(1, jobs)})
    ends = [*starts[1:], -1] if starts else []
    workers = {
        start: _Worker(path, start, [cut for cut in cuts if cut > start], end)
        for start, end in zip(starts, ends, strict=True)
    }
    own = Ranges(tape, path, list(cuts), starts[0] if starts else -1)
    doubtful: list[tuple[Doubtful, str | None]] = []
    try:
        yield from finished(path, _read(own, workers, doubtful), doubtful)
    finally:
        for worker in workers.values():
            worker.end()


def _read(own: Ranges, workers: dict[int, _Worker], doubtful: list[tuple[Doubtful, str | None]]) -> Iterator[Report]:
    yield from own.reports()
    outcome = own.outcome()
    chain: list[tuple[_Worker, Outcome]] = []
    at = outcome.end
    while at >= 0:
        worker = workers.get(at)
        told = worker.outcome() if worker is not None else None
        if worker is None or told is None or not told.whole:
            yield from own.go_on()
            doubtful += own.outcome().doubtful
            return
        chain.append((worker, told))
        at = told.end
    doubtful += outcome.doubtful
    release = outcome.release
    for worker, told in chain:
        for report in worker.reports():
            yield replace(report, kernel=release) if report.kernel is None and release is not None else report
        doubtful += [(each, found or release) for each, found in told.doubtful]
        release = told.release or release


class _Worker:
    """A process that reads a range, and what it has written.

    Args:
        path: The file.
        start: The cut at which to begin.
        cuts: Those behind it.
        last: The one at which to end, -1 for none.
    """

    def __init__(self, path: str, start: int, cuts: list[int], last: int):
        self._found: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        run = [sys.executable, "-c", _PROGRAM, path, *map(str, (start, last, *cuts))]
        self._process = subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=self._found, stderr=subprocess.DEVNULL)

    def outcome(self) -> Outcome | None:
        """Waits for its end; None where it failed."""
        if self._process.wait() or not self._found.seek(0, os.SEEK_END):
            return None
        self._found.seek(-_TAIL, os.SEEK_END)
        self._found.seek(int(self._found.read(_TAIL)))
        found: Outcome = pickle.load(self._found)
        return found

    def reports(self) -> Iterator[Report]:
        """Its reports."""
        self._found.seek(0)
        while isinstance(report := pickle.load(self._found), Report):
            yield report

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait()
        self._found.close()


_TAIL = 20
"""Digits of the offset, at the end of what a worker writes, at which its outcome stands."""


def work(path: str, *offsets: str) -> None:
    """What a worker runs: its reports and its outcome go to stdout."""
    from kb.log.source import addressed

    start, last, *cuts = map(int, offsets)
    told = False
    before = b""

    def seen(data: bytes) -> None:
        nonlocal told, before
        told = told or addressed(before + data)
        before = data[-_BORDER:]

    out = sys.stdout.buffer
    with open(path, "rb") as file:
        file.seek(max(start - _BORDER, 0))
        before = file.read(min(start, _BORDER))
        tape = Tape(file, base=start)
        tape.watch(seen)
        found = Ranges(tape, path, cuts, last)
        for report in found.reports():
            pickle.dump(report, out, pickle.HIGHEST_PROTOCOL)
        outcome = found.outcome(whole=not told)
    end = out.tell()
    pickle.dump(outcome, out, pickle.HIGHEST_PROTOCOL)
    out.write(f"{end:{_TAIL}}".encode())


_BORDER = 512
"""Bytes before a cut in which an address may begin that ends behind it."""
