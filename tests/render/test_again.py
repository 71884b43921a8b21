"""Equal reports in JSON: the line that a form gives is the one that the diagnosis gives."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from kb import api
from kb.model.verdict import Diagnosis, Similar
from kb.render.again import Lines
from kb.render.json import line, to_json

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "cases").glob("*/match*.log"))[::12]
WARNING = """------------[ cut here ]------------
WARNING: CPU: 3 PID: 1194 at net/foo/foo.c:238 foo_fini+0x440/0x5c0 [foo]
{note}
CPU: 3 PID: 1194 Comm: kworker/u12:4 Not tainted 6.1.90 #5
Call Trace:
 <TASK>
 ops_exit_list+0xa8/0x150
 </TASK>
---[ end trace 0000000000000000 ]---
"""


def told(data: bytes) -> list[Diagnosis]:
    with api.KnowledgeBase(":memory:") as base:
        return [base.diagnose(report) for report in base.read(data)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_a_storm_is_told_as_each_report_alone(path: Path) -> None:
    found = told((path.read_bytes().rstrip(b"\n") + b"\n") * 5)
    lines = Lines()
    assert [lines.line(each) for each in found] == [line(to_json(each)) for each in found]


@pytest.mark.parametrize("note", ["100 %d %s %", "at 1000000000000007 and 1000000000000000"])
def test_what_a_log_says_is_no_number_of_a_line(note: str) -> None:
    found = told(WARNING.format(note=f"Hardware name: {note}").encode() * 5)
    lines = Lines()
    assert [lines.line(each) for each in found] == [line(to_json(each)) for each in found]


def test_what_does_not_come_from_the_text_is_the_report_s_own() -> None:
    found = told(WARNING.format(note="").encode() * 8)[2:]
    similar = (Similar("kb1:1", 0.5, "a-case", "title"),)
    own = (
        replace(found[1], group=3, of=70),
        replace(found[2], similar=similar),
        replace(found[3], matches=found[3].matches[1:]),
        replace(found[4], report=replace(found[4].report, source="other", host="db17", wall="12:00", follows=2)),
        found[5],
    )
    lines = Lines()
    for each in itertools.chain(found[:1], own):
        assert lines.line(each) == line(to_json(each))
