"""Log text is shown, never passed through."""

from hypothesis import given
from hypothesis import strategies as st

from kb.render.safe import pad, safe, spans, width


def test_escapes_controls_and_undecodable_bytes_are_written_out() -> None:
    assert safe("\x1b[2J\x07") == "\\x1b[2J\\x07"
    assert safe(b"\xff".decode("utf-8", "surrogateescape")) == "\\xff"
    assert safe("\u202eevil") == "\\u202eevil"


def test_ordinary_text_is_left_alone() -> None:
    assert safe("Node 1 Normal: 内存\t碎片") == "Node 1 Normal: 内存\t碎片"


@given(st.text())
def test_nothing_that_is_shown_can_drive_a_terminal(text: str) -> None:
    shown = safe(text)
    assert not any((ord(char) < 32 and char != "\t") or 0x7F <= ord(char) < 0xA0 for char in shown)
    shown.encode("utf-8")


def test_wide_characters_take_two_cells() -> None:
    assert width("水位") == 4
    assert pad("水位", 6) == "水位  "


def test_evidence_is_shown_as_line_numbers_and_cut_when_long() -> None:
    assert spans(((1, 1), (24, 31))) == "[L1, L24-31]"
    assert spans(tuple((n, n) for n in range(1, 7))) == "[L1, L2, L3, L4, ...]"
    assert spans(()) == ""
