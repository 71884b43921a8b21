"""How well a line goes on with a report: the weights that speak for it and against, by what the report has had.

One reader a role; the weights are rows of :mod:`kb.split.weights`.
"""

import re
from collections.abc import Callable, Iterator

from kb.model.log import Line
from kb.split.anatomy import (
    FIRST,
    Order,
    function_of,
    identity_of,
    is_entry,
    is_top,
    is_user,
    kinds_of,
    order,
    register,
    step,
)
from kb.split.stack import OVER, Phase, closes
from kb.split.strand import Strand
from kb.split.weights import Weight
from kb.syntax import roles
from kb.syntax.kinds import Trait
from kb.syntax.roles import Role

_STACK_PARTS: frozenset[Role] = roles.STACK | {"TRACE_HEAD", "MARK"}
EVIDENCE: frozenset[Role] = roles.STACK | {"TRACE_HEAD", "PC", "CPU", "CODE", "REG"}
"""Roles whose wrong attribution changes what a report is called or whom it blames."""
_BESIDE: frozenset[Role] = frozenset({"CPU", "HARDWARE", "WORKQUEUE"})
"""Roles of the lines that say who ran."""
_WORDS = re.compile(r"\s+[0-9a-f]{16}(?: [0-9a-f]{16}){2,3}\s*$")
_STACK_POINTER = re.compile(r"\s*RSP: ([0-9a-f]{4}):")
_USER_SEGMENTS = ("002b", "007b")
_TASK_PID = re.compile(r" pid: ?(\d{1,10})")
_MAIN_HEAD = re.compile(r"\s*(?:\([^)]{1,20}\) ?)?(?:[Cc]all [Tt]race|Backtrace|Stack backtrace)")
_OBJECT_HEAD = re.compile(
    r"\s*(?:Allocat|Freed|Last pot|Second to|kfence-#|allocated by|freed by|page last|page_owner"
    r"|Uninit was|Local var)"
)
_RACE_HEAD = re.compile(r"\s*(?:(?:read|write)(?: \(marked\))? to|race at|.{1,60} read-write to)")

_NO_SHOW_MEM = re.compile(r"\s*(?:SLUB: |node \d+: slabs|Mem abort|[\d.]+ *(?:[KMGTPE]i)?B +\d+ )")
"""Lines of memory that stand for themselves: a cache's, arm64's, those of allocation tags."""

Weights = Iterator[Weight]


def weigh(strand: Strand, line: Line, role: Role) -> Weights:
    """What speaks for a line being a report's, and what against it."""
    reader = _READERS.get(role)
    if reader is not None:
        yield from reader(strand, line.text)
    if line.time is not None and line.time == strand.time:
        yield Weight.STAMP
    if strand.held and role in _STACK_PARTS:
        yield Weight.HELD
    elif strand.paused and role in EVIDENCE:
        yield Weight.PAUSED
    kinds = kinds_of(role, line.text)
    if kinds is not None:
        yield Weight.KIND_PRINTS if strand.kind.name in kinds else Weight.KIND_PRINTS_NOT
    if role == strand.last and role in ("DUMP", "MEMORY", "OOM", "NOTE"):
        yield Weight.BLOCK


def contradicts(strand: Strand, text: str) -> bool:
    """True when a CPU line names another CPU or process than the report."""
    if strand.kind.has & {Trait.MANY_CPUS, Trait.NO_CPU_LINE}:
        return False
    known, said = strand.identity, identity_of(text)
    return any(known[name] != said[name] for name in said if name in known)


def _cpu(strand: Strand, text: str) -> Weights:
    """``CPU: 1 PID: 99 Comm: foo``: the report of that process, else one that has none yet."""
    known, said, has = strand.identity, identity_of(text), strand.kind.has
    if Trait.MANY_CPUS in has:
        if strand.cpu_line is None and any(known.get(name) == value for name, value in said.items()):
            yield Weight.CPU_ASKER
        elif strand.last == "TRACE_HEAD":
            yield Weight.CPU_ASKED
    elif Trait.NO_CPU_LINE in has:
        yield Weight.CPU_NEVER
    elif contradicts(strand, text):
        yield Weight.CPU_OTHER
    elif Trait.STACK_BACKTRACE in has and "TRACE_HEAD" not in strand.seen:
        yield Weight.CPU_EARLY
    else:
        same = known.keys() & said.keys()
        yield Weight.CPU_OWN if same & {"pid", "cpu"} else Weight.CPU_COMM if same else Weight.CPU_FREE
        die = Trait.END_MARK in has and strand.last == "HEADLINE" and bool(strand.heads)  # behind "Oops: 0000 [#1]"
        if strand.last == "MODULES" or die:
            yield Weight.CPU_DUE
        if strand.cpu_line is not None:
            yield Weight.CPU_AGAIN
            if strand.stack.phase is not Phase.BEFORE:
                yield Weight.CPU_AGAIN_STACKED


