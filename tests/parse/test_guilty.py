"""Whom a report is blamed on, and that every skip has a reason."""

import itertools

import pytest

from kb.model.report import Report
from kb.parse import guilty, plumbing
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax import engine
from kb.syntax.kinds import rows
from tests.parse.skips import Sample, samples


def report(text: str) -> Report:
    (splat,) = split_lines(engine.split(text))
    return parse(splat)


WARNING = "WARNING: CPU: 0 PID: 1 at lib/x.c:1 {named}\nModules linked in:\nCall Trace:\n{stack}"


def blamed(named: str, *stack: str) -> str | None:
    return report(WARNING.format(named=named, stack="\n".join(f" {entry}" for entry in stack))).function


def test_a_helper_that_warns_is_not_blamed() -> None:
    assert blamed("drop_nlink+0x1/0x2", "foo_rmdir+0x1/0x2") == "foo_rmdir"
    assert blamed("__local_bh_enable_ip+0x1/0x2", "foo_lookup+0x1/0x2") == "foo_lookup"
    assert blamed("ref_tracker_dir_exit+0x1/0x2", "foo_free+0x1/0x2") == "foo_free"


def test_a_modules_function_is_blamed_whatever_it_is_called() -> None:
    assert blamed("refcount_add+0x1/0x2 [foo]", "bar+0x1/0x2") == "refcount_add"
    assert blamed("dump_stack+0x1/0x2", "foo_kmalloc_test+0x1/0x2 [foo]") == "foo_kmalloc_test"


def test_inlined_functions_are_not_blamed_because_only_symbolised_logs_have_them() -> None:
    stack = (" foo_inner fs/foo.c:1 [inline]", " foo_outer+0x1/0x2 fs/foo.c:2")
    assert blamed("drop_nlink+0x1/0x2", *stack) == "foo_outer"


def test_doubtful_entries_are_blamed_only_where_the_unwinder_vouches_for_none() -> None:
    assert blamed("drop_nlink+0x1/0x2", "? a+0x1/0x2", "b+0x1/0x2") == "b"
    doubtful = ("? a+0x1/0x2", "? b+0x1/0x2", "? c+0x1/0x2", "? d+0x1/0x2")
    assert blamed("drop_nlink+0x1/0x2", *doubtful) == "a"


def test_what_printed_the_stack_is_left_out_on_every_architecture() -> None:
    text = "BUG: using smp_processor_id() in preemptible [00000000] code: foo/1\nCall Trace:\n"
    stack = "walk_it show_stack dump_stack check_preemption_disabled foo".split()
    assert report(text + "\n".join(f" {name}+0x1/0x2" for name in stack)).function == "foo"


SOFT = "watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [foo:710]\nRIP: 0010:{rip}+0x6e/0x1e0\nCall Trace:\n{stack}"


def stuck(rip: str, *stack: str) -> Report:
    return report(SOFT.format(rip=rip, stack="\n".join(f" {entry}+0x1/0x2" for entry in stack)))


def test_a_stall_is_named_by_the_last_function_before_a_dispatcher() -> None:
    assert stuck("memcpy", "foo_copy", "foo_write_iter", "vfs_write", "ksys_write").function == "foo_write_iter"
    assert stuck("foo_spin", "foo_work", "process_one_work", "worker_thread").function == "foo_work"


def test_a_wait_for_other_cpus_is_one_bucket_with_the_raw_name_beside_it() -> None:
    found = stuck("smp_call_function_single", "rcu_barrier", "foo_work", "process_one_work")
    assert found.function == "smp_call_function"
    assert "BUG: soft lockup in smp_call_function_single" in found.alt_titles


def test_of_nested_interrupts_the_innermost_found_the_stall() -> None:
    stack = (
        "update_process_times hrtimer_interrupt apic_timer_interrupt foo_probe foo_timer call_timer_fn "
        "irq_exit apic_timer_interrupt bar_setsockopt __sys_setsockopt"
    ).split()
    text = "INFO: rcu_sched self-detected stall on CPU\nCall Trace:\n" + "\n".join(f" {name}+0x1/0x2" for name in stack)
    assert report(text).function == "foo_timer"


