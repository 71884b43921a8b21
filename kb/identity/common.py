"""Frames that stand in many stacks whatever went wrong: how a task, an interrupt or a system call begins.

A store learns how rare a frame is from its own stacks; a small or new one has seen too few. What is listed here is
taken to stand in a tenth of all stacks at least. Read in the sources: arch/*/entry, kernel/{workqueue,kthread,fork}.c,
kernel/sched/core.c, kernel/softirq.c, kernel/time/{hrtimer,timer,tick-*}.c, fs/{read_write,ioctl,open,file_table}.c,
net/socket.c, drivers/base/{dd,bus}.c, init/main.c.
"""

import functools
from collections.abc import Sequence

from kb.model.lazy import Lazy
from kb.syntax.sets import Nominate, nominator

COMMON = Lazy(
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
GENERIC = Lazy(
    r"(?:"
    # reports or checks for whoever it was called by (net/sched/sch_generic.c, fs/dcache.c, kernel/workqueue.c,
    # lib/dynamic_queue_limits.c, kernel/trace/ftrace.c, lib/{kobject,refcount,list_debug,ref_tracker}.c,
    # fs/{sysfs,proc,debugfs,kernfs}, mm/page_counter.c, kernel/dma/debug.c, net/core/{sock,skbuff,dev}.c)
    r"dev_watchdog|ass(?:ert)?fail|fortify_panic|usercopy_abort|umount_check|do_one_tree|shrink_dcache_\w+|generic_shutdown_super|check_flush_dependency"
    r"|warn_flush_attempt|dql_\w+|ftrace_(?:bug|\w*replace_code|modify\w*|run\w*|startup\w*|shutdown\w*)"
    r"|k(?:object|set|ref)_\w+|refcount_\w+|__list_\w+|list_(?:add|del)\w*|__?ref_tracker\w*|sysfs_\w+|kernfs_\w+"
    r"|internal_create_group\w*|create_files|proc_(?:register|create\w*)|remove_proc_\w+|debugfs_\w+|page_counter_\w+"
    r"|check_(?:unmap|sync|for_\w+)|add_dma_entry|debug_dma_\w+|debug_\w*object\w*|__warn_\w+|warn_\w+"
    r"|(?:__)?netdev_\w*wait_allrefs\w*|unregister_netdevice_\w+|__?dev_(?:open|close)\w*|dev_set_\w+"
    r"|device_(?:add|del|register|release)|devres_\w+|ida_\w+|idr_\w+|xa_\w+|xas_\w+"
    r"|kernel_init_\w+|cleanup_\w*srcu\w*|__flush_\w+|flush_(?:work|workqueue|delayed_work)|destroy_workqueue"
    r"|skb_(?:panic|release_\w+|warn_\w+)|kfree_skb\w*|sk_stream_kill_queues|inet_sock_destruct"
    r"|netif_\w+|__napi_poll|drm_\w*wait_for_\w+|_?regulator_put"
    # waits
    r"|(?:add|remove)_wait_queue\w*|prepare_to_wait\w*|finish_wait|autoremove_wake\w*|(?:__)?wake_up\w*"
    r"|(?:__|_)?synchronize_\w+|rcu_(?:barrier|gp|exp|check|core|do_batch)\w*|srcu_\w+|rtnl_\w*lock\w*|lock_sock\w*"
    r"|smp_call_function\w*|generic_exec_single|csd_lock\w*|on_each_cpu\w*|stop_\w*cpus?\w*|multi_cpu_stop"
    r"|(?:__|do_)?wait_\w+|\w*_wait_for_\w+|\w*wait_for_completion\w*|bit_wait\w*|out_of_line_wait\w+"
    r"|(?:__)?(?:mutex|rt_mutex|rwsem|down|up|percpu_rwsem|percpu_down)\w*|\w*_(?:spin|read|write)_(?:un)?lock\w*"
    r"|queued_\w+|native_\w+|\w*spin_lock\w*|schedule_\w+|msleep\w*|usleep\w*|\w*(?:u|m|n)delay|delay_\w+"
    r"|throttle_\w+|balance_dirty_\w+|folio_wait_\w+|writeback_\w+|wb_\w+"
    r"|jbd2_log_\w+|kthread_\w+|(?:__)?cancel_work\w*|del_timer\w*|(?:hr)?timer_\w+|flush_\w*tlb\w*"
    # dispatches, or does for everybody what they ask for
    r"|kvm_\w*_ioctl\w*|vcpu_(?:enter_guest|run)"
    r"|cpu_\w*idle\w*|cpuidle_\w+|(?:arch|default|acpi|intel|mwait|pv|xen)_\w*(?:idle|halt)\w*|finish_task_switch\w*"
    r"|__?do_softirq\w*|tasklet_\w+|__?run_\w+|notifier_call_chain|\w+_notifier_call_chain|process_backlog"
    r"|__netif_\w+|console_\w+|printk\w*|vprintk\w*|serial\w*_console_\w+|panic|nmi_\w+|watchdog(?:_timer_fn|_overflow_callback|_timer)?"
    r"|seq_\w+|\w*_attr_(?:show|store)|dpm_\w+|device_(?:resume|suspend)\w*|platform_(?:probe|remove|drv_\w+)|pci_(?:device|pm)_\w+"
    r"|__alloc_(?:pages|frozen|skb|percpu)\w*|alloc_(?:pages|skb)\w*|get_page_from_freelist|k[mvcz]?\w?alloc\w*"
    r"|__k\w*alloc\w*|kmem_cache_\w+|kv?free\w*|v(?:malloc|free)\w*|free_(?:unref|pcp|frozen|huge)\w*|put_page\w*"
    r"|(?:__)?(?:put|get|try_get|try_grab)_(?:page|folio)\w*|bad_page|rmqueue\w*|__rmqueue\w*|__del_page\w+"
    r"|shrink_\w+|do_shrink\w+|kswapd\w*|balance_pgdat|do_try_to_free_pages|mem(?:cpy|set)\w*"
    r")"
)
"""Functions that report, wait, dispatch or serve everybody: that a report names one says nothing of whose bug it is."""
SHARE = 0.1


@functools.lru_cache(maxsize=8192)
def is_common(name: str) -> bool:
    """True for a frame that says little of what went wrong."""
    found = _found(name)
    return COMMON.compiled.fullmatch(name) is not None if found is None else 0 in found


@functools.lru_cache(maxsize=8192)
def is_generic(name: str) -> bool:
    """True for a function whose name in a title does not tell one bug from another."""
    found = _found(name)
    return is_common(name) or (GENERIC.compiled.fullmatch(name) is not None if found is None else 1 in found)


def _found(name: str) -> Sequence[int] | None:
    """Which of the two a name is, None where a set cannot tell."""
    test = _test() if name.isascii() else None
    return None if test is None else test(name) or ()


@functools.cache
def _test() -> Nominate | None:
    """Both patterns at once: they are plain, and dear to compile."""
    return nominator((COMMON.source, GENERIC.source), whole=True)


def expected(name: str, held: int, total: int) -> int:
    """Stacks that hold a frame, of so many: as counted, or a tenth of all for one that is common everywhere."""
    return max(held, int(total * SHARE)) if is_common(name) else held
