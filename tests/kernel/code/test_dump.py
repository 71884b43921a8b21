"""Memory operands of trapping instructions; encodings by the manuals, compared with what a disassembler reads."""

import pytest

from kb.kernel.code.dump import Code, is_bug_trap, operand, parse_code
from kb.kernel.code.operand import Operand
from kb.kernel.code.risc import arm64
from kb.kernel.code.x86 import x86


@pytest.mark.parametrize(
    ("code", "bits", "text"),
    [
        ("8b 47 58", 64, "RDI + 0x58"),  # mov 0x58(%rdi),%eax
        ("48 8b 43 08", 64, "RBX + 0x8"),  # mov 0x8(%rbx),%rax
        ("49 8b 40 18", 64, "R08 + 0x18"),  # mov 0x18(%r8),%rax
        ("4c 8b 6c c8 f8", 64, "RAX + RCX*8 - 0x8"),  # mov -0x8(%rax,%rcx,8),%r13
        ("48 c7 00 01 00 00 00", 64, "RAX"),  # movq $1,(%rax)
        ("f0 48 0f b1 0a", 64, "RDX"),  # lock cmpxchg %rcx,(%rdx)
        ("66 83 78 10 00", 64, "RAX + 0x10"),  # cmpw $0,0x10(%rax)
        ("41 f6 44 24 20 04", 64, "R12 + 0x20"),  # testb $4,0x20(%r12): SIB without index
        ("8b 04 25 10 00 00 00", 64, "0x10"),  # mov 0x10,%eax
        ("8b 40 04", 32, "EAX + 0x4"),
        ("8b 83 20 01 00 00", 32, "EBX + 0x120"),
    ],
)
def test_an_x86_operand_is_read(code: str, bits: int, text: str) -> None:
    found = x86(bytes.fromhex(code), bits)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "code",
    [
        "0f 0b",  # ud2
        "48 8d 47 58",  # lea makes no access
        "48 89 c8",  # register to register
        "8b 05 10 00 00 00",  # relative to RIP
        "65 48 8b 04 25 28 00 00 00",  # a segment's base is not printed as a register
        "e8 00 00 00 00",
        "8b",
        "48",
        "",
    ],
)
def test_other_x86_instructions_have_none(code: str) -> None:
    assert x86(bytes.fromhex(code)) is None


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (0xF9400261, "x19"),  # ldr x1, [x19]
        (0xF9000441, "x2 + 0x8"),  # str x1, [x2, #8]
        (0xB9405800, "x0 + 0x58"),  # ldr w0, [x0, #0x58]
        (0xF85F8C14, "x0 - 0x8"),  # ldr x20, [x0, #-8]!
        (0xF8408414, "x0"),  # ldr x20, [x0], #8
        (0xA9400C02, "x0"),  # ldp x2, x3, [x0]
        (0xA97F0C02, "x0 - 0x10"),  # ldp x2, x3, [x0, #-0x10]
        (0xF8627820, "x1 + x2*8"),  # ldr x0, [x1, x2, lsl #3]
        (0x885F7C01, "x0"),  # ldxr w1, [x0]
    ],
)
def test_an_arm64_operand_is_read(word: int, text: str) -> None:
    found = arm64(word)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("word", [0xD65F03C0, 0x91000400, 0x58000040, 0xD4210000])
def test_arm64_instructions_that_access_nothing_or_a_literal_have_none(word: int) -> None:
    assert arm64(word) is None


def test_an_address_is_the_sum_of_printed_registers() -> None:
    found = Operand("R08", None, 1, 0x18)
    assert found.address({"R08": (1 << 64) - 0x18}) == 0
    assert found.address({"RAX": 0}) is None
    assert Operand("EAX", "ECX", 4, -4).address({"EAX": 0x10, "ECX": 2}, 32) == 0x14


def test_a_code_line_knows_its_mark() -> None:
    assert parse_code("0f 1f 44 00 00 53 <8b> 47 58 5b c3") == Code(
        (0x0F, 0x1F, 0x44, 0, 0, 0x53, 0x8B, 0x47, 0x58, 0x5B, 0xC3), 1, 6, "<"
    )
    assert parse_code("f9400261 f9400662 (f9000261)") == Code((0xF9400261, 0xF9400662, 0xF9000261), 4, 2, "(")
    assert parse_code("87aa 0007 <6798>") == Code((0x87AA, 0x0007, 0x6798), 2, 2, "<")


@pytest.mark.parametrize(
    "text", ["", "Bad EIP value.", "Unable to access opcode bytes at RIP 0xffd6.", "(null)", "<>", "0", "g1"]
)
def test_what_is_no_dump_is_none(text: str) -> None:
    assert parse_code(text) is None


def test_a_hostile_code_line_is_bounded() -> None:
    found = parse_code("90 " * 100_000)
    assert found is not None
    assert len(found.units) == 256


def test_the_trap_of_bug_is_known() -> None:
    for text, arch in (("90 <0f> 0b 48", "x86_64"), ("(d4210000)", "arm64"), ("<9002>", "riscv")):
        code = parse_code(text)
        assert code is not None
        assert is_bug_trap(code, arch)
    code = parse_code("90 <8b> 47 58")
    assert code is not None
    assert not is_bug_trap(code, "x86_64")
    assert operand(code, "x86_64") == Operand("RDI", None, 1, 0x58)
    assert operand(code, "s390x") is None


@pytest.mark.parametrize(
    ("text", "arch", "says"),
    [
        ("(e5932010)", "arm", "r3 + 0x10"),  # ldr r2, [r3, #16]
        ("(e51b3014)", "arm", "fp - 0x14"),  # ldr r3, [fp, #-20]
        ("(e1c320d8)", "arm", "r3 + 0x8"),  # ldrd r2, [r3, #8]
        ("<e9230010>", "ppc64", "r3 + 0x10"),  # ld r9, 16(r3)
        ("<7d3f482a>", "ppc64", "r31 + r9"),  # ldx r9, r31, r9
        ("<9141ffe0>", "ppc64", "r1 - 0x20"),  # stw r10, -32(r1)
        ("<8e620024>", "mips", "$19 + 0x24"),  # lw $v0, 36($s3)
        ("<6798> 4785", "riscv", "a5 + 0x8"),  # c.ld a4, 8(a5)
        ("(b703) 0087", "riscv", "a5 + 0x8"),  # ld a4, 8(a5) as half words
        ("(0087b703)", "riscv", "a5 + 0x8"),  # the same as a word
    ],
)
def test_operands_of_other_architectures_are_read(text: str, arch: str, says: str) -> None:
    code = parse_code(text)
    assert code is not None
    found = operand(code, arch)
    assert found is not None
    assert found.text == says


@pytest.mark.parametrize(
    ("text", "arch"),
    [
        ("(e12fff1e)", "arm"),
        ("(e59f3010)", "arm"),
        ("<4e800020>", "ppc64"),
        ("<24420001>", "mips"),
        ("<8082>", "riscv"),
    ],
)
def test_returns_literals_and_sums_have_none(text: str, arch: str) -> None:
    code = parse_code(text)
    assert code is not None
    assert operand(code, arch) is None
