"""A large file in ranges of its bytes, by one process or several: the same reports in the same order.

Each range from a cut (:mod:`kb.log.cuts`) to another is read as an input of its own: what was learned of prefixes, who
asked for stacks and whether the kernel goes down is forgotten at a cut in any input, however it is read. What reports
are to one another is found out behind all of them.
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

from kb.log.cuts import Cuts
from kb.log.learn import Doubtful
from kb.log.reader import Reader
from kb.log.tape import Tape
from kb.model.report import Report
from kb.parse.reading import belongs, forgotten, opens

_BLOCK = 1 << 20
_FIRST = 0.5
"""Of another's part: whoever reads the first has the reports of all to diagnose, which takes half as long as to read
them."""
_PROGRAM = "import sys; from kb.parse.ranges import work; from kb.process import own; own(); work(*sys.argv[1:])"


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
        from kb.split.machines import Machines

        self._cuts, self._last = cuts, last
        self._reader = Reader(tape, name, opens, belongs=belongs, stops=self._stops)
        self._splitter = Machines(name, self._reader.release_at)
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
        for cut in forgotten(self._cuts, offset, self._reader, self._splitter):
            if -1 < self._last <= cut:
                self._end = cut
                return True
        return False


def cuts_of(file: BinaryIO) -> list[int]:
    """Where a plain file is cut."""
    size = os.fstat(file.fileno()).st_size
    cuts, at = Cuts(), 0
    while at < size:
        cuts.feed(at, os.pread(file.fileno(), _BLOCK, at))
        at = cuts.wanted
    return cuts.found


def _starts(cuts: list[int], size: int, jobs: int) -> list[int]:
    """The cuts that divide a file most evenly, but for the first part."""
    wanted = (size * (number - 1 + _FIRST) / (jobs - 1 + _FIRST) for number in range(1, jobs))
    return sorted({min(cuts, key=lambda cut: abs(cut - place)) for place in wanted})


def read_ranges(tape: Tape, path: str, cuts: list[int], jobs: int) -> Iterator[Report]:
    """The reports of a file that is cut, in order: the first ranges are read here, others by processes of their own.

    Args:
        tape: The file, not read yet.
        path: The same file.
        cuts: From :func:`cuts_of`.
        jobs: Processes, this one among them.
    """
    from kb.parse.reading import finished

    starts = _starts(cuts, os.stat(path).st_size, jobs)
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
    from kb.log.addresses import addressed

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
