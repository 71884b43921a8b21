"""Who is stuck and who only reports it; our own logs, and reports written after the kernel's print functions."""

from pathlib import Path

import pytest

from kb import api
from kb.model.verdict import Diagnosis

DATA = Path(__file__).parent.parent / "parse/data"
NAMES = ("stuck_cpus", "reporter_cpu", "stuck_seconds", "stuck_jiffies", "stuck_tasks", "no_ticks_cpus")


def golden(name: str) -> Diagnosis:
    return api.match((DATA / f"{name}.txt").read_bytes().partition(b"\n\n")[2], cases=())[0]


def facts(found: Diagnosis, *names: str) -> dict[str, object]:
    return {name: fact.value for name in names or NAMES if (fact := found.facts.get(name)) is not None}


def claims(found: Diagnosis) -> list[tuple[str, str]]:
    return [(reason.claim, reason.because) for reason in found.facts.reasoning if "to blame" not in reason.claim]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("soft-lockup", {"stuck_cpus": (2,), "reporter_cpu": 2, "stuck_seconds": 26}),
        ("hard-lockup", {"stuck_cpus": (3,)}),
        ("rcu-stall-other-cpu", {"stuck_cpus": (1,), "reporter_cpu": 0, "stuck_jiffies": 1002}),
        ("rcu-stall-self", {"stuck_cpus": (0,), "reporter_cpu": 0, "stuck_jiffies": 21002}),
    ],
)
def test_the_stuck_cpu_is_told_from_the_reporter(name: str, expected: dict[str, object]) -> None:
    assert facts(golden(name)) == expected


def test_our_own_stalls(corpus: Path) -> None:
    first, second = api.match(corpus / "vm/104-rcu-stall-61.log", cases=())[:2]
    assert facts(first) == {"stuck_cpus": (1,), "reporter_cpu": 1, "stuck_jiffies": 1000}
    assert claims(first)[0] == (
        "RCU waits for 1000 jiffies (1 to 10 s: HZ is not printed) for CPU 1",
        "it reports itself",
    )
    assert facts(second)["stuck_cpus"]


STALL = b"""\
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t0-...!: (0 ticks this GP) idle=1b2/1/0x4000000000000000 softirq=215/216 fqs=0
rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P812/1:b..l P99/2:b..l
\t(detected by 2, t=5002 jiffies, g=-767, q=23 ncpus=4)
rcu: rcu_preempt kthread timer wakeup didn't happen for 5001 jiffies! g-767 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402
rcu: \tPossible timer handling issue on cpu=0 timer-softirq=215
rcu: rcu_preempt kthread starved for 4990 jiffies! g-767 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=3
rcu: \tUnless rcu_preempt kthread gets sufficient CPU time, OOM is now expected behavior.
rcu: RCU grace-period kthread stack dump:
task:rcu_preempt     state:R  running task     stack:0     pid:15    ppid:2      flags:0x00004000
Call Trace:
 <TASK>
 __schedule+0x351/0xa20
 schedule+0x5d/0xe0
 schedule_timeout+0x94/0x150
 rcu_gp_fqs_loop+0x10c/0x510
"""


def test_tasks_ticks_and_the_starved_kthread_of_rcu() -> None:
    found = api.match(STALL, cases=())[0]
    assert facts(found, *NAMES, "rcu_starved_jiffies", "rcu_kthread_cpu", "rcu_timer_late_jiffies") == {
        "stuck_cpus": (0,),
        "stuck_tasks": (812, 99),
        "no_ticks_cpus": (0,),
        "reporter_cpu": 2,
        "stuck_jiffies": 5002,
        "rcu_starved_jiffies": 4990,
        "rcu_kthread_cpu": 3,
        "rcu_timer_late_jiffies": 5001,
    }
    said = dict(claims(found))
    head = (
        "RCU waits for 5002 jiffies (5 to 50 s: HZ is not printed) for CPU 0 and tasks 812, 99,"
        " preempted in a read-side section"
    )
    assert said[head] == "CPU 2 only reports it"
    assert "CPU 0 runs with interrupts off" in said
    assert "RCU's own kthread did not run for 4990 jiffies (it last ran on CPU 3)" in said
    assert any("the stack of CPU 0" in text for text in found.facts.unknown)


OLD = b"""\
INFO: rcu_sched detected stalls on CPUs/tasks: { 3 7} (detected by 0, t=60002 jiffies, g=5095, c=5094, q=2)
Task dump for CPU 3:
foo             R  running task        0   612      1 0x00000008
Call Trace:
 [<ffffffff8140b1e2>] ? foo_spin+0x12/0x20
"""


def test_cpus_in_braces_are_those_of_older_kernels() -> None:
    found = api.match(OLD, cases=())[0]
    assert facts(found) == {"stuck_cpus": (3, 7), "reporter_cpu": 0, "stuck_jiffies": 60002}


LOCKUP = b"""\
watchdog: BUG: soft lockup - CPU#9 stuck for 26s! [foo:214]
CPU#9 Utilization every 4s during lockup:
\t#1:   3% system,\t  0% softirq,\t 96% hardirq,\t  0% idle
\t#2:   1% system,\t  0% softirq,\t 99% hardirq,\t  0% idle
CPU#9 Detect HardIRQ Time exceeds 50%. Most frequent HardIRQs:
\t#1: 330945    \tirq#7
\t#2: 31        \tirq#82
Modules linked in:
CPU: 9 PID: 214 Comm: foo Not tainted 6.12.0 #1
RIP: 0010:foo_spin+0x6e/0x1e0
Call Trace:
 <TASK>
 foo_step+0x25/0x30
"""


