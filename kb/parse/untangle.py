"""Whose line is it: reports of several CPUs in one log, told apart by what each has printed so far.

A log with caller ids needs none of this. Without, a line is given to the report that it fits best: the CPU and process
it names, the part that a report must print next (registers have an order, a stack has one heading and one end), the
time stamp, and last who printed the line before. Where two reports fit alike, the line is doubtful, and both say so.

What the kernel guarantees (v5.x): printk() stores whole records; dump_stack() holds the printk CPU lock, so that the
CPU line and the stack behind it are one block (lib/dump_stack.c dump_stack_lvl()); one oops at a time (die_lock,
arch/x86/kernel/dumpstack.c oops_begin()). __warn() takes no lock: its registers and its stack may be cut anywhere
(kernel/panic.c).
"""

import re
from collections.abc import Callable, Sequence

from kb.model.log import Line
from kb.parse import roles
from kb.parse.strand import (
    CLOSED,
    MARKED,
    MEMORY_KINDS,
    OBJECTS,
    STACKLESS,
    TRACKED,
    Strand,
    function_of,
    identity_of,
    is_user,
)

_CLEAR = 2
"""Points that the best must be ahead of the next for a sure choice: more than having printed the line before."""
_RUN = 5
"""Lines in a row of one report behind which the next is more likely its own too: nobody else prints."""
_NEVER = -9

_ORDERS = (
    # arch/x86/kernel/process_64.c __show_regs(), 64 and 32 bits
    ("RIP", "Code", "RSP", "RAX", "RDX", "RBP", "R10", "R13", "FS", "CS", "CR2", "DR0", "DR3", "PKRU"),
    ("EIP", "Code", "EAX", "ESI", "DS", "CR0", "DR0", "DR6"),
    # arch/arm64/kernel/process.c __show_regs()
    ("pstate", "pc", "lr", "sp", "x29", "x26", "x23", "x20", "x17", "x14", "x11", "x8", "x5", "x2"),
    # arch/arm/kernel/process.c __show_regs()
    ("PC", "LR", "pc", "sp", "r10", "r7", "r3", "Flags", "Control", "Process", "Stack"),
    # arch/riscv/kernel/process.c __show_regs()
    ("epc", "gp", "t1", "s1", "a2", "a5", "s2", "s5", "s8", "s11", "t5", "status"),
    # arch/mips/kernel/traps.c __show_regs()
    ("$0", "$4", "$8", "$12", "$16", "$20", "$24", "$28", "Hi", "Lo", "epc", "ra", "Status", "Cause", "BadVA", "PrId"),
    # arch/powerpc/kernel/process.c __show_regs()
    ("NIP", "REGS", "MSR", "CFAR", "GPR00", "GPR04", "GPR08", "GPR12", "GPR16", "GPR20", "GPR24", "GPR28"),
)
_STEP = {
    (before, after): order.index(after) - order.index(before)
    for order in _ORDERS
    for before in order
    for after in order
}
"""Lines from one register line to another; absent where no architecture prints both."""
_FIRST = frozenset(name for order in _ORDERS for name in order[:2])
_REGISTER = re.compile(r"\s*(?:Kernel |Krnl )?([A-Za-z]+\d*|\$ ?\d+)")
_WORDS = re.compile(r"\s+[0-9a-f]{16}(?: [0-9a-f]{16}){2,3}\s*$")
_STACK_POINTER = re.compile(r"\s*RSP: ([0-9a-f]{4}):")
_USER_SEGMENTS = ("002b", "007b")
_TASK_PID = re.compile(r" pid: ?(\d+)")
_MAIN_HEAD = re.compile(r"\s*(?:\([^)]{1,20}\) ?)?(?:[Cc]all [Tt]race|Backtrace|Stack backtrace)")
_OBJECT_HEAD = re.compile(
    r"\s*(?:Allocat|Freed|Last pot|Second to|kfence-#|allocated by|freed by|page last|page_owner"
    r"|Uninit was|Local var)"
)
_RACE_HEAD = re.compile(r"\s*(?:(?:read|write)(?: \(marked\))? to|race at|.{1,60} read-write to)")
_TOP = re.compile(r"(?:__?)?(?:dump_stack|show_stack|show_trace|dump_backtrace|show_regs)(?:_lvl|_log_lvl)?$")
"""The innermost frames of a stack that dump_stack() prints."""
_ENTERED = re.compile(
    r"(?:asm_\w+|\w+_interrupt|ret_from_intr|retint_\w+|error_\w+|(?:async_)?page_fault|irq_\w+|el1\w*|(?:end_repeat_)?nmi"
    r"|invalid_op|general_protection|divide_error|double_fault|int3|stack_segment|bounds)$"
)
"""Frames below which an interrupted context stands."""

