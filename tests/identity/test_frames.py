"""Which frames are compared."""

from kb import api
from kb.identity.common import expected, is_common
from kb.identity.frames import names

HEAD = "[1.000001] WARNING: CPU: 0 PID: 1 at a/b.c:3 foo_a+0x1/0x2\n[1.000002] Call Trace:\n"


def of(*frames: str) -> tuple[str, ...]:
    lines = "".join(f"[1.000003]  {frame}\n" for frame in frames)
    (report,) = api.read((HEAD + lines).encode())
    return names(report)


LONG = ("foo_a+0x1/0x2", "foo_b+0x1/0x2", "foo_c+0x1/0x2", "foo_d+0x1/0x2")


def test_builds_compilers_and_plumbing_do_not_matter() -> None:
    plain = of(*LONG)
    assert plain == ("foo_a", "foo_b", "foo_c", "foo_d")
    other = of(
        "dump_stack+0x9/0x9", "foo_a.isra.0+0x99/0x100 [foo]", "? foo_odd+0x1/0x2", "foo_b.constprop.0.cold+0x1/0x9",
        "foo_c.llvm.77+0x1/0x2", "foo_d+0x3/0x4",
    )  # fmt: skip
    assert other == plain


def test_system_calls_go_by_one_name_on_all_architectures() -> None:
    assert of(*LONG, "__x64_sys_rmdir+0x1/0x2")[-1] == of(*LONG, "__arm64_sys_rmdir+0x1/0x2")[-1] == "sys_rmdir"


def test_doubtful_entries_count_only_where_little_else_is_left() -> None:
    assert "foo_odd" not in of(*LONG, "? foo_odd+0x1/0x2")
    assert of("foo_a+0x1/0x2", "? foo_odd+0x1/0x2") == ("foo_a", "foo_odd")


def test_a_function_that_repeats_itself_counts_once() -> None:
    assert of("foo_a+0x1/0x2", *LONG)[:2] == ("foo_a", "foo_b")


def test_how_tasks_and_interrupts_begin_is_common_and_drivers_are_not() -> None:
    for name in ("process_one_work", "do_syscall_64", "el0t_64_sync", "ksys_write", "__schedule", "ret_from_fork_asm"):
        assert is_common(name)
    for name in ("ext4_write_begin", "foo_work", "tcp_sendmsg", "xfs_iget", "schedule_hotplug"):
        assert not is_common(name)


def test_a_common_frame_is_taken_to_be_in_a_tenth_of_all_stacks_at_least() -> None:
    assert expected("kthread", 3, 1000) == 100
    assert expected("kthread", 300, 1000) == 300
    assert expected("foo_work", 3, 1000) == 3
