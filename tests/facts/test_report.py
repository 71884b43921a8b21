"""The facts that every report bears."""

import pytest

from kb import api
from kb.facts.report import facts_of
from kb.model.verdict import Facts
from kb.parse.report import parse
from kb.split.windows import split_lines
from kb.syntax import engine

LOCKUP = """watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kswapd0:99]
CPU: 0 PID: 99 Comm: kswapd0 Not tainted 5.4.0 #1
RIP: 0010:foo_spin.part.0+0x92/0x7b0
Call Trace:
 ? foo_left+0x1/0x2
 foo_node+0x1/0x2
 kswapd+0x1/0x2"""


def facts(text: str) -> Facts:
    (splat,) = split_lines(engine.split(text))
    return facts_of(parse(splat))


def test_the_function_of_the_program_counter_is_a_frame_of_every_kind() -> None:
    found = facts(LOCKUP)
    pc, frames = found.get("pc"), found.get("frames")
    assert pc is not None
    assert frames is not None
    assert (pc.value, pc.evidence) == ("foo_spin", ((3, 3),))
    assert frames.value == ("foo_spin", "foo_left", "foo_node", "kswapd")


def test_a_report_without_registers_bears_no_program_counter() -> None:
    stack = "\n".join(line for line in LOCKUP.splitlines() if not line.startswith("RIP"))
    assert facts(stack).get("pc") is None


@pytest.mark.parametrize(
    ("comm", "host"),
    [("CPU 1/KVM", True), ("vhost-4472", True), ("qemu-system-x86", True), ("kworker/1:2", None), ("KVM", None)],
)
def test_who_runs_virtual_machines_is_their_host(comm: str, host: bool | None) -> None:
    log = f"[    1.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [{comm}:77]\n"
    (found,) = api.match(log.encode())
    fact = found.facts.get("kvm_host")
    assert (fact.value if fact is not None else None) is host
    assert found.best is not None
    guest = [way for way in found.best.workarounds if "st" in way.do.split() or "virtual machine" in way.do]
    assert bool(guest) is (host is None)


@pytest.mark.parametrize(
    ("comm", "fuzzed"), [("syz-executor.4", True), ("syz.0.3404", True), ("trinity-c1", True), ("syzfs", False)]
)
def test_a_fuzzer_is_told_by_its_task(comm: str, fuzzed: bool) -> None:
    log = (
        "[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000058\n"
        "[    1.000001] Oops: 0000 [#1] PREEMPT SMP\n"
        f"[    1.000002] CPU: 0 PID: 77 Comm: {comm} Not tainted 6.1.0 #1\n"
    )
    (found,) = api.match(log.encode())
    assert found.facts.values["fuzzed"].value is fuzzed