@pytest.mark.parametrize(
    "entry",
    [
        "hrtimer_interrupt __sysvec_apic_timer_interrupt asm_call_irq_on_stack asm_sysvec_apic_timer_interrupt",
        "gic_handle_irq call_on_irq_stack do_interrupt_handler el1_interrupt el1h_64_irq_handler el1h_64_irq",
        "gic_handle_irq generic_handle_arch_irq call_with_stack __irq_svc",
        "riscv_intc_irq handle_riscv_irq call_on_irq_stack do_irq handle_exception",
        "timer_interrupt decrementer_common_virt",
    ],
)
def test_the_way_into_an_interrupt_is_known_on_every_architecture(entry: str) -> None:
    stack = f"rcu_sched_clock_irq {entry} foo_spin foo_step foo_work process_one_work".split()
    text = "rcu: INFO: rcu_sched self-detected stall on CPU\nCall Trace:\n"
    assert report(text + "\n".join(f" {name}+0x1/0x2" for name in stack)).function == "foo_work"


def test_a_wait_everywhere_is_grouped() -> None:
    head = "INFO: task foo:1 blocked for more than 120 seconds.\nCall Trace:\n schedule+0x1/0x2\n"
    text = head + " {}+0x1/0x2\n foo+0x1/0x2"
    assert report(text.format("__synchronize_srcu")).function == "synchronize_rcu"
    assert report(text.format("rtnl_lock")).function == "rtnl_lock"


def test_an_irq_order_is_blamed_on_where_the_lock_became_irq_safe() -> None:
    text = """\
WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
foo/1 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:
ffff88800123a0a8 (&a){.?.+}-{2:2}, at: foo_take+0x1/0x2

and this task is already holding:
ffff88800123a1a8 (&b){....}-{2:2}, at: foo_hold+0x1/0x2
... which became HARDIRQ-irq-safe at:
  lock_acquire+0x1/0x2
  _raw_spin_lock_irqsave+0x1/0x2
  foo_interrupt+0x1/0x2
"""
    assert report(text).function == "foo_interrupt"


def test_where_all_of_a_fault_is_plumbing_its_program_counter_is_named() -> None:
    head = "BUG: unable to handle page fault for address: ffffc90ffff00008\nRIP: 0010:memcpy+0x1/0x2\n"
    assert report(head + "Call Trace:\n mutex_lock+0x1/0x2").function == "memcpy"


def test_every_group_of_plumbing_that_a_kind_names_is_there() -> None:
    groups = plumbing.rules()
    for row in rows().values():
        for skip in (*row.skip, *(name for variant in row.variants for name in variant.changes.get("skip", ()))):
            assert skip in groups, row.name


@pytest.mark.parametrize("group", plumbing.rules())
def test_a_group_skips_its_functions_and_none_that_look_like_them(group: str) -> None:
    own = [sample for sample in samples() if sample.group == group]
    assert {sample.skipped for sample in own} == {True, False}
    wrong: list[Sample] = [sample for sample in own if not sample.holds()]
    assert wrong == []


def test_every_skip_has_a_reason() -> None:
    assert all(entry.why for entries in map(plumbing.group, plumbing.rules()) for entry in entries)


@pytest.mark.parametrize("name", sorted({place for row in rows().values() for place in row.guilty}))
def test_every_place_that_a_kind_names_is_known(name: str) -> None:
    assert name in guilty._PLACES


REPORTER = (
    "CPU: 1 PID: 0 Comm: swapper/1 Not tainted 6.2.0 #1\nCall Trace:\n watchdog_timer_fn+0x1/0x2\n cpu_idle+0x1/0x2"
)
ANSWER = (
    "NMI backtrace for cpu {cpu}\nRIP: 0010:foo_spin+0x1/0x2\nCall Trace:\n foo_work+0x1/0x2\n process_one_work+0x1/0x2"
)


def test_a_hard_lockup_is_blamed_on_the_cpu_that_is_stuck_not_on_the_one_that_tells() -> None:
    head = "watchdog: CPU 1 detected hard LOCKUP on other CPUs 0\n"
    assert report(head + REPORTER).function is None
    assert report(f"{head}{REPORTER}\n{ANSWER.format(cpu=0)}").function == "foo_work"
    assert report(f"{head}{REPORTER}\n{ANSWER.format(cpu=1)}").function is None
    buddy = "watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 0\n"
    assert report(buddy + REPORTER).function is None
    assert report(f"{buddy}{ANSWER.format(cpu=0)}").function == "foo_work"


