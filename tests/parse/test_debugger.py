"""Stacks from a debugger: the task in which the kernel went down is a report, who only ran beside it is none."""

from kb import api

BYSTANDER = b"""\
PID: 0        TASK: ffffffff82a13940  CPU: 0    COMMAND: "swapper/0"
 #0 [fffffe0000009e50] crash_nmi_callback at ffffffff81055f23
 #1 [fffffe0000009ef0] end_repeat_nmi at ffffffff81c0170b
    [exception RIP: native_safe_halt+14]
 #2 [ffffffff82a03e78] default_idle at ffffffff81a1fdfa

"""
DOWN = b"""\
PID: 4242  TASK: ffff9780a738af70  CPU: 16  COMMAND: "cat"
 #0 [ffff97743cb5f9f8] machine_kexec at ffffffff9666178a
 #1 [ffff97743cb5fb28] oops_end at ffffffff96713ce0
 #2 [ffff97743cb5fcb0] page_fault at ffffffff96d17758
    [exception RIP: strchr]
    RIP: ffffffff96954850  RSP: ffff97743cb5fd60  RFLAGS: 00010202
 #3 [ffff97743cb5fb40] bar_check at ffffffff96d18738 [bar]
"""


def test_of_all_cpus_the_one_that_took_the_kernel_down_is_the_report() -> None:
    (report,) = api.read(b"crash> bt -a\n" + BYSTANDER + DOWN + b"\n" + BYSTANDER)
    assert (report.kind, report.comm, report.pid, report.cpu) == ("debugger", "cat", 4242, 16)
    assert (report.function, report.module) == ("bar_check", "bar")


def test_tasks_that_sleep_are_no_report() -> None:
    assert list(api.read(BYSTANDER * 20)) == []
    assert (
        list(
            api.read(b"#0  context_switch (kernel/sched/core.c:5209:2)\n#1  __schedule (kernel/sched/core.c:6521:8)\n")
        )
        == []
    )


def test_the_log_command_is_a_log() -> None:
    log = b"crash> log\n[    1.000000] Kernel panic - not syncing: x\n"
    (report,) = api.read(log)
    assert report.title == "kernel panic: x"
