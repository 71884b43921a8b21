"""Lockdep's warnings as a cycle; reports written after the print functions of kernel/locking/lockdep.c."""

from pathlib import Path

from kb import api
from kb.model.verdict import Diagnosis

DATA = Path(__file__).parent.parent / "parse/data"

THREE = b"""\
======================================================
WARNING: possible circular locking dependency detected
6.1.0 #1 Not tainted
------------------------------------------------------
foo/321 is trying to acquire lock:
ffff88800123a0a8 (&a->lock){+.+.}-{3:3}, at: foo_take_a+0x20/0x60

but task is already holding lock:
ffff88800123a1a8 (&(&c->lock)->rlock){+.+.}-{2:2}, at: foo_take_c+0x1a/0x40

which lock already depends on the new lock.

the existing dependency chain (in reverse order) is:

-> #2 (&(&c->lock)->rlock){+.+.}-{2:2}:
       lock_acquire+0xd0/0x2e0
       _raw_spin_lock+0x30/0x40
       foo_c_in_b+0x33/0x60

-> #1 (&b->lock){+.+.}-{3:3}:
       __mutex_lock+0x99/0x950
       foo_b_in_a+0x33/0x60

-> #0 (&a->lock){+.+.}-{3:3}:
       __lock_acquire+0x12b0/0x1e00
       lock_acquire+0xd0/0x2e0
       __mutex_lock+0x99/0x950
       foo_take_a+0x20/0x60

other info that might help us debug this:

Chain exists of:
  &a->lock --> &b->lock --> &(&c->lock)->rlock

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(&(&c->lock)->rlock);
                               lock(&b->lock);
                               lock(&(&c->lock)->rlock);
  lock(&a->lock);

 *** DEADLOCK ***

1 lock held by foo/321:
 #0: ffff88800123a1a8 (&(&c->lock)->rlock){+.+.}-{2:2}, at: foo_take_c+0x1a/0x40

stack backtrace:
CPU: 0 PID: 321 Comm: foo Not tainted 6.1.0 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x56/0x73
 foo_take_a+0x20/0x60
"""

RECURSION = b"""\
============================================
WARNING: possible recursive locking detected
6.1.0 #1 Not tainted
--------------------------------------------
foo/321 is trying to acquire lock:
ffff88800123a0a8 (&n->lock){+.+.}-{3:3}, at: foo_child+0x20/0x60

but task is already holding lock:
ffff88800123b0a8 (&n->lock){+.+.}-{3:3}, at: foo_parent+0x1a/0x40

other info that might help us debug this:
 Possible unsafe locking scenario:

       CPU0
       ----
  lock(&n->lock);
  lock(&n->lock);

 *** DEADLOCK ***

 May be due to missing lock nesting notation
"""

USAGE = b"""\
================================
WARNING: inconsistent lock state
6.1.0 #1 Not tainted
--------------------------------
inconsistent {IN-SOFTIRQ-W} -> {SOFTIRQ-ON-W} usage.
foo/321 [HC0[0]:SC0[0]:HE1:SE1] takes:
ffff88800123a0a8 (&q->lock){+.?.}-{2:2}, at: foo_open+0x20/0x60
{IN-SOFTIRQ-W} state was registered at:
  lock_acquire+0xd0/0x2e0
  foo_tasklet+0x33/0x60
"""

INVERSION = b"""\
=====================================================
WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected
6.1.0 #1 Not tainted
-----------------------------------------------------
foo/321 [HC0[0]:SC0[0]:HE0:SE1] is trying to acquire:
ffff88800123a0a8 (&f->fa_lock){.+.+}-{2:2}, at: foo_fasync+0x20/0x60

and this task is already holding:
ffff88800123b0a8 (&dev->lock){-...}-{2:2}, at: foo_event+0x1a/0x40
which would create a new lock dependency:
 (&dev->lock){-...}-{2:2} -> (&f->fa_lock){.+.+}-{2:2}

but this new dependency connects a HARDIRQ-irq-safe lock:
 (&dev->lock){-...}-{2:2}

... which became HARDIRQ-irq-safe at:
  lock_acquire+0xd0/0x2e0
  foo_irq+0x33/0x60

to a HARDIRQ-irq-unsafe lock:
 (&f->fa_lock){.+.+}-{2:2}

... which became HARDIRQ-irq-unsafe at:
...
  lock_acquire+0xd0/0x2e0
  foo_setfl+0x33/0x60
"""


