"""The names that predicates of cases may use, and what each means. docs/facts.md is written from it."""

import re
from collections.abc import Mapping

from kb.facts.allocation.rows import NAMES as ALLOCATION
from kb.words.speak import reasons

NAMES: Mapping[str, str] = {
    # every report
    "kind": "kind of the report (docs/kinds.md): `page_allocation_failure`, `oops`, `hung_task`",
    "subtype": "what tells reports of one kind apart: `null-deref`, `refcount`, `fortify`",
    "title": "title in syzbot's convention",
    "function": "guilty function, compiler suffixes removed",
    "module": "module of the guilty function; absent for code built in",
    "frames": "functions of all stacks of the report (`?` entries too, suffixes removed), the program counter's first",
    "modules": "modules of all stacks",
    "kernel": "release as `uname -r` prints it; a case may only let it support, never require",
    "arch": "architecture by the words only it prints",
    "comm": "name of the task",
    "taint": "taint letters, blanks removed; `-` for Not tainted",
    "workqueue": "workqueue of a work item",
    "corrupted": "why the report is damaged; absent when it is whole",
    "follows": "index in the input of the report that this one follows on from; absent for a first cause",
    "virtual": "whether the machine names itself as a virtual one; absent where it names nothing, or a partition",
    "kvm_host": "`true` where a thread of a virtual machine's processor or its I/O ran: the machine is its host",
    "fuzzed": "whether a fuzzer ran here, by its task or its kernel: what it mounts and sends is made to be wrong",
    "taint_words": "what each taint letter says, `G` aside",
    "taint_modules": "modules with flags in the list of modules: `kblab(OE)`",
    "module_taint": "flags of the blamed module itself, where it is not this kernel's own",
    # a fault (oops, general protection fault, kernel BUG)
    "pc": "function that the program counter was in, plumbing or not",
    "address": "the address that could not be accessed, in hexadecimal",
    "access": "`read`, `write` or `execute`",
    "fault": "what went wrong by the processor's error or exception number, in words",
    "fault_mode": "`kernel` or `user`: who made the access, where the processor tells",
    "fault_why": "`not present`, `protection`, `reserved bit ...`: why the access failed",
    "fault_register": "register that held the pointer, by the trapping instruction",
    "fault_offset": "offset of the field in the object that the pointer should have pointed to, in bytes",
    "fault_page": "page of the address, where the machine tells no more (s390)",
    "address_kind": "`null`, `error-pointer`, `list-poison`, `slab-poison`, `page-poison`, `poison`, `kasan-shadow`, "
    "`non-canonical`, `text`, `user`, `kernel-text`, `modules`; absent for what may be a pointer",
    "address_means": "what kind of address was accessed, in words: a NULL pointer and an offset, a poison, user memory",
    "flipped_bit": "the one bit without which an address, or a pointer of a list, is what belongs there",
    "kasan_address": "address that KASAN looked up when the lookup itself faulted, the first of eight bytes",
    "poisoned_registers": "registers that hold the poison of freed objects or of deleted list entries",
    "code": "bytes or words of the `Code:` line as printed",
    "recursion": "functions that fill a stack that overflowed",
    "stack_kb": "size of the kernel stack that overflowed, in kB",
    "trap": "`bug` where the instruction is the one that BUG() and WARN() are made of",
    # an index that is out of range (UBSAN)
    "ubsan.index": "index that is out of range for its array",
    "ubsan.type": "type of the array's elements: `MR_LD_SPAN_MAP`",
    "ubsan.elements": "elements that the type declares: 1 or 0 is what an array of variable length was once written as",
    # stalls and hung tasks
    "pc.spins": "`true` where a stalled CPU was in the slow path of a spin, read or write lock: another CPU holds it",
    "stuck_cpus": "CPUs that are stuck, whichever CPU reports it",
    "reporter_cpu": "CPU that reports a stall: the stuck one itself, or another",
    "stuck_seconds": "for how long a CPU is stuck, in seconds, where seconds are printed",
    "stuck_jiffies": "for how long an RCU grace period waits, in jiffies",
    "stuck_tasks": "pids of tasks that block an RCU grace period",
    "stuck_hardirq_percent": "share of a stuck CPU's time in hard interrupts (soft lockups of v6.9+)",
    "stuck_system_percent": "share of a stuck CPU's time in the kernel outside of interrupts (soft lockups of v6.9+)",
    "busiest_irq": "number of the interrupt that came most often, where interrupts keep a CPU busy",
    "busiest_irqs": "the interrupts that came most often with their counts: `irq#7: 330945`",
    "no_ticks_cpus": "CPUs without a timer tick in the grace period: their interrupts are off",
    "rcu_starved_jiffies": "for how many jiffies RCU's kthread did not run",
    "rcu_timer_late_jiffies": "by how many jiffies the timer that should wake RCU's kthread is late",
    "rcu_kthread_cpu": "CPU that RCU's kthread last ran on",
    "in_flight": "functions that run in the workqueue pool that is stuck",
    "in_flight_workers": "functions that run in the workqueue pool that is stuck, with their workers: `123:foo_work`",
    "pending": "functions of work items that wait for a worker of a stuck pool",
    "waits_for": "what a hung task waits for: `mutex`, `rw-semaphore, as writer`, `writeback`, `completion`, `I/O`",
    "waited_seconds": "for how long a hung task has waited at least, in seconds",
    "owner": "task that holds the lock which is waited for, where the kernel tells",
    "owner_pid": "pid of the task that holds the lock which is waited for",
    "owner_as": "`reader` or `writer`: as what the owner holds an rw-semaphore",
    "lock_waited": "lock that a hung task waits for, by lockdep's list of held locks",
    "lock_holders": "tasks that have the lock which is waited for, by lockdep's list of held locks: `comm/pid`",
    "locks_held": "locks that tasks hold, by lockdep's list of them: `comm/pid: lock`",
    # atomic contexts and spinlocks
    "atomic_because": "why a context may not sleep: `preempt`, `softirq`, `softirqs-off`, `hardirq`, `nmi`, "
    "`irqs-off`, `non-block`, `rcu`",
    "preempt_count": "preempt_count() of a context that may not sleep, as printed: how deep preemption and "
    "interrupts are off",
    "lock_name": "spinlock that is stuck or corrupted, by its symbol or address",
    "owner_cpu": "CPU of a spinlock's owner",
    # lockdep
    "deadlock": "how locks can deadlock, by lockdep: `cycle`, `recursion`, `irq-inversion` or `inconsistent`",
    "locks": "locks in the order of the cycle, each taken while the one before was held; the last closes it",
    "lock_takes": "lock that the task was about to take when lockdep spoke",
    "lock_takes_in": "function that was about to take a lock when lockdep spoke",
    "lock_holds": "locks that the task holds already when lockdep speaks",
    "lock_usage": "the two uses of a lock that exclude each other, by lockdep: `IN-HARDIRQ-W -> HARDIRQ-ON-W`",
    # the object of a memory error (KASAN, KFENCE, SLUB, lists)
    "object_cache": "slab cache of the object that a memory error is about",
    "object_size": "size of the object that a memory error is about, in bytes",
    "object_offset": "distance of a bad access from the start of the object, or from its end, in bytes",
    "object_side": "`inside`, `behind` or `before`: where a bad access was by the object",
    "allocated_in": "function that allocated the object, allocators left out",
    "freed_in": "function that freed the object, allocators left out",
    "slab_first_byte": "first byte of an object, or beside it, that was overwritten",
    "slab_expected_byte": "byte that should be where an object was overwritten: `0x6b` in freed objects, `0xcc` "
    "beside live ones",
    "list_field": "pointer of a list that is wrong: `prev->next`",
    "list_was": "value of the pointer of a list that is wrong, in hexadecimal",
    "list_means": "what the value of a list's wrong pointer is: `LIST_POISON1 ...`",
    # what a report dumps
    "page_reason": "why a page was dumped: `nonzero mapcount`, `non-NULL mapping`",
    "page_refcount": "reference count of the page that was dumped",
    "page_mapcount": "how often the page that was dumped is mapped",
    "page_mapping": "mapping of the page that was dumped, in hexadecimal; absent for NULL",
    "page_order": "order of the compound page that the dumped page belongs to",
    "page_flags": "names of the flags of the page that was dumped, without node and zone",
    "page_type": "type of the page that was dumped: `buddy`, `slab`, `table`",
    "copy_way": "`exposure` or `overwrite` of a refused user copy, `read` or `write` of a fortified one",
    "copy_object": "slab cache or field that a refused copy was from or to",
    "copy_place": "what kind of memory a refused copy was from or to: `SLUB object`, `process stack`, `kernel text`, "
    "`vmalloc`",
    "copy_offset": "offset of a refused copy in its object, in bytes",
    "copy_size": "bytes that a refused copy was of",
    "copy_room": "bytes that the buffer or field of a refused copy has",
    "ata_command": "ATA command that failed: `READ DMA EXT`",
    "ata_emask": "error mask of a failed ATA command's result (libata)",
    "ata_reason": "why an ATA command failed in libata's words: `media error`, `timeout`, `device error`",
    "ata_status": "status bits of a failed ATA command: `DRDY ERR`",
    "ata_error": "error bits of a failed ATA command: `UNC`, `ABRT`, `ICRC`",
    "scsi_command": "SCSI command that failed: `Read(10)`",
    "scsi_hostbyte": "how a SCSI command came back: `DID_OK` where the disk itself answered, else what the host "
    "adapter says",
    "scsi_driverbyte": "what the SCSI layer added to a failed command: `DRIVER_OK`, `DRIVER_SENSE`",
    "scsi_sense": "sense key by which a disk says what failed: `Medium Error`, `Aborted Command`",
    "scsi_reason": "additional sense by which a disk says why, in words: `Unrecovered read error`",
    # the request of an allocation, and the state of memory
    **ALLOCATION,
    "mce_bank": "bank of the machine check",
    "mce_severity": "how bad a machine check is, by its status: `corrected`, `deferred`, `uncorrected` or `fatal`",
    "mce_code": "what the low 16 bits of a machine check's status say: `memory controller: read error, channel 1`",
    "mce_overflow": "true where machine checks before the printed one were lost",
    "hw_severity": "how bad a hardware error is: `fatal`, `recoverable`, `corrected` or `info` by firmware; of PCIe "
    "as `Uncorrected (Non-Fatal)`",
    "hw_section": "what a hardware error is of: `memory error`, `PCIe error`; of PCIe the layer: `Transaction Layer`",
    "hw_error": "own name of a hardware error: `multi-bit ECC`, `UnsupReq`",
    "hw_place": "DIMM or device that a hardware error is of",
    "hw_address": "physical address of the memory that a hardware error is of, in hexadecimal",
    "hw_injected": "whether the report itself says that a test took the page away, and no hardware",
    "hw_pciid": "vendor and device of a PCIe device with an error: `144d:a80a`",
    "edac_count": "errors that a line of a memory controller counts",
    "edac_branch": "branch of the memory controller that an error is of: pairs of channels (FB-DIMM)",
    "edac_channel": "channel of the memory controller that an error is of",
    "edac_slot": "slot in its channel of the DIMM that an error is of",
    "edac_csrow": "chip-select row of the memory that an error is of",
    "edac_page": "page frame that a memory controller's error is of, in hexadecimal",
    "edac_offset": "offset in its page of a memory controller's error, in hexadecimal",
    "edac_grain": "bytes that the place of a memory controller's error is exact to",
    "edac_syndrome": "what the memory controller's check bits gave, in hexadecimal: which bit was wrong; `0x0` where "
    "the driver reads none",
    "mce_unit": "unit that found a machine check, where the kernel names it (AMD): `Unified Memory Controller`",
    "init_status": "exit status of process 1, where it ended by itself",
    "init_signal": "signal that killed process 1: `SIGSEGV`, or its number",
    "message": "the report's own words: of a warning, a BUG or a Rust panic",
    "errno": "name of the error number in the words of a warning or panic: `ENOSPC`",
    "allocations": "places that hold memory, largest first (CONFIG_MEM_ALLOC_PROFILING, v6.10+): `file:line function`",
    "allocations_in_modules": "loadable modules among the places that hold most memory (CONFIG_MEM_ALLOC_PROFILING)",
    # an OOM kill
    "oom.constraint": "what limited the memory that ran out: `none`, `memcg`, `cpuset` or `memory_policy`",
    "oom.invoker": "task whose request could not be met",
    "oom.victim": "task that was killed",
    "oom.victim_pid": "pid of the task that was killed",
    "oom.victim_points": "badness of the task that was killed, recomputed from the table, in pages",
    "oom.victim_rank": "rank of the task that was killed by badness, 1 is the highest",
    "oom.victim_is_highest": "no task of the table scored higher than the one that was killed",
    "oom.victim_share": "share of the limiting memory that the victim held",
    "oom.victim_anon_kb": "anonymous memory of the victim",
    "oom.victim_file_kb": "file memory of the victim",
    "oom.victim_shmem_kb": "shared memory of the victim",
    "oom.victims": "number of tasks killed",
    "oom.nobody": "out of memory, and nobody could be killed",
    "oom.reaped": "the OOM reaper freed the victim's memory",
    "oom.panic": "the kernel panicked instead of killing a task",
    "oom.panic_on_oom": "vm.panic_on_oom made an OOM kill a panic",
    "highmem": "the kernel has a HighMem zone (32-bit); `false` where it has a DMA32 zone",
    "oom.allocating_task": "vm.oom_kill_allocating_task chose the victim",
    "oom.sysrq": "the kill was asked for by hand (sysrq f)",
    "oom.tasks": "tasks in the table that an OOM kill prints",
    "oom.group": "memory cgroup that was killed as a whole",
    "oom.cpuset": "cpuset of the task whose request could not be met",
    "oom.memcg": "memory cgroup at its limit",
    "oom.task_memcg": "memory cgroup of the victim",
    "oom.largest": "what held most memory",
    "oom.total_kb": "managed memory of the machine or nodes that ran out, in kB",
    "oom.free_kb": "free memory when an OOM kill was printed, in kB",
    "oom.anon_kb": "anonymous memory",
    "oom.file_kb": "page cache",
    "oom.shmem_kb": "shared memory and tmpfs",
    "oom.slab_kb": "slab memory",
    "oom.slab_reclaimable_kb": "reclaimable slab",
    "oom.slab_unreclaimable_kb": "unreclaimable slab",
    "oom.pagetables_kb": "page tables",
    "oom.kernel_stack_kb": "kernel stacks",
    "oom.hugepages_kb": "huge pages set aside",
    "oom.unevictable_kb": "memory that cannot be evicted",
    "oom.misc_kb": "other counted memory",
    "oom.zspages_kb": "memory of zram and zswap",
    "oom.balloon_kb": "memory that a balloon gave back to the host (6.17+)",
    "oom.gpu_active_kb": "memory of GPU objects (7.3+)",
    "oom.gpu_reclaim_kb": "pools of GPU memory that can be shrunk (7.3+)",
    "oom.unaccounted_kb": "managed memory that no counter explains",
    "oom.unaccounted_share": "managed memory that no counter explains, as a share, 0 to 1",
    "oom.swap_total_kb": "size of swap",
    "oom.swap_free_kb": "free swap",
}