_STALLS = frozenset({"rcu_stall", "hung_task", "soft_lockup", "hard_lockup"})
_KINDS = {
    "MEMORY": MEMORY_KINDS | {"slub_failure"},
    "OOM": frozenset({"oom_kill"}),
    "ACCESS": frozenset({"kasan", "kfence", "kmsan", "kcsan"}),
    "TASK": frozenset({"hung_task", "rcu_stall", "workqueue_lockup", "oops", "kernel_bug"}),
    "LOCK_WHO": frozenset({"lockdep"}),
    "LOCK_AT": frozenset({"lockdep", "hung_task", "rcu_usage", "sleeping_in_atomic", "warning", "rtnl"}),
    "LOCKS": frozenset({"lockdep", "hung_task", "rcu_usage", "sleeping_in_atomic", "warning", "rtnl"}),
    "SLAB_CACHE": frozenset({"slub_failure"}),
    "FAULT_CODE": frozenset({"oops", "kasan"}),
    "IN_FLIGHT": frozenset({"workqueue_lockup"}),
    "DISK": frozenset({"block_timeout", "io_error"}),
    "RELEASE": frozenset({"hung_task", "lockdep", "rcu_usage"}),
}
"""Which kinds print lines of a role."""
_NOTES = (
    (
        re.compile(
            r"\s*(?:#PF|PGD|P4D|PUD|PMD|PTE|\*pd|pgd|Oops|Mem abort|Data abort|ESR|EC =|SET =|EA =|FSC|ISV|CM =)"
        ),
        MARKED,
    ),
    (re.compile(r"\s*(?:Object|Redzone|Padding|Bytes b4|Slab|Tracking|INFO: )"), frozenset({"slab_corruption"})),
    (
        re.compile(r"\s*(?:The buggy|which belongs|located|Memory state|[>*]?[0-9a-f]{16}: (?:[0-9a-f]{2} ){15})"),
        OBJECTS,
    ),
    (re.compile(r"\s*(?:page:|page dumped|flags:|raw:|head:|page_type|memcg:|aops:|anon flags)"), OBJECTS),
    (
        re.compile(r"\s*(?:in_atomic|preempt_count|RCU nest)"),
        frozenset({"sleeping_in_atomic", "scheduling_while_atomic"}),
    ),
    (re.compile(r"\s*(?:rcu: |\(detected by|\(t=|Tasks blocked|blocking rcu|All QSes|Sending NMI)"), _STALLS),
)
"""Which kinds print a note."""
_FRAMES_FIRST = frozenset({"kmsan", "unknown"})
"""Kinds whose stack has no heading."""
_NO_CPU_LINE = frozenset({"hung_task"})
_MANY_CPUS = frozenset({"rcu_stall", "hard_lockup", "csd_lock", "workqueue_lockup", "spinlock_bug"})
"""Kinds that print the CPU line and the stack of others as well."""
_PHANTOM = "a stack on purpose"
_PRINTERS = (
    (r"kasan_report\w*|__asan_report_\w+|print_address_description|kasan_object_err", {"kasan"}),
    (r"warn_alloc\w*", {"page_allocation_failure", "vmalloc_failure", "allocation_stall"}),
    (r"dump_header|oom_kill_process", {"oom_kill"}),
    (r"__schedule_bug", {"scheduling_while_atomic"}),
    (r"___might_sleep|__might_resched", {"sleeping_in_atomic"}),
    (r"lockdep_rcu_suspicious", {"rcu_usage"}),
    (r"print_(?:circular|usage|deadlock|unlock_imbalance|irq_inversion)_bug\w*|check_noncircular", {"lockdep"}),
    (r"print_bad_irq_dependency|print_freed_lock_bug|print_lock_\w+", {"lockdep"}),
    (r"bad_page|print_bad_pte", {"bad_page"}),
    (r"ubsan_\w+|__ubsan_\w+", {"ubsan"}),
    (r"should_fail\w*|__should_fail\w*|fail_dump|handle_userfault", {_PHANTOM}),
    (r"panic", {"panic"}),
    (r"nmi_cpu_backtrace|rcu_sched_clock_irq|rcu_check_callbacks|rcu_dump_cpu_stacks", {"rcu_stall", "hung_task"}),
    (r"object_err|print_trailer|slab_err", {"slab_corruption"}),
    (r"slab_out_of_memory", {"slub_failure"}),
    (r"check_preemption_disabled|debug_smp_processor_id", {"preemptible"}),
    (r"spin_bug|spin_dump", {"spinlock_bug"}),
    (r"warn_slowpath_\w+|__warn", {"warning"}),
    (r"kcsan_report\w*", {"kcsan"}),
    (r"kmsan_\w*report\w*", {"kmsan"}),
)
"""Functions below dump_stack() that print a report, and the kinds that they print."""
_PRINTER = tuple((re.compile(f"(?:{names})(?:\\.\\w+)*$"), frozenset(kinds)) for names, kinds in _PRINTERS)
STACK_BLOCK = roles.STACK | {"TRACE_HEAD", "MARK", "CPU", "HARDWARE", "WORKQUEUE"}
"""Roles of what dump_stack() prints."""
_STACK_PARTS = roles.STACK | {"TRACE_HEAD", "MARK"}
_BACKTRACED = frozenset({"lockdep", "rcu_usage"})
"""Kinds that print "stack backtrace:" before the CPU line."""
_EVIDENCE = roles.STACK | {"TRACE_HEAD", "PC", "CPU", "CODE", "REG"}
"""Roles whose wrong attribution changes what a report is called or whom it blames."""


