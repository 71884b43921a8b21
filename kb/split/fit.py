"""How well a line goes on with a report: points by what the report has had, positive where the line is expected.

Some five points are as good as certain (the next register line, the heading of a stack behind the CPU line), minus five
cannot be. One reader a role.
"""

import re
from collections.abc import Callable

from kb.model.log import Line
from kb.split.anatomy import (
    BACKTRACED,
    FIRST,
    FRAMES_FIRST,
    MANY_CPUS,
    MARKED,
    NO_CPU_LINE,
    OBJECTS,
    STACKLESS,
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
from kb.split.strand import CLOSED, Strand
from kb.syntax import roles

_NEVER = -9
_STACK_PARTS = roles.STACK | {"TRACE_HEAD", "MARK"}
EVIDENCE = roles.STACK | {"TRACE_HEAD", "PC", "CPU", "CODE", "REG"}
"""Roles whose wrong attribution changes what a report is called or whom it blames."""
_WITH_MODULES = frozenset({"soft_lockup", "hard_lockup", "scheduling_while_atomic", "bad_page"})
"""Kinds besides those of an end mark that call print_modules()."""
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


def fit(strand: Strand, line: Line, role: str) -> int:
    """How well a line goes on with a report: positive where it is expected, negative where it cannot be."""
    reader = _READERS.get(role)
    points = reader(strand, line.text) if reader is not None else 0
    if line.time is not None and line.time == strand.time:
        points += 1
    if strand.held and role in _STACK_PARTS:
        points -= 3
    elif strand.paused and role in EVIDENCE:
        points -= 1
    kinds = kinds_of(role, line.text)
    if kinds is not None:
        points += 4 if strand.kind in kinds else -2
    if role == strand.last and role in ("DUMP", "MEMORY", "OOM", "NOTE"):
        points += 1
    return points


def contradicts(strand: Strand, text: str) -> bool:
    """True when a CPU line names another CPU or process than the report."""
    if strand.kind in MANY_CPUS | NO_CPU_LINE:
        return False
    known, said = strand.identity, identity_of(text)
    return any(known[name] != said[name] for name in said if name in known)


def _cpu(strand: Strand, text: str) -> int:
    """``CPU: 1 PID: 99 Comm: foo``: the report of that process, else one that has none yet."""
    known, said = strand.identity, identity_of(text)
    if strand.kind in MANY_CPUS:
        own = any(known.get(name) == value for name, value in said.items()) and strand.cpu_line is None
        return 7 if own else 3 if strand.last == "TRACE_HEAD" else 0
    if strand.kind in NO_CPU_LINE:
        return -3
    if contradicts(strand, text):
        return _NEVER
    if strand.kind in BACKTRACED and "TRACE_HEAD" not in strand.seen:
        return -3
    die = strand.kind in MARKED and strand.last == "HEADLINE" and bool(strand.heads)  # behind "Oops: 0000 [#1]"
    due = 2 if strand.last == "MODULES" or die else 0
    had = 0 if strand.cpu_line is None else 9 if strand.stack else 3
    same = known.keys() & said.keys()
    return (8 if same & {"pid", "cpu"} else 5 if same else 2) + due - had


def _task(strand: Strand, text: str) -> int:
    """``task:foo state:D stack:0 pid:99``: the report of that process."""
    known, said = strand.identity.get("pid"), _TASK_PID.search(text)
    return 0 if known is None or said is None else 3 if said[1] == known else -5


def _tracked(strand: Strand, _text: str) -> int:
    """Where an object of SLUB's came from: in a report of corruption, behind a warning of SLUB's."""
    warned = strand.head is not None and strand.head.fields.get("file", "").startswith("mm/sl") and strand.stacked
    return 4 if strand.kind == "slab_corruption" else 3 if warned else -2


def _beside_cpu(strand: Strand, _text: str) -> int:
    """Hardware name, Workqueue: the line behind the CPU's."""
    return 5 if strand.last in ("CPU", "HARDWARE") and "WORKQUEUE" not in strand.seen else -1


def _modules(strand: Strand, text: str) -> int:
    """``Modules linked in`` of who dies or warns; what a panic or an oops says of the machine."""
    if "Modules linked" in text:
        if strand.last == "MODULES":  # an oops: behind "Dumping ftrace buffer"
            return 3 if strand.kind in MARKED else -2
        return -2 if "MODULES" in strand.seen else 1 if strand.kind in MARKED | _WITH_MODULES else 0
    if not text.lstrip().startswith(("Dumping", "(ftrace")):
        return 3 if strand.kind == "panic" or strand.joined else -1
    return 2 if strand.last == "MODULES" else 1 if strand.kind in MARKED | {"panic"} else -1


def _head(strand: Strand, text: str) -> int:
    """The heading of a stack."""
    kind = strand.kind
    if kind in STACKLESS:
        return -5
    if _OBJECT_HEAD.match(text):
        return 4 if kind in OBJECTS else -4
    if _RACE_HEAD.match(text):
        return 4 if kind == "kcsan" else -4
    if "NMI backtrace" in text:
        return 4 if kind in MANY_CPUS or kind == "hung_task" else -4
    if "stack backtrace" in text:
        return 4 if kind in BACKTRACED else -4
    if not _MAIN_HEAD.match(text):
        return 2 if kind == "lockdep" else -1
    if kind in ("oops", "kernel_bug") and not strand.seen & {"PC", "REG"}:  # they print registers first
        return 0
    if strand.last in ("CPU", "HARDWARE", "WORKQUEUE", "TASK") or (strand.last == "REG" and not strand.user):
        return 5 if not strand.stacked else 2
    if strand.last in ("PC", "LR", "CODE") and not strand.user:
        return 3 if not strand.stacked else 1
    if strand.stack in ("open", "head"):
        return -4
    if strand.stacked:
        return -2
    if strand.cpu_line is not None:
        return 2
    return 1 if strand.kind in MANY_CPUS | NO_CPU_LINE or not strand.kind else 0  # dump_stack() says who ran first


def _mark(strand: Strand, text: str) -> int:
    """``<TASK>`` behind a heading, ``</TASK>`` behind frames."""
    if strand.stack in ("", "aside", "past", "closed"):
        return -5
    if "</" in text or "<EO" in text:
        return (3 if strand.marks and strand.stack == "open" else -4) + 2 * (strand.at_bottom or strand.user)
    if strand.stack == "head" and not strand.marks:
        return 5
    return -4 if strand.marks else 1  # a context is left before the next is entered


def _frame(strand: Strand, text: str) -> int:
    """A stack entry: where a stack is open."""
    if strand.kind == "lockdep" and strand.last.startswith("LOCK"):
        said = strand.lines[strand.last_role].text.rstrip()
        if said.endswith(":") and " held by " not in said:
            return 3
    if strand.stack == "closed" or strand.user or strand.kind in STACKLESS:
        return -5
    if strand.stack == "past":
        return -2
    if strand.stack == "aside":
        return 3 if strand.last in ("TRACE_HEAD", "FRAME") else -3
    if strand.stack == "":
        return 3 if strand.kind in FRAMES_FIRST and strand.last in ("HEADLINE", "FRAME") else -4
    name, sure = function_of(text)
    if strand.stack == "head":
        return 5 if is_top(name) else 4
    if sure and is_top(name) and not is_top(function_of(strand.top or "")[0]):
        return -5
    return (
        3
        + (order(function_of(strand.top or "")[0], name) if sure else 0)
        - (4 if strand.at_bottom and not sure and not strand.marks else 0)
    )


def _counter(strand: Strand, text: str) -> int:
    """A program counter: of the report, of an interrupted context, of user mode."""
    entered = is_entry(strand.top)
    if is_user(text):
        return 5 if (strand.at_bottom or entered) and not strand.user and strand.stack == "open" else -4
    if strand.stack == "open":
        return 3 if entered or strand.last == "MARK" else -2
    if strand.ended:
        return 1
    if strand.last == "HEADLINE" and text.lstrip().startswith("IP:"):  # v4.x and before, show_fault_oops()
        return 5 if strand.kind == "oops" else -3
    many = strand.kind in MANY_CPUS and strand.last in ("CPU", "HARDWARE", "WORKQUEUE")
    if not many and ("PC" in strand.seen or strand.kind not in MARKED | {"soft_lockup", "rcu_stall", "hard_lockup"}):
        return -3
    if strand.cpu_line is None and strand.kind in MARKED:  # who ran is printed before the registers
        return -1
    if strand.last == "REG" and strand.register is not None and step(register(strand.register), register(text)) == 1:
        return 5
    return 4 if strand.last in ("CPU", "HARDWARE", "WORKQUEUE") else 2


def _register(strand: Strand, text: str) -> int:
    """Registers: each line has its place behind another."""
    if _WORDS.match(text):  # the stack's words, that kernels before v4.9 print above the trace
        words = strand.last == "REG" and strand.register is not None and _WORDS.match(strand.register) is not None
        return 4 if words or strand.last in ("CPU", "HARDWARE", "WORKQUEUE") else -2
    if text.lstrip().startswith("CR2:") and "CR3" not in text:  # the address, once more behind the modules
        return 4 if strand.kind == "oops" and strand.last == "MODULES" else -3
    if strand.register is None:
        due = strand.kind in MARKED and not strand.stacked
        return (2 if register(text) in FIRST else 0) if due else -3
    stack = _STACK_POINTER.match(text)
    if stack is not None and (stack[1] in _USER_SEGMENTS) is not strand.user:
        return -4
    lines = step(register(strand.register), register(text))
    behind = strand.last in ("PC", "LR", "CODE", "REG")
    if lines is None:
        return -2 if strand.stacked and not strand.user else 2 if behind else -1
    if lines <= 0:
        return -5
    return (5 if lines == 1 else 3 if lines == 2 else 1) - (0 if behind else 3)


def _code(strand: Strand, text: str) -> int:
    """The bytes around the program counter: behind it on x86, behind the stack elsewhere."""
    if strand.last == "PC":
        return 5
    if strand.kind not in MARKED or "CODE" in strand.seen:
        return -3
    return 2 if strand.stack in CLOSED or strand.at_bottom or strand.last == "REG" else -1


def _end(strand: Strand, _text: str) -> int:
    """``---[ end trace``: of a warning or an oops that has its stack."""
    if strand.ended or strand.phantom:
        return -5
    points = 3 if strand.kind in MARKED else -3
    return points + (2 if strand.stack in CLOSED else -1 if strand.stack == "head" else 0 if strand.stacked else -3)


_READERS: dict[str, Callable[[Strand, str], int]] = {
    "CPU": _cpu,
    "CPU_OLD": _cpu,
    "TASK": _task,
    "TRACKED": _tracked,
    "TAINT": lambda strand, _text: 5 if strand.last == "CPU" else -2,
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
    **dict.fromkeys(roles.STACK, _frame),
}
