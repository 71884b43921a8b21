"""Lines -> splats: where a report begins, which lines belong to it, where it ends.

It stands in ``parse`` because only the grammars know which lines belong to a report: a headline opens one, lines with
a role keep it open, a run of lines without any ends it. Reports of several CPUs are told apart by the caller id where
the log has one; without, a new headline ends the report before it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from kb.model.log import Line, Splat
from kb.parse import roles
from kb.parse.headline import Headline, classify

_BANNER = 6
"""Lines before a headline that may belong to it: cut marks, borders, a fault's first words."""
_HEADLESS = 64
"""Lines before a stack without a headline that may belong to it: who ran, and the registers."""
_QUIET_BEFORE_STACK = 40
_QUIET_AFTER_STACK = 25
_QUIET_AFTER_END = 4
_QUIET_SOLO = 6
"""Lines without a role, in a row, that end a report: before its stack, after it, after its end mark, and where it has
no stack. A busy machine prints dozens of foreign lines into a report; that time passed tells its end more surely."""
_PAUSE = 10.0
"""Seconds without a line of the report that end it: printk writes a report in one go, a slow console takes a few."""
_IDLE = 14
"""Lines of a window without an open report before the scanner is asked for the next candidate: the lines that a
window begins with before its candidate, and the candidate."""
_DUMP_LINES = 20_000
"""Lines that a dump of all CPUs or tasks may have."""
_PURPOSE_LINES = 40
"""Lines behind an injected fault in which its stack begins: old kernels print the stack's words first."""
_LONGEST = 200_000
"""Lines a report may have (an OOM kill lists every task): a bound against a log that never ends one."""

_NMI_HOSTS = frozenset({"rcu_stall", "soft_lockup", "hard_lockup", "hung_task", "spinlock_bug", "csd_lock"})
"""Kinds that make other CPUs print their stack: those lines carry the other CPU's caller id."""


class _Open:
    """A report that is still being read."""

    __slots__ = ("aside", "caller", "ended", "head", "last_role", "lines", "opener", "quiet", "stacked", "time")

    def __init__(self, banner: list[Line], line: Line, head: Headline | None, caller: str | None):
        self.lines = [*banner, line]
        self.opener = len(banner)
        self.head = head
        self.caller = caller
        self.last_role = self.opener
        self.quiet = 0
        self.stacked = False
        self.aside = False
        self.ended = False
        self.time = line.time

    def add(self, line: Line, role: str | None) -> None:
        self.lines.append(line)
        if role is None:
            self.quiet += 1
            return
        self.last_role = len(self.lines) - 1
        self.quiet = 0
        self.time = line.time if line.time is not None else self.time
        if role == "TRACE_HEAD":
            self.aside = roles.is_aside(line.text)
        self.stacked = self.stacked or (role in roles.STACK and not self.aside)
        self.ended = self.ended or role == "END"

    def over(self, line: Line) -> bool:
        """True when this line can no longer be part of the report."""
        if line.time is not None and self.time is not None and line.time - self.time > _PAUSE:
            return True
        return self.quiet >= self.patience or len(self.lines) >= _LONGEST

    @property
    def patience(self) -> int:
        """Foreign lines in a row that it takes."""
        if self.ended:
            return _QUIET_AFTER_END
        if self.stacked:
            return _QUIET_AFTER_STACK
        return _QUIET_SOLO if self.head is not None and self.head.row.solo else _QUIET_BEFORE_STACK

    def takes(self, head: Headline) -> bool:
        """True when a headline adds to this report instead of opening the next one."""
        if self.head is None:
            return not self.stacked
        if self.ended and not head.row.late:
            return False
        if self.head.row.prelude and not self.stacked:
            return True
        if self._repeats(head):
            return True
        if self.stacked and not head.row.late:
            return False
        if "*" in head.row.joins:
            return self.head.row.kind not in (head.row.kind, "oom_kill")
        return head.row.prelude or self.head.row.kind in head.row.joins

    def _repeats(self, head: Headline) -> bool:
        """True for the second headline of a symbolised report: the first names an inlined function, without offset."""
        if self.head is None or self.stacked or self.head.row.name != head.row.name:
            return False
        return "fn" in head.fields and "+0x" in head.text and "+0x" not in self.head.text

    def take(self, line: Line, head: Headline) -> None:
        self.add(line, "HEADLINE")
        if self.head is None or (self.head.row.prelude and not head.row.prelude) or self._repeats(head):
            self.head = head
            self.opener = len(self.lines) - 1


