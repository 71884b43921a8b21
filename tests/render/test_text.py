"""What ``kb match -v`` adds for a fault: the instructions around the trap."""

import sys
from pathlib import Path

import pytest

from kb import api

LOG = (Path(__file__).parent.parent / "parse/data/oops-null-x86.txt").read_bytes().partition(b"\n\n")[2]


def section(text: str, name: str) -> list[str]:
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return next((block[1:] for block in blocks if block[0].startswith(name)), [])


def test_the_trapping_instruction_is_marked_with_verbose_only() -> None:
    pytest.importorskip("capstone")
    (found,) = api.match(LOG, cases=())
    shown = [line.split() for line in section(found.to_text(verbose=2), "Code")]
    assert shown[2] == [">", "8b", "47", "58", "movl", "0x58(%rdi),", "%eax"]
    assert [line[0] for line in shown] == ["0f", "53", ">", "5b", "c3"]
    assert section(found.to_text(), "Code") == []


def test_without_a_disassembler_verbose_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    (found,) = api.match(LOG, cases=())
    assert section(found.to_text(verbose=2), "Code") == [
        "  for a disassembly install capstone: pip install 'kernel-kb[disasm]'"
    ]


def test_no_fact_depends_on_the_disassembler(monkeypatch: pytest.MonkeyPatch) -> None:
    (here,) = api.match(LOG, cases=())
    monkeypatch.setitem(sys.modules, "capstone", None)
    (there,) = api.match(LOG, cases=())
    assert here.to_json() == there.to_json()


def test_the_default_text_is_short() -> None:
    (found,) = api.match(LOG, cases=())
    assert len(section(found.to_text(width=120), "Why")) <= 6
