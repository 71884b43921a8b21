"""Addresses that no allocation can have; poisons after include/linux/poison.h, sums done by hand."""

import pytest

from kb.kernel.address import canonical, error_name, flipped_bit, flipped_pointer, meaning


@pytest.mark.parametrize(
    ("value", "arch", "kind", "says"),
    [
        (0x0, None, "null", "NULL"),
        (0x58, None, "null", "0x58 bytes into the object"),
        (0x104, "i386", "null", "0x104 bytes into the object"),
        (0x100, "i386", "null", "or LIST_POISON1"),
        (
            0x00100104,
            "arm",
            "list-poison",
            "LIST_POISON1: the next pointer of an entry taken off its list (list_del), plus 0x4",
        ),
        (0x00200200, "i386", "list-poison", "LIST_POISON2"),
        (0xDEAD000000000100, "x86_64", "list-poison", "LIST_POISON1"),
        (0xDEAD000000000108, "arm64", "list-poison", "plus 0x8"),
        (0xDEAD000000000122, "x86_64", "list-poison", "LIST_POISON2"),
        (0xDEAD0000000000B8, "x86_64", "list-poison", "LIST_POISON1: the next pointer of an entry taken off its list"),
        (0xDEACFFFFFFFFFF50, "x86_64", "list-poison", "minus 0x1b0"),
        (0xDEAD000000200200, "x86_64", "list-poison", "LIST_POISON2"),
        (0x5DEADBEEF0000108, "ppc64", "list-poison", "LIST_POISON1"),
        (0xDEAD000000000300, "x86_64", "poison", "TIMER_ENTRY_STATIC"),
        (0x6B6B6B6B6B6B6B6B, "x86_64", "slab-poison", "POISON_FREE: read from a slab object that was freed"),
        (0x6B6B6B6B6B6B6B83, "x86_64", "slab-poison", "plus 0x18"),
        (0x6B6B6B6B6B6B6B53, "x86_64", "slab-poison", "minus 0x18"),
        (0x6B6B6BAB, "i386", "slab-poison", "POISON_FREE"),
        (0x5A5A5A5A5A5A5A5A, None, "slab-poison", "POISON_INUSE"),
        (0xAAAAAAAAAAAAAAAA, None, "page-poison", "PAGE_POISON"),
        (
            0xDFFFFC0000000003,
            "x86_64",
            "kasan-shadow",
            "KASAN's shadow of 0x18 to 0x1f (a NULL pointer with an offset)",
        ),
        (0xFFFFFFFFFFFFFFEA, "x86_64", "error-pointer", "-22 (EINVAL)"),
        (0xFFFFFFF4, "i386", "error-pointer", "-12 (ENOMEM)"),
        (0x0123456789ABCDEF, "x86_64", "non-canonical", "not canonical"),
        (0x656D616E5F746573, "x86_64", "text", 'the text "set_name"'),
        (0x00007F1234567000, "x86_64", "user", "user space"),
        (0xFFFFFFFFC05DC3C8, "x86_64", "modules", "modules"),
        (0xFFFFFFFF81001000, "x86_64", "kernel-text", "image"),
    ],
)
def test_an_address_that_cannot_be_a_pointer_says_what_it_is(
    value: int, arch: str | None, kind: str, says: str
) -> None:
    found = meaning(value, arch)
    assert found is not None
    assert found.kind == kind
    assert says in found.words


@pytest.mark.parametrize(
    ("value", "arch"),
    [
        (0xFFFFC90FFFF00008, "x86_64"),  # vmalloc range, where its base is not moved: not said
        (0xFFFF8880012A4008, "x86_64"),
        (0xFF673346803ABB58, "x86_64"),  # canonical with five levels, which the log need not tell
        (0x0123456789ABCDEF, "arm64"),
        (0x00100100, "x86_64"),
        (0xDFFFFC0000000003, None),
    ],
)
def test_an_address_that_may_be_a_pointer_says_nothing(value: int, arch: str) -> None:
    found = meaning(value, arch)
    assert found is None or found.kind == "user"


def test_the_number_of_levels_decides_what_is_canonical() -> None:
    four = meaning(0xFF673346803ABB58, "x86_64", la57=False)
    assert four is not None
    assert four.kind == "non-canonical"
    assert canonical(0xFF673346803ABB58, la57=True)
    assert not canonical(0xFF673346803ABB58, la57=False)
    assert not canonical(0xFE00000000000000, la57=True)


def test_the_base_of_a_poisoned_pointer_gives_the_field() -> None:
    found = meaning(0x6B6B6B6B6B6B6B83, "x86_64")
    assert found is not None
    assert found.offset(0x6B6B6B6B6B6B6B83) == 0x18


def test_error_numbers_have_names() -> None:
    assert error_name((1 << 64) - 12) == "-ENOMEM"
    assert error_name((1 << 32) - 517, 32) == "-EPROBE_DEFER"
    assert error_name((1 << 64) - 4000) is None
    assert error_name(0) is None


@pytest.mark.parametrize(
    ("value", "bit"),
    [
        (0xFFFB888012345678, 50),  # ffff888012345678 without bit 50
        (0x7FFF888012345678, 63),
        (0xFEFF888012345678, 56),
        (0x0100000000000008, 56),  # NULL, a field at 8, and a bit
        (0x0100000012345678, None),  # one bit of something that is no NULL: anything
        (0xFFF3888012345678, None),  # two bits
        (0xFFFF888012345678, None),  # a pointer
        (0xDEAD000000000100, None),  # LIST_POISON1
        (0x6B6B6B6B6B6B6B6B, None),
        (0x0000000000000008, None),
    ],
)
def test_an_address_that_one_bit_takes_away_from_a_pointer(value: int, bit: int | None) -> None:
    assert flipped_bit(value, "x86_64", la57=False) == bit
    assert flipped_bit(value, "arm64") is None


@pytest.mark.parametrize(
    ("was", "expected", "bit"),
    [
        (0xFFFF888112345678, 0xFFFF888012345678, 32),
        (0xFFFF888012345678, 0xFFFF888012345678, None),
        (0xFFFF888012345638, 0xFFFF888012345678, None),  # another list of the same object
        (0xFFFF888012344678, 0xFFFF888012345678, None),  # the page beside it
        (0xFFFF888312345678, 0xFFFF888012345678, None),
    ],
)
def test_a_pointer_that_differs_by_a_bit_that_no_neighbour_explains(was: int, expected: int, bit: int | None) -> None:
    assert flipped_pointer(was, expected) == bit


def test_five_levels_of_page_tables_use_what_four_cannot() -> None:
    assert flipped_bit(0xFFFB888012345678, "x86_64") is None
    assert flipped_bit(0xFEFF888012345678, "x86_64") == 56
