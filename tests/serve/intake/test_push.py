"""Pushes to Loki as rows, and rows as records."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.serve.intake import push
from kb.serve.intake.arrived import Arrived, Boot
from tests.serve.test_api import OOPS

SENDER = Boot("10.0.0.1", named=False)


def pushed(push_: object) -> Iterator[Arrived]:
    rows = push.rows(json.dumps(push_).encode())
    assert rows is not None
    return push.Rows(SENDER).feed(rows)


def test_a_push_to_loki_is_read_whatever_stands_first() -> None:
    values = [[str(1_790_000_000_000_000_000 + at), line] for at, line in enumerate(OOPS.decode().splitlines())]
    for stream in ({"stream": {"host": "h"}, "values": values}, {"values": values, "stream": {"host": "h"}}):
        found = list(pushed({"streams": [stream]}))
        assert {each.boot for each in found} == {Boot("h")}
        assert b"".join(each.line for each in found) == OOPS


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"\xff", b'{"streams": 1}', b'{"streams": [1]}', b'{"streams": [{"values": [[]]}]}',
        b'{"streams": [{"values": [["1", "x", {"a": [1]}]]}]}',
        b'{"streams": [{"values": [["1"]]}]}', b'{"streams": [{"values": [[1, "x"]]}]}',
        b'{"streams": [{"values": [["1", "x", "y"]]}]}', b'{"streams": [{"values": [["now", "x"]]}]}',
        b'{"streams": [{"stream": {"host": 1}, "values": []}]}', b'{"streams": ' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_push_to_loki_is_told(body: bytes) -> None:
    assert push.rows(body) is None


@given(text=st.text(alphabet=st.characters(codec=None)), at=st.integers(1, 40))
def test_the_rows_of_a_push_are_its_records_however_they_are_cut_and_at_most_four_times_as_long(
    text: str, at: int
) -> None:
    stream = {"stream": {"host": "h"}, "values": [["1", text], ["2", "BUG: x", {"trace": text}]]}
    body = json.dumps({"streams": [stream]}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    rows = push.rows(body)
    assert rows is not None
    assert len(rows) <= 4 * len(body)
    whole, cut = push.Rows(SENDER), push.Rows(SENDER)
    parts = (rows[start : start + at] for start in range(0, len(rows), at))
    assert list(whole.feed(rows)) == [each for part in parts for each in cut.feed(part)]