def test_a_hard_lockup_that_a_cpu_tells_of_itself_is_blamed_on_its_own_stack() -> None:
    own = "Watchdog detected hard LOCKUP on cpu 1\nCPU: 1 PID: 9 Comm: a Not tainted 6.2.0 #1\n"
    assert report(own + ANSWER.partition("\n")[2]).function == "foo_work"


def test_a_panic_for_a_soft_lockup_is_blamed_on_what_was_interrupted() -> None:
    text = "Kernel panic - not syncing: softlockup: hung tasks\nCall Trace:\n <IRQ>\n panic+0x1/0x2\n"
    stack = " watchdog_timer_fn+0x1/0x2\n </IRQ>\nRIP: 0010:foo_spin+0x1/0x2 [foo]\n foo_step+0x1/0x2 [foo]"
    got = report(text + stack)
    assert (got.title, got.function) == ("kernel panic: softlockup: hung tasks", "foo_spin")


def test_what_allocates_a_packets_memory_for_a_driver_is_not_blamed() -> None:
    stack = "warn_alloc __alloc_pages __page_frag_alloc_align __netdev_alloc_skb foo_rx_fill net_rx_action".split()
    text = "swapper/0: page allocation failure: order:0, mode:0x20\nCall Trace:\n"
    assert report(text + "\n".join(f" {name}+0x1/0x2" for name in stack)).function == "foo_rx_fill"


def test_an_interrupt_that_nobody_cared_for_is_its_handlers_where_there_is_one() -> None:
    head = 'irq 16: nobody cared (try booting with the "irqpoll" option)\nCall Trace:\n a+0x1/0x2\nhandlers:\n'
    one, two = "[<00000000a1b2c3d4>] foo_irq [foo]\n", "[<00000000a1b2c3d8>] bar_irq\n"
    alone, both = report(head + one), report(head + one + two)
    assert (alone.function, alone.module, alone.fields["handlers"]) == ("foo_irq", "foo", "foo_irq [foo]")
    assert (both.function, both.fields["handlers"]) == (None, "foo_irq [foo], bar_irq")


def test_a_stuck_workqueue_pool_is_blamed_on_what_runs_in_it() -> None:
    head = "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!\n"
    queue = (
        "Showing busy workqueues and worker pools:\nworkqueue events: flags=0x0\n"
        "  pwq 4: cpus=1 node=0 flags=0x0 nice=0 active=2/256 refcnt=3\n"
    )
    one = report(f"{head}{queue}    in-flight: 12:foo_work [foo], 13:foo_work [foo]\n    pending: bar_work\n")
    two = report(f"{head}{queue}    in-flight: 12:foo_work [foo], 13:bar_work\n")
    assert (one.function, one.module, two.function) == ("foo_work", "foo", None)


@pytest.mark.parametrize(
    ("helper", "near_miss"),
    [
        ("xas_find", "xasset_probe"),
        ("ida_free", "idaho_free"),
        ("radix_tree_insert", "radix_tree_node_alloc"),
        ("mas_store", "foo_mas_store"),
        ("test_and_clear_bit", "foo_clear_bit_rate"),
        ("bitmap_weight", "bitmap_ip_add"),
        ("hex_string", "hex_string_probe"),
        ("seq_printf", "seq_open_ioctl"),
        ("dev_vprintk_emit", "dev_vfoo_emit"),
        ("__phys_addr", "foo_phys_addr_get"),
        ("truncate_inode_pages_range", "truncate_inode_partial_page"),
        ("page_pool_put_page", "foo_page_pool_init"),
        ("cleanup_srcu_struct", "foo_srcu_notify"),
        ("__kmem_cache_alloc_node", "kmem_cache_shrink_all"),
        ("kmem_cache_alloc_noprof", "foo_profile"),
        ("trace_event_raw_event_foo", "trace_foo_event"),
        ("csum_partial", "csum_foo"),
        ("sysfs_create_dir_ns", "sysfs_foo"),
    ],
)
def test_a_helper_of_a_place_that_serves_others_is_not_blamed(helper: str, near_miss: str) -> None:
    assert blamed(f"{helper}+0x1/0x2", "foo_user+0x1/0x2") == "foo_user"
    assert blamed(f"{helper}.isra.0.cold+0x1/0x2", "foo_user+0x1/0x2") == "foo_user"
    assert blamed(f"{near_miss}+0x1/0x2", "foo_user+0x1/0x2") == near_miss


