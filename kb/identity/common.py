"""Frames that stand in many stacks whatever went wrong: how a task, an interrupt or a system call begins.

A store learns how rare a frame is from its own stacks; a small or new one has seen too few. What is listed here is
taken to stand in a tenth of all stacks at least. Read in the sources: arch/*/entry, kernel/{workqueue,kthread,fork}.c,
kernel/sched/core.c, kernel/softirq.c, kernel/time/{hrtimer,timer,tick-*}.c, fs/{read_write,ioctl,open,file_table}.c,
net/socket.c, drivers/base/{dd,bus}.c, init/main.c.
"""

import functools
import re

COMMON = re.compile(
    r"(?:"
    # how the kernel was entered
    r"do_syscall_\w+|(?:x32_|ia32_)?sys_call_table|entry_\w+|el0t?_\w+|el1h?_\w+|do_el0_svc\w*|invoke_syscall|el0_svc"
    r"|system_call\w*|syscall_\w+|ret_fast_syscall|do_(?:fast|int80)_syscall\w*|__do_fast_syscall_32|tracesys\w*"
    r"|handle_sys\w*|do_trap_ecall_u|x64_sys_call|(?:exit_to|prepare_exit_to)_user\w*|do_notify_resume|task_work_run"
    r"|do_signal|get_signal|do_group_exit|do_exit|ret_from_\w+|kernel_thread_helper|start_thread"
    # threads and work
    r"|kthread|worker_thread|process_one_work|process_scheduled_works|smpboot_thread_fn|rescuer_thread|run_ksoftirqd"
    r"|cpu_startup_entry|do_idle|default_idle\w*|start_secondary|secondary_start\w*|rest_init|start_kernel"
    r"|kernel_init\w*|do_one_initcall|do_initcalls|do_basic_setup|x86_64_start_\w+|arch_call_rest_init"
    # waiting
    r"|__schedule|schedule|schedule_timeout|io_schedule\w*|schedule_preempt_disabled|__cond_resched|context_switch"
    # interrupts, softirqs and timers
    r"|(?:asm_)?(?:sysvec|common)_\w*interrupt|(?:smp_)?apic_timer_interrupt|hrtimer_interrupt|__hrtimer_run_queues"
    r"|tick_\w+|update_process_times|irq_exit\w*|__irq_exit_rcu|__?do_softirq|do_softirq\w*|handle_softirqs"
    r"|run_timer_softirq|__run_timers?|call_timer_fn|expire_timers|net_rx_action|gic_handle_irq|__?handle_domain_irq"
    r"|handle_irq\w*|generic_handle_\w+|do_IRQ|ret_from_intr"
    # files, sockets, modules, drivers
    r"|(?:__)?vfs_(?:read|write|writev|ioctl|fsync\w*|open|get_tree|kern_mount)|k?sys_\w+|do_vfs_ioctl|new_sync_\w+"
    r"|__se_sys_\w+|__do_sys_\w+|do_sys_\w+|____?fput|__fput|do_filp_open|path_openat|do_mount|path_mount|sock_sendmsg\w*"
    r"|__sock_sendmsg|____?sys_sendmsg|__sys_\w+|sock_ioctl|sock_write_iter|netlink_(?:unicast\w*|sendmsg|rcv_skb)"
    r"|driver_probe_device|__driver_probe_device|really_probe|call_driver_probe|bus_for_each_\w+|bus_(?:add|probe)_\w+"
    r"|__?device_attach\w*|__driver_attach|driver_attach|driver_register|device_add|do_init_module|load_module"
    r"|read|write|ioctl|open|openat|close|mount|clone|socket|bind|sendto|sendmsg|setsockopt|exit_group|init_module"
    r"|finit_module|delete_module|execve|munmap|mmap|futex|umount"
    # page faults of user space
    r"|handle_mm_fault|__handle_mm_fault|do_user_addr_fault|do_page_fault|exc_page_fault|asm_exc_page_fault"
    r")"
)
SHARE = 0.1


@functools.lru_cache(maxsize=8192)
def is_common(name: str) -> bool:
    """True for a frame that says little of what went wrong."""
    return COMMON.fullmatch(name) is not None


def expected(name: str, held: int, total: int) -> int:
    """Stacks that hold a frame, of so many: as counted, or a tenth of all for one that is common everywhere."""
    return max(held, int(total * SHARE)) if is_common(name) else held
