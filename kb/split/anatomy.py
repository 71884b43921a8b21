"""What a report is printed in, and by whom: the functions, notes and register lines that tell one from another.

Tables, with the place in the kernel that prints, and questions about single lines; :mod:`kb.split.fit` weighs them.
What kinds differ in stands in their rows of kinds.toml.
"""

import functools
import re
from collections.abc import Mapping
from enum import Enum, auto

from kb.syntax.kinds import Note, kinds, printing
from kb.syntax.roles import Role

_NOTES: tuple[tuple[Note, str], ...] = (
    # arch/x86/mm/fault.c show_fault_oops(), dump_pagetable(); arch/arm64/mm/fault.c mem_abort_decode(), show_pte()
    (
        "fault",
        r"\s*(?:#PF|PGD|P4D|PUD|PMD|PTE|\*pd|pgd|Oops|Mem abort|Data abort|ESR|EC =|SET =|EA =|FSC|ISV|CM =)",
    ),
    # mm/slub.c print_trailer(), print_section(), print_tracking()
    ("slab", r"\s*(?:Object|Redzone|Padding|Bytes b4|Slab|Tracking|INFO: |\[[A-Z][\w ]{2,40} overwritten\])"),
    # mm/kasan/report.c describe_object_addr(), print_memory_metadata()
    ("object", r"\s*(?:The buggy|which belongs|located|Memory state|[>*]?[0-9a-f]{16}: (?:[0-9a-f]{2} ){15})"),
    # mm/debug.c __dump_page()
    ("page", r"\s*(?:page:|page dumped|flags:|raw:|head:|page_type|memcg:|aops:|anon flags)"),
    # kernel/sched/core.c __might_resched(), __schedule_bug()
    ("atomic", r"\s*(?:in_atomic|preempt_count|RCU nest)"),
    # kernel/rcu/tree_stall.h print_cpu_stall_info(), rcu_print_detail_task_stall()
    ("rcu", r"\s*(?:rcu: |\(detected by|\(t=|Tasks blocked|blocking rcu|All QSes)"),
    # lib/nmi_backtrace.c nmi_trigger_cpumask_backtrace()
    ("nmi", r"\s*Sending NMI"),
)
"""Notes that only some kinds print: their name in kinds.toml, how they begin."""
NOTES = {name: re.compile(pattern) for name, pattern in _NOTES}

PHANTOM = "a stack on purpose"
_ON_PURPOSE = r"should_fail\w*|__should_fail\w*|fail_dump|handle_userfault"
"""lib/fault-inject.c fail_dump(), mm/userfaultfd.c handle_userfault(): the functions that print a stack on purpose."""

TRACKED = re.compile(r"\s*(?:INFO: )?(?:Allocated|Freed) in ")
"""mm/slub.c print_track(): the heading of a stack that has no other."""
_IDENTITY = re.compile(
    r"\s*(?:CPU: (?P<cpu>\d{1,10}) ?(?:UID: \d+ ?)?PID: (?P<pid>-?\d{1,10})"
    r"(?: Comm: (?P<comm>.{1,15}?)(?: ?(?:Not t|T)ainted|$))?"
    r"|(?:.{1,60} by (?:task |thread )?)?(?P<wcomm>\S.{0,14}?)/(?P<wpid>\d{1,10})(?:[ :]|$)"
    r"|Pid: (?P<opid>\d{1,10}), comm: +(?P<ocomm>.{1,15}?)(?: ?(?:Not t|T)ainted|$))"
)
"""lib/dump_stack.c dump_stack_print_info(); a comm has at most 15 characters (TASK_COMM_LEN)."""
_FUNCTION = re.compile(r"(?<![\w.$])(?P<sure>\? )?(?P<fn>[A-Za-z_.$][\w.$]*)(?:\+0x| \([\w./+~-]{1,200}:\d)")
_BOTTOM = re.compile(
    r"(?:entry_(?:SYSCALL|SYSENTER|INT80)\w*|do_SYSENTER_32|ia32_sys\w*|system_call\w*|(?:tracesys|sysenter|cstar)\w*"
    r"|ret_from_(?:fork(?:_asm)?|kernel_thread|kernel_user_thread|syscall|exception)|start_secondary|secondary_startup_64\w*"
    r"|kernel_thread_helper|child_rip|cpu_bringup_and_idle|el0t?_\w+|ret_fast_syscall"
    r"|handle_syscall|ret_to_user\w*|__switch_to_asm)$"
)
"""Where stacks end: entry code of arch/x86, arch/arm, arch/arm64, arch/riscv, arch/powerpc, and of idle CPUs."""
_TOP = re.compile(r"(?:__?)?(?:dump_stack|show_stack|show_trace|dump_backtrace|show_regs)(?:_lvl|_log_lvl)?$")
"""The innermost frames of a stack that dump_stack() prints."""
_ENTERED = re.compile(
    r"(?:asm_\w+|\w+_interrupt|ret_from_intr|retint_\w+|error_\w+|(?:async_)?page_fault|irq_\w+|el1\w*|(?:end_repeat_)?nmi"
    r"|invalid_op|general_protection|divide_error|double_fault|int3|stack_segment|bounds)$"
)
"""Frames below which an interrupted context stands."""


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
FIRST = frozenset(name for order in _ORDERS for name in order[:2])
_REGISTER = re.compile(r"\s*(?:Kernel |Krnl )?([A-Za-z]+\d*|\$ ?\d+)")


