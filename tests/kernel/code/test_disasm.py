"""Instructions around a trap. What capstone is not installed for is told, and junk is nothing."""

import sys

import pytest

from kb.kernel.code.disasm import MISSING, disassemble

OURS = "24 0c 89 4c 24 08 4d 85 c9 74 0a 48 8b 43 08 4c 8d 40 e8 74 5b <49> 8b 40 18 31 ed"


def test_the_marked_byte_starts_an_instruction() -> None:
    pytest.importorskip("capstone")
    lines = disassemble(OURS, "x86_64")
    (trapping,) = (line for line in lines if line.startswith(">"))
    assert trapping.split() == ["> 49 8b 40 18 movq 0x18(%r8), %rax".split()][0]
    assert [line.split("  ")[-1].strip() for line in lines[-3:-1]] == ["je 0x5d", "movq 0x18(%r8), %rax"]


def test_words_are_shown_as_the_kernel_prints_them() -> None:
    pytest.importorskip("capstone")
    lines = disassemble("f9400261 f9000022 (f9000261)", "arm64")
    assert [line.split()[:2] for line in lines] == [["f9400261", "ldr"], ["f9000022", "str"], [">", "f9000261"]]
    (only,) = disassemble("<8e620024>", "mips")
    assert only.split()[1:] == ["8e620024", "lw", "$v0,", "0x24($s3)"]


def test_an_undefined_instruction_is_shown_as_it_stands() -> None:
    pytest.importorskip("capstone")
    (line,) = disassemble("<06>", "x86_64")
    assert line.split() == [">", "06", "(bad)"]


@pytest.mark.parametrize("text", ["", "Bad EIP value.", "<junk>", "zz zz"])
def test_junk_is_nothing(text: str) -> None:
    assert disassemble(text, "x86_64") == ()


def test_an_unknown_machine_is_nothing() -> None:
    assert disassemble(OURS, None) == ()


def test_without_capstone_the_answer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    assert disassemble(OURS, "x86_64") == (MISSING,)
