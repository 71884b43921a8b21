"""What is kept can be encoded and stored."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from kb.log.text import encoded, whole
from kb.model.number import number
from kb.model.text import plain

ANY = st.text(st.characters(exclude_categories=()))
"""Any characters, lone surrogates and controls among them."""


def test_what_cannot_be_kept_is_written_out() -> None:
    assert plain(b"a\xffb\x00c".decode("utf-8", "surrogateescape")) == r"a\xffb\x00c"
    assert plain("\ud800 \x1b[2J \x9b") == r"\ud800 \x1b[2J \x9b"


def test_words_lines_and_blanks_are_left_alone() -> None:
    for text in ("kworker/31:0", "rack 7,\n\tafter the rebalance\r\n", "内存 ✓ é"):
        assert plain(text) == text


@given(ANY)
def test_what_is_kept_can_be_encoded_and_goes_through_a_database_unchanged(text: str) -> None:
    kept = plain(text)
    kept.encode("utf-8")
    assert "\x00" not in kept
    assert plain(kept) == kept
    with sqlite3.connect(":memory:") as db:
        assert db.execute("select ?1, length(?1)", (kept,)).fetchone() == (kept, len(kept))


@given(st.binary())
def test_bytes_that_are_no_text_come_back_as_they_were(data: bytes) -> None:
    assert encoded(data.decode("utf-8", "surrogateescape")) == data


@given(ANY)
def test_any_text_can_be_made_bytes(text: str) -> None:
    assert encoded(text) == encoded(whole(text))


@given(st.integers(-(1 << 63), (1 << 64) - 1))
def test_numbers_of_64_bits_are_read(value: int) -> None:
    assert number(str(value)) == value
    assert number(hex(value), 16) == value


@given(st.integers(1 << 64) | st.integers(max_value=-(1 << 63) - 1) | st.integers(10**5000, 10**5001))
def test_larger_numbers_are_none(value: int) -> None:
    assert number(f"{value:x}", 16) is None


@given(ANY)
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = number(text)
    assert found is None or -(1 << 63) <= found < 1 << 64


def test_what_is_no_number_is_none() -> None:
    assert [number(text) for text in (None, "", "1_0", "²", "--5", "0x10", "1" * 5000)] == [None] * 7