class Splitter:
    """Feed it lines in order; it gives back the splats that have ended."""

    def __init__(self, source: str, release_at: Callable[[int], str | None] | None = None, asked: Line | None = None):
        self.source = source
        self._release_at = release_at or (lambda _number: None)
        self._open: dict[str | None, _Open] = {}
        self._recent: dict[str | None, deque[Line]] = {}
        self._role = roles.classifier()
        self.asked = asked
        """Where somebody last asked for stacks (sysrq), None when that is long ago."""
        self._on_purpose: dict[str | None, int] = {}
        self.idle = 0
        """Physical lines since a report was last open: a page of HTML is one."""

    @property
    def open(self) -> bool:
        """True while a report is being read."""
        return bool(self._open)

    def feed(self, line: Line) -> list[Splat]:
        """Take the next line; return the splats that it ends, in the order they opened."""
        done: list[Splat] = []
        if roles.is_boot(line.text):
            done = self.close("the machine rebooted")
        for key, report in list(self._open.items()):
            if report.over(line):
                done += self._end(key)
        self._place(line, done)
        self.idle = 0 if self._open else self.idle + (not line.continued)
        return done

    def close(self, reason: str | None = None) -> list[Splat]:
        """End all reports: the log is over, or the machine rebooted."""
        done: list[Splat] = []
        for key in list(self._open):
            done += self._end(key, reason)
        self._recent.clear()
        return done

    def _place(self, line: Line, done: list[Splat]) -> None:
        key = self._context(line)
        report = self._open.get(key)
        head = classify(line)
        if head is not None:
            if report is not None and report.takes(head):
                report.take(line, head)
                return
            if report is not None and head.row.solo:
                done.append(self._splat([line], 0, None))
                return
            if report is not None:
                done += self._end(key, "another report begins")
            self._open[key] = _Open(self._banner(key), line, head, line.caller)
            return
        # A role is asked for only where it can matter: most lines stand outside of any report.
        role = self._role(line.text) if report is not None or "race" in line.text else None
        if roles.is_request(line.text):
            self.asked = line
        elif roles.is_on_purpose(line.text):
            self._on_purpose[key] = line.number
        if report is None and role == "TRACE_HEAD":
            report = self._host(line)
            if report is not None:
                self._open[key] = report
        if report is not None:
            report.add(line, role)
        elif role == "TRACE_HEAD" and roles.opens_alone(line.text) and not self._asked_for(key, line):
            self._open[key] = _Open(self._banner(key, _HEADLESS), line, None, line.caller)
        else:
            self._recent.setdefault(key, deque(maxlen=_HEADLESS)).append(line)

    def _context(self, line: Line) -> str | None:
        """Whose stream of lines this is: the caller's, or the only open report's where the line has no caller id."""
        if line.caller is None and len(self._open) == 1:
            return next(iter(self._open))
        return line.caller

    def _host(self, line: Line) -> _Open | None:
        """The open report that asked this CPU for its stack."""
        if "NMI backtrace" not in line.text:
            return None
        hosts = [report for report in self._open.values() if report.head and report.head.row.kind in _NMI_HOSTS]
        return hosts[-1] if hosts else None

    def _asked_for(self, key: str | None, line: Line) -> bool:
        """True for a stack that somebody asked for: it has a task's heading, follows a sysrq, or an injected fault."""
        asked = self.asked
        if asked is not None and line.number - asked.number < _DUMP_LINES:
            if asked.time is None or line.time is None or line.time - asked.time < _PAUSE:
                return True
            self.asked = None
        purpose = self._on_purpose.get(key)
        if purpose is not None and line.number - purpose < _PURPOSE_LINES:
            return True
        return any(self._role(line.text) == "TASK" for line in self._recent.get(key, ()))

    def _banner(self, key: str | None, most: int = _BANNER) -> list[Line]:
        """The lines just before a headline, or before a stack without one, that belong to it."""
        recent = list(self._recent.pop(key, ()))[-most:]
        start = len(recent)
        for index in range(len(recent) - 1, -1, -1):
            role = self._role(recent[index].text)
            if role is None and recent[index].text.strip():
                break
            if role is not None:
                start = index
        return recent[start:]

    def _end(self, key: str | None, reason: str | None = None) -> list[Splat]:
        report = self._open.pop(key, None)
        if report is None:
            return []
        for other in [other for other, shared in self._open.items() if shared is report]:
            del self._open[other]
        tail = report.lines[report.last_role + 1 :]
        recent = self._recent.setdefault(key, deque(maxlen=_HEADLESS))
        recent.extend(tail)
        lines = report.lines[: report.last_role + 1]
        cut = reason if reason and not report.ended and report.quiet < 2 else None
        if report.head is None and not report.stacked:
            return []
        return [self._splat(lines, report.opener, cut)]

    def _splat(self, lines: Sequence[Line], opener: int, cut: str | None) -> Splat:
        return Splat(self.source, tuple(lines), opener, self._release_at(lines[opener].number), cut)


class _Windows(Protocol):
    def windows(self) -> Iterator[Iterator[Line]]: ...

    def release_at(self, number: int) -> str | None: ...


def split(reader: _Windows, source: str) -> Iterator[Splat]:
    """All splats of a log, in the order in which they open.

    Only the stretches around candidates are decoded: a window is left as soon as nothing is open in it.
    """
    asked: Line | None = None
    for window in reader.windows():
        splitter = Splitter(source, reader.release_at, asked)
        done: list[Splat] = []
        for line in window:
            done += splitter.feed(line)
            if done and not splitter.open:
                yield from _ordered(done)
                done = []
            if splitter.idle > _IDLE:
                break
        else:
            done += splitter.close("the log ends")
        yield from _ordered(done)
        asked = splitter.asked


def _ordered(done: list[Splat]) -> list[Splat]:
    """Reports of several CPUs end in any order; they are told in the order in which they began."""
    return sorted(done, key=lambda splat: splat.lines[splat.opener].number)


def split_lines(lines: Iterable[Line | None], source: str = "-") -> Iterator[Splat]:
    """Splats of lines as they come; None among them says that the input paused, which ends what is open."""
    splitter = Splitter(source)
    for line in lines:
        if line is None:
            yield from splitter.close()
        else:
            yield from splitter.feed(line)
    yield from splitter.close("the log ends")