def test_a_cipher_is_a_helper_only_to_what_asks_who_wrote_the_memory() -> None:
    stack = "Call Trace:\n drbg_seed+0x1/0x2\n foo_setkey+0x1/0x2\n"
    assert report(f"BUG: KMSAN: uninit-value in aes_encrypt+0x1/0x2\n{stack}").function == "foo_setkey"
    assert report(f"BUG: KASAN: use-after-free in aes_encrypt+0x1/0x2\n{stack}").function == "aes_encrypt"


def test_a_device_is_released_by_who_holds_the_reference() -> None:
    stack = "Call Trace:\n put_device+0x1/0x2\n foo_disconnect+0x1/0x2\n"
    head = "WARNING: CPU: 0 PID: 1 at lib/refcount.c:28 refcount_warn_saturate+0x1/0x2\n"
    assert report(head + stack).function == "foo_disconnect"
    assert report(f"BUG: KASAN: use-after-free in put_device+0x1/0x2\n{stack}").function == "put_device"


def test_an_allocator_that_crashed_names_its_caller_as_well() -> None:
    head = "BUG: unable to handle page fault for address: ffff888012345678\nRIP: 0010:{pc}+0x1/0x2\nCall Trace:\n"
    got = report(head.format(pc="kmem_cache_alloc") + " foo_open+0x1/0x2\n")
    assert got.function == "kmem_cache_alloc"
    assert "BUG: unable to handle kernel paging request in foo_open" in got.alt_titles
    other = report(head.format(pc="foo_read") + " foo_open+0x1/0x2\n")
    assert other.alt_titles == ("bad-access in foo_read",)


def test_where_all_of_a_warnings_stack_is_plumbing_its_headline_names_the_function() -> None:
    assert blamed("__virt_to_phys+0x1/0x2", "__warn+0x1/0x2", "ret_from_exception+0x1/0x2") == "__virt_to_phys"


def test_what_is_inlined_into_the_guilty_function_is_an_alternative() -> None:
    stack = (
        " foo_inner fs/foo.c:1 [inline]",
        " foo_outer+0x1/0x2 fs/foo.c:2",
        " bar fs/bar.c:1 [inline]",
        " baz+0x1/0x2",
    )
    text = WARNING.format(named="drop_nlink+0x1/0x2", stack="\n".join(stack))
    assert (report(text).title, report(text).alt_titles) == ("WARNING in foo_outer", ("WARNING in foo_inner",))


NMI = (
    "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n(detected by 1, t=21002 jiffies, g=29066, q=1109)\n"
    "Sending NMI from CPU 1 to CPUs 3:\nNMI backtrace for cpu 3\nCPU: 3 PID: 42 Comm: a Not tainted 6.1.0 #1\n"
    "RIP: 0010:{rip}+0x1/0x2\nCall Trace:\n <IRQ>\n{inside}\n net_rx_action+0x1/0x2\n __do_softirq+0x1/0x2\n"
    " common_interrupt+0x1/0x2\n </IRQ>\n <TASK>\n asm_common_interrupt+0x1/0x2\nRIP: 0010:{into}+0x1/0x2\n{outside}\n"
)


def caught(rip: str, inside: str, into: str, outside: str) -> Report:
    text = NMI.format(
        rip=rip, into=into, inside=f" {inside}", outside="\n".join(f" {one}" for one in outside.split(", "))
    )
    return report(text)


WRITES = "foo_write+0x1/0x2, vfs_write+0x1/0x2, do_syscall_64+0x1/0x2"


def test_an_interrupt_that_an_nmi_caught_at_work_is_blamed_and_not_what_it_came_into() -> None:
    for rip in ("native_queued_spin_lock_slowpath", "bar_loop"):
        got = caught(rip, "_raw_spin_lock+0x1/0x2\n bar_poll+0x1/0x2 [bar]", "foo_mark", WRITES)
        assert got.function == "bar_poll"
        assert "INFO: rcu detected stall in foo_write" in got.alt_titles
    assert caught("bar_loop", "bar_poll+0x1/0x2", "foo_mark", WRITES).function == "bar_poll"


def test_an_interrupt_that_waits_for_code_of_its_own_kind_is_the_fault_of_what_it_came_into() -> None:
    spins = "_raw_spin_lock+0x1/0x2\n bar_poll+0x1/0x2"
    got = caught("native_queued_spin_lock_slowpath", spins, "foo_mark", WRITES)
    assert got.function == "foo_write"
    assert "INFO: rcu detected stall in bar_poll" in got.alt_titles
    same = caught(
        "native_queued_spin_lock_slowpath", f"{spins} [foo]", "foo_mark", "foo_ioctl+0x1/0x2 [foo], " + WRITES
    )
    assert same.function == "foo_ioctl"


