"""Numbers of a fault in words; bits and poisons worked out by hand from the kernel's headers."""

import pytest

from kb.parse.decode import address, decoded, page_fault, syndrome


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x0000, "page not present, read, kernel mode"),
        (0x0002, "page not present, write, kernel mode"),
        (0x0003, "protection violation, write, kernel mode"),
        (0x0010, "page not present, read, kernel mode, instruction fetch"),
        (0x0007, "protection violation, write, user mode"),
        (0x000B, "protection violation, write, kernel mode, reserved bit set in a page table entry"),
    ],
)
def test_an_x86_error_code_is_read_by_bits(code: int, words: str) -> None:
    assert page_fault(code) == words


@pytest.mark.parametrize(
    ("esr", "words"),
    [
        (0x96000044, "data abort, level 0 translation fault, write"),
        (0x96000006, "data abort, level 2 translation fault, read"),
        (0x9600004F, "data abort, level 3 permission fault, write"),
        (0x96000011, "data abort, synchronous tag check fault, read"),
        (0x86000004, "instruction abort, level 0 translation fault, instruction fetch"),
        (0xF2000800, "BRK instruction"),
        (0x8A000000, "PC alignment fault"),
    ],
)
def test_an_arm64_syndrome_is_read_by_fields(esr: int, words: str) -> None:
    assert syndrome(esr) == words


@pytest.mark.parametrize(
    ("value", "arch", "says"),
    [
        (0x0, None, "NULL"),
        (0x58, None, "NULL pointer, 0x58 bytes into the object"),
        (0xDEAD000000000100, "x86_64", "LIST_POISON1"),
        (0xDEAD000000000108, "arm64", "plus 0x8"),
        (0xDEAD000000000122, "x86_64", "LIST_POISON2"),
        (0x6B6B6B6B6B6B6B6B, "x86_64", "POISON_FREE"),
        (0x6B6B6BAB, "i386", "POISON_FREE"),
        (0x6B6B6B6B, "i386", "POISON_FREE"),
        (0x5A5A5A5A5A5A5A5A, None, "POISON_INUSE"),
        (0xDFFFFC0000000001, "x86_64", "KASAN's shadow of 0x8 (a NULL pointer with an offset)"),
        (0xFFFFFFFFFFFFFFEA, "x86_64", "-22"),
        (0x0123456789ABCDEF, "x86_64", "not canonical"),
        (0xFFFFC90FFFF00008, "x86_64", None),
        (0xFFFF8880012A4008, "x86_64", None),
    ],
)
def test_an_address_that_cannot_be_a_pointer_says_what_it_is(value: int, arch: str | None, says: str | None) -> None:
    got = address(value, arch)
    assert (got is None) if says is None else (got is not None and says in got)


def test_a_report_bears_only_what_its_fields_decide() -> None:
    fields = {"address": "0000000000000058", "error_code": "0x0002"}
    assert decoded(fields, "null-deref", "x86_64") == {
        "address_means": "NULL pointer, 0x58 bytes into the object",
        "fault": "page not present, write, kernel mode",
    }
    assert decoded({"code": "0f 1f 44 00"}, "null-deref", "x86_64") == {}
    assert decoded({}, None, None) == {}
