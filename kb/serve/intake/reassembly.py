"""Reports out of lines that come in bit by bit, from many machines at once.

Of each boot that sends, the lines are held in which a report may stand; of those that say nothing, only the last few.
A report is read once its last line has rested for a while, and its lines are dropped then. What is held is bounded,
for each boot and in all: who sends more waits.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import anyio
from anyio.abc import TaskGroup

from kb.errors import StoreError
from kb.log.scan import BOOT, find
from kb.serve.intake.arrived import Arrived, Boot
from kb.serve.pool import Busy
from kb.serve.problem import Refused

if TYPE_CHECKING:
    from kb.serve.work import Found

_LOG = logging.getLogger(__name__)
REST = 2.0
"""Seconds without a further line after which a report is over: collectors send what they have once a second."""
_BEFORE = 64
"""Lines that are held of a boot that says nothing: a report begins before the line that tells it."""
_BOOTS = 10_000
_IDLE = 600.0
"""Seconds after which a silent boot is forgotten."""
_LARGEST = 1 << 20
"""Bytes of a boot that are held."""
_ALL = 64 << 20
"""Bytes of all boots."""
_TRIES = 3
"""Times that lines are read that a worker does not survive."""
_RECENT = 20_000
"""Records of a request by which those that are sent again are told."""

Read = Callable[[bytes, Boot], Awaitable[tuple["Found", ...]]]
"""Reads the lines of a boot, in a worker."""
Keep = Callable[[tuple["Held", ...], Boot, str], Awaitable[None]]
"""Records reports."""


class Held(NamedTuple):
    """A report that is over, and when it was printed."""

    found: Found
    stamp: int | None
    """Nanoseconds since 1970, where the sender says."""


class _Line(NamedTuple):
    arrived: Arrived
    came: float


@dataclass
class _Strand:
    """What is held of a boot."""

    source: str
    lines: list[_Line] = field(default_factory=list)
    size: int = 0
    counts: Counter[object] = field(default_factory=Counter)
    opened: bool = False
    looked: float = 0.0
    """When it was opened, or read last."""
    touched: float = 0.0
    tries: int = 0
    lock: anyio.Lock = field(default_factory=anyio.Lock)

    def add(self, arrived: Arrived, now: float) -> None:
        self.lines.append(_Line(arrived, now))
        self.size += len(arrived.line)
        self.counts[arrived.key] += 1
        self.touched = now

    def keep(self, lines: list[_Line]) -> None:
        self.lines = lines
        self.size = sum(len(each.arrived.line) for each in lines)
        self.counts = Counter(each.arrived.key for each in lines)


class Request:
    """The records of one request, by which those are told that an earlier one has brought already.

    Args:
        source: What its reports are said to come from.
    """

    def __init__(self, source: str):
        self.source = source
        self.records = 0
        self._counts: Counter[tuple[Boot, object]] = Counter()

    def is_new(self, arrived: Arrived, held: Counter[object]) -> bool:
        """Whether a record is none of those that are held."""
        self.records += 1
        if arrived.key is None:
            return True
        if len(self._counts) > _RECENT:
            self._counts.clear()
        self._counts[arrived.boot, arrived.key] += 1
        return self._counts[arrived.boot, arrived.key] > held[arrived.key]


class Reassembly:
    """The boots that send.

    Args:
        read: Reads lines.
        keep: Records what they say.
        at_once: Boots that are read at a time.
    """

    def __init__(self, read: Read, keep: Keep, at_once: int = 2):
        self._read = read
        self._keep = keep
        self._at_once = at_once
        self._reading: set[Boot] = set()
        self._strands: dict[Boot, _Strand] = {}
        self._size = 0
        self.lost = 0
        """Lines that no worker could read."""

    @property
    def boots(self) -> int:
        """Boots of which something is held."""
        return len(self._strands)

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return self._size

    async def add(self, records: Iterable[Arrived], request: Request) -> None:
        """Take records; waits while too much is held."""
        now = time.monotonic()
        for arrived in records:
            strand = self._strands.get(arrived.boot)
            if strand is None:
                await self._make_room()
                strand = self._strands.setdefault(arrived.boot, _Strand(request.source))
            if not request.is_new(arrived, strand.counts):
                continue
            strand.add(arrived, now)
            self._size += len(arrived.line)
            if not strand.opened and _opens(arrived.line):
                strand.opened, strand.looked = True, now
            if not strand.opened and len(strand.lines) > 2 * _BEFORE:
                self._shorten(strand, strand.lines[-_BEFORE:])
            elif strand.size > _LARGEST:
                await self._look(arrived.boot, strand, full=True)
            if self._size > _ALL:
                await self._make_room()

    async def tick(self, group: TaskGroup) -> None:
        """Have what has rested read by tasks of a group, the boot that waits longest first."""
        now = time.monotonic()
        for boot, strand in sorted(self._strands.items(), key=lambda each: each[1].looked):
            if strand.opened and now - strand.looked >= REST:
                if len(self._reading) < self._at_once and boot not in self._reading:
                    self._reading.add(boot)
                    group.start_soon(self._rested, boot, strand)
            elif not strand.opened and now - strand.touched > _IDLE:
                self._drop(boot)

    async def _rested(self, boot: Boot, strand: _Strand) -> None:
        try:
            await self._look(boot, strand)
        except StoreError:  # its lines wait; others may be taken
            strand.looked = time.monotonic()
            _LOG.exception("reports of a live log could not be recorded yet")
        finally:
            self._reading.discard(boot)

    async def drain(self, within: float = math.inf) -> None:
        """Read all that is held: nothing more comes. What cannot be read and recorded in so many seconds is lost."""
        with anyio.move_on_after(within):
            for boot, strand in list(self._strands.items()):
                try:
                    while strand.opened:
                        await self._look(boot, strand, all_=True)
                except StoreError:  # another boot's reports may be taken
                    _LOG.exception("reports of a live log could not be recorded at the end")
        self.lost += sum(len(strand.lines) for strand in self._strands.values() if strand.opened)

    async def _make_room(self) -> None:
        """Let go of the boots that were silent longest, until there is room for another one."""
        while self._strands and (len(self._strands) >= _BOOTS or self._size > _ALL):
            # one that is being read may take long: another one makes room sooner
            boot = min(self._strands, key=lambda each: (each in self._reading, self._strands[each].touched))
            while (strand := self._strands.get(boot)) is not None and strand.opened:
                await self._look(boot, strand, all_=True)
            self._drop(boot)

    def _drop(self, boot: Boot) -> None:
        strand = self._strands.pop(boot, None)
        if strand is not None:
            self._size -= strand.size

    def _shorten(self, strand: _Strand, lines: list[_Line]) -> None:
        self._size -= strand.size
        strand.keep(lines)
        self._size += strand.size

    async def _look(self, boot: Boot, strand: _Strand, *, full: bool = False, all_: bool = False) -> None:
        """Read the lines of a boot; record the reports that are over, and keep the lines of the others.

        Args:
            boot: Whose.
            strand: Its lines.
            full: It holds as much as it may: what may go on is the last report alone.
            all_: Nothing goes on.
        """
        async with strand.lock:
            if not strand.opened or (full and strand.size <= _LARGEST):
                return  # another one has just done it
            lines = _in_order(strand.lines)
            taken = len(strand.lines)
            found = await self._found(boot, strand, lines)
            now = time.monotonic()
            if found is None:
                strand.looked = now
                return
            over: list[Found] = []
            open_: list[Found] = []
            for number, each in enumerate(found, 1):
                rests = now - max(lines[at - 1].came for at in each.numbers) >= REST
                goes_on = not all_ and (number == len(found) > 1 if full else not rests)
                (open_ if goes_on else over).append(each)
            held = tuple(Held(each, lines[each.numbers[0] - 1].arrived.stamp) for each in over)
            await self._kept(held, boot, strand.source)
            later = strand.lines[taken:]
            start = min((each.numbers[0] - 1 for each in open_), default=max(len(lines) - _BEFORE, 0))
            used = {number for each in over for number in each.numbers}
            behind = max((each.numbers[-1] for each in over), default=0) if not open_ else 0
            rest = [
                each for number, each in enumerate(lines[start:], start + 1) if number not in used and number > behind
            ]
            self._shorten(strand, [*rest, *later])
            strand.opened = bool(open_) or any(_opens(each.arrived.line) for each in later)
            strand.looked, strand.tries = now, 0

    async def _kept(self, reports: tuple[Held, ...], boot: Boot, source: str) -> None:
        """Record reports; what is wrong with the store is not their fault, and they wait."""
        try:
            await self._keep(reports, boot, source)
        except StoreError:
            raise
        except Exception:
            _LOG.exception("reports of a live log could not be recorded")
            self.lost += sum(len(each.found.numbers) for each in reports)

    async def _found(self, boot: Boot, strand: _Strand, lines: list[_Line]) -> tuple[Found, ...] | None:
        """The reports of lines; None where no worker has survived them, and they are to be tried again after others."""
        while True:
            try:
                return await self._read(b"".join(each.arrived.line for each in lines), boot)
            except Busy:
                await anyio.sleep(0.5)
            except Exception as error:
                if not isinstance(error, Refused):
                    _LOG.exception("a live log could not be read")
                strand.tries += 1
                if strand.tries < _TRIES:
                    return None
                self.lost += len(lines)
                return ()


def _opens(line: bytes) -> bool:
    """Whether a line holds what may open a report."""
    return any(not line.startswith(BOOT, at) for at in find(line, 0, len(line)))


def _in_order(lines: list[_Line]) -> list[_Line]:
    """Lines as they were printed, where all of them say when; else as they came."""
    if all(each.arrived.printk is not None for each in lines):
        return sorted(lines, key=lambda each: each.arrived.printk or 0)
    if all(each.arrived.stamp is not None for each in lines):
        return sorted(lines, key=lambda each: each.arrived.stamp or 0)
    return list(lines)
