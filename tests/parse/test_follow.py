"""First causes: which report follows on from which."""

from dataclasses import replace

import pytest

from kb import api
from kb.cases.predicate import parse as parse_predicate
from kb.model.case import Case
from kb.model.report import Report
from kb.parse.follow import follow
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax import engine


def chain(text: str) -> list[Report]:
    return list(follow(parse(splat) for splat in split_lines(engine.split(text))))


OOPS = """\
BUG: kernel NULL pointer dereference, address: 0000000000000058
Oops: 0000 [#1] SMP
CPU: 1 PID: 99 Comm: kt Not tainted 6.1.0 #1
RIP: 0010:foo+0x1b/0x30
Call Trace:
 bar+0x1/0x2
---[ end trace 0000000000000000 ]---
"""


def hung(pid: int, function: str, extra: str = "") -> str:
    head = f"INFO: task t{pid}:{pid} blocked for more than 120 seconds.\n      Not tainted 6.1.0 #1\n{extra}"
    task = f"task:t{pid}              state:D stack:0     pid:{pid}   ppid:1      flags:0x00004002\n"
    return head + task + f"Call Trace:\n schedule+0x1/0x2\n {function}+0x1/0x2\n"


def test_a_panic_follows_the_oops_before_it_and_is_then_whole() -> None:
    oops, panic = chain(OOPS + "Kernel panic - not syncing: Fatal exception\n")
    assert (oops.follows, panic.follows) == (None, 0)
    assert panic.corrupted is None


def test_a_panic_alone_says_that_its_cause_is_lost() -> None:
    (panic,) = chain("Kernel panic - not syncing: Fatal exception in interrupt\n")
    assert panic.follows is None
    assert panic.corrupted == "the report that this panic follows is not in the log"


def test_what_a_dying_task_prints_follows_its_oops() -> None:
    atomic = (
        "BUG: scheduling while atomic: kt/99/0x00000002\nCPU: 1 PID: 99 Comm: kt Tainted: G      D    6.1.0 #1\n"
        "Call Trace:\n __schedule_bug+0x1/0x2\n do_task_dead+0x1/0x2\n do_exit+0x1/0x2\n"
    )
    assert [report.follows for report in chain(OOPS + atomic)] == [None, 0]
    stranger = atomic.replace("kt/99", "other/7").replace("PID: 99 Comm: kt", "PID: 7 Comm: other")
    assert [report.follows for report in chain(OOPS + stranger)] == [None, None]


def test_tasks_that_hang_in_one_function_are_one_wave() -> None:
    assert [report.follows for report in chain(hung(1, "foo") + hung(2, "foo") + hung(3, "bar"))] == [None, 0, None]


def test_a_task_that_waits_for_a_hung_owner_follows_it() -> None:
    waiter = hung(2, "bar", "INFO: task t2:2 is blocked on a mutex likely owned by task t1:1.\n")
    assert [report.follows for report in chain(hung(1, "foo") + waiter)] == [None, 0]


def test_an_allocation_failure_of_the_oom_killers_victim_follows_the_kill() -> None:
    oom = (
        "eater invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
        "CPU: 0 PID: 5 Comm: eater Not tainted 6.1.0 #1\nCall Trace:\n out_of_memory+0x1/0x2\n"
        "Out of memory: Killed process 5 (eater) total-vm:1kB, anon-rss:1kB\n"
    )
    failure = (
        "{0}: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)\nCall Trace:\n"
        " warn_alloc+0x1/0x2\n foo+0x1/0x2\n"
    )
    assert [report.follows for report in chain(oom + failure.format("eater"))] == [None, 0]
    assert [report.follows for report in chain(oom + failure.format("other"))] == [None, None]


def test_a_crash_that_was_asked_for_follows_nothing() -> None:
    panic = "sysrq: Trigger a crash\nKernel panic - not syncing: sysrq triggered crash\nCall Trace:\n panic+0x1/0x2\n"
    assert [report.follows for report in chain(OOPS + panic)] == [None, None]


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("softlockup: hung tasks", "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [foo:214]"),
        ("Hard LOCKUP", "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1"),
        ("Watchdog detected hard LOCKUP on cpu 1", "NMI watchdog: Watchdog detected hard LOCKUP on cpu 1"),
        ("RCU Stall", "rcu: INFO: rcu_sched self-detected stall on CPU"),
    ],
)
def test_the_panic_that_a_watchdog_was_set_to_follows_its_report(what: str, cause: str) -> None:
    stack = "CPU: 1 PID: 214 Comm: foo Not tainted 6.1.0 #1\nCall Trace:\n foo_loop+0x1/0x2\n foo_work+0x1/0x2\n"
    panic = f"Kernel panic - not syncing: {what}\n{stack}"
    assert [report.follows for report in chain(f"{cause}\n{stack}{panic}")] == [None, 0]
    assert [report.follows for report in chain(hung(1, "foo") + panic)] == [None, None]


