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
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import IO, BinaryIO, NamedTuple

from kb.log.cuts import Cuts
from kb.log.learn import Doubtful
from kb.log.reader import Reader
from kb.log.tape import Tape
from kb.model.report import Report
from kb.parse.reading import belongs, forgotten, opens

_BLOCK = 1 << 20
_FIRST = 0.25
"""Of another's part: whoever reads the first has the reports of all to diagnose, as they come, which takes half as long
as to read them."""
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
    lines, release, at = outcome.doubtful, outcome.release, outcome.end
    told = 0
    """Reports of workers."""
    while at >= 0:
        ended: Outcome | None = None
        for found in workers[at].found() if at in workers else ():
            if isinstance(found, Outcome):
                ended = found
                break
            told += 1
            yield replace(found, kernel=release) if found.kernel is None and release is not None else found
        if ended is None or not ended.whole:  # the same ones are read here, and what it did not come to
            yield from islice(own.go_on(), told, None)
            doubtful += own.outcome().doubtful
            return
        lines += [(each, boot or release) for each, boot in ended.doubtful]
        release, at = ended.release or release, ended.end
    doubtful += lines


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

    def found(self) -> Iterator[Report | Outcome]:
        """What it finds, as soon as it is written: reports, and last its outcome; without one it has failed."""
        at = 0
        while (piece := self._piece(at)) is not None:
            yield pickle.loads(piece)
            at += _SIZE + len(piece)

    def _piece(self, at: int) -> bytes | None:
        """What is written at an offset, None where nothing will be. The file's position is where the worker writes."""
        file, pause = self._found.fileno(), _POLL
        while True:
            ended = self._process.poll() is not None  # asked first: what it has written is there then
            size = int.from_bytes(head, "big") if len(head := os.pread(file, _SIZE, at)) == _SIZE else None
            if size is not None and len(piece := os.pread(file, size, at + _SIZE)) == size:
                return piece
            if ended:
                return None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)

    def end(self) -> None:
        """Stop it."""
        self._process.kill()
        self._process.wait()
        self._found.close()


_SIZE = 8
"""Bytes before each thing that a worker writes: how many it has."""
_POLL, _LONGEST = 0.002, 0.05
"""Seconds between two looks for what a worker writes next: at first, and at most."""


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

    def put(value: Report | Outcome) -> None:
        piece = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.write(len(piece).to_bytes(_SIZE, "big") + piece)

    with open(path, "rb") as file:
        file.seek(max(start - _BORDER, 0))
        before = file.read(min(start, _BORDER))
        tape = Tape(file, base=start)
        tape.watch(seen)
        found = Ranges(tape, path, cuts, last)
        for report in found.reports():
            put(report)
        put(found.outcome(whole=not told))


_BORDER = 512
"""Bytes before a cut in which an address may begin that ends behind it."""
