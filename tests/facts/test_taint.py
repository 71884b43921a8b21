"""Taint letters in words, and only where they weigh."""

from kb import api
from kb.model.verdict import Diagnosis

LOG = """\
WARNING: CPU: 1 PID: 99 at net/foo.c:12 foo_tx+0x1b/0x30 [foo]
Modules linked in: foo(OE) bar e1000
CPU: 1 PID: 99 Comm: kt {taint}6.1.0 #1
RIP: 0010:foo_tx+0x1b/0x30 [foo]
Call Trace:
 <TASK>
 foo_start+0x90/0xd0 [foo]
 </TASK>
"""


def diagnose(taint: str, log: str = LOG) -> Diagnosis:
    (found,) = api.match(log.format(taint=taint), cases=())
    return found


def claims(found: Diagnosis) -> list[tuple[str, str]]:
    said = [reason for reason in found.facts.reasoning if not reason.name.startswith(("blame.", "check."))]
    return [(reason.claim, reason.because) for reason in said]


def test_g_alone_and_not_tainted_say_nothing() -> None:
    for taint in ("Not tainted ", "Tainted: G                   "):
        found = diagnose(taint)
        assert claims(found) == []
        assert "taint_words" not in found.facts.values


def test_the_blamed_module_is_told_by_its_own_flags() -> None:
    found = diagnose("Tainted: G        W  OE      ")
    assert found.facts.values["module_taint"].value == "OE"
    assert found.facts.values["taint_modules"].value == ("foo(OE)",)
    assert claims(found) == [
        ("foo, which is blamed, is not this kernel's own", "built outside the tree (O), unsigned (E)")
    ]


def test_damage_before_the_report_is_told() -> None:
    found = diagnose("Tainted: G    B D           ", LOG.replace("foo(OE)", "foo"))
    assert claims(found) == [
        (
            "this report may be a consequence",
            "before it a bad page or corrupted slab object was found (B), the kernel oopsed or hit a BUG (D)",
        )
    ]


def test_other_modules_that_are_not_the_kernels_own_are_told_without_blame() -> None:
    found = diagnose("Tainted: P           O      ", LOG.replace("foo(OE)", "foo nvidia(PO)"))
    assert claims(found) == [
        ("modules that are not this kernel's own are loaded", "proprietary (P), built outside the tree (O)")
    ]
