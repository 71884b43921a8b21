"""Reports of one incident stand under one of them, and the safest advice wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import api
from kb.identity.group import Group, Groups
from kb.render.answer import answer
from kb.words.speak import words

ROOT = Path(__file__).resolve().parents[2]
EN = words("en")


def groups(log: bytes) -> list[Group]:
    held = Groups()
    for found in api.match(log):
        held.add(found)
    return list(held.take())


def part(group: Group, name: str) -> str:
    return next((one.text for one in answer(group.first, EN, group) if one.name == name), "")


BTRFS = b"""\
[ 7897.708994] BTRFS: error (device sdb: state A) in __btrfs_free_extent:3092: errno=-28 No space left
[ 7966.824906] BTRFS: error (device sdb: state EA) in btrfs_sync_log:3161: errno=-5 IO failure
[11050.499696] BTRFS error (device %b: state EA): parent transid verify failed on logical 5421 mirror 2 wanted 4 found 3
"""


def test_of_two_opposite_advices_the_gravest_wins_and_the_others_point_to_it() -> None:
    lead, *others = groups(BTRFS % b"sdb")
    assert lead.first.best is not None
    assert lead.first.best.case.id == "btrfs-corruption"
    assert lead.beside == others
    now = part(lead, "now")
    assert now.startswith("mount -o ro,rescue=all /dev/sdb")
    assert [part(one, "now") for one in others] == [f"as report {lead.number}: {now}"] * len(others)
    assert all(f"part of report {lead.number}" in part(one, "seen") for one in others)
    assert not any(part(one, "risk") or part(one, "next") for one in others)


def test_another_file_system_is_another_incident() -> None:
    found = groups(BTRFS % b"sdc")
    assert [one.lead is None for one in found] == [True, False, True]


HUNG = b"""\
[%5d.000000] INFO: task %b:%d blocked for more than 120 seconds.
[%5d.000001]       Not tainted 6.1.0 #1
[%5d.000002] task:%-15b state:D stack:0     pid:%-5d ppid:1      flags:0x0
[%5d.000003] Call Trace:
[%5d.000004]  __schedule+0x10/0x20
[%5d.000005]  schedule+0x10/0x20
[%5d.000006]  %b+0x10/0x20
[%5d.000007]  %b+0x10/0x20
"""


def hung(at: int, comm: bytes, pid: int, waits: bytes, function: bytes) -> bytes:
    return HUNG % (at, comm, pid, at, at, comm, pid, at, at, at, at, waits, at, function)


LOCKUP = b"""\
[%5d.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [postgres:2211]
[%5d.000001] CPU: 1 PID: 2211 Comm: postgres Not tainted 6.1.0 #1
[%5d.000002] RIP: 0010:foo_spin+0x10/0x20
[%5d.000003] Call Trace:
[%5d.000004]  foo_ioctl+0x10/0x20
"""


def lockup(at: int) -> bytes:
    return LOCKUP % ((at,) * 5)


def test_what_was_stuck_at_one_time_is_one_incident_and_what_keeps_most_from_running_leads() -> None:
    log = hung(300, b"umount", 77, b"rwsem_down_write_slowpath", b"bar_umount") + lockup(310)
    lead, other = groups(log)
    assert (lead.first.report.kind, other.first.report.kind) == ("soft_lockup", "hung_task")
    assert other.lead is lead


def test_what_was_stuck_at_another_time_is_another_incident() -> None:
    assert [one.lead for one in groups(lockup(300) + hung(9000, b"umount", 77, b"foo_wait", b"bar_umount"))] == [
        None
    ] * 2


@pytest.mark.parametrize(
    ("waits", "function", "one"),
    [
        (b"rwsem_down_write_slowpath", b"bar_umount", True),  # for a task: which one, the stack does not tell
        (b"wait_for_completion", b"synchronize_rcu", True),  # for all CPUs
        (b"wait_for_completion", b"foo_ioctl", True),  # in a function that the stuck CPU is in
        (b"wait_for_completion", b"bar_probe", False),  # for a device that has nothing to do with it
        (b"schedule_timeout", b"bar_poll", False),
    ],
)
def test_a_stuck_cpu_and_a_task_are_one_incident_where_something_printed_ties_them(
    waits: bytes, function: bytes, one: bool
) -> None:
    first, other = groups(hung(300, b"umount", 77, waits, function) + lockup(310))
    assert (first.incident == other.incident) is one


def test_who_waits_for_a_lock_is_not_joined_to_others_where_its_holder_was_printed() -> None:
    log = (
        hung(500, b"holder", 5, b"schedule_timeout", b"foo_hold")
        + hung(501, b"waiter", 6, b"mutex_lock", b"foo_hold")
        + hung(502, b"other", 7, b"wait_for_completion", b"bar_probe")
    )
    holder, waiter, other = groups(log)
    assert waiter.incident == holder.incident != other.incident


def test_the_task_that_the_kernel_names_as_owner_is_of_the_incident() -> None:
    owned = b"[  501.000008] INFO: task waiter:6 is blocked on a mutex likely owned by task holder:5.\n"
    log = hung(500, b"holder", 5, b"schedule_timeout", b"bar_hold") + hung(501, b"waiter", 6, b"mutex_lock", b"foo_get")
    lines = log.splitlines(keepends=True)
    found = groups(b"".join((*lines[:9], owned.replace(b"01.000008", b"01.000001"), *lines[9:])))
    assert [one.incident for one in found] == [found[0].number] * 2


def test_tasks_in_the_layers_of_storage_wait_for_one_device_and_others_do_not() -> None:
    log = (
        hung(500, b"sync", 5, b"folio_wait_writeback", b"ext4_sync_file")
        + hung(501, b"md0_raid1", 7, b"md_super_wait", b"md_bitmap_daemon_work")
        + hung(502, b"probe", 9, b"wait_for_completion", b"bar_probe")
    )
    found = {one.first.report.comm: one.incident for one in groups(log)}
    assert found["sync"] == found["md0_raid1"] != found["probe"]


def test_of_tasks_that_hang_at_once_the_lowest_layer_leads() -> None:
    log = (
        hung(500, b"sync", 5, b"folio_wait_writeback", b"ext4_sync_file")
        + hung(501, b"jbd2/md0-8", 6, b"bit_wait_io", b"do_get_write_access")
        + hung(502, b"md0_raid1", 7, b"mutex_lock", b"md_bitmap_daemon_work")
    )
    lead, *others = groups(log)
    assert lead.first.report.function == "md_bitmap_daemon_work"
    assert [one.lead for one in others] == [lead, lead]


KASAN = b"""\
[  100.000000] EXT4-fs error (device loop0): ext4_readdir:260: inode #2: comm %b: bad entry in directory
[  100.100000] ==================================================================
[  100.100001] BUG: KASAN: slab-use-after-free in ext4_read_inline_dir+0x10/0x20
[  100.100002] Read of size 4 at addr ffff888012345678 by task %b/77
[  100.100003] CPU: 0 PID: 77 Comm: %b Not tainted 6.10.0 #1
[  100.100004] Call Trace:
[  100.100005]  ext4_read_inline_dir+0x10/0x20
[  100.100006]  ext4_readdir+0x10/0x20
"""


@pytest.mark.parametrize(
    ("comm", "words_of"), [(b"syz-executor1", "no fsck on it"), (b"ls", "restart before any fsck")]
)
def test_misused_memory_leads_and_no_disk_is_repaired_by_it(comm: bytes, words_of: str) -> None:
    lead, other = groups(KASAN % (comm, comm, comm))
    assert lead.first.report.kind == "kasan"
    assert words_of in part(lead, "now")
    assert "e2fsck" not in part(other, "now")


def test_a_fault_leads_the_warning_of_the_same_task() -> None:
    warning = (
        b"[   50.000000] WARNING: CPU: 0 PID: 77 at kernel/x.c:5 foo+0x1/0x20\n"
        b"[   50.000001] CPU: 0 PID: 77 Comm: kt Not tainted 6.1.0 #1\n"
        b"[   50.000002] Call Trace:\n[   50.000003]  foo+0x1/0x20\n"
        b"[   50.000004] ---[ end trace 0000000000000000 ]---\n"
    )
    fault = (
        b"[   5%d.500000] BUG: kernel NULL pointer dereference, address: 0000000000000058\n"
        b"[   5%d.500001] Oops: 0000 [#1] PREEMPT SMP\n[   5%d.500002] CPU: 0 PID: 77 Comm: kt Not tainted 6.1.0 #1\n"
        b"[   5%d.500003] RIP: 0010:bar+0x10/0x20\n[   5%d.500004] Call Trace:\n[   5%d.500005]  bar+0x10/0x20\n"
    )
    lead, other = groups(warning + fault % ((0,) * 6))
    assert (lead.first.report.kind, other.lead) == ("oops", lead)
    assert [one.lead for one in groups(warning + fault % ((9,) * 6))] == [None, None]


def test_each_report_alone_is_in_no_incident() -> None:
    held = Groups()
    for found in api.match(BTRFS % b"sdb"):
        held.add(found, apart=True)
    assert [one.lead for one in held.take()] == [None] * 3


SAMPLES = [lockup(300), hung(320, b"umount", 77, b"foo_wait", b"bar_umount"), BTRFS % b"sdb", KASAN % ((b"ls",) * 3)]


@given(st.lists(st.sampled_from(SAMPLES), min_size=1, max_size=6))
def test_every_group_is_told_once_and_has_at_most_one_lead(parts: list[bytes]) -> None:
    found = groups(b"".join(parts))
    assert len({one.number for one in found}) == len(found)
    for one in found:
        assert one.lead is None or (one.lead.lead is None and one in (*one.lead.beside, *one.lead.under))
        assert one.lead is None or found.index(one.lead) < found.index(one)
