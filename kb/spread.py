"""Many files over several processes: the same reports, and what is told between them, in the same order.

Each file is claimed by whoever comes to it first, the caller or a worker that runs ahead of it; who claims it reads it.
A worker takes what is a log of its own, as it stands or packed; what holds others, is none, or fails is read by the
caller when its turn comes, which raises what there is to raise. Diagnoses are the caller's: the cases are loaded there.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.log.source import Input
    from kb.model.report import Report

LEAST = 8 << 20
"""Bytes of all files from which on a second process is worth its start."""
_EACH = 64 << 10
"""Bytes that a small file counts as: its reports cost, however short it is."""
_AHEAD = 256
"""Files that are read before it is their turn, at most: what was read of them waits on the disk."""
_POLL = 0.002
"""Seconds between two looks for what another process reads just now."""
_PROGRAM = "from kb.process import own; from kb.spread import work; own(); work()"


def files(logs: Iterable[Any], largest: int | None) -> list[str]:
    """The files that inputs are, those of folders in the order in which they are read; some may hold no log.

    Args:
        logs: As :func:`kb.api.read` takes them.
        largest: Bytes of a file that is left out, None for no bound.
    """
    from kb.log.files import passed_over

    found: list[str] = []
    for each in logs:
        if not isinstance(each, str | os.PathLike):
            continue
        path = os.fspath(each)
        if "\n" in path or "\r" in path:
            continue
        if os.path.isdir(path):
            for folder, folders, names in os.walk(path):
                folders.sort()
                places = (os.path.join(folder, name) for name in sorted(names))
                found += [place for place in places if passed_over(place, path) is None]
        else:
            found.append(path)
    sizes = ((path, os.path.getsize(path) if os.path.isfile(path) else 0) for path in found)
    return [path for path, size in sizes if size and (largest is None or size < largest)]  # /proc tells no size


def spread(
    logs: Sequence[Any],
    jobs: int,
    notices: bool = False,
    most: int | None = None,
    told: Callable[[str], None] | None = None,
    largest: int | None = None,
) -> Spread | None:
    """Processes that read files ahead of who reads all; None where there are too few of them.

    Args:
        logs: The inputs.
        jobs: Processes, this one among them.
        notices: As :func:`kb.gather.read_input`.
        most: As :func:`kb.gather.read_input`.
        told: As :func:`kb.gather.read_input`.
        largest: As :func:`files`.
    """
    if jobs < 2:
        return None
    paths = files(logs, largest)
    if len(paths) < 2 or sum(max(os.path.getsize(path), _EACH) for path in paths) < LEAST:
        return None
    return Spread(paths, min(jobs, len(paths)), notices, most, told)


class Spread:
    """Files that are read by several processes. Called with an input, it gives the reports that another has read.

    Args:
        paths: The files, in the order in which they will be asked for; one that is passed over does no harm.
        jobs: Processes, this one among them.
        notices: As :func:`kb.gather.read_input`.
        most: As :func:`kb.gather.read_input`.
        told: As :func:`kb.gather.read_input`.
    """

    def __init__(
        self, paths: Sequence[str], jobs: int, notices: bool, most: int | None, told: Callable[[str], None] | None
    ):
        self._told = told
        self._places: dict[str, list[int]] = {}
        for place, path in enumerate(paths):
            self._places.setdefault(path, []).append(place)
        self._folder = tempfile.mkdtemp(prefix="kb-")
        self._desk = _Desk(self._folder, paths, notices, most)
        self._desk.reached(-1)
        self._workers = [self._started(number) for number in range(jobs - 1)]

    def _started(self, number: int) -> subprocess.Popen[bytes]:
        run = [sys.executable, "-c", _PROGRAM]
        worker = subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert worker.stdin is not None
        with suppress(BrokenPipeError), worker.stdin:
            pickle.dump((os.getpid(), number, self._desk), worker.stdin)
        return worker

    def __call__(self, each: Input) -> Iterator[Report] | None:
        """The reports of an input, where another process reads it or has read it; None where it is to be read here."""
        places = self._places.get(each.name)
        if not places:
            return None
        place = places.pop(0)
        self._desk.reached(place)
        if self._desk.claim(place):
            return None
        while (file := self._desk.answer(place)) is None:
            if not self._lives(place):
                return None
            if not self._desk.work():
                time.sleep(_POLL)
        if not os.fstat(file.fileno()).st_size:
            file.close()
            return None
        return self._given(file)

    def _lives(self, place: int) -> bool:
        """Whether who has claimed a file is still at it, or had done with it before it ended."""
        by = self._desk.claimed(place)
        alive = [worker.poll() is None for worker in self._workers]
        lives = any(alive) if by is None else by >= 0 and alive[by]
        return lives or os.path.exists(self._desk.path(place))

    def _given(self, file: IO[bytes]) -> Iterator[Report]:
        with file:
            while (item := pickle.load(file)) is not None:
                if not isinstance(item, str):
                    yield item
                elif self._told is not None:
                    self._told(item)

    def end(self) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.kill()
            worker.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Desk:
    """A folder in which files are claimed and what was read of them is left.

    Args:
        folder: The folder.
        paths: The files.
        notices: As :func:`kb.gather.read_input`.
        most: As :func:`kb.gather.read_input`.
    """

    def __init__(self, folder: str, paths: Sequence[str], notices: bool, most: int | None):
        self._folder, self._paths, self._notices, self._most = folder, paths, notices, most
        self.number = -1
        """Of the worker; -1 for the caller."""
        self._next = 0
        """The first file that may be free: all before it are claimed."""

    def path(self, place: int) -> str:
        """Where what was read of a file is left."""
        return os.path.join(self._folder, str(place))

    def claim(self, place: int) -> bool:
        """Take a file; False where another has."""
        try:
            file = os.open(self.path(place) + "-claimed", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return False
        os.write(file, b"%d" % self.number)
        os.close(file)
        return True

    def claimed(self, place: int) -> int | None:
        """The worker that has taken a file; None where it is just about to say so."""
        with open(self.path(place) + "-claimed", "rb") as file:
            return int(file.read() or b"-1") if os.fstat(file.fileno()).st_size else None

    def answer(self, place: int) -> IO[bytes] | None:
        """What was read of a file, an empty one where it is to be read by the caller; None as long as it is not."""
        try:
            file = open(self.path(place), "rb")  # noqa: SIM115 - closed by who reads it
        except FileNotFoundError:
            return None
        with suppress(OSError):  # where a file cannot go while it is open, the folder goes with it
            os.unlink(self.path(place))
        return file

    def reached(self, place: int) -> None:
        """Tell whose turn it is."""
        with open(os.path.join(self._folder, "next.new"), "w") as file:
            file.write(str(place))
        os.replace(file.name, os.path.join(self._folder, "turn"))

    @property
    def over(self) -> bool:
        """True once all files are claimed."""
        return self._next >= len(self._paths)

    def work(self) -> bool:
        """Read the first file that nobody has, if it is not too far ahead; False where there is none, or none yet."""
        with open(os.path.join(self._folder, "turn")) as file:
            turn = int(file.read())
        while self._next < min(turn + _AHEAD, len(self._paths)):
            place = self._next
            self._next += 1
            if self.claim(place):
                self._read(place)
                return True
        return False

    def _read(self, place: int) -> None:
        made = self.path(place) + "-new"
        with open(made, "wb") as file:
            try:
                for item in self._items(place):
                    pickle.dump(item, file, pickle.HIGHEST_PROTOCOL)
                pickle.dump(None, file)
            except Exception:  # whatever it is: who asked for the file meets it, too, and tells
                file.seek(0)
                file.truncate()
        os.replace(made, self.path(place))

    def _items(self, place: int) -> Iterator[Report | str]:
        """Reports of a file and what is told between them.

        Raises:
            _Other: It is read by who asked for it.
        """
        from kb.gather import read_input
        from kb.log.source import open_alone

        told: list[str] = []
        inputs = open_alone(self._paths[place])
        each = next(inputs, None)
        if each is None:
            raise _Other
        for report in read_input(each, self._notices, self._most, told.append):
            yield from told
            told.clear()
            yield report
        yield from told
        if next(inputs, None) is not None:
            raise _Other


class _Other(Exception):
    """A file holds others, or is no log."""


def work() -> None:
    """What a worker runs, until all files are claimed or nobody waits for them."""
    caller, number, desk = pickle.load(sys.stdin.buffer)
    desk.number = number
    with suppress(FileNotFoundError):  # the folder is gone: so is the caller
        while os.getppid() == caller and not desk.over:
            if not desk.work():
                time.sleep(10 * _POLL)
