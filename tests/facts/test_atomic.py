"""Why a context may not sleep; bits of preempt_count taken apart by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from kb import api
from kb.facts.atomic import atomic_facts, spinlock_facts
from kb.model.report import Report
from kb.model.verdict import Diagnosis
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax.engine import split

DATA = Path(__file__).parent.parent / "parse/data"


def report(text: str) -> Report:
    return parse(next(iter(split_lines(split(text)))))


SLEEP = """\
BUG: sleeping function called from invalid context at mm/page_alloc.c:5000
in_atomic(): {atomic}, irqs_disabled(): {irqs}, non_block: 0, pid: 100, name: foo
preempt_count: {count}, expected: 0
RCU nest depth: {depth}, expected: 0
CPU: 0 PID: 100 Comm: foo Not tainted 6.1.0 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x44/0x5c
 __might_resched.cold+0x100/0x120
 foo_alloc+0x33/0x60
"""


@pytest.mark.parametrize(
    ("count", "irqs", "depth", "because"),
    [
        ("1", 0, 0, ("preempt",)),
        ("2", 1, 0, ("irqs-off", "preempt")),
        ("101", 0, 0, ("softirq", "preempt")),
        ("201", 0, 0, ("softirqs-off", "preempt")),
        ("10001", 1, 0, ("hardirq", "irqs-off", "preempt")),
        ("110000", 128, 0, ("nmi", "hardirq", "irqs-off")),
        ("0", 0, 1, ("rcu",)),
    ],
)
def test_the_context_is_told_by_its_counts(count: str, irqs: int, depth: int, because: tuple[str, ...]) -> None:
    out = atomic_facts(report(SLEEP.format(atomic=1, irqs=irqs, count=count, depth=depth)))
    assert out.values["atomic_because"].value == because
    assert out.values["preempt_count"].value == int(count, 16)


def test_a_context_that_is_not_atomic_is_not_called_so() -> None:
    out = atomic_facts(report(SLEEP.format(atomic=0, irqs=0, count="0", depth=0)))
    assert "atomic_because" not in out.values
    assert out.reasons == []


def test_flags_above_the_counts_are_no_contexts() -> None:
    out = atomic_facts(report("BUG: scheduling while atomic: foo/100/0x10000002\n"))
    assert out.values["atomic_because"].value == ("preempt",)
    assert out.reasons[0].because == "preemption disabled, as by a spinlock (2 deep)"


def test_our_own_atomic_reports(corpus: Path) -> None:
    found: list[Diagnosis] = api.match(corpus / "vm/048-pair-warn-61.log", cases=())
    (first, *_) = (one for one in found if one.report.kind == "scheduling_while_atomic")
    assert first.facts.values["atomic_because"].value == ("preempt",)


SPIN = """\
BUG: spinlock {what} on CPU#1, foo/100
 lock: foo_lock+0x0/0x40 [foo], .magic: {magic}, .owner: {owner}, .owner_cpu: {cpu}
CPU: 1 PID: 100 Comm: foo Not tainted 6.1.0 #1
Call Trace:
 <TASK>
 do_raw_spin_lock+0x44/0x5c
 foo_take+0x33/0x60
"""


def test_the_owner_of_a_spinlock_is_told() -> None:
    out = spinlock_facts(report(SPIN.format(what="lockup suspected", magic="dead4ead", owner="bar baz/12", cpu=3)))
    assert {name: fact.value for name, fact in out.values.items()} == {
        "lock_name": "foo_lock+0x0/0x40 [foo]",
        "owner": "bar baz",
        "owner_pid": 12,
        "owner_cpu": 3,
    }
    assert out.reasons[0].claim == "foo_lock+0x0/0x40 [foo] is held by bar baz/12 on CPU 3"


def test_a_spinlock_without_its_magic_is_none() -> None:
    out = spinlock_facts(report(SPIN.format(what="bad magic", magic="6b6b6b6b", owner="<none>/-1", cpu=-1)))
    assert set(out.values) == {"lock_name"}
    assert out.reasons[0].because == "its magic is 6b6b6b6b, not dead4ead: never initialised, freed, or written over"


def test_who_takes_a_lock_that_it_holds_waits_for_itself() -> None:
    found = replace(
        report(SPIN.format(what="recursion", magic="dead4ead", owner="kt/7", cpu=0)),
        pid=7,
        headline="BUG: spinlock recursion on CPU#0, kt/7",
    )
    assert "waits" not in spinlock_facts(replace(found, pid=8)).reasons[0].claim
    assert spinlock_facts(found).reasons[0].claim.startswith("kt/7 takes foo_lock+0x0/0x40 [foo] while it holds it")
