"""What a report is printed in, and by whom: the kinds, functions and register lines that tell one from another.

Tables, with the place in the kernel that prints, and questions about single lines; :mod:`kb.split.fit` weighs them.
"""

import re

MARKED = frozenset({"oops", "kernel_bug", "double_fault", "warning", "cfi", "cet", "stack_guard"})
"""Kinds that end with "---[ end trace": print_oops_end_marker() of __warn() and oops_exit() (kernel/panic.c)."""
OBJECTS = frozenset({"kasan", "kfence", "kmsan", "slab_corruption", "bad_page"})
"""Kinds that print, behind the stack, where the object or page came from."""
STACKLESS = frozenset({"slub_failure", "fs_error", "io_error", "hardware_error", "workqueue_leak"})
"""Kinds that print no stack of their own."""
BORDERED = frozenset({"kasan", "kfence", "kmsan", "kcsan"})
"""Kinds that end with a border (mm/kasan/report.c end_report() and its like)."""
MEMORY_KINDS = frozenset(
    {"page_allocation_failure", "allocation_stall", "vmalloc_failure", "percpu_failure", "oom_kill"}
)
"""Kinds that print show_mem() behind the stack."""

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
    (re.compile(r"\s*(?:rcu: |\(detected by|\(t=|Tasks blocked|blocking rcu|All QSes)"), frozenset({"rcu_stall"})),
    (re.compile(r"\s*Sending NMI"), _STALLS),
)
"""Which kinds print a note."""
FRAMES_FIRST = frozenset({"kmsan", "unknown"})
"""Kinds whose stack has no heading."""
NO_CPU_LINE = frozenset({"hung_task"})
MANY_CPUS = frozenset({"rcu_stall", "hard_lockup", "csd_lock", "workqueue_lockup", "spinlock_bug"})
"""Kinds that print the CPU line and the stack of others as well."""
BACKTRACED = frozenset({"lockdep", "rcu_usage"})
"""Kinds that print "stack backtrace:" before the CPU line."""

PHANTOM = "a stack on purpose"
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
    (r"should_fail\w*|__should_fail\w*|fail_dump|handle_userfault", {PHANTOM}),
    (r"panic", {"panic"}),
    (r"nmi_cpu_backtrace|rcu_sched_clock_irq|rcu_check_callbacks|rcu_dump_cpu_stacks", {"rcu_stall", "hung_task"}),
    (r"object_err|print_trailer|slab_err", {"slab_corruption"}),
    (r"slab_out_of_memory", {"slub_failure"}),
    (r"check_preemption_disabled|debug_smp_processor_id", {"preemptible"}),
    (r"spin_bug|spin_dump", {"spinlock_bug"}),
    (r"warn_slowpath_\w+|__warn", {"warning"}),
    (r"kcsan_report\w*", {"kcsan"}),
    (r"kmsan_\w{0,40}report\w*", {"kmsan"}),
)
"""Functions below dump_stack() that print a report, and the kinds that they print."""
_AUTHORS = tuple((re.compile(f"(?:{names})(?:\\.\\w+)*$"), frozenset(kinds)) for names, kinds in _PRINTERS)

TRACKED = re.compile(r"\s*(?:INFO: )?(?:Allocated|Freed) in ")
"""mm/slub.c print_track(): the heading of a stack that has no other."""
_IDENTITY = re.compile(
    r"\s*(?:CPU: (?P<cpu>\d{1,10}) (?:UID: \d+ )?PID: (?P<pid>-?\d{1,10})"
    r"(?: Comm: (?P<comm>.{1,15}?)(?: (?:Not t|T)ainted|$))?"
    r"|(?:.{1,60} by (?:task |thread )?)?(?P<wcomm>\S.{0,14}?)/(?P<wpid>\d{1,10})(?:[ :]|$)"
    r"|Pid: (?P<opid>\d{1,10}), comm: +(?P<ocomm>.{1,15}?)(?: (?:Not t|T)ainted|$))"
)
"""lib/dump_stack.c dump_stack_print_info(); a comm has at most 15 characters (TASK_COMM_LEN)."""
_FUNCTION = re.compile(r"(?<![\w.$])(?P<sure>\? )?(?P<fn>[A-Za-z_.$][\w.$]*)\+0x")
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


def kinds_of(role: str, text: str) -> frozenset[str] | None:
    """The kinds that print a line, None where all do."""
    if role not in ("NOTE", "DUMP") and not text.startswith("Mem abort"):
        return _KINDS.get(role)
    return next((kinds for pattern, kinds in _NOTES if pattern.match(text)), None)


def printed_by(name: str) -> frozenset[str]:
    """The kinds of report that a function prints through dump_stack(); none for other functions."""
    return next((kinds for pattern, kinds in _AUTHORS if pattern.match(name)), frozenset())


def is_top(name: str) -> bool:
    """True for a function of dump_stack() itself."""
    return _TOP.match(name) is not None


def is_entry(text: str | None) -> bool:
    """True for a frame below which an interrupted context stands."""
    return text is not None and _ENTERED.match(function_of(text)[0]) is not None


def identity_of(text: str) -> dict[str, str]:
    """``cpu``, ``pid`` and ``comm`` of a line that dump_stack() prints, as far as they are there."""
    found = _IDENTITY.match(text)
    if found is None:
        return {}
    return {name.lstrip("ow"): value for name, value in found.groupdict().items() if value is not None}


def function_of(text: str) -> tuple[str, bool]:
    """The function of a frame, and whether the kernel was sure of it (no ``?``)."""
    found = _FUNCTION.search(text)
    return (found["fn"], found["sure"] is None) if found is not None else ("", False)


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


def _level(name: str) -> int:
    return next((level for level in range(len(_LEVELS), 0, -1) if _LEVELS[level - 1].match(name)), 0)


def order(inner: str, outer: str) -> int:
    """How well a frame stands below another: an entry function below a system call, nothing of a driver below that."""
    before, after = _level(inner), _level(outer)
    if before > after or (before == after > 1 and not inner.startswith("el0")):
        return -5
    if after >= 2 and before < after - 1 and outer != "kthread":
        return -2
    return 1 if after > before > 0 else 0


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
