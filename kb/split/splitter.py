"""Lines -> splats: where a report begins, which lines belong to it, where it ends.

It stands in ``parse`` because only the grammars know which lines belong to a report: a headline opens one, lines with
a role keep it open, a run of lines without any ends it. Reports of several CPUs are told apart by the caller id where
the log has one; without, a report that a new headline interrupts waits for its rest, and :mod:`kb.split.untangle` says
whose a line is.
"""

import math
import re
from collections import deque
from collections.abc import Callable, Sequence

from kb.model.log import Line, Splat
from kb.model.said import Said
from kb.split import shapes
from kb.split.anatomy import NOTES
from kb.split.copies import Copies
from kb.split.fit import contradicts
from kb.split.stack import Phase
from kb.split.strand import PAUSE, Strand
from kb.split.untangle import STACK_BLOCK, agrees, choose, loose, over_by, printer
from kb.syntax import roles
from kb.syntax.headline import Headline, classify
from kb.syntax.kinds import Trait
from kb.syntax.roles import Role
from kb.words.speak import said

BANNER = 6
"""Lines before a headline that may belong to it: cut marks, borders, a fault's first words."""
_WORDS = 4
"""Lines that a report's own words have between its mark and its headline."""
HEADLESS = 64
"""Lines before a stack without a headline that may belong to it: who ran, and the registers."""
_ASKED = 10.0
"""Seconds that stacks somebody asked for may take."""
HUSH = 1.0
"""Seconds without a line of its own after which a report of a live input is over: a serial console at 9600 baud needs
0.1 s a line, and a report is to be told within two seconds."""
_DUMP_LINES = 20_000
"""Lines that a dump of all CPUs or tasks may have."""
_PURPOSE_LINES = 40
"""Lines behind an injected fault in which its stack begins: old kernels print the stack's words first."""
_LOST = re.compile(r"\bMissed \d{1,10} kernel messages|printk messages dropped")
"""What systemd-journald and the console say of messages that they could not take."""
_AT_ONCE = 6
"""Reports that are told apart in one context: a bound for logs that begin many and end none."""
_CONTEXTS = 512
"""Contexts with open reports: all CPUs of a large machine at once; a bound for the same logs with caller ids."""


Watch = Callable[[Sequence[Strand], Line, Role], None]


