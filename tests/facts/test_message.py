"""Words of a report's own, and error numbers in them."""

import pytest

from kb import api
from kb.model.verdict import Facts

STACK = (
    "Modules linked in: foo\nCPU: 1 PID: 7 Comm: cat Not tainted 6.1.0 #1\nRIP: 0010:foo_warn+0x1/0x2 [foo]\n"
    "Call Trace:\n foo_warn+0x1/0x2 [foo]\n---[ end trace 0000000000000000 ]---\n"
)
HEAD = "WARNING: CPU: 1 PID: 7 at drivers/foo/foo.c:12 foo_warn+0x1/0x2 [foo]\n"
CUT = "------------[ cut here ]------------\n"


def facts(log: str) -> Facts:
    (found,) = api.match(log.encode(), cases=())
    return found.facts


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (f"{CUT}foo: bar (error -28)\n{HEAD}{STACK}", "foo: bar (error -28)"),
        (f"{CUT}foo: bar\nand more\n{HEAD}{STACK}", "foo: bar and more"),
        (f"{CUT}{HEAD}foo: as it was to v4.14\n{STACK}", "foo: as it was to v4.14"),
        (f"eth0: link is up\n{CUT}{HEAD}{STACK}", None),
        (f"{CUT}{HEAD}{STACK}eth0: link is up\n", None),
        (f"eth0: link is up\n{HEAD}{STACK}", None),
    ],
)
def test_what_stands_between_the_mark_and_the_headline_is_the_message(log: str, message: str | None) -> None:
    assert getattr(facts(log).values.get("message"), "value", None) == message


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("BTRFS: Transaction aborted (error -28)", "ENOSPC"), ("foo: probe failed with -110", "ETIMEDOUT"),
        ("foo_read returned -5, ignored", "EIO"), ("foo: ret = -22", "EINVAL"), ("errno=-117", "EUCLEAN"),
        ("foo: temperature is -28 degrees", None), ("foo: error 28", None), ("foo: error -4711", None),
        ("foo: error -999", None),
    ],
)  # fmt: skip
def test_an_error_number_is_told_by_its_name(message: str, name: str | None) -> None:
    found = facts(f"{CUT}{message}\n{HEAD}{STACK}")
    assert getattr(found.values.get("errno"), "value", None) == name
    assert any(name in str(why) for step in found.reasoning for why in step.why) if name else True


def test_a_rust_panic_and_the_bug_below_are_one_report_with_its_words() -> None:
    found = facts(
        "rust_kernel: panicked at rust/kernel/sync/arc.rs:370:58:\ncalled `Option::unwrap()` on a `None` value\n"
        f"{CUT}kernel BUG at rust/helpers/bug.c:7!\nInternal error: Oops - BUG: 00000000f2000800 [#1] SMP\n{STACK}"
    )
    assert found.values["message"].value == "called `Option::unwrap()` on a `None` value"
    assert found.values["message"].evidence == ((2, 2),)
