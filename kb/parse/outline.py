"""The outline of a report: its stacks, registers, tasks and named lines, out of the blocks of grammars/report.lark.

Nothing is concluded here: which stack is to blame, what the report is called and whether it is damaged are decided by
:mod:`kb.parse.guilty` and :mod:`kb.parse.report`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kb.model.log import Line
from kb.model.number import number
from kb.model.report import Frame, Registers, Trace
from kb.syntax import frames
from kb.syntax.engine import LineToken
from kb.syntax.lines import Block, grammar

_ROLES = (
    ("nmi", re.compile(r"NMI backtrace|CPU ?\d+: stopping")),
    ("allocated", re.compile(r"Allocat|allocated by|kfence-#")),
    ("freed", re.compile(r"Freed|freed by|Deallocation")),
    ("origin", re.compile(r"Uninit was|Local variable")),
    ("work", re.compile(r"(?:Last|Second to last) ")),
    ("preempt", re.compile(r"Preemption disabled|(?:hard|soft)irqs last")),
    ("page", re.compile(r"page (?:last|has)|page_owner")),
    ("access", re.compile(r"(?:read|write|race at).*0x|.*read-write to")),
    ("lock", re.compile(r"-> #|the |to a |\.\.\.|\{|INITIAL|IN-|HARDIRQ|SOFTIRQ")),
)
_INTERRUPT_AT = re.compile(r"--- interrupt: ?[0-9a-f]+ at (?P<fn>[A-Za-z_.$][\w.$]*)")
_CONTEXT_END = re.compile(r"\s*(?:</(?:IRQ|NMI|SOFTIRQ|#\w+)>|<EOI>|<<EOE>>|--- interrupt)")
_LIMIT = 4096
"""Characters of a line that are read: printk's own bound is 1 kB."""
_LEAD = re.compile(r"\s*(?:-+ ?(?!>))?")
"""What stands before the words of a stack's heading: lockdep's "-> #1" is part of them."""
_OUTERMOST = re.compile(r"(?:ret_fast_syscall|ret_from_fork|__(?:irq|dabt|pabt|und)_usr|ret_from_exception)$")
"""Where an arm stack ends: arch/arm/kernel/entry-*.S."""
_TAINT = re.compile(r"[^A-Z]")


@dataclass(slots=True)
class _Stack:
    role: str
    title: str
    line: int
    cpu: int | None
    frames: list[Frame] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    caller: Frame | None = None


