"""What speaks for a line being a report's, and what against it: a row a weight, summed by :mod:`kb.split.fit`.

A row is ``(points, words, source)``: how much it counts, why in words, and where in the kernel (v6.1 where no other is
named) it is seen that it must be so. Five points are as good as certain (the next register line, the heading of a stack
behind the CPU line), minus five cannot be. A line is given to the report with the highest sum; :mod:`kb.split.explain`
prints the sums.

Each row has a log in tests/split/held/ in which a line goes wrong without it, and a commit that moves one says in its
body what `make score` and tests/split measured before and after.
"""

from enum import Enum, unique


@unique
class Weight(Enum):
    """A row; members are named after the role that they are about, the last ones are about all."""

    points: int
    words: str
    source: str

    def __init__(self, points: int, words: str, source: str):
        self.points = points
        self.words = words
        self.source = source

    # ---- CPU: 1 PID: 99 Comm: foo
    CPU_OWN = 8, "names the CPU or process of the report", "lib/dump_stack.c dump_stack_print_info()"
    CPU_COMM = 5, "names the command of the report", "lib/dump_stack.c dump_stack_print_info()"
    CPU_FREE = 2, "names nothing that the report contradicts", "lib/dump_stack.c dump_stack_print_info()"
    CPU_OTHER = -9, "names another CPU or process than the report", "lib/dump_stack.c dump_stack_print_info()"
    CPU_DUE = (
        2,
        "who ran comes behind the modules, or behind the first line of die()",
        "arch/x86/kernel/dumpstack.c __die_body()",
    )
    CPU_AGAIN = -3, "the report has said who ran", "lib/dump_stack.c: one CPU line a stack"
    CPU_AGAIN_STACKED = -6, "and has had its stack", "lib/dump_stack.c: one CPU line a stack"
    CPU_ASKER = (
        7,
        "the report of many CPUs begins with the one that it names",
        "kernel/rcu/tree_stall.h print_cpu_stall()",
    )
    CPU_ASKED = 3, "a CPU that was asked says who it runs", "lib/nmi_backtrace.c nmi_cpu_backtrace()"
    CPU_NEVER = -3, "the report's task does not run: no CPU line", "kernel/hung_task.c check_hung_task()"
    CPU_EARLY = -3, '"stack backtrace:" comes first', "kernel/locking/lockdep.c print_circular_bug()"

    # ---- task:foo state:D pid:99
    TASK_OWN = 3, "names the process of the report", "kernel/sched/core.c sched_show_task()"
    TASK_OTHER = -5, "names another process than the report", "kernel/sched/core.c sched_show_task()"

    # ---- Allocated in foo_alloc age=1 cpu=2 pid=3
    TRACK_WARNED = (
        5,
        "a warning of the slab allocator tells whose the object was",
        "mm/slub.c slab_err(), free_consistency_checks()",
    )

    # ---- Tainted: [W]=WARN; Hardware name: QEMU; Workqueue: events foo
    TAINT_DUE = (
        5,
        "the taint letters' words stand behind the CPU line",
        "lib/dump_stack.c dump_stack_print_info() v6.12",
    )
    BESIDE_CPU = 5, "stands behind the CPU line", "lib/dump_stack.c dump_stack_print_info()"

    # ---- Modules linked in, and what a panic says of the machine
    MODULES_AGAIN_DIES = (
        3,
        'an oops lists them behind "Dumping ftrace buffer"',
        "arch/x86/kernel/dumpstack.c __die_header()",
    )
    MODULES_AGAIN = -2, "they are listed once", "kernel/module/main.c print_modules()"
    MODULES_DUE = 1, "the kind lists modules", "kernel/module/main.c print_modules()"
    LAST_WORDS_DUE = 3, "the kernel gives up with this report", "kernel/panic.c panic()"
    LAST_WORDS_NONE = -1, "only who gives up says it", "kernel/panic.c panic()"
    FTRACE_DUE = 2, "who dies dumps the trace buffer behind the modules", "kernel/trace/trace.c ftrace_dump()"
    FTRACE_DIES = 1, "who dies dumps the trace buffer", "kernel/trace/trace.c ftrace_dump()"
    FTRACE_NONE = -1, "only who dies dumps the trace buffer", "kernel/trace/trace.c ftrace_dump()"

    # ---- the heading of a stack
    HEAD_STACKLESS = -5, "the kind prints no stack", "mm/slub.c slab_out_of_memory(), fs/ext4/super.c __ext4_error()"
    HEAD_OBJECT = 4, "the stack of an object or page that the kind prints", "mm/kasan/report.c print_track()"
    HEAD_OBJECT_NONE = -4, "the stack of an object or page, and the kind prints none", "mm/kasan/report.c print_track()"
    HEAD_RACE = 4, "a side of the race", "kernel/kcsan/report.c print_report()"
    HEAD_RACE_NONE = -4, "a side of a race, and the report is of none", "kernel/kcsan/report.c print_report()"
    HEAD_NMI = 4, "the kind asks other CPUs for their stacks", "lib/nmi_backtrace.c nmi_cpu_backtrace()"
    HEAD_NMI_NONE = -4, "the kind asks no other CPU for its stack", "lib/nmi_backtrace.c nmi_cpu_backtrace()"
    HEAD_BACKTRACE = 4, 'the kind prints "stack backtrace:"', "kernel/locking/lockdep.c print_circular_bug()"
    HEAD_BACKTRACE_NONE = -4, 'only lockdep prints "stack backtrace:"', "kernel/locking/lockdep.c print_circular_bug()"
    HEAD_LOCK = 2, "the stack of a lock taken before", "kernel/locking/lockdep.c print_lock_trace()"
    HEAD_LOCK_NONE = -1, "no heading of a report's own stack", "kernel/locking/lockdep.c print_lock_trace()"
    HEAD_DUE = 5, "the stack comes behind who ran, or behind the registers", "lib/dump_stack.c __dump_stack()"
    HEAD_DUE_AGAIN = 2, "another stack comes behind who ran, or behind the registers", "lib/nmi_backtrace.c"
    HEAD_PC = 3, "the stack comes behind the program counter", "arch/x86/kernel/dumpstack.c show_regs()"
    HEAD_PC_AGAIN = 1, "another stack comes behind the program counter", "arch/x86/kernel/dumpstack.c show_regs()"
    HEAD_OPEN = -4, "its stack is still being printed", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    HEAD_STACKED = -2, "it has its stack", "lib/dump_stack.c: one stack a dump_stack()"
    HEAD_RAN = 2, "it has said who ran and lacks its stack", "lib/dump_stack.c dump_stack_print_info()"
    HEAD_NO_CPU = 1, "a stack without who ran before it", "kernel/sched/core.c sched_show_task()"

    # ---- <TASK>, </IRQ>
    MARK_CLOSED = -5, "no stack is open", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    MARK_LEAVES = 3, "leaves the context that it entered", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    MARK_LEAVES_NONE = -4, "leaves a context that it did not enter", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    MARK_BOTTOM = 2, "no frame can follow in this context", "arch/x86/entry/entry_64.S"
    MARK_FIRST = 5, "the first context stands behind the heading", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    MARK_NESTED = -4, "a context is left before the next is entered", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    MARK_NEXT = 1, "the next context of its stack", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"

    # ---- a frame
    FRAME_LOCK = 3, "where a lock was taken that the line before names", "kernel/locking/lockdep.c print_lock()"
    FRAME_CLOSED = -5, "its stack is over", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    FRAME_PAST = -2, "other parts have followed its stack", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    FRAME_ASIDE = 3, "the stack that it prints aside", "kernel/sched/core.c print_preempt_disable_ip()"
    FRAME_ASIDE_OVER = -3, "the stack that it prints aside is over", "kernel/sched/core.c print_preempt_disable_ip()"
    FRAME_BARE = 3, "the kind's stack has no heading", "mm/kmsan/report.c kmsan_report()"
    FRAME_NO_HEAD = -4, "its stack has not begun", "lib/dump_stack.c __dump_stack()"
    FRAME_FIRST = 4, "its stack has just begun", "lib/dump_stack.c __dump_stack()"
    FRAME_TOP_LATE = -8, "dump_stack() stands at the beginning only", "lib/dump_stack.c dump_stack_lvl()"
    FRAME_NEXT = 3, "its stack is open", "arch/x86/kernel/dumpstack.c show_trace_log_lvl()"
    FRAME_DEEPER = 1, "enters the kernel where the frame above needs it", "arch/x86/entry/entry_64.S, kernel/kthread.c"
    FRAME_ABOVE = -5, "cannot stand below the frame above", "arch/x86/entry/entry_64.S, kernel/kthread.c"
    FRAME_GAP = (
        -2,
        "enters the kernel, but not below what the frame above is",
        "arch/x86/entry/entry_64.S, kernel/kthread.c",
    )
    FRAME_DOUBTFUL_BOTTOM = (
        -4,
        "no doubtful entry stands below the last frame",
        "arch/x86/kernel/dumpstack.c show_trace_log_lvl()",
    )

    # ---- a program counter
    PC_USER = 5, "user mode stands below the last frame", "arch/x86/kernel/dumpstack.c show_regs_if_on_stack()"
    PC_USER_NONE = (
        -4,
        "user mode stands below the last frame only",
        "arch/x86/kernel/dumpstack.c show_regs_if_on_stack()",
    )
    PC_ENTERED = (
        3,
        "an interrupted context stands below its entry",
        "arch/x86/kernel/dumpstack.c show_regs_if_on_stack()",
    )
    PC_IN_STACK = -2, "no interrupted context stands here", "arch/x86/kernel/dumpstack.c show_regs_if_on_stack()"
    PC_LAST = 1, "the registers once more behind the end mark", "arch/x86/kernel/dumpstack.c oops_end(), __show_regs()"
    PC_IP = 5, "behind the first line of a page fault", "arch/x86/mm/fault.c show_fault_oops() to v4.20"
    PC_AGAIN = -3, "it has its registers, or the kind prints none", "arch/x86/kernel/process_64.c __show_regs()"
    PC_EARLY = -1, "who ran comes before the registers", "arch/x86/kernel/dumpstack.c show_regs()"
    PC_STEP = 5, "the register line behind its last", "arch/arm64/kernel/process.c __show_regs()"
    PC_DUE = 4, "the registers come behind who ran", "arch/x86/kernel/dumpstack.c show_regs()"
    PC_FREE = 2, "it lacks its registers", "arch/x86/kernel/process_64.c __show_regs()"

    # ---- registers
    WORDS = 4, "the stack's words stand behind who ran", "arch/x86/kernel/dumpstack_64.c show_stack_log_lvl() to v4.8"
    WORDS_NONE = (
        -2,
        "the stack's words stand behind who ran only",
        "arch/x86/kernel/dumpstack_64.c show_stack_log_lvl() to v4.8",
    )
    REG_CR2 = 4, "the address once more behind the modules", "arch/x86/kernel/dumpstack.c __die_body(), mm/fault.c"
    REG_CR2_NONE = (
        -3,
        "only a fault tells the address once more",
        "arch/x86/kernel/dumpstack.c __die_body(), mm/fault.c",
    )
    REG_FIRST = 2, "the first register line of a kind that prints them", "arch/*/kernel/process.c __show_regs()"
    REG_NONE = -3, "no register line stands before it, and none is due", "arch/*/kernel/process.c __show_regs()"
    REG_USER = -4, "a stack pointer of the other mode than its registers", "arch/x86/kernel/process_64.c __show_regs()"
    REG_STACKED = -2, "its registers came before its stack", "arch/x86/kernel/dumpstack.c show_regs()"
    REG_FREE = 2, "goes on with its registers", "arch/*/kernel/process.c __show_regs()"
    REG_LOOSE = -1, "other parts have followed its registers", "arch/*/kernel/process.c __show_regs()"
    REG_BACK = -5, "stands above its last register line", "arch/*/kernel/process.c __show_regs()"
    REG_NEXT = 5, "the register line behind its last", "arch/*/kernel/process.c __show_regs()"
    REG_NEXT_BUT_ONE = 3, "the register line but one behind its last", "arch/*/kernel/process.c __show_regs()"
    REG_LATER = 1, "a register line behind its last", "arch/*/kernel/process.c __show_regs()"
    REG_APART = -3, "other parts have come since", "arch/*/kernel/process.c __show_regs()"

    # ---- Code:
    CODE_PC = 5, "stands behind the program counter", "arch/x86/kernel/dumpstack.c show_opcodes()"
    CODE_NONE = -3, "it has its code, or the kind prints none", "arch/x86/kernel/dumpstack.c show_opcodes()"
    CODE_DUE = 2, "stands behind the stack or the registers", "arch/arm64/kernel/traps.c dump_kernel_instr()"
    CODE_EARLY = -1, "stands behind the stack or the registers only", "arch/arm64/kernel/traps.c dump_kernel_instr()"

    # ---- ---[ end trace
    END_AGAIN = -5, "it has ended", "kernel/panic.c print_oops_end_marker()"
    END_DUE = 3, "the kind ends with it", "kernel/panic.c print_oops_end_marker()"
    END_NONE = -3, "the kind ends without", "kernel/panic.c print_oops_end_marker()"
    END_STACKED = 2, "its stack is over", "kernel/panic.c __warn(), oops_exit()"
    END_HEAD = -1, "its stack has only begun", "kernel/panic.c __warn(), oops_exit()"
    END_EARLY = -3, "it lacks its stack", "kernel/panic.c __warn(), oops_exit()"

    # ---- the memory block
    MEMORY_AGAIN = -5, "it has its memory block", "mm/show_mem.c __show_mem()"
    MEMORY_EARLY = -5, "its memory block has not begun", "mm/show_mem.c __show_mem(): Mem-Info: comes first"

    # ---- any line
    KIND_PRINTS = 4, "the kind prints such lines", "kb/syntax/kinds.toml prints"
    KIND_PRINTS_NOT = -2, "other kinds print such lines", "kb/syntax/kinds.toml prints"
    BLOCK = 1, "the line before was of the same block", "mm/show_mem.c, mm/oom_kill.c dump_tasks()"
    STAMP = 1, "the same microsecond as its last line", "kernel/printk/printk.c print_time()"
    LAST = 1, "it printed the line before", "kernel/printk/printk.c vprintk_store(): a record is whole"
    RUN = 1, "it printed the five lines before: nobody else prints", "kernel/printk/printk.c vprintk_store()"
    HELD = (
        -3,
        "another report began in its stack and has not printed its own",
        "lib/dump_stack.c printk_cpu_sync_get_irqsave()",
    )
    PAUSED = -1, "another report began since its last line", "kernel/printk/printk.c vprintk_store()"
    ECLIPSED = -6, "another report of the same process is being printed", "kernel/printk/printk.c vprintk_store()"