PREFIXES: Mapping[str, str] = {
    "field.": "a named group of the headline, of a single line, or of a notice (grammars/*.lark)",
    "oom.memcg_": "a line of the memory cgroup's statistics: `anon_kb`, `file_kb`, `slab_kb`, `sock_kb`",
    "oom.memory_": "the cgroup's memory and memory+swap counters: `usage_kb`, `limit_kb`, `failcnt`",
    "oom.kmem_": "the cgroup's kernel memory counter",
    "oom.swap_": "the cgroup's swap counter",
    "vmstat.": "change of a /proc/vmstat counter between two files of --context",
    "trace.": "events of a trace given with --context",
    "sysctl.": "a setting given with --context",
}


REASONS: Mapping[str, str] = {
    "reason.<name>": "verdicts of a reason: `holds`, `excluded`, `unknown`; a name that is stated of several zones or "
    "tasks has those of all",
    "reason.<name>.because": "names of what the reason rests on: `zone.walk_fails`",
}
"""What the facts of a reason are (:mod:`kb.facts.reasoned`); the names are those of ``[reason]`` in kb/words."""


def names() -> list[str]:
    """Every name but those that only begin in a known way."""
    return [*NAMES, *(f"reason.{name}" for name in reasons())]


def known(name: str) -> bool:
    """True for a name that some report may bear."""
    if name.startswith("reason."):
        return name.removeprefix("reason.").removesuffix(".because") in reasons()
    return name in NAMES or name.startswith(tuple(PREFIXES))


def meaning(name: str) -> str:
    """What a fact is, for a reader of an answer: its description up to the first stop, without examples."""
    text = NAMES.get(name) or next((text for start, text in PREFIXES.items() if name.startswith(start)), name)
    if name.startswith("field."):
        text = f"{name.removeprefix('field.')} ({text.partition(' (')[0]})"
    return re.split(r"[;:]| \(", text, maxsplit=1)[0].replace("`", "") if name in NAMES else text
