"""What a report says of itself where no decoder tells anything: its words, the check, the callers."""

import pytest

from kb import api
from kb.model.verdict import Diagnosis, Reason

CPU = "CPU: 1 PID: 7 Comm: cat Not tainted 6.1.0 #1\n"
STACK = " dump_stack_lvl+0x1/0x20\n foo_read+0x1/0x20\n foo_open+0x1/0x20\n foo_init+0x1/0x20\n"
CUT = "------------[ cut here ]------------\n"
WARN = f"{CPU}RIP: 0010:foo_read+0x1/0x20\nCall Trace:\n foo_open+0x1/0x20\n foo_init+0x1/0x20\n"
WARN += "---[ end trace 0000000000000000 ]---\n"


def stated(log: str) -> list[Reason]:
    found: Diagnosis
    (found, *_) = api.match(log.encode(), cases=())
    return [reason for reason in found.facts.reasoning if reason.name.startswith("check.")]


@pytest.mark.parametrize(
    ("log", "claim", "line"),
    [
        (
            "UBSAN: Undefined behaviour in net/foo.c:597:14\n"
            f"shift exponent 536871040 is too large for 64-bit type 'long unsigned int'\n{CPU}Call Trace:\n{STACK}",
            "it says: shift exponent 536871040 is too large for 64-bit type 'long unsigned int'",
            2,
        ),
        (
            "UBSAN: signed-integer-overflow in net/foo.c:5:14\n"
            f"2147483647 + 1 cannot be represented in type 'int'\n{CPU}Call Trace:\n{STACK}",
            "it says: 2147483647 + 1 cannot be represented in type 'int'",
            2,
        ),
        (
            "BUG: KASAN: use-after-free in foo_read+0x1/0x20\n"
            f"Read of size 4 at addr 0000000066229000 by task cat/7\n\n{CPU}Call Trace:\n{STACK}",
            "it says: Read of size 4 at addr 0000000066229000 by task cat/7",
            2,
        ),
        (
            f"BUG: using __this_cpu_add() in preemptible [00000000] code: cat/7\ncaller is foo_read+0x1/0x20\n{CPU}"
            f"Call Trace:\n{STACK}",
            "it says: caller is foo_read+0x1/0x20",
            2,
        ),
        (
            f"{CUT}foo: ring is stuck\nWARNING: CPU: 1 PID: 7 at net/foo.c:12 foo_read+0x1/0x20\n{WARN}",
            "the check at net/foo.c:12 says: foo: ring is stuck",
            2,
        ),
        (
            f"{CUT}WARNING: CPU: 1 PID: 7 at net/foo.c:12 foo_read+0x1/0x20\n{WARN}",
            "a WARN() at net/foo.c:12 was hit, called by foo_open < foo_init",
            2,
        ),
        (
            f"{CUT}kernel BUG at net/foo.c:12!\ninvalid opcode: 0000 [#1] SMP\n{WARN}",
            "a BUG() at net/foo.c:12 was hit, called by foo_open < foo_init",
            2,
        ),
    ],
)
def test_a_report_that_nothing_else_tells_of_says_its_own_words(log: str, claim: str, line: int) -> None:
    (reason,) = stated(log)
    assert (reason.claim, reason.verdict) == (claim, "holds")
    assert (line, line) in reason.evidence


def test_a_helper_that_checks_is_named_beside_the_function_of_the_title() -> None:
    log = f"{CUT}WARNING: CPU: 1 PID: 7 at kernel/sched/core.c:6136 __might_sleep+0x13a/0x190\n{CPU}Call Trace:\n"
    log += " __might_sleep+0x13a/0x190\n __mutex_lock+0x1/0x2\n foo_read+0x1/0x20\n"
    log += "---[ end trace 0000000000000000 ]---\n"
    (reason,) = stated(log)
    assert reason.claim == "a WARN() at kernel/sched/core.c:6136, in __might_sleep, was hit"


@pytest.mark.parametrize(
    "way_in", ["do_syscall_64+0x1/0x2\n entry_SYSCALL_64_after_hwframe+0x1/0x2", "kthread+0x1/0x2"]
)
def test_how_the_kernel_was_entered_is_no_caller(way_in: str) -> None:
    log = f"{CUT}WARNING: CPU: 1 PID: 7 at net/foo.c:12 foo_read+0x1/0x20\n{CPU}Call Trace:\n foo_read+0x1/0x20\n"
    (reason,) = stated(f"{log} {way_in}\n---[ end trace 0000000000000000 ]---\n")
    assert reason.claim == "a WARN() at net/foo.c:12 was hit"


def test_the_panic_behind_a_warning_is_none_of_its_words() -> None:
    log = f"{CUT}WARNING: CPU: 1 PID: 7 at net/foo.c:12 foo_read+0x1/0x20\n"
    log += f"Kernel panic - not syncing: panic_on_warn set ...\n{WARN}"
    (reason,) = stated(log)
    assert "panic_on_warn" not in reason.claim


def test_what_a_decoder_tells_is_not_told_again() -> None:
    log = f"{CUT}foo: probe failed (error -28)\nWARNING: CPU: 1 PID: 7 at net/foo.c:12 foo_read+0x1/0x20\n{WARN}"
    assert stated(log) == []
