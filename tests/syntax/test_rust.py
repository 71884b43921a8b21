"""Rust's symbols: names of their source, by the examples of RFC 2603 and of kernels' logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.syntax.rust import demangled


@pytest.mark.parametrize(
    ("symbol", "path"),
    [
        ("_RNvNvCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
        ("_RNvMs3_NtCshgDM7dBCdno_11rust_binder7processNtB5_7Process5ioctl", "<rust_binder::process::Process>::ioctl"),
        ("_RNvXs_Cs4Cv8Wi1oAIB_7mycrateNtB4_7ExampleNtB4_5Trait3foo", "<mycrate::Example as mycrate::Trait>::foo"),
        ("_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"),
        ("_RMC0INtC8arrayvec8ArrayVechKj7b_E", "<arrayvec::ArrayVec<u8, 123>>"),
        (
            "_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
            "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>",
        ),
        ("_RIC3fooFKCjEuE", 'foo::<extern "C" fn(usize)>'),
        ("_RIC3fooRL_QShE", "foo::<&&mut [u8]>"),
        ("_RIC3fooTPhEAhj4_E", "foo::<(*const u8,), [u8; 4]>"),
        ("_RIC3fooKb1_Kln2_E", "foo::<true, -2>"),
        ("_RNvCs1_1a3foo.llvm.123", "a::foo"),
        ("_ZN4core9panicking9panic_fmt17h0123456789abcdefE", "core::panicking::panic_fmt"),
    ],
)
def test_a_symbol_is_the_path_of_its_source(symbol: str, path: str) -> None:
    assert demangled(symbol) == path


def test_the_hash_of_the_compiler_is_no_part_of_a_name() -> None:
    assert demangled("_RNvCs1234_3foo3bar") == demangled("_RNvCsabcdef0123_3foo3bar") == "foo::bar"


@pytest.mark.parametrize(
    "symbol",
    ["", "_R", "foo", "_RNvC3foo", "_RB_", "_RNvNvC9foo3bar", "_Rust_is_fun", "_RMC1aB6_", "_RIC1aGzzzzzzzzzzzz_E"],
)
def test_what_is_none_is_left_as_it_is(symbol: str) -> None:
    assert demangled(symbol) == symbol


def test_a_symbol_that_stands_for_a_name_without_end_is_left_as_it_is() -> None:
    bomb = "_RIC3foo" + "".join(f"TB{at}_B{at}_B{at}_E" for at in range(4, 10)) * 9 + "E"
    assert len(demangled(bomb)) <= 4096
    deep = "_RIC1a" + "S" * 5000 + "hE"
    assert demangled(deep) == deep


@given(st.text(alphabet="_0123456789abcdBCNvMXYITRQPODFGKLESpusnh", max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(demangled("_R" + text), str)