def choose(strands: Sequence[Strand], line: Line, role: str) -> tuple[Strand, Strand | None]:
    """The report that a line fits best, and the rival that it fits as well, if there is one.

    Args:
        strands: Open reports, the one that printed the line before last.
        line: A line that is no headline.
        role: Its role.
    """
    ranked = sorted(
        ((_points(strands, index, line, role), index, strand) for index, strand in enumerate(strands)),
        key=lambda entry: entry[:2],
        reverse=True,
    )
    best, second = ranked[0], ranked[1]
    unsure = role in _EVIDENCE and best[0] - second[0] < _CLEAR
    return best[2], second[2] if unsure else None


def loose(text: str) -> str | None:
    """The part of a report that a line without a role is, where that tells whose it is."""
    if TRACKED.match(text):
        return "TRACKED"
    return "TAINT" if text.startswith("Tainted: [") else None


def _points(strands: Sequence[Strand], index: int, line: Line, role: str) -> int:
    strand = strands[index]
    points = _fit(strand, line, role)
    if index == len(strands) - 1:
        points += 1 + (strand.run >= _RUN and role not in roles.STACK)
    return points - 6 if any(_eclipses(other, strand) for other in strands) else points


def _eclipses(other: Strand, strand: Strand) -> bool:
    """True when a report began in the middle of this one in the same process, and is not over: that prints nothing."""
    if other.start <= strand.start or other.whole:
        return False
    newer, older = other.identity, strand.identity
    return all(name in older and older[name] == newer.get(name) for name in ("pid", "cpu"))


