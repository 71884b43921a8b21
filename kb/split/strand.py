"""A report that is still being read: its lines so far, and what it has had of the parts a report is printed in."""

import re
from collections.abc import Callable, Mapping

from kb.model.log import Doubt, Line
from kb.model.said import Said
from kb.split.anatomy import TRACKED, identity_of
from kb.split.stack import OVER, Phase, Stack
from kb.syntax import roles
from kb.syntax.headline import Headline
from kb.syntax.kinds import NONE, Trait, kind_of
from kb.syntax.roles import Role

_QUIET_BEFORE_STACK = 40
_QUIET_AFTER_STACK = 25
_QUIET_AFTER_END = 4
_QUIET_SOLO = 6
"""Lines without a role, in a row, that end a report: before its stack, after it, after its end mark, and where it has
no stack. A busy machine prints dozens of foreign lines into a report; that time passed tells its end more surely."""
PAUSE = 10.0
"""Seconds without a line of the report that end it: printk writes a report in one go, a slow console takes a few."""
_LONGEST = 200_000
"""Lines a report may have (an OOM kill lists every task): a bound against a log that never ends one."""
_LONGEST_TO_GIVE = 2000
"""Lines of a report that gives a stack back: it is read again, and a log of nothing else would take for ever."""
_MARK_BEFORE = 4
"""Lines before a headline in which the mark of its report stands: a warning's own words stand between."""
_WAITING = 3
"""So much more foreign lines an interrupted report takes: they stand between the other's lines as well."""
_AWAY = 600
"""Lines of other reports that an interrupted one waits for its rest: two long reports, say, of a KASAN kernel."""

_BEHIND: frozenset[Role] = frozenset(
    {"NOTE", "MEMORY", "OOM", "LOCKS", "LOCK_WHO", "TASK", "MODULES", "CPU", "HARDWARE", "BORDER", "CUT"}
)
"""Roles that stand in no stack."""
_OWN_CAUSE = re.compile(
    r"(?:kernel: )?(?:stack-protector|corrupted stack end|VFS: |Attempted to kill|System is deadlocked|No init"
    r"|sysrq triggered|No working init|Requested init|NMI: )"
)
"""Panics that no other report announces."""
_LAST_OF_BLOCK = re.compile(r"\d pages (?:reserved|non-shared)")
"""Behind it show_mem() prints counters of single settings at most (mm/show_mem.c, lib/show_mem.c to 6.2)."""
_NO_STACK = re.compile(r"stack backtrace|irqs last ")
"""Headings with no stack below: who ran stands between the first and its stack, the second is one line."""