class Splitter:
    """Feed it lines in order; it gives back the splats that have ended."""

    def __init__(self, source: str, release_at: Callable[[int], str | None] | None = None, watch: Watch | None = None):
        self.source = source
        self._watch = watch
        """Asked before a line is given to one of several reports: :mod:`kb.split.explain`."""
        self._release_at = release_at or (lambda _number: None)
        self._open: dict[str | None, list[Strand]] = {}
        """Open reports by context; the one that had a line last stands last."""
        self._fed: str | None = None
        """The context of the last line: in the others a report can end by time only."""
        self._last = 0
        """Number of the last line that was fed."""
        self._due = math.inf
        """No open report ends by time before this (s)."""
        self._recent: dict[str | None, deque[Line]] = {}
        self._copies = Copies()
        self._role = roles.classifier()
        self.asked: Line | None = None
        """Where somebody last asked for stacks (sysrq), None when that is long ago."""
        self._on_purpose: dict[str | None, int] = {}
        self._runs = False
        """A kernel has printed with a time, and not said that it goes down."""
        self._leaves = False
        self.begun: Strand | None = None
        """The report that the last line has opened, or left as the only one."""

    @property
    def open(self) -> bool:
        """True while a report is being read."""
        for group in self._open.values():
            for strand in group:
                if not strand.phantom:
                    return True
        return False

    @property
    def busy(self) -> bool:
        """True while a report is being read, or something that is told with one."""
        return bool(self._open)

    def passed(self, number: int) -> None:
        """Lines up to this one were no lines of this kernel."""
        self._last = max(self._last, number)

    def jumped(self) -> None:
        """The reader jumped: what was before does not stand before the lines that come."""
        self._recent.clear()

    def forget(self) -> bool:
        """Go on as if the input began here; False, and nothing is forgotten, while a report is being read."""
        if self._open:
            return False
        self._runs = self._leaves = False
        self.asked = None
        self._copies = Copies()
        self._on_purpose.clear()
        self._recent.clear()
        return True

    @property
    def oldest(self) -> int | None:
        """Number of the headline of the oldest report that is being read, None when none is."""
        if not self._open:
            return None
        starts = [one.start for group in self._open.values() for one in group if not one.phantom]
        return min(starts) if starts else None

    def feed(self, line: Line) -> list[Splat]:
        """Take the next line; return the splats that it ends, in the order they opened."""
        done: list[Splat] = []
        self.begun = None
        if self._copies.has(line):
            self._last = line.last
            return done
        telling = line.text[:1] in roles.TELLING
        if telling and roles.is_boot(line.text):
            done = self.close(said("cut.rebooted"))
            self._runs, self._leaves = True, False
        if self._open:
            for key, strand in self._over(line):
                done += self._end(key, strand, strand.cut)
        if line.number > self._last + 1:
            self.jumped()
        self._last = line.last
        self._fed = key = self._context(line)
        self._place(key, line, done, telling)
        if shapes.BARE in self._open:
            for place, strand in list(shapes.settled(self._open, key, line)):
                done += self._end(place, strand, strand.cut)
        if telling and roles.goes_down(line.text):
            self._leaves = True
        if line.time is not None:
            self._runs = True
            self._due = min(self._due, line.time + PAUSE)
        if len(self._open) > _CONTEXTS:
            key, group = next(iter(self._open.items()))
            for strand in list(group):
                done += self._end(key, strand, strand.cut or said("cut.too_many"))
        return done

    def alone(self, strand: Strand) -> bool:
        """True where a report that has just begun is all that bears on the lines which follow."""
        return (
            self._open == {strand.caller: [strand]}
            and strand.plain
            and not (self._leaves or self.asked or self._on_purpose)
            and not any(self._recent.values())
        )

    def jump(self, own: Sequence[Line], cut: Said | None, lines: Sequence[Line], opener: int) -> Splat:
        """Take lines at once of which all is known: they end the report that is :meth:`alone`, and open the next.

        Args:
            own: The report's lines behind those it has.
            cut: Why it ends there.
            lines: The next one's lines up to where it is alone.
            opener: Index of its headline in them.
        """
        (group,) = self._open.values()
        splat = self._splat([*group[0].lines, *own], group[0].opener, cut)
        line = lines[opener]
        self.begun = strand = Strand(list(lines[:opener]), line, classify(line), line.caller)
        for line in lines[opener + 1 :]:
            strand.add(line, self._role(line.text))
            strand.sure, strand.run = line.number, strand.run + 1
        self._open = {line.caller: [strand]}
        self._fed, self._last = line.caller, line.last
        self._due = (line.time or 0.0) + PAUSE
        return splat

    def _over(self, line: Line) -> list[tuple[str | None, Strand]]:
        """The reports that this line ends. All are asked only when time enough has passed: there may be hundreds."""
        if line.time is None or line.time <= self._due:
            return [(self._fed, one) for one in self._open.get(self._fed, ()) if one.over(line)]
        over = [(key, one) for key, group in self._open.items() for one in group if one.over(line)]
        times = (one.time for group in self._open.values() for one in group)
        self._due = min((time + PAUSE for time in times if time is not None), default=math.inf)
        return over

    def hush(self, now: float) -> list[Splat]:
        """End the reports of a live input that had no line of their own for a while, whatever else is logged.

        Args:
            now: A clock (s). A report is first heard of when this is called, not when its lines were printed.
        """
        done: list[Splat] = []
        for key, group in list(self._open.items()):
            for strand in list(group):
                last, since = strand.heard
                if strand.last_role != last:
                    strand.heard = (strand.last_role, now)
                elif now - since >= HUSH:
                    done += self._end(key, strand, strand.cut)
        return done

    def close(self, reason: Said | None = None) -> list[Splat]:
        """End all reports: the log is over, or the machine rebooted."""
        done: list[Splat] = []
        for key, group in list(self._open.items()):
            for strand in list(group):
                done += self._end(key, strand, strand.cut or reason)
        self._recent.clear()
        return done

    def _place(self, key: str | None, line: Line, done: list[Splat], telling: bool) -> None:
        group = self._open.get(key)
        head = classify(line)
        if head is not None and not (head.row.unannounced and self._is_expected(line)):
            self._headline(key, line, head, done)
            return
        # A role is asked for only where it can matter: most lines stand outside of any report.
        alone = roles.opens_alone(line.text)
        role = self._role(line.text) if group or alone or "race" in line.text else None
        if telling and roles.is_request(line.text):
            self.asked = line
        elif telling and roles.is_on_purpose(line.text):
            self._on_purpose[key] = line.number
            self._begin(key, Strand([], line, None, line.caller, phantom=True), done)
            return
        if role == "TRACE_HEAD":
            group = self._printing(key, line, group)
        if group:
            self._add(group, line, role)
            if role == "CPU" and len(group) > 1:
                for other in over_by(group, line):
                    done += self._end(key, other, other.cut)
                self.begun = group[0] if done and len(group) == 1 else self.begun
        elif alone and role is not None and not self._asked_for(key, line) and self._misses_its_head(key, role):
            self._open[key] = [Strand(self._banner(key, HEADLESS), line, None, line.caller)]
        else:
            self._recent.setdefault(key, deque(maxlen=HEADLESS)).append(line)

    def _printing(self, key: str | None, line: Line, group: list[Strand] | None) -> list[Strand] | None:
        """The open reports of which one may print the stack that a line heads."""
        if group and len(group) == 1 and group[0].phantom and group[0].stack.phase is not Phase.BEFORE:
            self._end(key, group[0])  # it had its own
            group = None
        host = self._host(line) if not group else None
        if host is not None:
            self._open[key] = group = [host]
        return group

    def _is_expected(self, line: Line) -> bool:
        """True where no kernel is known to have run before, or where it said that it goes down."""
        return self._leaves or not (self._runs or self._release_at(line.number) is not None)

    def _headline(self, key: str | None, line: Line, head: Headline, done: list[Splat]) -> None:
        """A headline adds to an open report, is one by itself, or opens the next."""
        group = self._open.get(key, [])
        taker = self._taker([one for one in group if shapes.alike(one, line)], head)
        if taker is not None:
            taker.take(line, head)
            _last(group, taker)
        elif group and head.row.solo:
            done.append(self._splat([line], 0, None))
        else:
            banner = self._banner(key) or (group[-1].release() if group else [])
            self.begun = Strand(banner, line, head, line.caller)
            self._begin(shapes.place(self._open, key, line), self.begun, done)

    @staticmethod
    def _taker(group: list[Strand], head: Headline) -> Strand | None:
        """The open report that a headline adds to: one of its kind, else the one that printed last."""
        if not group:
            return None
        same = [strand for strand in group if strand.head is not None and strand.head.row.kind == head.row.kind]
        last = [strand for strand in group if not strand.phantom][-1:]
        return next((strand for strand in (*reversed(same), *last) if strand.takes(head)), None)

    def _begin(self, key: str | None, strand: Strand, done: list[Splat]) -> None:
        """Open a report. Those that have all they print end; others wait for their rest."""
        for other in list(self._open.get(key, ())):
            other.cut = other.cut or said("cut.another_report")
            serial = Trait.SERIAL in strand.kind.has and strand.kind is other.kind
            if other.whole or serial:
                done += self._end(key, other, other.cut)
            else:
                other.pause = strand
                other.under = strand if other.stack.phase in (Phase.HEAD, Phase.OPEN) else other.under
        group = self._open.setdefault(key, [])
        group.append(strand)
        if len(group) > _AT_ONCE:
            done += self._end(key, group[0], group[0].cut)

    def _add(self, group: list[Strand], line: Line, role: Role | None) -> None:
        """Give a line to the report that it belongs to."""
        strand, rival = group[-1], None
        if role == "CPU":
            self._part(group, line)
        if len(group) > 1:
            part = role or loose(line.text)
            if part is not None:
                if self._watch is not None:
                    self._watch(group, line, part)
                strand, rival = choose(group, line, part)
                if rival is None:
                    strand.sure, strand.pause = line.number, None
                    if role in roles.STACK:
                        strand.under = None
                _last(group, strand)
                strand.run += 1
            if role == "TRACE_HEAD":
                for other in group:
                    if other.stack.phase is Phase.OPEN and strand.under is other:
                        other.under = strand
            for other in group:
                if other is not strand:
                    other.away += 1
                    other.quiet += role is None
            if role in roles.STACK:
                author = printer(group, strand, line.text)
                if author is not None:
                    self._hand_over(group, strand, author)
                    strand, rival = author, None
                    _last(group, strand)
        strand.add(line, role)
        if rival is not None:
            strand.doubt(line, rival)

    def _hand_over(self, group: list[Strand], strand: Strand, author: Strand) -> None:
        """Give a stack to the report that its frames say has printed it."""
        kinds = strand.stack.author

        def wanted(text: str, role: Role | None) -> bool:
            return role in STACK_BLOCK and not (role == "CPU" and contradicts(author, text))

        lines = strand.give(wanted, self._role)
        for line in lines:
            author.moved = author.moved or author.lines[-1].number > line.number
            author.add(line, self._role(line.text))
        author.stack = author.stack._replace(author=kinds)
        numbers = {line.number for line in lines}
        for other in group:
            other.forget(numbers)

    def _part(self, group: list[Strand], line: Line) -> None:
        """Take a panic out of a report when it turns out, by who ran, to be another's."""
        ends = [strand for strand in group if strand.joined is not None and not strand.stacked]
        wrong = next((strand for strand in ends if contradicts(strand, line.text)), None)
        parted = wrong.part() if wrong is not None else None
        if parted is None:
            return
        opener, head = parted
        home = next((strand for strand in group if strand.takes(head) and agrees(strand, line.text)), None)
        if home is None:
            home = Strand([], opener, head, opener.caller)
            group.append(home)
        else:
            home.moved = home.lines[-1].number > opener.number
            home.take(opener, head)
            _last(group, home)

    def _context(self, line: Line) -> str | None:
        """Whose stream of lines this is: the caller's, or the only open report's where the line has no caller id."""
        if shapes.BARE in self._open and len(self._open) > 1:
            return shapes.context(self._open, line, self._fed)
        if line.caller is None and len(self._open) == 1:
            ((key, group),) = self._open.items()
            if key is None or not group[-1].phantom:
                return key
        return line.caller

    def _host(self, line: Line) -> Strand | None:
        """The open report that asked this CPU for its stack."""
        if "NMI backtrace" not in line.text:
            return None
        open_ = [strand for group in self._open.values() for strand in group]
        hosts = [strand for strand in open_ if Trait.ASKS_CPUS in strand.kind.has]
        return hosts[-1] if hosts else None

    def _asked_for(self, key: str | None, line: Line) -> bool:
        """True for a stack that somebody asked for: it has a task's heading, follows a sysrq, or an injected fault."""
        asked = self.asked
        if asked is not None and line.number - asked.number < _DUMP_LINES:
            if asked.time is None or line.time is None or line.time - asked.time < _ASKED:
                return True
            self.asked = None
        purpose = self._on_purpose.get(key)
        if purpose is not None and line.number - purpose < _PURPOSE_LINES:
            return True
        return any(self._role(line.text) == "TASK" for line in self._recent.get(key, ()))

    def _misses_its_head(self, key: str | None, role: Role) -> bool:
        """Whether what stands alone is the rest of a report: others than failures print a memory state as well."""
        return role != "MEMORY" or any(_LOST.search(each.text) for each in self._recent.get(key, ()))

    def _banner(self, key: str | None, most: int = BANNER) -> list[Line]:
        """The lines just before a headline, or before a stack without one, that belong to it."""
        recent = list(self._recent.pop(key, ()))[-most:]
        start = len(recent)
        if most == BANNER:  # a report's own words stand between its mark and its headline
            near = range(start - 1, max(start - 2 - _WORDS, -1), -1)
            start = next((at for at in near if self._role(recent[at].text) == "CUT"), start)
        for index in range(start - 1, -1, -1):
            role = self._role(recent[index].text)
            if role is None and recent[index].text.strip():
                break
            if role == "CUT" and start < len(recent) and self._role(recent[start].text) == "CUT":
                break  # another report's, which has not come to its headline
            if role is not None:
                start = index
        while most == BANNER and start < len(recent) and self._is_loose(recent[start].text):
            start += 1
        return recent[start:]

    def _is_loose(self, text: str) -> bool:
        """True for a line that belongs to a report only behind its mark: ordinary messages begin so, too."""
        role = self._role(text)
        if role == "NOTE":
            return not any(pattern.match(text) for pattern in NOTES.values())
        return role in (None, "MODULES", "REG")

    def _end(self, key: str | None, strand: Strand, reason: Said | None = None) -> list[Splat]:
        places = [place for place, group in self._open.items() if strand in group]
        for place in places:
            self._open[place].remove(strand)
            if not self._open[place]:
                del self._open[place]
        if not places:  # other CPUs' contexts share it, and it has ended in one of them
            return []
        tail = strand.lines[strand.last_role + 1 :]
        recent = self._recent.setdefault(key, deque(maxlen=HEADLESS))
        recent.extend(tail)
        lines = strand.lines[: strand.last_role + 1]
        opener = lines[strand.opener]
        if strand.moved:
            lines.sort(key=lambda line: line.number)
        cut = reason if reason and not strand.ended and strand.quiet < 2 else None
        if strand.phantom or (strand.head is None and not strand.bears):
            return []
        return [self._splat(lines, lines.index(opener), cut)._replace(doubts=strand.doubts)]

    def _splat(self, lines: Sequence[Line], opener: int, cut: Said | None) -> Splat:
        return Splat(self.source, tuple(lines), opener, self._release_at(lines[opener].number), cut)


def _last(group: list[Strand], strand: Strand) -> None:
    """Make a report the one that printed last."""
    if group[-1] is not strand:
        group[-1].run = 0
        group.remove(strand)
        group.append(strand)
