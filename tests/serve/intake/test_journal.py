"""The journal export format, read as it comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.serve.intake.journal import Export, Malformed

_TEXT = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=40)
_ENTRY = st.fixed_dictionaries(
    {"MESSAGE": st.text(st.characters(exclude_categories=("Cs",)), max_size=60)},
    optional={"_HOSTNAME": _TEXT, "PRIORITY": _TEXT, "CODE_FUNC": _TEXT, "_BOOT_ID": _TEXT},
)


def exported(entries: list[dict[str, str]], binary: bool = False) -> bytes:
    """Entries as journald writes them: what holds a line end is binary."""
    out = b""
    for fields in entries:
        for name, value in fields.items():
            data = value.encode()
            if b"\n" in data or binary:
                out += name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
            else:
                out += name.encode() + b"=" + data + b"\n"
        out += b"\n"
    return out


@given(st.lists(_ENTRY, max_size=5), st.lists(st.integers(1, 50), min_size=1, max_size=5), st.booleans())
def test_however_it_is_cut_the_entries_are_the_same(
    entries: list[dict[str, str]], cuts: list[int], binary: bool
) -> None:
    data, export, found, at, turn = exported(entries, binary), Export(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        found += export.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert found == [{k: v for k, v in each.items() if k != "CODE_FUNC"} for each in entries]


def test_the_last_entry_may_lack_its_empty_line() -> None:
    export = Export()
    assert list(export.feed(b"MESSAGE=one\n")) == []
    assert list(export.rest()) == [{"MESSAGE": "one"}]


def test_of_long_fields_a_part_is_held_and_the_rest_is_passed() -> None:
    export, found = Export(), []
    parts = [b"COREDUMP\n" + (40 << 20).to_bytes(8, "little"), *[b"x" * (1 << 20)] * 40, b"\n"]
    parts += [b"MESSAGE=", *[b"y" * (1 << 16)] * 80, b"\n_HOSTNAME=a\n\n"]
    for part in parts:
        found += export.feed(part)
        assert len(export._data) + len(export._value) < 1 << 18
    assert [(len(each["MESSAGE"]), each["_HOSTNAME"]) for each in found] == [((1 << 16) - len("MESSAGE="), "a")]


@pytest.mark.parametrize("data", [b"no field\n", b"lower=1\n", b"A\n" + b"\xff" * 8, b"<html>" + b"x" * (1 << 17)])
def test_what_is_no_export_is_told_apart(data: bytes) -> None:
    with pytest.raises(Malformed):
        list(Export().feed(data))