class Strand:
    """The lines of one report, in the order of the log."""

    __slots__ = (
        "_doubts",
        "_identity",
        "aside",
        "away",
        "block",
        "bordered",
        "caller",
        "cpu_line",
        "cut",
        "ended",
        "head",
        "heads",
        "heard",
        "joined",
        "kind",
        "last",
        "last_role",
        "lines",
        "moved",
        "opener",
        "pause",
        "phantom",
        "quiet",
        "register",
        "run",
        "seen",
        "stack",
        "stacked",
        "sure",
        "time",
        "told",
        "under",
        "who",
    )

    def __init__(
        self, banner: list[Line], line: Line, head: Headline | None, caller: str | None, *, phantom: bool = False
    ):
        self.lines = [*banner, line]
        self.opener = len(banner)
        self.head = head
        self.kind = NONE if head is None else kind_of(head.row.kind)
        self.caller = caller
        self.phantom = phantom
        """True for stacks that are no report (an injected fault): they are told apart like one, and left out."""
        self.time = line.time
        self.told: dict[str, str] = {} if head is None else dict(head.fields)
        """The fields of all its headlines."""
        self.heads: set[int] = set()
        """``id`` of the lines of headlines that were taken behind the first."""
        self._begin()
        self.under: Strand | None = None
        """The report that began in the middle of its stack."""
        self.pause: Strand | None = None
        """The report that has begun since its last line that was certainly its own."""
        self.joined: tuple[Line, Headline] | None = None
        """A headline that any report may have (a panic), and its line."""
        self.moved = False
        """True when lines came out of order."""
        self.cut: Said | None = None
        """What interrupted it."""
        self.run = 0
        self.heard = (-1, 0.0)
        """Of a live input: the last line with a role, and when it came (s): :meth:`kb.split.splitter.Splitter.hush`."""
        """Its lines in a row up to now."""
        self.sure = 0
        """Number of the last line that was certainly its own while other reports were open."""
        self._doubts: list[tuple[int, Strand, bool]] = []

    def _begin(self) -> None:
        """Know of nothing but the headline."""
        self.last_role = self.opener
        self.last: Role = "HEADLINE"
        """Role of the last line that has one."""
        self.quiet = 0
        self.away = 0
        """Lines that others took since the last of its own."""
        self.stacked = False
        self.aside = False
        self.ended = False
        self.seen: set[Role] = set()
        """Roles it has had."""
        self.cpu_line: str | None = None
        self.who: str | None = None
        """Its line that names a process otherwise: KASAN's access, lockdep's first words."""
        self.register: str | None = None
        """Its last line of registers."""
        self._identity: Mapping[str, str] | None = None
        """What :attr:`identity` is, None where that has changed since it was asked for."""
        self.stack = Stack()
        self.block = False
        """True within show_mem()'s block."""
        self.bordered = False
        """True behind the border that closes a report of KASAN and its like."""

    def add(self, line: Line, role: Role | None) -> None:
        """Take a line."""
        self.lines.append(line)
        if role is None:
            self.quiet += 1
            if TRACKED.match(line.text):
                self.stack = self.stack.tracked()
            return
        self.last_role = len(self.lines) - 1
        self.quiet = self.away = 0
        self.time = line.time if line.time is not None else self.time
        self._follow(role, line.text)
        if role not in ("CUT", "BORDER"):  # they may be the next report's
            self.last = role
        self.seen.add(role)
        if role == "TRACE_HEAD":
            self.aside = roles.is_aside(line.text)
            if self.aside and self.stack.phase is Phase.HEAD:
                self.stack = self.stack._replace(phase=Phase.ASIDE)
        self.stacked = self.stacked or (role in roles.STACK and not self.aside)
        self.ended = self.ended or role == "END" or (role == "MODULES" and "Rebooting in" in line.text)

    def part(self) -> tuple[Line, Headline] | None:
        """Give up a headline that was taken as a part of this report, None where there is none."""
        if self.joined is None:
            return None
        line, head = self.joined
        self.joined = None
        index = next((index for index, own in enumerate(self.lines) if own is line), None)
        if index is None:
            return None
        del self.lines[index]
        self.opener -= index < self.opener
        self.last_role -= index <= self.last_role
        return line, head

    def give(self, wanted: Callable[[str, Role | None], bool], role: Callable[[str], Role | None]) -> list[Line]:
        """Give up its last stack, with who ran before it.

        Args:
            wanted: Whether a line goes, by its text and role.
            role: The role of a text.
        """
        if len(self.lines) > _LONGEST_TO_GIVE:
            return []
        named = [role(line.text) for line in self.lines]
        start = len(named) - 1
        while start > self.opener and named[start] != "TRACE_HEAD":
            start -= 1
        if start == self.opener:
            return []
        while start > self.opener + 1 and named[start - 1] in ("CPU", "HARDWARE", "WORKQUEUE"):
            start -= 1
        behind = list(zip(self.lines, named, strict=True))[self.opener + 1 :]
        first = start - self.opener - 1
        del self.lines[self.opener + 1 :]
        self._begin()
        gone = []
        for index, (line, name) in enumerate(behind):
            if index >= first and id(line) not in self.heads and wanted(line.text, name):
                gone.append(line)
            else:
                self.add(line, "HEADLINE" if id(line) in self.heads else name)
        return gone

    def forget(self, numbers: set[int]) -> None:
        """Doubt these lines no longer: what they are has become clear."""
        self._doubts = [doubt for doubt in self._doubts if doubt[0] not in numbers]

    def doubt(self, line: Line, rival: "Strand") -> None:
        """Note that a line of its own fits another report as well."""
        self._doubts.append((line.number, rival, True))
        rival._doubts.append((line.number, self, False))

    @property
    def plain(self) -> bool:
        """True where its lines tell all that is known of it: each behind its headline is certainly its own."""
        return not self._doubts and self.run == len(self.lines) - 1 - self.opener and not self.heads

    @property
    def start(self) -> int:
        """Number of its headline."""
        return self.lines[self.opener].number

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Lines that another report may claim: where the older went on behind the start of the newer."""
        return tuple(Doubt(line, other.start, own) for line, other, own in self._doubts if self._overlaps(other))

    def _overlaps(self, other: "Strand") -> bool:
        older, newer = sorted((self, other), key=lambda strand: strand.start)
        return older.sure > newer.start

    def release(self) -> list[Line]:
        """Give back the mark near its end that the report behind it begins with, and the words behind that."""
        role = roles.classifier()
        for index in range(len(self.lines) - 1, max(self.opener, len(self.lines) - _MARK_BEFORE - 1), -1):
            name = role(self.lines[index].text) if id(self.lines[index]) not in self.heads else "HEADLINE"
            if name in ("CUT", "BORDER"):
                mark = self.lines[index:]
                del self.lines[index:]
                if self.last_role >= index:  # the mark was taken for its own, and what stands before it is anybody's
                    own = range(index - 1, self.opener, -1)
                    self.last_role = next((at for at in own if self._has_role(self.lines[at], role)), self.opener)
                return mark
            if name is not None:
                break
        return []

    def _has_role(self, line: Line, role: Callable[[str], Role | None]) -> bool:
        return id(line) in self.heads or role(line.text) is not None

    def _follow(self, role: Role, text: str) -> None:
        """Keep what tells where in its parts the report is."""
        if role in roles.STACK:
            self.stack = self.stack.framed(text)
        elif role == "MARK":
            self.stack = self.stack.marked(text)
        elif role == "TRACE_HEAD" and "NMI backtrace" in text:
            self.stack, self.register = self.stack.asked(text), None
        elif role == "TRACE_HEAD" and not _NO_STACK.search(text):
            self.stack, self.under = Stack(Phase.HEAD), None
        elif role == "CPU" or role == "CPU_OLD":
            if self.cpu_line is None:
                self.cpu_line, self._identity = text, None
        elif role in ("ACCESS", "LOCK_WHO") or (role == "LOCKS" and " held by " in text):
            self.who, self._identity = self.who or text, None
        elif role in ("PC", "LR", "CODE", "REG"):
            self.register = text
            if role == "PC":
                self.stack = self.stack.counted(text)
        elif role == "END":
            self.stack, self.register = self.stack.ended(), None
        if role in ("MEMORY", "OOM"):
            begins = "Mem-Info:" in text
            self.block = begins or (self.block and role == "MEMORY" and not _LAST_OF_BLOCK.search(text))
        phase = self.stack.phase
        if role == "NOTE" and phase in (Phase.HEAD, Phase.OPEN) and text.lstrip().startswith("[<"):
            self.stack = self.stack._replace(phase=Phase.OPEN)  # a frame without its symbol
        elif role in _BEHIND and phase is Phase.OPEN and not self.stack.marks and "Exception stack" not in text:
            self.stack = self.stack._replace(phase=Phase.PAST)
        if role == "BORDER" and self.stacked and "==" in text:
            self.bordered = True

    def over(self, line: Line) -> bool:
        """True when this line can no longer be part of the report."""
        if line.time is not None and self.time is not None and line.time - self.time > PAUSE:
            return True
        if self.quiet < _QUIET_AFTER_END and self.away < _AWAY and len(self.lines) < _LONGEST:
            return False  # the least patience: nearly every line
        bare = self.head is not None and self.head.row.bare  # needs no more: it is not waited for
        patience = self.patience * _WAITING if self.away and not bare else self.patience
        return self.quiet >= patience or self.away >= _AWAY or len(self.lines) >= _LONGEST

    @property
    def patience(self) -> int:
        """Foreign lines in a row that it takes."""
        if self.ended:
            return _QUIET_AFTER_END
        if self.stacked:
            return _QUIET_AFTER_STACK
        return _QUIET_SOLO if self.head is not None and self.head.row.solo else _QUIET_BEFORE_STACK

    @property
    def bears(self) -> bool:
        """True when it has what makes a report without a headline."""
        return self.stacked or "MEMORY" in self.seen

    @property
    def whole(self) -> bool:
        """True when it has all that its kind prints: what comes next is another's."""
        if self.ended or (self.bordered and Trait.BORDER in self.kind.has):
            return True
        if not self.stacked or self.stack.phase is Phase.HEAD:
            return self.head is not None and (self.head.row.solo or Trait.NO_STACK in self.kind.has)
        if self.head is not None and self._owes:
            return False
        over = self.stack.phase in OVER or self.stack.at_bottom
        return over or ("MARK" not in self.seen and self.last not in roles.STACK)

    @property
    def _owes(self) -> bool:
        """True before what a kind prints behind its stack: an end mark, the objects' stacks, the memory, the kill."""
        has = self.kind.has
        if self.block or (Trait.SERIAL in has and self.last == "OOM" and not self.heads):
            return True
        if Trait.END_MARK in has or any(line.text.lstrip().startswith("-----") for line in self.lines[: self.opener]):
            return True
        return Trait.OBJECTS in has or (Trait.SHOW_MEM in has and "MEMORY" not in self.seen)

    @property
    def held(self) -> bool:
        """True while another report, begun in the middle of its stack, has not printed its own."""
        return self.under is not None and not self.under.printed

    @property
    def paused(self) -> bool:
        """True while another report, begun since its last line, has not printed its stack."""
        return self.pause is not None and not self.pause.printed

    @property
    def printed(self) -> bool:
        """True behind the stack."""
        return self.stack.phase in OVER or self.stack.at_bottom or self.ended or self.stack.user

    @property
    def identity(self) -> Mapping[str, str]:
        """CPU, process id and command as far as headline and CPU line tell them."""
        if self._identity is not None:
            return self._identity
        known: dict[str, str] = {}
        for text in (self.who, self.cpu_line):
            if text is not None:
                known |= identity_of(text)
        if self.head is not None:
            for name in ("cpu", "pid", "comm"):
                if name in self.head.fields:
                    known[name] = self.head.fields[name]
        self._identity = known
        return known

    def takes(self, head: Headline) -> bool:
        """True when a headline adds to this report instead of opening the next one."""
        if self.head is None:
            return not self.stacked
        if (self.ended and not head.row.late) or self._has_had(head):
            return False
        if self.head.row.prelude and not self.stacked:
            return True
        if self._repeats(head):
            return True
        if self.stacked and not head.row.late:
            return False
        if "*" in head.row.joins:
            return self._ends_in(head)
        if self.cpu_line is not None and not head.row.late:  # all headlines of a report stand before who ran
            return False
        return (head.row.prelude and self.head.row.kind != "oops") or self.head.row.kind in head.row.joins

    def _has_had(self, head: Headline) -> bool:
        """True when this report has had what a report has once, and the headline is of another."""
        name, unless = head.row.each, head.row.unless
        if not name or not self.told.get(name) or (unless and unless in self.told):
            return False
        return head.fields.get(name) != self.told[name]

    def _ends_in(self, panic: Headline) -> bool:
        """True for a panic that this report may end in: hung tasks in one of their own, none in one with a cause."""
        kind, what = self.head.row.kind if self.head else "", panic.fields.get("what", "")
        if kind in (panic.row.kind, "oom_kill") or _OWN_CAUSE.match(what):
            return False
        return kind != "hung_task" or "hung_task" in what

    def _repeats(self, head: Headline) -> bool:
        """True for the second headline of a symbolised report: the first names an inlined function, without offset."""
        if self.head is None or self.stacked or self.head.row.name != head.row.name:
            return False
        return "fn" in head.fields and "+0x" in head.text and "+0x" not in self.head.text

    def take(self, line: Line, head: Headline) -> None:
        """Take a headline that adds to this report."""
        self.heads.add(id(line))
        self.told = {**head.fields, **self.told}
        self.add(line, "HEADLINE")
        if self.head is None or (self.head.row.prelude and not head.row.prelude) or self._repeats(head):
            self.head, self.kind, self._identity = head, kind_of(head.row.kind), None
            self.opener = len(self.lines) - 1
        elif "*" in head.row.joins:
            self.joined = (line, head)