def test_the_oops_of_process_1_kills_it_and_that_of_another_does_not() -> None:
    panic = (
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
        "CPU: 1 PID: 1 Comm: systemd Tainted: G      D    6.1.0 #1\nCall Trace:\n panic+0x1/0x2\n do_exit+0x1/0x2\n"
    )
    own = OOPS.replace("PID: 99 Comm: kt", "PID: 1 Comm: systemd")
    assert [report.follows for report in chain(own + panic)] == [None, 0]
    assert [report.follows for report in chain(OOPS + panic)] == [None, None]


def test_an_oops_that_counts_itself_the_second_follows_the_first() -> None:
    second = OOPS.replace("[#1]", "[#2]").replace("PID: 99 Comm: kt", "PID: 7 Comm: other").replace("foo+", "baz+")
    assert [report.follows for report in chain(OOPS + second)] == [None, 0]
    assert [report.follows for report in chain(OOPS + second.replace("[#2]", "[#1]"))] == [None, None]


def test_a_crash_that_was_asked_for_is_no_part_of_a_report_without_a_stack() -> None:
    bug = (
        "[  1.000000] BUG: unable to handle kernel NULL pointer dereference at 000000000000058c\n"
        "[  1.000100] IP: [<ffffffff8148e81d>] foo+0x2bd/0x3410\n[  2.000000] usb 3-8.2: new device\n"
    )
    for what in ("sysrq triggered crash", "VFS: Unable to mount root fs on unknown-block(0,0)"):
        panic = (
            f"[  2.000100] Kernel panic - not syncing: {what}\n[  2.000200] Call Trace:\n[  2.000300]  panic+0x1/0x2\n"
        )
        first, second = api.read((bug + panic).encode())
        assert (first.kind, second.kind, second.follows) == ("oops", "panic", None)


def test_what_follows_does_not_repeat_the_cases_of_its_cause() -> None:
    of = Case("any", "", ("oops",), "reviewed", "", require=(parse_predicate('title matches "BUG*"'),))
    second = OOPS.replace("[#1]", "[#2]").replace("foo+", "baz+")
    first, again = api.match((OOPS + second).encode(), cases=[of])
    assert ([match.case.id for match in first.matches], again.report.follows, again.matches) == (["any"], 0, ())
    other = second.replace("[#2]", "[#1]").replace("PID: 99", "PID: 7")
    assert [len(found.matches) for found in api.match((OOPS + other).encode(), cases=[of])] == [1, 1]


def test_a_report_of_memory_without_a_release_is_of_the_kernel_whose_stamps_go_on_in_it() -> None:
    warned = (
        "[100.0] WARNING: CPU: 1 PID: 5 at kernel/foo.c:7 foo+0x1/0x2\n"
        "[100.0] CPU: 1 PID: 5 Comm: bar Not tainted 4.1.12 #1\n[100.0] Call Trace:\n[100.0]  foo+0x1/0x2\n"
        "[100.0] ---[ end trace 1 ]---\n"
    )
    failed = "[{at}] XFS: possible memory allocation deadlock in xfs_buf_allocate_memory (mode:0x250)\n"

    def kernel(at: str) -> str | None:
        return api.match((warned + failed.format(at=at)).encode(), cases=())[1].report.kernel

    assert kernel("101.0") == "4.1.12"
    # near misses: an earlier stamp (another boot), and one that is far behind
    assert kernel("99.0") is None
    assert kernel("161.0") is None


def test_what_a_program_prints_brings_no_panic() -> None:
    oops, panic = chain(OOPS + "Kernel panic - not syncing: panic_on_warn set ...\n")
    printed = replace(oops, kind="fuzzer")
    assert [one.follows for one in follow([oops, printed, panic])] == [None, None, 0]
    assert [one.follows for one in follow([printed, replace(panic, follows=None)])] == [None, None]