def test_an_interrupt_storm_is_told_from_a_loop() -> None:
    found = api.match(LOCKUP, cases=())[0]
    assert facts(found, "stuck_cpus", "stuck_hardirq_percent", "stuck_system_percent", "busiest_irq") == {
        "stuck_cpus": (9,),
        "stuck_hardirq_percent": 99,
        "stuck_system_percent": 1,
        "busiest_irq": 7,
    }
    assert ("an interrupt storm keeps it busy", "99 % of its time; irq 7 came 330945 times") in claims(found)


OTHERS = b"""\
watchdog: CPU 1 detected hard LOCKUP on other CPUs 0,4-5
watchdog: CPU 1 TB:25432109876543, last SMP heartbeat TB:25420109876543 (23437ms ago)
CPU: 1 PID: 99 Comm: foo Not tainted 6.2.0 #1
NIP [c0000000000a1b2c] foo_spin+0x5c/0x90
Call Trace:
[c00000000b3f7cf0] [c0000000006a2014] foo_read+0x2a4/0x6a0
"""


def test_a_hard_lockup_of_others_is_not_the_reporters() -> None:
    found = api.match(OTHERS, cases=())[0]
    assert facts(found) == {"stuck_cpus": (0, 4, 5), "reporter_cpu": 1}
    assert claims(found)[0] == (
        "CPUs 0, 4, 5 are stuck",
        "it takes no interrupts; CPU 1 only reports it, its stack says nothing",
    )


WORKQUEUE = b"""\
BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!
Showing busy workqueues and worker pools:
workqueue events: flags=0x0
  pwq 4: cpus=2 node=0 flags=0x0 nice=0 active=1/256 refcnt=2
    in-flight: 77:other_fn
  pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=4/256 refcnt=5
    in-flight: 123:foo_work_fn [foo] ,456(RESCUER):bar_work_fn
    pending: vmstat_shepherd, 2*neigh_periodic_work, foo_barrier BAR(123)
workqueue mm_percpu_wq: flags=0x8
  pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=1/256 refcnt=2
    pending: vmstat_update
pool 2: cpus=1 node=0 flags=0x0 nice=0 hung=31s workers=3 idle: 122 50
"""


def test_what_runs_in_the_stuck_pool_is_told_from_what_waits() -> None:
    found = api.match(WORKQUEUE, cases=())[0]
    assert facts(found, "stuck_cpus", "stuck_seconds", "in_flight", "in_flight_workers", "pending") == {
        "stuck_cpus": (1,),
        "stuck_seconds": 31,
        "in_flight": ("foo_work_fn", "bar_work_fn"),
        "in_flight_workers": ("123:foo_work_fn", "456:bar_work_fn"),
        "pending": ("vmstat_shepherd", "neigh_periodic_work", "foo_barrier", "vmstat_update"),
    }
    (reason,) = (reason for reason in found.facts.reasoning if "made no progress" in reason.claim)
    assert reason.claim == (
        "the pool of CPU 1 made no progress for 31 s while it ran foo_work_fn [foo] (worker 123 of events), "
        "bar_work_fn (worker 456, the rescuer of events)"
    )
    assert reason.evidence == ((1, 1), (7, 7))


def test_a_pool_that_runs_nothing_points_at_its_cpu() -> None:
    found = api.match(WORKQUEUE.replace(b"    in-flight", b"    inactive"), cases=())[0]
    assert "in_flight" not in found.facts.values
    assert any(reason.verdict == "unknown" and "made no progress" in reason.claim for reason in found.facts.reasoning)


def test_reports_cut_anywhere_say_less_and_never_raise() -> None:
    for log in (STALL, OLD, LOCKUP, OTHERS, WORKQUEUE):
        lines = log.splitlines(keepends=True)
        for end in range(len(lines)):
            api.match(b"".join(lines[:end]), cases=())


def test_a_hostile_list_of_cpus_is_bounded() -> None:
    found = api.match(OTHERS.replace(b"0,4-5", b"0-999999," + b"1," * 300), cases=())[0]
    assert len(found.facts.values["stuck_cpus"].value) <= 64


def test_a_cpu_that_idles_is_not_said_to_run_with_interrupts_off() -> None:
    log = b"""\
rcu: INFO: rcu_sched detected stalls on CPUs/tasks:
rcu: \t0-...!: (0 ticks this GP) idle=abc/0/0x0 softirq=1/1 fqs=0
rcu: \t1-...!: (0 ticks this GP) idle=abc/1/0x4000000000000000 softirq=1/1 fqs=0
\t(detected by 5, t=21002 jiffies, g=1, q=2)
Sending NMI from CPU 5 to CPUs 0:
NMI backtrace for cpu 0 skipped: idling at native_safe_halt+0x1/0x2
"""
    (found,) = api.match(log, cases=())
    assert facts(found, "no_ticks_cpus") == {"no_ticks_cpus": (1,)}


def test_a_number_too_long_for_a_cpu_is_not_cut_in_two() -> None:
    log = b"watchdog: BUG: soft lockup - CPU#99999999999 stuck for 22s! [foo:9]\n"
    (found,) = api.match(log, cases=())
    assert facts(found, "stuck_cpus") == {}
