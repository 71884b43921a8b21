"""Whether a stalled CPU only spun for a lock, on every architecture and with every kind of lock."""

import pytest

from kb import api

X86 = """\
watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [foo:214]
CPU: 1 PID: 214 Comm: foo Not tainted 6.1.20 #1
RIP: 0010:{pc}+0x1e/0x2c0
Call Trace:
 <TASK>
 {inner}+0x2e/0x30
 foo_work+0x11/0x20
 process_one_work+0x1e2/0x3b0
 worker_thread+0x50/0x3a0
 </TASK>
"""
BARE = """\
BUG: soft lockup - CPU#1 stuck for 22s! [foo:214]
Call Trace:
 {inner}+0x2e/0x30
 foo_work+0x11/0x20
 worker_thread+0x50/0x3a0
"""


def spins(text: str) -> object:
    (found,) = api.match(text.encode(), cases=())
    fact = found.facts.get("pc.spins")
    return fact.value if fact is not None else None


@pytest.mark.parametrize(
    "pc",
    [
        "native_queued_spin_lock_slowpath", "queued_spin_lock_slowpath", "__pv_queued_spin_lock_slowpath",
        "queued_read_lock_slowpath", "queued_write_lock_slowpath", "queue_read_lock_slowpath", "_raw_spin_lock",
        "_raw_spin_lock_irqsave", "__ticket_spin_lock", "_raw_read_lock", "__write_lock_failed", "do_raw_spin_lock",
        "arch_spin_lock_wait", "__spin_yield", "kvm_lock_spinning", "osq_lock", "mutex_spin_on_owner",
        "rwsem_spin_on_owner", "resilient_queued_spin_lock_slowpath", "_spin_lock", "yield_to_prev",
    ],
)  # fmt: skip
def test_the_slow_path_of_a_lock_spins(pc: str) -> None:
    assert spins(X86.format(pc=pc, inner="bar")) is True


@pytest.mark.parametrize("pc", ["kvm_wait", "pv_native_safe_halt", "native_halt", "delay_tsc", "__delay"])
def test_what_the_loop_calls_spins_where_the_loop_is_under_it(pc: str) -> None:
    assert spins(X86.format(pc=pc, inner="__pv_queued_spin_lock_slowpath")) is True
    assert spins(X86.format(pc=pc, inner="xhci_handshake")) is False


@pytest.mark.parametrize(
    "pc",
    [
        "_raw_spin_unlock_irqrestore", "foo_spin", "lockref_get", "file_read_iter", "lock_acquire", "clear_page_erms",
        "spin_locked_list", "btrfs_tree_read_lock",
    ],
)  # fmt: skip
def test_work_and_unlocking_do_not_spin(pc: str) -> None:
    assert spins(X86.format(pc=pc, inner="_raw_spin_lock")) is False


def test_without_registers_the_stack_tells_and_without_a_stack_nothing() -> None:
    assert spins(BARE.format(inner="queued_spin_lock_slowpath")) is True
    assert spins(BARE.format(inner="foo_loop")) is False
    assert spins("BUG: soft lockup - CPU#1 stuck for 22s! [foo:214]\n") is None