def test_an_interrupt_that_waits_is_not_the_fault_of_another_subsystem_or_of_an_idle_cpu() -> None:
    spins = "_raw_spin_lock+0x1/0x2 kernel/locking/spinlock.c:1\n bar_poll+0x1/0x2 net/bar/bar.c:1"
    elsewhere = "foo_write+0x1/0x2 fs/foo/file.c:1, vfs_write+0x1/0x2 fs/read_write.c:1"
    near = elsewhere.replace("fs/foo", "net/foo")
    idle = "default_idle+0x1/0x2, do_idle+0x1/0x2, cpu_startup_entry+0x1/0x2"
    assert caught("queued_spin_lock_slowpath", spins, "foo_mark", elsewhere).function == "bar_poll"
    assert caught("queued_spin_lock_slowpath", spins, "foo_mark", near).function == "foo_write"
    assert caught("queued_spin_lock_slowpath", spins, "native_safe_halt", idle).function == "bar_poll"


def test_a_fault_that_a_copy_to_user_memory_took_is_served_for_the_system_call() -> None:
    fault = (
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n(detected by 1, t=2 jiffies, g=4, q=2)\nCall Trace:\n"
        " __schedule+0x1/0x2\n preempt_schedule_irq+0x1/0x2\n irqentry_exit+0x1/0x2\n"
        " asm_sysvec_apic_timer_interrupt+0x1/0x2\n"
        "RIP: 0010:foo_loop+0x1/0x2\n do_page_mkwrite+0x1/0x2\n handle_mm_fault+0x1/0x2\n exc_page_fault+0x1/0x2\n"
        " asm_exc_page_fault+0x1/0x2\nRIP: 0010:{at}+0x1/0x2\n foo_read_iter+0x1/0x2\n vfs_read+0x1/0x2\n"
    )
    copied, own = report(fault.format(at="copy_user_generic_string")), report(fault.format(at="foo_touch"))
    assert copied.function == "foo_read_iter"
    assert "INFO: rcu detected stall in do_page_mkwrite" in copied.alt_titles
    assert own.function == "do_page_mkwrite"


@pytest.mark.parametrize(
    "dispatcher", ["store", "dev_attr_store", "sysfs_kf_write", "kernfs_fop_write_iter", "seq_read_iter"]
)
def test_files_of_sysfs_and_sequences_only_dispatch(dispatcher: str) -> None:
    assert stuck("foo_wait", "foo_set", dispatcher, "vfs_write").function == "foo_set"
    assert stuck("foo_wait", "foo_set", f"foo_{dispatcher}", "vfs_write").function == f"foo_{dispatcher}"


def test_a_soft_lockup_without_registers_is_blamed_on_what_its_own_interrupt_came_into() -> None:
    head = "watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [foo:710]\nCall Trace:\n <IRQ>\n dump_stack+0x1/0x2\n"
    tick = " watchdog_timer_fn.cold+0x1/0x2\n hrtimer_interrupt+0x1/0x2\n asm_call_irq_on_stack+0x1/0x2\n </IRQ>\n"
    assert report(f"{head}{tick} foo_exp_gp+0x1/0x2\n worker_thread+0x1/0x2\n").function == "foo_exp_gp"


def test_an_arm_stack_ends_with_the_entry_from_user_space() -> None:
    def chain(*names: str) -> str:
        pairs = itertools.pairwise(names)
        return "".join(f"[<80000000>] ({callee}) from [<80000004>] ({caller}+0x1/0x2)\n" for callee, caller in pairs)

    head = "INFO: rcu_sched detected stalls on CPUs/tasks:\n(detected by 0, t=2 jiffies, g=4, c=3, q=6)\nBacktrace: \n"
    own = chain("rcu_check_callbacks", "tick_periodic", "__irq_svc", "foo_wait", "ksys_foo", "ret_fast_syscall")
    other = chain("__schedule", "schedule", "rcu_gp_kthread", "kthread", "ret_from_fork")
    got = report(head + own + other)
    assert got.function == "foo"
    assert "INFO: rcu detected stall in ksys_foo" in got.alt_titles
    assert [trace.frames[-1].function for trace in got.traces] == ["ret_fast_syscall", "ret_from_fork"]