def _task(strand: Strand, text: str) -> Weights:
    """``task:foo state:D stack:0 pid:99``: the report of that process."""
    known, said = strand.identity.get("pid"), _TASK_PID.search(text)
    if known is not None and said is not None:
        yield Weight.TASK_OWN if said[1] == known else Weight.TASK_OTHER


def _tracked(strand: Strand, _text: str) -> Weights:
    """Where an object of SLUB's came from: in a report of corruption, behind a warning of SLUB's."""
    if strand.head is not None and strand.head.fields.get("file", "").startswith("mm/sl") and strand.stacked:
        yield Weight.TRACK_WARNED


def _taint(strand: Strand, _text: str) -> Weights:
    """``Tainted: [W]=WARN``: the line behind the CPU's."""
    if strand.last == "CPU":
        yield Weight.TAINT_DUE


def _beside_cpu(strand: Strand, _text: str) -> Weights:
    """Hardware name, Workqueue: the line behind the CPU's."""
    if strand.last in ("CPU", "HARDWARE") and "WORKQUEUE" not in strand.seen:
        yield Weight.BESIDE_CPU


def _modules(strand: Strand, text: str) -> Weights:
    """``Modules linked in`` of who dies or warns; what a panic or an oops says of the machine."""
    has = strand.kind.has
    dies = Trait.END_MARK in has
    if "Modules linked" in text:
        if strand.last == "MODULES" and dies:  # an oops: behind "Dumping ftrace buffer"
            yield Weight.MODULES_AGAIN_DIES
        elif "MODULES" in strand.seen:
            yield Weight.MODULES_AGAIN
        elif dies or Trait.MODULES in has:
            yield Weight.MODULES_DUE
    elif not text.lstrip().startswith(("Dumping", "(ftrace")):
        yield Weight.LAST_WORDS_DUE if Trait.LAST_WORDS in has or strand.joined else Weight.LAST_WORDS_NONE
    elif strand.last == "MODULES":
        yield Weight.FTRACE_DUE
    else:
        yield Weight.FTRACE_DIES if dies or Trait.LAST_WORDS in has else Weight.FTRACE_NONE


def _head(strand: Strand, text: str) -> Weights:
    """The heading of a stack."""
    has = strand.kind.has
    if Trait.NO_STACK in has:
        yield Weight.HEAD_STACKLESS
    elif _OBJECT_HEAD.match(text):
        yield Weight.HEAD_OBJECT if Trait.OBJECTS in has else Weight.HEAD_OBJECT_NONE
    elif _RACE_HEAD.match(text):
        yield Weight.HEAD_RACE if Trait.RACE_STACKS in has else Weight.HEAD_RACE_NONE
    elif "NMI backtrace" in text:
        asks = Trait.MANY_CPUS in has or Trait.NO_CPU_LINE in has
        yield Weight.HEAD_NMI if asks else Weight.HEAD_NMI_NONE
    elif "stack backtrace" in text:
        yield Weight.HEAD_BACKTRACE if Trait.STACK_BACKTRACE in has else Weight.HEAD_BACKTRACE_NONE
    elif not _MAIN_HEAD.match(text):
        yield Weight.HEAD_LOCK if Trait.LOCK_STACKS in has else Weight.HEAD_LOCK_NONE
    elif Trait.REGISTERS_FIRST not in has or strand.seen & {"PC", "REG"}:
        yield from _main_head(strand)


