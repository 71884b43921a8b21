"""A comment for a ticket: names of files, never where they lie on the machine that kb runs on."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.model.verdict import Diagnosis

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = next((ROOT.parent / "cases/nofs-high-order-watermark").glob("match-*.log"))
LOGS = [
    EXAMPLE.read_bytes(),
    *(path.read_bytes().partition(b"\n\n")[2] for path in (ROOT / "parse/data").glob("*.txt")),
]

BESIDE = {
    "before": b"compact_stall 87914\ncompact_fail 40935\nallocstall 1000\noom_kill 1\n",
    "after": b"compact_stall 87914\ncompact_fail 40936\nallocstall 1010\noom_kill 2\n",
    "trace": b"    kworker/31:0-635928 [031] .... 1.000001: mm_vmscan_direct_reclaim_end: nr_reclaimed=3067\n"
    b"    kworker/31:0-635928 [031] .... 1.000002: mm_compaction_begin: zone_start=0x1\n",
    "buddyinfo": b"Node 0, zone      DMA      0      1      1      1      1      1      0      1      1      3 \n",
    "sysctl": b"vm.min_free_kbytes = 409600\nvm.extfrag_threshold = 500\n",
    "note.txt": b"Dear colleague,\nthe machine failed again.\n",
    "empty": b"",
}
"""Files beside a log, by name: each kind that is read, and what is none of them."""

# A case whose marks quote facts of those files.
CASE = """```toml
id = "quotes"
title = "t"
kind = {kinds}
status = "reviewed"
summary = "s"
[match]
require = ["kind present"]
support = ["vmstat.compact_stall == 0", "vmstat.oom_kill > 0", "trace.reclaimed > 0", "trace.compaction > 0"]
```
"""
FOLDER = "kept-at_[home]*"
"""Part of every path; markup in it must not hide it from the test."""

folders = st.lists(st.text("ab-_*[.", min_size=1, max_size=3).filter(lambda name: name.strip(".")), max_size=3)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a folder of cases in it."""
    place = tmp_path_factory.mktemp("m") / FOLDER
    kinds = sorted({report.kind for log in LOGS for report in kb.read(log)})
    (place / "cases/quotes").mkdir(parents=True)
    (place / "cases/quotes/case.md").write_text(CASE.format(kinds=kinds))
    return place


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def comment(diagnosis: Diagnosis) -> str:
    """The Markdown as a reader sees its text: without escapes."""
    return re.sub(r"\\(.)", r"\1", diagnosis.to_markdown())


@given(st.sampled_from(LOGS), st.lists(st.tuples(folders, st.sampled_from(sorted(BESIDE))), max_size=6), folders)
def test_no_path_of_the_machine_is_told(
    home: Path, log: bytes, beside: list[tuple[list[str], str]], parts: list[str]
) -> None:
    path = put(home.joinpath(*parts), "in_put.log", log)
    context = [put(home.joinpath("c", *within), name, BESIDE[name]) for within, name in beside]
    base = kb.KnowledgeBase(home / "none.db", cases=home / "cases")
    for report in base.read(path):
        diagnosis = base.diagnose(report, context=context)
        told = comment(diagnosis)
        assert FOLDER not in told
        assert "in_put.log" in told
        assert diagnosis.to_json()["source"] == str(path)


def test_the_names_of_the_files_beside_a_log_are_told(home: Path) -> None:
    context = [put(home / "c", name, data) for name, data in BESIDE.items()]
    base = kb.KnowledgeBase(home / "none.db", cases=home / "cases")
    (report,) = base.read(EXAMPLE)
    told = comment(base.diagnose(report, context=context))
    for line in (
        "compact_stall 87914 -> 87914 (after): compact_stall did not move",
        "direct reclaim freed 3067 pages (trace:1)",
        "- yes: `vmstat.compact_stall == 0` (compact_stall 87914 -> 87914 (after))",
        "- yes: `vmstat.oom_kill > 0` (oom_kill 1 -> 2 (after))",
        "- yes: `trace.reclaimed > 0` (trace:1)",
        "- yes: `trace.compaction > 0` (trace:2)",
        "context file note.txt: none of the kinds kb reads",
    ):
        assert line in told


@pytest.mark.parametrize("source", [".", "/", "ticket:4711"])
def test_an_input_without_a_path_keeps_its_name(source: str) -> None:
    (found,) = kb.match(EXAMPLE)
    assert f"seen** {source}, " in comment(replace(found, report=replace(found.report, source=source)))