def contradicts(strand: Strand, text: str) -> bool:
    """True when a CPU line names another CPU or process than the report."""
    if _kind(strand) in _MANY_CPUS | _NO_CPU_LINE:
        return False
    known, said = strand.identity, identity_of(text)
    return any(known[name] != said[name] for name in said if name in known)


def printer(strands: Sequence[Strand], strand: Strand, text: str) -> Strand | None:
    """The other report that a stack is of, when a frame near its top tells that a report of that kind printed it.

    Args:
        strands: Open reports.
        strand: The one that the stack was given to.
        text: A frame of it.
    """
    name, sure = function_of(text)
    if not sure or strand.author is not None or _TOP.match(name):
        return None
    strand.author = next((kinds for pattern, kinds in _PRINTER if pattern.match(name)), frozenset())
    if not strand.author or _is_of(strand, strand.author):
        return None
    others = [other for other in reversed(strands) if other is not strand and _is_of(other, strand.author)]
    return next((other for other in others if not other.author), None)


def _is_of(strand: Strand, kinds: frozenset[str]) -> bool:
    if strand.phantom:
        return _PHANTOM in kinds
    return _kind(strand) in kinds or ("panic" in kinds and strand.joined is not None)


def agrees(strand: Strand, text: str) -> bool:
    """True when a CPU line names the process of the report."""
    known, said = strand.identity, identity_of(text)
    return "pid" in known and known["pid"] == said.get("pid")


def _fit(strand: Strand, line: Line, role: str) -> int:
    """How well a line goes on with a report: positive where it is expected, negative where it cannot be."""
    reader = _READERS.get(role)
    points = reader(strand, line.text) if reader is not None else 0
    if line.time is not None and line.time == strand.time:
        points += 1
    if strand.held and role in _STACK_PARTS:
        points -= 3
    elif strand.paused and role in _EVIDENCE:
        points -= 1
    kinds = _kinds(role, line.text)
    if kinds is not None:
        points += 4 if _kind(strand) in kinds else -2
    if role == strand.last and role in ("DUMP", "MEMORY", "OOM", "NOTE"):
        points += 1
    return points


def _kinds(role: str, text: str) -> frozenset[str] | None:
    """The kinds that print a line, None where all do."""
    if role not in ("NOTE", "DUMP") and not text.startswith("Mem abort"):
        return _KINDS.get(role)
    return next((kinds for pattern, kinds in _NOTES if pattern.match(text)), None)


def _kind(strand: Strand) -> str:
    return strand.head.row.kind if strand.head is not None else ""


def _cpu(strand: Strand, text: str) -> int:
    """``CPU: 1 PID: 99 Comm: foo``: the report of that process, else one that has none yet."""
    known, said = strand.identity, identity_of(text)
    if _kind(strand) in _MANY_CPUS:
        return 3 if strand.last == "TRACE_HEAD" else 0
    if _kind(strand) in _NO_CPU_LINE:
        return -3
    if contradicts(strand, text):
        return _NEVER
    if _kind(strand) in _BACKTRACED and "TRACE_HEAD" not in strand.seen:
        return -3
    die = _kind(strand) in MARKED and strand.last == "HEADLINE" and bool(strand.heads)  # behind "Oops: 0000 [#1]"
    due = 2 if strand.last == "MODULES" or die else 0
    had = 0 if strand.cpu_line is None else 7 if strand.stacked else 3
    same = known.keys() & said.keys()
    return (6 if "pid" in same else 5 if same else 2) + due - had


def _task(strand: Strand, text: str) -> int:
    """``task:foo state:D stack:0 pid:99``: the report of that process."""
    known, said = strand.identity.get("pid"), _TASK_PID.search(text)
    return 0 if known is None or said is None else 3 if said[1] == known else -5


def _tracked(strand: Strand, _text: str) -> int:
    """Where an object of SLUB's came from: in a report of corruption, behind a warning of SLUB's."""
    warned = strand.head is not None and strand.head.fields.get("file", "").startswith("mm/sl") and strand.stacked
    return 4 if _kind(strand) == "slab_corruption" else 3 if warned else -2


