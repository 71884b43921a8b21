"""The facts that every report bears."""

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
