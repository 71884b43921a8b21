"""Lines of several machines in one input, as a log server writes them: each has its own reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from kb.model.log import Line, Splat
from kb.model.said import Said
from kb.split.splitter import Splitter
from kb.split.strand import Strand

_IDLE = 64
"""Machines that are in no report and known all the same, by what they said last."""
_READ = 256
"""Machines of which a report is read at a time."""
_SILENT = 1000
"""Lines of others behind which a machine's report is over: its clock stands still, and theirs say nothing of it."""
_UNNAMED = "localhost"
"""What a machine is called before it has its name (systemd's DEFAULT_HOSTNAME)."""


def one_machine(one: str, other: str) -> bool:
    """Whether two names are one machine's: with and without its domain, or before it has one."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    unnamed = _UNNAMED in (short.partition(".")[0], long.partition(".")[0])
    return long == short or long.startswith(short + ".") or unnamed


class Machines:
    """A splitter for each machine; as one where the lines name none, or only one.

    Args:
        source: Name of the input, for the splats.
        release_at: Kernel release of the boot that a line (its number) belongs to.
    """

    def __init__(self, source: str, release_at: Callable[[int], str | None] | None = None):
        self._new = partial(Splitter, source, release_at)
        self._now = self._new()
        """Of the last line."""
        self._host: str | None = None
        self._others: dict[str, Splitter] = {}
        """By name; the one whose line was last stands last."""
        self._waiting: dict[str, int] = {}
        """Those of them that are in a report, with the number of the last line that was theirs."""
        self._last = 0
        self.idle = 0
        """Physical lines since a report was last open: a page of HTML is one."""

    def _all(self) -> Iterator[Splitter]:
        yield self._now
        yield from self._others.values()

    @property
    def open(self) -> bool:
        """True while a report is being read."""
        return self._now.open or bool(self._waiting)

    @property
    def oldest(self) -> int | None:
        """Number of the headline of the oldest report that is being read, None when none is."""
        if not self._others:
            return self._now.oldest
        return min((start for one in self._all() if (start := one.oldest) is not None), default=None)

    @property
    def begun(self) -> Strand | None:
        """The report that the last line has opened, or left as the only one."""
        return self._now.begun

    def feed(self, line: Line) -> list[Splat]:
        """Take the next line; return the splats that it ends, in the order they opened."""
        done: list[Splat] = []
        if line.host is not None and line.host != self._host:
            self._turn(line.host)
        while self._waiting and (
            len(self._waiting) > _READ or line.number - next(iter(self._waiting.values())) > _SILENT
        ):
            done += self._ended(next(iter(self._waiting)))
        if self._others and line.number > self._last + 1:
            for other in self._others.values():
                other.jumped()
        done += self._now.feed(line)
        self._last = line.last
        self.idle = 0 if self.open else self.idle + (not line.continued)
        return done

    def _turn(self, host: str) -> None:
        """Go on with the lines of another machine."""
        before, self._host = self._host, host
        if before is None or one_machine(before, host):
            return
        self._others[before] = self._now
        if self._now.open:
            self._waiting[before] = self._last
        while len(self._others) - len(self._waiting) > _IDLE:
            del self._others[next(one for one in self._others if one not in self._waiting)]
        name = host if host in self._others else next((one for one in self._others if one_machine(one, host)), host)
        self._waiting.pop(name, None)
        self._now = self._others.pop(name) if name in self._others else self._new()
        self._now.passed(self._last)

    def _ended(self, name: str) -> list[Splat]:
        del self._waiting[name]
        return self._others[name].close()

    def alone(self, strand: Strand) -> bool:
        """As :meth:`Splitter.alone`."""
        return not self._waiting and self._now.alone(strand)

    def jump(self, own: Sequence[Line], cut: Said | None, lines: Sequence[Line], opener: int) -> Splat:
        """As :meth:`Splitter.jump`."""
        self._last = lines[-1].last
        return self._now.jump(own, cut, lines, opener)

    def hush(self, now: float) -> list[Splat]:
        """As :meth:`Splitter.hush`."""
        done = self._now.hush(now)
        for name in list(self._waiting):
            done += self._others[name].hush(now)
            if not self._others[name].open:
                del self._waiting[name]
        return done

    def close(self, reason: Said | None = None) -> list[Splat]:
        """End all reports: the log is over."""
        self._waiting.clear()
        return [splat for one in self._all() for splat in one.close(reason)]

    def forget(self) -> bool:
        """Go on as if the input began here; False, and nothing is forgotten, while a report is being read."""
        if any(one.busy for one in self._all()):
            return False
        self._others.clear()
        self._host = None
        return self._now.forget()
