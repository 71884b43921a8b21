"""First causes: which report follows on from which."""

from kb.model.report import Report
from kb.parse.follow import follow
from kb.parse.report import parse
from kb.split.splitter import split_lines
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