def kinds_of(role: Role, text: str) -> frozenset[str] | None:
    """The kinds that print a line, None where all may."""
    if role in ("NOTE", "DUMP") or text.startswith("Mem abort"):
        note = next((name for name, pattern in NOTES.items() if pattern.match(text)), None)
        return printing(note) if note is not None else None
    return printing(role) or None


@functools.lru_cache(maxsize=4096)
def printed_by(name: str) -> frozenset[str]:
    """The kinds of report that a function prints through dump_stack(); none for other functions."""
    return frozenset(kind for kind, pattern in _printers().items() if pattern.match(name))


@functools.cache
def _printers() -> dict[str, "re.Pattern[str]"]:
    names = {kind.name: kind.printers for kind in kinds().values() if kind.printers} | {PHANTOM: (_ON_PURPOSE,)}
    return {kind: re.compile(f"(?:{'|'.join(patterns)})(?:\\.\\w+)*$") for kind, patterns in names.items()}


def is_top(name: str) -> bool:
    """True for a function of dump_stack() itself."""
    return _TOP.match(name) is not None


def is_entry(text: str | None) -> bool:
    """True for a frame below which an interrupted context stands."""
    return text is not None and _ENTERED.match(function_of(text)[0]) is not None


@functools.lru_cache(maxsize=1024)
def identity_of(text: str) -> Mapping[str, str]:
    """``cpu``, ``pid`` and ``comm`` of a line that dump_stack() prints, as far as they are there."""
    found = _IDENTITY.match(text)
    if found is None:
        return {}
    return {name.lstrip("ow"): value for name, value in found.groupdict().items() if value is not None}


@functools.lru_cache(maxsize=1024)
def function_of(text: str) -> tuple[str, bool]:
    """The function of a frame, and whether the kernel was sure of it (no ``?``)."""
    found = _FUNCTION.search(text)
    return (found["fn"], found["sure"] is None) if found is not None else ("", False)


@functools.lru_cache(maxsize=1024)
def is_bottom(text: str) -> bool:
    """True for a frame that no other stands below."""
    name, sure = function_of(text)
    return sure and _BOTTOM.match(name) is not None


def is_user(text: str) -> bool:
    """True for a program counter in user mode: what was running when the kernel was entered."""
    return ":" in text and text.split(":", 2)[1].strip() in ("0033", "0023", "33", "23")


_LEVELS = tuple(
    re.compile(f"(?:{names})$")
    for names in (
        r"x64_sys_call|__(?:x64|ia32|se|do|arm64|riscv)_(?:compat_)?sys_\w+|SyS_\w+|SYSC_\w+|ksys_\w+|worker_thread|do_idle",
        r"do_syscall_64|\w*do_fast_syscall_32|do_int80_\w+|cpu_startup_entry|el0_svc_common\S*|do_el0_svc|kthread",
        r"entry_\w+|ret_from_fork|start_secondary|el0_svc|system_call\w*|(?:tracesys|sysenter)\w*"
        r"|cstar\w*|ia32_sys\w*|int_ret_from_sys_call",
        r"ret_from_fork_asm|secondary_startup_64\w*|el0t?_64_\w+",
    )
)
"""The outermost functions of stacks, from the inside: each stands below those before it."""


@functools.lru_cache(maxsize=4096)
def _level(name: str) -> int:
    return next((level for level in range(len(_LEVELS), 0, -1) if _LEVELS[level - 1].match(name)), 0)


def is_way_in(name: str) -> bool:
    """True for a function by which the kernel is entered, or a thread begun: the stack of any other task has it."""
    return _level(name) > 1 or _BOTTOM.match(name) is not None


class Order(Enum):
    """How a frame stands below another."""

    ANY = auto()
    """Nothing is known against it."""
    DEEPER = auto()
    """As it should: an entry function below a system call."""
    GAP = auto()
    """An entry function below what does not stand above it."""
    ABOVE = auto()
    """It cannot: nothing of a driver stands below an entry function."""


def order(inner: str, outer: str) -> Order:
    """How well a function stands below another in a stack."""
    before, after = _level(inner), _level(outer)
    if before > after or (before == after > 1 and not inner.startswith("el0")):
        return Order.ABOVE
    if after >= 2 and before < after - 1 and outer != "kthread":
        return Order.GAP
    return Order.DEEPER if after > before > 0 else Order.ANY


def step(before: str, after: str) -> int | None:
    """Lines from one register line to another, None where no architecture prints both."""
    if before[:1] == after[:1] == "x" and before[1:].isdigit() and after[1:].isdigit():  # arm64: two or three a line
        down = int(before[1:]) - int(after[1:])
        return 1 if 0 < down <= 3 else 2 if down > 0 else -1
    return _STEP.get((before, after))


def register(text: str) -> str:
    """The first register that a line prints, empty for another line."""
    found = _REGISTER.match(text)
    return found[1].replace(" ", "") if found is not None else ""