def diagnose(log: bytes) -> Diagnosis:
    (found,) = api.match(log, cases=())
    return found


def facts(found: Diagnosis, *names: str) -> dict[str, object]:
    return {name: fact.value for name in names if (fact := found.facts.get(name)) is not None}


def test_a_chain_of_three_is_a_circle_in_the_order_of_the_taking() -> None:
    found = diagnose(THREE)
    assert facts(found, "locks", "deadlock", "lock_takes", "lock_takes_in", "lock_holds") == {
        "locks": ("&a->lock", "&b->lock", "&(&c->lock)->rlock"),
        "deadlock": "cycle",
        "lock_takes": "&a->lock",
        "lock_takes_in": "foo_take_a",
        "lock_holds": ("&(&c->lock)->rlock",),
    }
    (reason,) = (reason for reason in found.facts.reasoning if "circle" in reason.claim)
    assert reason.claim.endswith("&a->lock --> &b->lock --> &(&c->lock)->rlock --> &a->lock")
    assert reason.because == (
        "foo/321 holds &(&c->lock)->rlock and takes &a->lock in foo_take_a; the other order was seen before"
    )
    assert reason.numbers == (
        "&b->lock was taken while &a->lock was held: foo_b_in_a",
        "&(&c->lock)->rlock was taken while &b->lock was held: foo_c_in_b",
        "&a->lock is now taken while &(&c->lock)->rlock is held: foo_take_a",
    )
    assert found.facts.values["locks"].evidence == ((15, 15), (20, 20), (24, 24))


def test_a_circle_of_two_needs_no_chain_line() -> None:
    found = diagnose((DATA / "lockdep-cycle.txt").read_bytes().partition(b"\n\n")[2])
    assert facts(found, "locks", "deadlock") == {"locks": ("&a->lock", "&b->lock"), "deadlock": "cycle"}


def test_a_chain_whose_links_are_cut_off_is_read_from_its_summary() -> None:
    lines = [line for line in THREE.splitlines(keepends=True) if not line.startswith(b"-> #")]
    assert facts(diagnose(b"".join(lines)), "locks") == {"locks": ("&a->lock", "&b->lock", "&(&c->lock)->rlock")}


def test_the_same_class_taken_twice_is_recursion() -> None:
    found = diagnose(RECURSION)
    assert facts(found, "locks", "deadlock") == {"locks": ("&n->lock",), "deadlock": "recursion"}
    reasons = {reason.claim: reason.because for reason in found.facts.reasoning}
    assert reasons["foo/321 takes &n->lock and holds a lock of the same class already"] == (
        "foo_parent took it first, foo_child takes it again"
    )
    same = diagnose(RECURSION.replace(b"ffff88800123b0a8", b"ffff88800123a0a8"))
    assert any("holds the same lock already" in reason.claim for reason in same.facts.reasoning)


def test_a_lock_taken_inside_and_outside_of_a_softirq() -> None:
    found = diagnose(USAGE)
    assert facts(found, "locks", "deadlock", "lock_usage") == {
        "locks": ("&q->lock",),
        "deadlock": "inconsistent",
        "lock_usage": "IN-SOFTIRQ-W -> SOFTIRQ-ON-W",
    }
    assert any(
        reason.claim == "&q->lock is taken both inside a softirq and with softirqs on"
        for reason in found.facts.reasoning
    )


def test_an_order_that_an_interrupt_inverts() -> None:
    found = diagnose(INVERSION)
    assert facts(found, "locks", "deadlock", "lock_holds") == {
        "locks": ("&dev->lock", "&f->fa_lock"),
        "deadlock": "irq-inversion",
        "lock_holds": ("&dev->lock",),
    }
    (reason,) = (reason for reason in found.facts.reasoning if "circle" in reason.claim)
    assert reason.because.startswith("an interrupt takes &dev->lock; &f->fa_lock is held with interrupts on")


def test_reports_cut_anywhere_say_less_and_never_raise() -> None:
    for log in (THREE, RECURSION, USAGE, INVERSION):
        lines = log.splitlines(keepends=True)
        for end in range(len(lines)):
            api.match(b"".join(lines[:end]), cases=())


def test_hostile_names_stay_bounded() -> None:
    link = b"-> #%d (" + b"(" * 300 + b"){+.+.}:\n"
    hostile = THREE + b"".join(link % number for number in range(3000))
    found = diagnose(hostile)
    assert found.facts.values["deadlock"].value == "cycle"