@dataclass(slots=True)
class Outline:
    """What the lines of a report say, by role."""

    traces: tuple[Trace, ...] = ()
    registers: Registers | None = None
    fields: dict[str, str] = field(default_factory=dict)
    field_lines: dict[str, int] = field(default_factory=dict)
    locks: list[Frame] = field(default_factory=list)
    """Functions named by ``at:`` behind "is trying to acquire" and the like, in order."""
    held: list[Frame] = field(default_factory=list)
    """Functions named by ``at:`` of the locks that are held."""
    understood: list[int] = field(default_factory=list)
    trace_heads: int = 0
    answered: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Who ran on the first CPU that was asked for its stack: cpu, pid and comm, with their line."""

    def set(self, name: str, value: str | None, line: int) -> None:
        """Keep the first value of a field and where it stood."""
        if value and name not in self.fields:
            self.fields[name] = value
            self.field_lines[name] = line


def outline(lines: Sequence[Line]) -> Outline:
    """Parse the lines of a report."""
    short = [line if len(line.text) <= _LIMIT else line._replace(text=line.text[:_LIMIT]) for line in lines]
    return _Reader(short).read(grammar("report").blocks(short))


class _Reader:
    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.out = Outline()
        self.stacks: list[_Stack] = []
        self.current: _Stack | None = None
        self.heading: tuple[str, int | None] | None = None
        self.locking = False
        self.registers: Registers | None = None
        self.ended = False
        self.busy = False

    def read(self, blocks: Iterable[Block]) -> Outline:
        """Take all blocks that grammars/report.lark cuts the lines into."""
        for block in blocks:
            tokens = iter(block.tokens)
            if block.rule is not None:
                getattr(self, f"start_{block.rule}")(next(tokens))
            for token in tokens:
                self.line(token)
        if self.busy:
            self.running()
        out = self.out
        out.registers = self.registers
        out.traces = tuple(self.finish(entry) for entry in self.stacks if entry.frames)
        return out

    @staticmethod
    def finish(entry: _Stack) -> Trace:
        frames = [*entry.frames, entry.caller] if entry.caller is not None else entry.frames
        return Trace(entry.role, entry.title, tuple(frames), entry.line, cpu=entry.cpu, breaks=tuple(entry.breaks))

    # ---- blocks

    def start_trace(self, token: LineToken) -> None:
        """A stack begins. A plain "Call Trace:" belongs to the heading before it (NMI backtrace for cpu 3)."""
        self.note(token)
        lead = _LEAD.match(token.line.text)
        text = token.line.text[lead.end() if lead is not None else 0 :]
        role = next((name for name, pattern in _ROLES if pattern.match(text)), "main")
        number = token.fields.get("cpu") or token.fields.get("stopped")
        cpu = int(number) if number is not None else None
        if role == "main":
            self.out.trace_heads += 1
            if self.heading is not None and self.current is not None and self.current.role == self.heading[0]:
                return  # goes on behind the program counter
            if self.heading is not None:
                role, cpu = self.heading
            elif text.startswith("stack backtrace"):
                return
        elif role == "nmi":
            self.heading = (role, cpu)
            self.current = None
            return
        self.current = _Stack(role, token.line.text.strip(), token.line.number, cpu)
        self.stacks.append(self.current)
        tail = token.line.text.partition(":")[2]
        inline = frames.from_text(tail, token.line.number) if "+0x" in tail else None
        if inline is not None:
            self.current.frames.append(inline)
        if role == "preempt" and "irqs last" in text:
            self.current = None

    def start_registers(self, token: LineToken) -> None:
        """A program counter: the report's own where no stack came before, else an interrupted context in a stack."""
        self.note(token)
        if self.ended and self.registers is not None:  # the registers are printed once more behind the end mark
            return
        got = token.fields
        user = got.get("cs") in ("33", "23", "0033", "0023", "73", "0073") or "pcraw" in got
        frame = None
        if "fn" in got:
            behind = token.line.text[token.match.end("fn") :]
            frame = Frame(
                got["fn"],
                number(got.get("off"), 16),
                number(got.get("size"), 16),
                frames.module_of(behind),
                source=frames.source_of(behind),
                line=token.line.number,
            )
        elif "fn2" in got:  # a debugger's, in decimal
            frame = Frame(got["fn2"], number(got.get("pcdec")), line=token.line.number)
        if self.current is not None and self.current.frames:
            if frame is not None and self.current.frames[-1].function != frame.function:
                self.current.breaks.append(len(self.current.frames))
                self.current.frames.append(frame)
            if self.registers is None and frame is not None:
                self.registers = Registers(frame=frame, line=token.line.number)
            return
        if self.heading is not None and frame is not None:
            self.current = _Stack(self.heading[0], token.line.text.strip(), token.line.number, self.heading[1])
            self.stacks.append(self.current)
            self.current.frames.append(frame)
        if self.registers is None or (self.registers.frame is None and frame is not None):
            address = got.get("pcaddr") or got.get("pcraw") or got.get("pcnull")
            digits = re.sub(r"\D", "", address or "") if address and "null" in address else address
            self.registers = Registers(
                frame=frame, pc=number(digits, 16), user=user and frame is None, line=token.line.number
            )

    def start_access(self, token: LineToken) -> None:
        """KASAN's "Read of size 8 at addr ... by task"."""
        self.note(token)
        got, line = token.fields, token.line.number
        for name, group in (("access", "access"), ("size", "size"), ("comm", "acomm"), ("pid", "apid")):
            self.out.set(name, got.get(group), line)
        self.out.set("address", got.get("addr2"), line)

    # ---- single lines

    def note(self, token: LineToken) -> None:
        self.out.understood.append(token.line.number)

    def line(self, token: LineToken) -> None:
        self.note(token)
        if token.type in frames.READERS:
            self.frame(token)
            return
        read = getattr(self, f"on_{token.type.lower()}", None)
        if read is not None:
            read(token)

    def frame(self, token: LineToken) -> None:
        found = frames.frames(token)
        if self.locking:
            self.out.locks.extend(found)
            self.locking = False
            return
        if self.current is None:
            self.current = _Stack("loose", "", token.line.number, None)
            self.stacks.append(self.current)
        above = self.current.caller
        if token.type == "ARM_FRAME":
            if above is not None and _OUTERMOST.match(above.function) and found[0].function != above.function:
                # The stack of another task, under a heading of its own (rcu's kthread, sched_show_task()).
                self.current = _Stack("loose", self.current.title, token.line.number, self.current.cpu)
                self.stacks.append(self.current)
            self.current.caller = frames.arm_caller(token)
        elif self.current.frames and _CONTEXT_END.match(token.line.text):  # the mark stands before the frame
            self.current.breaks.append(len(self.current.frames))
        self.current.frames.extend(found)

    def on_end(self, _token: LineToken) -> None:
        self.ended = True

    def on_mark(self, token: LineToken) -> None:
        if self.current is None or not self.current.frames:
            return
        at = _INTERRUPT_AT.search(token.line.text)
        if _CONTEXT_END.match(token.line.text):
            self.current.breaks.append(len(self.current.frames))
        if at is not None:
            self.current.frames.append(Frame(at["fn"], line=token.line.number))

    def on_lr(self, token: LineToken) -> None:
        got = token.fields
        frame = Frame(got["fn"], number(got.get("off"), 16), line=token.line.number)
        if self.registers is not None and self.registers.link is None:
            have = self.registers
            self.registers = Registers(have.frame, have.pc, frame, have.values, have.code, have.user, have.line)

    def on_code(self, token: LineToken) -> None:
        self.out.set("code", token.line.text.partition(":")[2].strip(), token.line.number)

    def on_cpu(self, token: LineToken) -> None:
        got, line, out = token.fields, token.line.number, self.out
        if self.heading is None:
            out.set("cpu", got.get("cpuno"), line)
            out.set("pid", got.get("cpupid"), line)
            out.set("comm", got.get("cpucomm"), line)
        elif not out.answered:
            told = {"cpu": got.get("cpuno"), "pid": got.get("cpupid"), "comm": got.get("cpucomm")}
            out.answered = {name: (value, line) for name, value in told.items() if value is not None}
        self.identity(got.get("clean"), got.get("taint"), got.get("rel"), line)

    def on_cpu_old(self, token: LineToken) -> None:
        got, line, out = token.fields, token.line.number, self.out
        out.set("pid", got.get("opid"), line)
        out.set("comm", got.get("ocomm"), line)
        self.identity(got.get("oclean"), got.get("otaint"), got.get("orel"), line)

    def on_reg(self, token: LineToken) -> None:
        """Registers; on some architectures who died stands among them."""
        if self.heading is None:
            self.out.set("pid", token.fields.get("ppid"), token.line.number)
            self.out.set("comm", token.fields.get("pcomm"), token.line.number)

    def on_release(self, token: LineToken) -> None:
        got = token.fields
        self.out.set("cpu", got.get("rcpu"), token.line.number)
        self.identity(got.get("rclean"), got.get("rtaint"), got.get("rrel"), token.line.number)

    def identity(self, clean: str | None, taint: str | None, release: str | None, line: int) -> None:
        self.out.set("kernel", release, line)
        if clean:
            self.out.set("taint", "-", line)
        elif taint is not None:
            self.out.set("taint", _TAINT.sub("", taint) or "-", line)

    def on_hardware(self, token: LineToken) -> None:
        self.out.set("hardware", token.fields["hardware"].strip(), token.line.number)

    def on_workqueue(self, token: LineToken) -> None:
        self.out.set("workqueue", token.fields["wq"], token.line.number)
        self.out.set("work", token.fields.get("fn"), token.line.number)

    def on_last_function(self, token: LineToken) -> None:
        self.out.set("last_function", token.fields["fn"], token.line.number)

    def on_handler(self, token: LineToken) -> None:
        """One of those that were asked whose interrupt it is: all are kept, none is singled out."""
        module = f" [{token.fields['mod']}]" if "mod" in token.fields else ""
        before = self.out.fields.get("handlers")
        self.out.fields["handlers"] = f"{before + ', ' if before else ''}{token.fields['fn']}{module}"
        self.out.field_lines.setdefault("handlers", token.line.number)

    def on_in_flight(self, _token: LineToken) -> None:
        self.busy = True

    def running(self) -> None:
        """The work items that run in the pool that is stuck, as ``123:foo_work [mod], 45:bar_work``.

        Read at the end: which pool that is stands on the lines before an item's.
        """
        from kb.parse.details import stall

        works = stall.busy(self.lines).blamed()
        if works:
            names = (
                f"{work.worker or '?'}:{work.function}" + (f" [{work.module}]" if work.module else "") for work in works
            )
            self.out.set("in_flight", ", ".join(names), works[0].line)

    def on_machine(self, token: LineToken) -> None:
        for name in ("unit", "meaning"):
            self.out.set(name, token.fields.get(name), token.line.number)

    def on_cper(self, token: LineToken) -> None:
        for name, value in token.fields.items():
            self.out.set(name, value.strip(), token.line.number)

    def on_recovery(self, token: LineToken) -> None:
        for name in ("recovery", "pciid"):
            self.out.set(name, token.fields.get(name), token.line.number)
        error, so_far = token.fields.get("aererror"), self.out.fields.get("aer_errors")
        if error is not None and so_far is None:
            self.out.set("aer_errors", error, token.line.number)
        elif error is not None and so_far is not None:
            self.out.fields["aer_errors"] = f"{so_far} {error}"[:_LIMIT]

    def on_slab_cache(self, token: LineToken) -> None:
        self.out.set("cache", token.fields["cache"], token.line.number)

    def on_task(self, token: LineToken) -> None:
        got = token.fields
        self.out.set("state", got.get("tstate") or got.get("tstate2"), token.line.number)

        self.out.set("owner", got.get("owner"), token.line.number)
        self.out.set("owner_pid", got.get("ownerpid"), token.line.number)

    def on_fault_code(self, token: LineToken) -> None:
        self.out.set("error_code", token.fields.get("errorcode"), token.line.number)
        self.out.set("esr", token.fields.get("esr"), token.line.number)

    def on_lock_who(self, token: LineToken) -> None:
        got, line = token.fields, token.line.number
        self.out.set("comm", got["lcomm"], line)
        self.out.set("pid", got["lpid"], line)
        self.current = None
        at = frames.named_at(token.line.text, line)
        if at is not None:
            self.out.locks.append(at)
        else:
            self.locking = True

    def on_lock_at(self, token: LineToken) -> None:
        module = frames.module_of(token.fields.get("tail", ""))
        frame = Frame(token.fields["fn"], module=module, line=token.line.number)
        if self.locking:
            self.out.locks.append(frame)
            self.locking = False
        else:
            self.out.held.append(frame)

    def on_locks(self, token: LineToken) -> None:
        if "is already holding" in token.line.text or "stack backtrace" in token.line.text:
            self.locking = False
            self.current = None
