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
    "fault": "what the processor's number says, in words",
    "fault_mode": "`kernel` or `user`: who made the access, where the processor tells",
    "fault_why": "`not present`, `protection`, `reserved bit ...`: why the access failed",
    "fault_register": "register that held the pointer, by the trapping instruction",
    "fault_offset": "offset of the field in the object that the pointer should have pointed to, in bytes",
    "fault_page": "page of the address, where the machine tells no more (s390)",
    "address_kind": "`null`, `error-pointer`, `list-poison`, `slab-poison`, `page-poison`, `poison`, `kasan-shadow`, "
    "`non-canonical`, `text`, `user`, `kernel-text`, `modules`; absent for what may be a pointer",
    "address_means": "the same in words",
    "flipped_bit": "the one bit without which an address, or a pointer of a list, is what belongs there",
    "kasan_address": "address that KASAN looked up when the lookup itself faulted, the first of eight bytes",
    "poisoned_registers": "registers that hold the poison of freed objects or of deleted list entries",
    "code": "bytes or words of the `Code:` line as printed",
    "recursion": "functions that fill a stack that overflowed",
    "stack_kb": "size of the kernel stack that overflowed, in kB",
    "trap": "`bug` where the instruction is the one that BUG() and WARN() are made of",
    # an index that is out of range (UBSAN)
    "ubsan.index": "the index",
    "ubsan.type": "type of the array's elements: `MR_LD_SPAN_MAP`",
    "ubsan.elements": "elements that the type declares: 1 or 0 is what an array of variable length was once written as",
    # stalls and hung tasks
    "pc.spins": "`true` where a stalled CPU was in the slow path of a spin, read or write lock: another CPU holds it",
    "stuck_cpus": "CPUs that are stuck, whichever CPU reports it",
    "reporter_cpu": "CPU that reports it; the same where it reports itself",
    "stuck_seconds": "for how long, in seconds, where seconds are printed",
    "stuck_jiffies": "for how long an RCU grace period waits, in jiffies",
    "stuck_tasks": "pids of tasks that block an RCU grace period",
    "stuck_hardirq_percent": "share of a stuck CPU's time in hard interrupts (soft lockups of v6.9+)",
    "stuck_system_percent": "the same in the kernel otherwise",
    "busiest_irq": "number of the interrupt that came most often, where they keep a CPU busy",
    "busiest_irqs": "the interrupts that came most often with their counts: `irq#7: 330945`",
    "no_ticks_cpus": "CPUs without a timer tick in the grace period: their interrupts are off",
    "rcu_starved_jiffies": "for how long RCU's kthread did not run",
    "rcu_timer_late_jiffies": "by how much the timer that should wake it is late",
    "rcu_kthread_cpu": "CPU that it last ran on",
    "in_flight": "functions that run in the workqueue pool that is stuck",
    "in_flight_workers": "the same with their workers: `123:foo_work`",
    "pending": "functions of work items that wait",
    "waits_for": "what a hung task waits for: `mutex`, `rw-semaphore, as writer`, `writeback`, `completion`, `I/O`",
    "waited_seconds": "for how long at least",
    "owner": "task that holds it, where the kernel tells",
    "owner_pid": "its pid",
    "owner_as": "`reader` or `writer` of an rw-semaphore",
    "lock_waited": "lock that the task waits for, by lockdep's list of held locks",
    "lock_holders": "tasks of that list that have it: `comm/pid`",
    "locks_held": "that list: `comm/pid: lock`",
    # atomic contexts and spinlocks
    "atomic_because": "why a context may not sleep: `preempt`, `softirq`, `softirqs-off`, `hardirq`, `nmi`, "
    "`irqs-off`, `non-block`, `rcu`",
    "preempt_count": "the count as printed",
    "lock_name": "spinlock that is stuck or corrupted, by its symbol or address",
    "owner_cpu": "CPU of its owner",
    # lockdep
    "deadlock": "`cycle`, `recursion`, `irq-inversion` or `inconsistent`",
    "locks": "locks in the order of the cycle, each taken while the one before was held; the last closes it",
    "lock_takes": "lock that is being taken",
    "lock_takes_in": "function that takes it",
    "lock_holds": "locks that the task holds already",
    "lock_usage": "the two uses that exclude each other: `IN-HARDIRQ-W -> HARDIRQ-ON-W`",
    # the object of a memory error (KASAN, KFENCE, SLUB, lists)
    "object_cache": "slab cache of the object",
    "object_size": "its size in bytes",
    "object_offset": "distance of the access from its start, or from its end",
    "object_side": "`inside`, `behind` or `before` the object",
    "allocated_in": "function that allocated it, allocators left out",
    "freed_in": "function that freed it",
    "slab_first_byte": "first byte that is wrong",
    "slab_expected_byte": "what it should have been: `0x6b` in freed objects, `0xcc` beside live ones",
    "list_field": "pointer of a list that is wrong: `prev->next`",
    "list_was": "its value in hexadecimal",
    "list_means": "what that value is: `LIST_POISON1 ...`",
    # what a report dumps
    "page_reason": "why a page was dumped: `nonzero mapcount`, `non-NULL mapping`",
    "page_refcount": "its reference count",
    "page_mapcount": "how often it is mapped",
    "page_mapping": "its mapping in hexadecimal; absent for NULL",
    "page_order": "order of the compound page it belongs to",
    "page_flags": "names of its flags, without node and zone",
    "page_type": "its type: `buddy`, `slab`, `table`",
    "copy_way": "`exposure` or `overwrite` of a refused user copy, `read` or `write` of a fortified one",
    "copy_object": "slab cache or field that was copied from or to",
    "copy_place": "`SLUB object`, `process stack`, `kernel text`, `vmalloc`",
    "copy_offset": "offset in the object, in bytes",
    "copy_size": "bytes that were to be copied",
    "copy_room": "bytes that the buffer or field has",
    "ata_command": "ATA command that failed: `READ DMA EXT`",
    "ata_emask": "error mask of the result",
    "ata_reason": "the same in libata's words: `media error`, `timeout`, `device error`",
    "ata_status": "status bits: `DRDY ERR`",
    "ata_error": "error bits: `UNC`, `ABRT`, `ICRC`",
    "scsi_command": "SCSI command that failed: `Read(10)`",
    "scsi_hostbyte": "`DID_OK` where the disk itself answered, else what the host adapter says",
    "scsi_driverbyte": "`DRIVER_OK`, `DRIVER_SENSE`",
    "scsi_sense": "sense key: `Medium Error`, `Aborted Command`",
    "scsi_reason": "additional sense in words",
    # the request of an allocation, and the state of memory
    **ALLOCATION,
    "mce_bank": "bank of the machine check",
    "mce_severity": "`corrected`, `deferred`, `uncorrected` or `fatal`, by its status",
    "mce_code": "what the low 16 bits of the status say: `memory controller: read error, channel 1`",
    "mce_overflow": "true where errors before it were lost",
    "hw_severity": "`fatal`, `recoverable`, `corrected` or `info` by firmware; of PCIe as `Uncorrected (Non-Fatal)`",
    "hw_section": "what reports: `memory error`, `PCIe error`; of PCIe the layer: `Transaction Layer`",
    "hw_error": "the error's own name: `multi-bit ECC`, `UnsupReq`",
    "hw_place": "the DIMM or device",
    "hw_address": "physical address of the memory, in hexadecimal",
    "hw_injected": "whether the report itself says that a test took the page away, and no hardware",
    "hw_pciid": "vendor and device of PCIe's: `144d:a80a`",
    "mce_unit": "unit that found it, where the kernel names it (AMD): `Unified Memory Controller`",
    "init_status": "exit status of process 1, where it ended by itself",
    "init_signal": "signal that killed process 1: `SIGSEGV`, or its number",
    "message": "words of a warning or of a Rust panic",
    "errno": "name of the error number in them: `ENOSPC`",
    "allocations": "places that hold memory, largest first (CONFIG_MEM_ALLOC_PROFILING, v6.10+): `file:line function`",
    "allocations_in_modules": "loadable modules among them",
    # an OOM kill
    "oom.constraint": "`none`, `memcg`, `cpuset` or `memory_policy`",
    "oom.invoker": "task whose request could not be met",
    "oom.victim": "task that was killed",
    "oom.victim_pid": "its pid",
    "oom.victim_points": "its badness, recomputed from the table, in pages",
    "oom.victim_rank": "its rank by that badness, 1 is the highest",
    "oom.victim_is_highest": "no task of the table scored higher",
    "oom.victim_share": "share of the limiting memory that the victim held",
    "oom.victim_anon_kb": "anonymous memory of the victim",
    "oom.victim_file_kb": "file memory of the victim",
    "oom.victim_shmem_kb": "shared memory of the victim",
    "oom.victims": "number of tasks killed",
    "oom.nobody": "nobody could be killed",
    "oom.reaped": "the OOM reaper freed the victim's memory",
    "oom.panic": "the kernel panicked instead of killing",
    "oom.panic_on_oom": "vm.panic_on_oom made it panic",
    "highmem": "the kernel has a HighMem zone (32-bit); `false` where it has a DMA32 zone",
    "oom.allocating_task": "vm.oom_kill_allocating_task chose the victim",
    "oom.sysrq": "the kill was asked for by hand (sysrq f)",
    "oom.tasks": "tasks in the table",
    "oom.group": "memory cgroup that was killed as a whole",
    "oom.cpuset": "cpuset of the invoker",
    "oom.memcg": "memory cgroup at its limit",
    "oom.task_memcg": "memory cgroup of the victim",
    "oom.largest": "what held most memory",
    "oom.total_kb": "managed memory",
    "oom.free_kb": "free memory",
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
    "oom.unaccounted_share": "the same as a share, 0 to 1",
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