def _main_head(strand: Strand) -> Weights:
    """``Call Trace:``."""
    has = strand.kind.has
    if strand.last in _BESIDE | {"TASK"} or (strand.last == "REG" and not strand.stack.user):
        yield Weight.HEAD_DUE_AGAIN if strand.stacked else Weight.HEAD_DUE
    elif strand.last in ("PC", "LR", "CODE") and not strand.stack.user:
        yield Weight.HEAD_PC_AGAIN if strand.stacked else Weight.HEAD_PC
    elif strand.stack.phase in (Phase.OPEN, Phase.HEAD):
        yield Weight.HEAD_OPEN
    elif strand.stacked:
        yield Weight.HEAD_STACKED
    elif strand.cpu_line is not None:
        yield Weight.HEAD_RAN
    elif strand.head is None or has & {Trait.MANY_CPUS, Trait.NO_CPU_LINE}:  # dump_stack() says who ran first
        yield Weight.HEAD_NO_CPU


def _mark(strand: Strand, text: str) -> Weights:
    """``<TASK>`` behind a heading, ``</TASK>`` behind frames."""
    stack = strand.stack
    if stack.phase not in (Phase.HEAD, Phase.OPEN):
        yield Weight.MARK_CLOSED
    elif closes(text):
        yield Weight.MARK_LEAVES if stack.marks and stack.phase is Phase.OPEN else Weight.MARK_LEAVES_NONE
        if stack.at_bottom or stack.user:
            yield Weight.MARK_BOTTOM
    elif stack.phase is Phase.HEAD and not stack.marks:
        yield Weight.MARK_FIRST
    else:
        yield Weight.MARK_NESTED if stack.marks else Weight.MARK_NEXT


def _frame(strand: Strand, text: str) -> Weights:
    """A stack entry: where a stack is open."""
    stack, has = strand.stack, strand.kind.has
    if Trait.LOCK_STACKS in has and strand.last.startswith("LOCK"):
        said = strand.lines[strand.last_role].text.rstrip()
        if said.endswith(":") and " held by " not in said:
            yield Weight.FRAME_LOCK
            return
    if stack.phase is Phase.CLOSED or stack.user or Trait.NO_STACK in has:
        yield Weight.FRAME_CLOSED
    elif stack.phase is Phase.PAST:
        yield Weight.FRAME_PAST
    elif stack.phase is Phase.ASIDE:
        yield Weight.FRAME_ASIDE if strand.last in ("TRACE_HEAD", "FRAME") else Weight.FRAME_ASIDE_OVER
    elif stack.phase is Phase.BEFORE:
        bare = Trait.BARE_STACK in has and strand.last in ("HEADLINE", "FRAME")
        yield Weight.FRAME_BARE if bare else Weight.FRAME_NO_HEAD
    else:
        yield from _next_frame(strand, text)


def _next_frame(strand: Strand, text: str) -> Weights:
    """A stack entry behind a heading or a frame."""
    stack, (name, sure) = strand.stack, function_of(text)
    if stack.phase is Phase.HEAD:
        yield Weight.FRAME_FIRST
        return
    yield Weight.FRAME_NEXT
    above = function_of(stack.top or "")[0]
    if sure and is_top(name) and not is_top(above):
        yield Weight.FRAME_TOP_LATE
    elif sure:
        below = order(above, name)
        if below is not Order.ANY:
            yield _ORDERS[below]
    elif stack.at_bottom and not stack.marks:
        yield Weight.FRAME_DOUBTFUL_BOTTOM


_ORDERS = {Order.DEEPER: Weight.FRAME_DEEPER, Order.ABOVE: Weight.FRAME_ABOVE, Order.GAP: Weight.FRAME_GAP}


def _counter(strand: Strand, text: str) -> Weights:
    """A program counter: of the report, of an interrupted context, of user mode."""
    stack, has = strand.stack, strand.kind.has
    entered = is_entry(stack.top)
    dies = Trait.END_MARK in has
    if is_user(text):
        due = (stack.at_bottom or entered) and not stack.user and stack.phase is Phase.OPEN
        yield Weight.PC_USER if due else Weight.PC_USER_NONE
    elif stack.phase is Phase.OPEN:
        yield Weight.PC_ENTERED if entered or strand.last == "MARK" else Weight.PC_IN_STACK
    elif strand.ended:
        yield Weight.PC_LAST
    elif strand.last == "HEADLINE" and text.lstrip().startswith("IP:"):
        if Trait.FAULT_ADDRESS in has:
            yield Weight.PC_IP
    elif not (Trait.MANY_CPUS in has and strand.last in _BESIDE) and (
        "PC" in strand.seen or not (dies or Trait.REGISTERS in has)
    ):
        yield Weight.PC_AGAIN
    elif strand.cpu_line is None and dies:
        yield Weight.PC_EARLY
    elif strand.last == "REG" and strand.register is not None and step(register(strand.register), register(text)) == 1:
        yield Weight.PC_STEP
    else:
        yield Weight.PC_DUE if strand.last in _BESIDE else Weight.PC_FREE


