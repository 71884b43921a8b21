"""What ``kb match -v`` adds for a fault: the instructions around the trap."""

import sys
from pathlib import Path

import pytest

from kb import api
from kb.render.fit import _clauses

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


def test_a_title_is_broken_at_a_blank_where_the_terminal_is_narrow() -> None:
    log = b"INFO: task jbd2/dm-4-8:526 blocked for more than 180 seconds.\n      Not tainted 6.5.0 #1\n"
    log += b"task:jbd2/dm-4-8 state:D stack:0 pid:526 ppid:2 flags:0x00004000\nCall Trace:\n"
    log += b" schedule+0x1/0x2\n jbd2_journal_commit_transaction_of_a_disk+0x1/0x2\n"
    (found,) = api.match(log)
    narrow, wide = found.to_text(width=60), found.to_text(width=80)
    assert all(len(line) <= 60 for line in narrow.splitlines()[:3])
    assert found.report.title in wide


def test_a_clause_closes_its_brackets_and_is_more_than_a_name() -> None:
    text = (
        "The thread got no CPU: something holds it (a real-time task, the stalled function; state 0x0), or it is lost."
    )
    assert _clauses(text)[-1] == "The thread got no CPU"
    assert not any(one.count("(") > one.count(")") for one in _clauses(text))
    assert _clauses("Right Redzone: bytes beside a live object were written to") == []
