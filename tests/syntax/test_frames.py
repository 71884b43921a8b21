"""Symbols and frames: compiler suffixes, system calls, modules, all notations."""

import pytest

from kb.model.report import Frame
from kb.parse.outline import outline
from kb.syntax import engine
from kb.syntax.frames import aliases, is_address, plain, shown


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("foo", "foo"),
        ("foo.isra.0", "foo"),
        ("foo.constprop.0.isra.3.cold", "foo"),
        ("foo.part.12", "foo"),
        ("foo.llvm.123456789", "foo"),
        (".foo", "foo"),
        ("foo.bar", "foo.bar"),
        ("_ZN4core9panicking9panic_fmt17h0123456789abcdefE", "core::panicking::panic_fmt"),
        ("_ZN99", "_ZN99"),
        ("bpf_prog_6deef7357e7b4530_my_prog", "bpf_prog_my_prog"),
        ("bpf_prog_6deef7357e7b4530", "bpf_prog"),
        ("bpf_prog_get_type_dev", "bpf_prog_get_type_dev"),
    ],
)
def test_what_the_compiler_added_is_taken_off(symbol: str, expected: str) -> None:
    assert plain(symbol) == expected


@pytest.mark.parametrize(
    ("symbol", "expected", "others"),
    [
        ("__x64_sys_rmdir", "sys_rmdir", ("__x64_sys_rmdir",)),
        ("__arm64_sys_socket", "sys_socket", ("__arm64_sys_socket",)),
        ("__se_sys_mremap", "mremap", ("__se_sys_mremap", "sys_mremap")),
        ("SyS_pause", "pause", ("SyS_pause",)),
        ("compat_SyS_mount", "mount", ("compat_SyS_mount",)),
        ("sys_openat2", "openat2", ("sys_openat2",)),
        ("__sys_sendmsg", "__sys_sendmsg", ()),
        ("ksys_write", "write", ("ksys_write",)),
    ],
)
def test_a_system_call_is_named_without_its_wrapper(symbol: str, expected: str, others: tuple[str, ...]) -> None:
    assert shown(symbol) == expected
    assert aliases(symbol) == others


def test_an_unresolved_entry_is_an_address() -> None:
    assert is_address("0xffffffff81234567")
    assert is_address("ffff8880012a4008")
    assert not is_address("fade_in")


def frame(text: str) -> Frame:
    (trace,) = outline(engine.split("Call Trace:\n" + text)).traces
    return trace.frames[0]


@pytest.mark.parametrize(
    ("text", "function", "module", "reliable"),
    [
        (" foo+0x1b/0x30 [bar]", "foo", "bar", True),
        (" ? foo+0x1b/0x30", "foo", None, False),
        (" [<ffffffff81001234>] ? foo+0x1b/0x30 [bar]", "foo", "bar", False),
        (" [<ffffffff81001234>] foo+0x1b/0x30", "foo", None, True),
        ("[c00000000b3f7cf0] [c0000000006a2014] foo+0x2a4/0x6a0 (unreliable)", "foo", None, False),
        ("([<000003ff80a0102a>] foo+0x2a/0x60 [bar])", "foo", "bar", True),
        (" foo+0x1b/0x30 [bar b16666b79dc8252336773e509e39efc21b909af1]", "foo", "bar", True),
        (" foo+0x1b/0x30 drivers/foo.c:12", "foo", None, True),
        (" radix_tree_node_alloc.constprop.0+0x200/0x330", "radix_tree_node_alloc.constprop.0", None, True),
        (" erase_effective_progs+0x10/0x20", "erase_effective_progs", None, True),
        (" lru_add_fn+0x10/0x20", "lru_add_fn", None, True),
    ],
)
def test_an_entry_of_a_stack_is_read(text: str, function: str, module: str | None, reliable: bool) -> None:
    got = frame(text)
    assert (got.function, got.module, got.reliable) == (function, module, reliable)


def test_the_outermost_function_of_an_arm_stack_has_no_line_of_its_own() -> None:
    (trace,) = outline(engine.split("Backtrace:\n foo [bar] from baz+0x5c/0xb8\n baz from qux+0x10/0x20")).traces
    assert [entry.function for entry in trace.frames] == ["foo", "baz", "qux"]
    assert trace.frames[0].module == "bar"


def test_a_sentence_with_from_is_no_arm_entry() -> None:
    assert outline(engine.split("Sending NMI from CPU 0 to CPUs 1:")).traces == ()