def _beside_cpu(strand: Strand, _text: str) -> int:
    """Hardware name, Workqueue: the line behind the CPU's."""
    return 5 if strand.last in ("CPU", "HARDWARE") and "WORKQUEUE" not in strand.seen else -1


def _modules(strand: Strand, text: str) -> int:
    """``Modules linked in`` of who dies or warns; what a panic or an oops says of the machine."""
    if "Modules linked" in text:
        if strand.last == "MODULES":  # an oops: behind "Dumping ftrace buffer"
            return 3 if _kind(strand) in MARKED else -2
        return -2 if "MODULES" in strand.seen else 1 if _kind(strand) in MARKED else 0
    if not text.lstrip().startswith(("Dumping", "(ftrace")):
        return 3 if _kind(strand) == "panic" or strand.joined else -1
    return 2 if strand.last == "MODULES" else 1 if _kind(strand) in MARKED | {"panic"} else -1


def _head(strand: Strand, text: str) -> int:
    """The heading of a stack."""
    kind = _kind(strand)
    if kind in STACKLESS:
        return -5
    if _OBJECT_HEAD.match(text):
        return 4 if kind in OBJECTS else -4
    if _RACE_HEAD.match(text):
        return 4 if kind == "kcsan" else -4
    if "NMI backtrace" in text:
        return 4 if kind in _MANY_CPUS or kind == "hung_task" else -4
    if "stack backtrace" in text:
        return 4 if kind in _BACKTRACED else -4
    if not _MAIN_HEAD.match(text):
        return 2 if kind == "lockdep" else -1
    if kind in ("oops", "kernel_bug") and not strand.seen & {"PC", "REG"}:  # they print registers first
        return 0
    if strand.last in ("CPU", "HARDWARE", "WORKQUEUE", "TASK") or (strand.last == "REG" and not strand.user):
        return 5 if not strand.stacked else 2
    if strand.stack in ("open", "head"):
        return -4
    return -2 if strand.stacked else 2


def _mark(strand: Strand, text: str) -> int:
    """``<TASK>`` behind a heading, ``</TASK>`` behind frames."""
    if strand.stack in ("", "past", "closed"):
        return -5
    if "</" in text or "<EO" in text:
        return (3 if strand.marks and strand.stack == "open" else -4) + 2 * (strand.at_bottom or strand.user)
    if strand.stack == "head" and not strand.marks:
        return 5
    return -4 if "<TASK>" in text and strand.marks else 1


def _frame(strand: Strand, text: str) -> int:
    """A stack entry: where a stack is open."""
    if _kind(strand) == "lockdep" and strand.last.startswith("LOCK"):
        said = strand.lines[strand.last_role].text.rstrip()
        if said.endswith(":") and " held by " not in said:
            return 3
    if strand.stack == "closed" or strand.user or _kind(strand) in STACKLESS:
        return -5
    if strand.stack == "past":
        return -2
    if strand.stack == "":
        return 3 if _kind(strand) in _FRAMES_FIRST and strand.last in ("HEADLINE", "FRAME") else -4
    name, sure = function_of(text)
    if strand.stack == "head":
        return 5 if _TOP.match(name) else 4
    if sure and _TOP.match(name) and not _TOP.match(function_of(strand.top or "")[0]):
        return -5
    return (
        3
        + (_order(function_of(strand.top or "")[0], name) if sure else 0)
        - (4 if strand.at_bottom and not sure else 0)
    )


_LEVELS = tuple(
    re.compile(f"(?:{names})$")
    for names in (
        r"x64_sys_call|__(?:x64|ia32|se|do|arm64|riscv)_(?:compat_)?sys_\w+|SyS_\w+|SYSC_\w+|ksys_\w+|worker_thread|do_idle",
        r"do_syscall_64|\w*do_fast_syscall_32|do_int80_\w+|cpu_startup_entry|el0_svc_common\S*|do_el0_svc|kthread",
        r"entry_\w+|ret_from_fork|start_secondary|el0_svc|system_call_\w+",
        r"ret_from_fork_asm|secondary_startup_64\w*|el0t?_64_\w+",
    )
)
"""The outermost functions of stacks, from the inside: each stands below those before it."""