def _register(strand: Strand, text: str) -> Weights:
    """Registers: each line has its place behind another."""
    before = strand.register
    if _WORDS.match(text):
        words = strand.last == "REG" and before is not None and _WORDS.match(before) is not None
        yield Weight.WORDS if words or strand.last in _BESIDE else Weight.WORDS_NONE
    elif text.lstrip().startswith("CR2:") and "CR3" not in text:
        again = Trait.FAULT_ADDRESS in strand.kind.has and strand.last == "MODULES"
        yield Weight.REG_CR2 if again else Weight.REG_CR2_NONE
    elif before is None:
        if Trait.END_MARK not in strand.kind.has or strand.stacked:
            yield Weight.REG_NONE
        elif register(text) in FIRST:
            yield Weight.REG_FIRST
    else:
        yield from _next_register(strand, before, text)


def _next_register(strand: Strand, before: str, text: str) -> Weights:
    """A line of registers behind another."""
    pointer = _STACK_POINTER.match(text)
    if pointer is not None and (pointer[1] in _USER_SEGMENTS) is not strand.stack.user:
        yield Weight.REG_USER
        return
    lines = step(register(before), register(text))
    behind = strand.last in ("PC", "LR", "CODE", "REG")
    if lines is None:
        stacked = strand.stacked and not strand.stack.user
        yield Weight.REG_STACKED if stacked else Weight.REG_FREE if behind else Weight.REG_LOOSE
    elif lines <= 0:
        yield Weight.REG_BACK
    else:
        yield Weight.REG_NEXT if lines == 1 else Weight.REG_NEXT_BUT_ONE if lines == 2 else Weight.REG_LATER
        if not behind:
            yield Weight.REG_APART


def _code(strand: Strand, _text: str) -> Weights:
    """The bytes around the program counter: behind it on x86, behind the stack elsewhere."""
    if strand.last == "PC":
        yield Weight.CODE_PC
    elif Trait.END_MARK not in strand.kind.has or "CODE" in strand.seen:
        yield Weight.CODE_NONE
    else:
        due = strand.stack.phase in OVER or strand.stack.at_bottom or strand.last == "REG"
        yield Weight.CODE_DUE if due else Weight.CODE_EARLY


def _end(strand: Strand, _text: str) -> Weights:
    """``---[ end trace``: of a warning or an oops that has its stack."""
    if strand.ended or strand.phantom:
        yield Weight.END_AGAIN
        return
    yield Weight.END_DUE if Trait.END_MARK in strand.kind.has else Weight.END_NONE
    if strand.stack.phase in OVER:
        yield Weight.END_STACKED
    elif strand.stack.phase is Phase.HEAD:
        yield Weight.END_HEAD
    elif not strand.stacked:
        yield Weight.END_EARLY


def _memory(strand: Strand, text: str) -> Weights:
    """show_mem(): ``Mem-Info:``, then the counters, nodes, zones and lists; once a report."""
    if _NO_SHOW_MEM.match(text):
        return
    if "Mem-Info:" in text:
        if "MEMORY" in strand.seen:
            yield Weight.MEMORY_AGAIN
    elif "MEMORY" not in strand.seen:
        yield Weight.MEMORY_EARLY


_READERS: dict[Role, Callable[[Strand, str], Weights]] = {
    "CPU": _cpu,
    "CPU_OLD": _cpu,
    "TASK": _task,
    "TRACKED": _tracked,
    "TAINT": _taint,
    "HARDWARE": _beside_cpu,
    "WORKQUEUE": _beside_cpu,
    "MODULES": _modules,
    "TRACE_HEAD": _head,
    "MARK": _mark,
    "PC": _counter,
    "CODE": _code,
    "REG": _register,
    "LR": _register,
    "END": _end,
    "MEMORY": _memory,
    **dict.fromkeys(roles.STACK, _frame),
}
