"""Equal reports are read once: what is said of each is what a reading of it says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb import api
from kb.diagnose import _concluded, diagnose
from kb.log.reader import Reader
from kb.model import moved
from kb.model.log import Splat
from kb.parse.again import read
from kb.parse.report import parse
from kb.split.windows import belongs, opens, split

ROOT = Path(__file__).resolve().parents[2]
STAMP = re.compile(r"\[ *\d+\.\d{6}\]")
WARNING = """------------[ cut here ]------------
WARNING: CPU: 3 PID: 1194 at net/foo/foo.c:238 foo_fini+0x440/0x5c0 [foo]
Modules linked in: foo bar
CPU: 3 PID: 1194 Comm: kworker/u12:4 Not tainted 6.1.90 #5
RIP: 0010:foo_fini+0x440/0x5c0 [foo]
Call Trace:
 <TASK>
 ops_exit_list+0xa8/0x150
 kthread+0x357/0x430
 </TASK>
---[ end trace 0000000000000000 ]---"""
LOGS = [
    re.sub(r"(?m)^.*?\[ *\d+\.\d{6}\] ?", "", path.read_text(errors="surrogateescape"))
    for path in sorted((ROOT / "cases").glob("*/match*.log"))
    if STAMP.search(path.read_text(errors="surrogateescape")[:400])
]
SAMPLES = [WARNING, *LOGS[::6]]


def stamped(texts: list[str], start: float, step: float) -> bytes:
    rows = (f"[{start + number * step:12.6f}] {text}\n" for number, text in enumerate(texts))
    return "".join(rows).encode("utf-8", "surrogateescape")


def splats(data: bytes, *, once: bool) -> list[Splat]:
    reader = Reader(data, "log", opens, belongs=belongs)
    found = split(reader.windows(), "log", reader.release_at, None, reader.again if once else None)
    return [splat for splat in found if splat is not None]


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_a_storm_is_split_as_line_by_line(number: int) -> None:
    data = b"".join(stamped(SAMPLES[number].splitlines(), 100 + turn, 0.001) for turn in range(6))
    assert splats(data, once=True) == splats(data, once=False)


CUT = next(text for text in LOGS if "Mem-Info:" in text and "pages reserved" not in text)
"""An allocation failure whose end the log has lost."""


@pytest.mark.parametrize("text", [WARNING, CUT])
def test_a_storm_is_passed_at_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty equal reports the splitter is given the lines of the first few alone."""
    from kb.split.splitter import Splitter

    fed: list[int] = []
    feed = Splitter.feed
    monkeypatch.setattr(Splitter, "feed", lambda self, line: fed.append(line.number) or feed(self, line))
    rows = text.splitlines()
    data = b"".join(stamped(rows, 100 + turn, 0.001) for turn in range(50))
    assert len(splats(data, once=True)) == 50
    assert len(fed) < 5 * len(rows)


TURN = st.tuples(
    st.sampled_from((0.0, 0.5, 9.5, 11.0, 5000.0)),
    st.sampled_from((0.000001, 0.4, 2.0)),
    st.sampled_from(("", "", "", "lost", "twice", "foreign", "reboot", "level", "glued", "other")),
    st.integers(0, 30),
)


@settings(max_examples=60)
@given(st.sampled_from((WARNING, CUT, *SAMPLES[1:3])), st.lists(TURN, min_size=3, max_size=9))
def test_what_differs_in_a_storm_is_told_as_line_by_line(text: str, turns: list[tuple[float, float, str, int]]) -> None:
    data, now = b"", 100.0
    for pause, step, damage, place in turns:
        rows = text.splitlines()
        at = place % len(rows)
        if damage == "lost":
            del rows[at]
        elif damage == "twice":
            rows.insert(at, rows[at])
        elif damage in ("foreign", "reboot"):
            rows.insert(at, "eth0: link up" if damage == "foreign" else "Linux version 6.1.0 (gcc) #1")
        elif damage == "other":
            rows[at] = rows[at].replace("0", "1")
        now += pause
        part = stamped(rows, now, step)
        if damage == "level":
            part = part.replace(b"[", b"<4>[", 1)
        elif damage == "glued":
            part = part.replace(b"\n[", b"[", 1)
        data, now = data + part, now + step * len(rows)
    assert splats(data, once=True) == splats(data, once=False)


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_a_reading_that_is_moved_is_that_of_the_place(number: int) -> None:
    rows = SAMPLES[number].splitlines()
    cases = api.library().cases
    data = b"".join(
        b"[    1.000000] eth0: up\n" * 90 * turn + stamped(rows, 100 + 100 * turn, 0.001) for turn in range(4)
    )
    for splat in splats(data, once=False):
        report = read(splat)
        assert report == parse(splat)
        for asked in (report, replace(report, function="other"), replace(report, kernel="5.10.1"), report):
            assert diagnose(asked, cases) == _concluded(asked, cases, None, False)
        assert diagnose(report, cases[:10]) == _concluded(report, cases[:10], None, False)


def test_the_same_place_says_nothing_of_whether_a_reading_can_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is read twice, and then the same text elsewhere, where a memory block would stay where it was."""
    monkeypatch.setattr(moved, "_memory", lambda memory, _by: memory)
    rows = CUT.splitlines()
    cases = api.library().cases
    here, there = stamped(rows, 100, 0.001), b"[    1.000000] eth0: up\n" * 90 + stamped(rows, 100, 0.001)
    for data in (here, here, there, here):
        for splat in splats(data, once=False):
            report = read(splat)
            assert report == parse(splat)
            assert diagnose(report, cases) == _concluded(report, cases, None, False)
