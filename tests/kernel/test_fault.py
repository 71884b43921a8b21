"""What processors say of faults; every number was taken apart by hand with the architecture's manual beside it."""

import pytest

from kb.kernel.fault import Fault, arm_status, loongarch, mips, page_fault, powerpc, riscv, s390, syndrome


def told(fault: Fault | None) -> tuple[str | None, ...]:
    assert fault is not None
    return (fault.access, fault.mode, fault.why, fault.words)


@pytest.mark.parametrize(
    ("code", "access", "mode", "why"),
    [
        (0x0000, "read", "kernel", "not present"),
        (0x0002, "write", "kernel", "not present"),
        (0x0003, "write", "kernel", "protection"),
        (0x0010, "execute", "kernel", "not present"),
        (0x0011, "execute", "kernel", "protection"),
        (0x0007, "write", "user", "protection"),
        (0x0009, "read", "kernel", "reserved bit set in a page table entry"),
        (0x0021, "read", "kernel", "protection key"),
    ],
)
def test_an_x86_error_code_is_read_by_bits(code: int, access: str, mode: str, why: str) -> None:
    assert page_fault(code)[:3] == (access, mode, why)


def test_an_x86_error_code_has_words() -> None:
    assert page_fault(2).words == "not present, write, kernel mode"


@pytest.mark.parametrize(
    ("esr", "access", "mode", "why", "words"),
    [
        # EC 0x25, WnR set, FSC 0x04
        (0x96000044, "write", "kernel", "not present", "data abort, level 0 translation fault, write"),
        (0x96000006, "read", "kernel", "not present", "data abort, level 2 translation fault, read"),
        (0x9600004F, "write", "kernel", "protection", "data abort, level 3 permission fault, write"),
        (0x86000004, "execute", "kernel", "not present", "instruction abort, level 0 translation fault, execute"),
        (0x92000046, "write", "user", "not present", "data abort from user mode, level 2 translation fault, write"),
        # CM set: DC instructions are always reported as writes
        (0x96000146, None, "kernel", "not present", "data abort, level 2 translation fault"),
        (0xF2000800, None, None, "BRK instruction", "BRK instruction"),
    ],
)
def test_an_arm64_syndrome_is_read_by_fields(
    esr: int, access: str | None, mode: str | None, why: str, words: str
) -> None:
    assert told(syndrome(esr)) == (access, mode, why, words)


def test_a_syndrome_of_an_unknown_class_says_nothing() -> None:
    assert syndrome(0x3F << 26) is None


@pytest.mark.parametrize(
    ("fsr", "access", "words"),
    [
        (0x5, "read", "section translation fault, read"),
        (0x17, "read", "page translation fault, read"),  # bits 4 to 7 are the domain
        (0x817, "write", "page translation fault, write"),
        (0x80F, "write", "page permission fault, write"),
        (0x80000005, "execute", "section translation fault, execute"),
        (0x206, "read", "level 2 translation fault, read"),  # LPAE
        (0xA07, "write", "level 3 translation fault, write"),
        (0xA0F, "write", "level 3 permission fault, write"),
        (0x1406, "read", "imprecise external abort, read"),
    ],
)
def test_an_arm_fault_status_is_read_by_its_format(fsr: int, access: str, words: str) -> None:
    found = arm_status(fsr)
    assert found is not None
    assert (found.access, found.words) == (access, words)


def test_an_arm_status_that_differs_by_core_says_nothing() -> None:
    assert arm_status(0x3) is None


@pytest.mark.parametrize(
    ("trap", "dsisr", "access", "why"),
    [
        (0x300, 0x40000000, "read", "not present"),
        (0x300, 0x42000000, "write", "not present"),
        (0x300, 0x0A000000, "write", "protection"),
        (0x380, 0x0, "read", "not present"),
        (0x400, None, "execute", None),
        (0x300, None, None, None),
        (0x700, None, None, "program check"),
    ],
)
def test_a_powerpc_trap_and_its_dsisr(trap: int, dsisr: int | None, access: str | None, why: str | None) -> None:
    found = powerpc(trap, dsisr)
    assert found is not None
    assert (found.access, found.why) == (access, why)


def test_a_powerpc_interrupt_is_no_fault() -> None:
    assert powerpc(0x900, None) is None
    assert powerpc(None, 0x40000000) is None


def test_causes_of_riscv_mips_and_loongarch() -> None:
    assert told(riscv(15)) == ("write", None, None, "page fault, write")
    assert told(riscv(7)) == ("write", None, "access fault", "access fault, write")
    assert riscv(1 << 63 | 5) is None
    assert told(mips(2)) == ("read", None, "not present", "not present, read")
    assert mips(0) is None
    assert told(mips(7)) == (None, None, "bus error", "bus error")  # a load or a store
    assert told(loongarch(2)) == ("write", None, "not present", "not present, write")


def test_an_s390_code_and_its_identification() -> None:
    assert told(s390(0x04, 0x483)) == ("write", None, "protection", "protection, write")
    assert told(s390(0x11, 0x803)) == ("read", None, "not present", "not present, read")
    assert told(s390(0x11, 0x3)) == (None, None, "not present", "not present")
