"""Records of several lines: what looks like a part of one and is none stays a line, and reading goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.log.reader import Reader

FIELDS = [
    '   "pri": 4,',
    '      "MESSAGE" : "BUG: x",',
    '  "MESSAGE" : [',
    "{",
    "},{",
    "PRIORITY=4",
    "    MESSAGE=BUG: x",
]


@pytest.mark.parametrize("field", FIELDS)
@given(marks=st.text("\0\x1b[0m&lt;\xa0\x7f\x01 ", max_size=4), behind=st.text("\0\x1b[m\r ", max_size=3))
def test_a_field_with_odd_characters_is_read_once(field: str, marks: str, behind: str) -> None:
    """Whether a line is a field was asked of the line without them, and answered "no" by who read it: for ever."""
    log = f"[    1.000000] BUG: x\n{marks}{field}{behind}\n[    1.000001] after\n".encode()
    lines = list(Reader(log).lines())
    assert len(lines) <= 6
    assert [line.number for line in lines] == sorted(line.number for line in lines)