def _level(name: str) -> int:
    return next((level for level in range(len(_LEVELS), 0, -1) if _LEVELS[level - 1].match(name)), 0)


def _order(inner: str, outer: str) -> int:
    """How well a frame stands below another: an entry function below a system call, nothing of a driver below that."""
    before, after = _level(inner), _level(outer)
    if before > after or (before == after > 1 and not inner.startswith("el0")):
        return -5
    if after >= 2 and before < after - 1 and outer != "kthread":
        return -2
    return 1 if after > before > 0 else 0


def _counter(strand: Strand, text: str) -> int:
    """A program counter: of the report, of an interrupted context, of user mode."""
    entered = strand.top is not None and _ENTERED.match(function_of(strand.top)[0]) is not None
    if is_user(text):
        return 5 if (strand.at_bottom or entered) and not strand.user and strand.stack == "open" else -4
    if strand.stack == "open":
        return 3 if entered or strand.last == "MARK" else -2
    if strand.ended:
        return 1
    if strand.last == "HEADLINE" and text.lstrip().startswith("IP:"):  # v4.x and before, show_fault_oops()
        return 5 if _kind(strand) == "oops" else -3
    if "PC" in strand.seen or _kind(strand) not in MARKED | {"soft_lockup", "rcu_stall", "hard_lockup"}:
        return -3
    if strand.last == "REG" and strand.register is not None and _step(_name(strand.register), _name(text)) == 1:
        return 5
    return 4 if strand.last in ("CPU", "HARDWARE", "WORKQUEUE") else 2


def _register(strand: Strand, text: str) -> int:
    """Registers: each line has its place behind another."""
    if _WORDS.match(text):  # the stack's words, that kernels before v4.9 print above the trace
        words = strand.last == "REG" and strand.register is not None and _WORDS.match(strand.register) is not None
        return 4 if words or strand.last in ("CPU", "HARDWARE", "WORKQUEUE") else -2
    if text.lstrip().startswith("CR2:") and "CR3" not in text:  # the address, once more behind the modules
        return 4 if _kind(strand) == "oops" and strand.last == "MODULES" else -3
    if strand.register is None:
        due = _kind(strand) in MARKED and not strand.stacked
        return (2 if _name(text) in _FIRST else 0) if due else -3
    stack = _STACK_POINTER.match(text)
    if stack is not None and (stack[1] in _USER_SEGMENTS) is not strand.user:
        return -4
    step = _step(_name(strand.register), _name(text))
    behind = strand.last in ("PC", "LR", "CODE", "REG")
    if step is None:
        return -2 if strand.stacked and not strand.user else 2 if behind else -1
    if step <= 0:
        return -5
    return (5 if step == 1 else 3 if step == 2 else 1) - (0 if behind else 3)


def _code(strand: Strand, text: str) -> int:
    """The bytes around the program counter: behind it on x86, behind the stack elsewhere."""
    if strand.last == "PC":
        return 5
    if _kind(strand) not in MARKED or "CODE" in strand.seen:
        return -3
    return 2 if strand.stack in CLOSED or strand.at_bottom or strand.last == "REG" else -1


def _step(before: str, after: str) -> int | None:
    """Lines from one register line to another, None where no architecture prints both."""
    if before[:1] == after[:1] == "x" and before[1:].isdigit() and after[1:].isdigit():  # arm64: two or three a line
        down = int(before[1:]) - int(after[1:])
        return 1 if 0 < down <= 3 else 2 if down > 0 else -1
    return _STEP.get((before, after))


def _name(text: str) -> str:
    found = _REGISTER.match(text)
    return found[1].replace(" ", "") if found is not None else ""


def _end(strand: Strand, _text: str) -> int:
    """``---[ end trace``: of a warning or an oops that has its stack."""
    if strand.ended or strand.phantom:
        return -5
    points = 3 if _kind(strand) in MARKED else -3
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
