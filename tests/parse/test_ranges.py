"""A large file is the same reports however many processes read it."""

from __future__ import annotations

import io
import pickle
import random
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import api
from kb.log.tape import Tape
from kb.model.report import Report
from kb.parse import ranges, reading

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = [path.read_bytes().rstrip(b"\n") + b"\n" for path in sorted((ROOT / "cases").glob("*/match*.log"))[::5]]
WARNING = (
    b"WARNING: CPU: 0 PID: 1 at mm/foo.c:1 foo_init+0x1/0x2",
    b"CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1",
    b"Call Trace:",
    b" foo_init+0x1/0x2",
    b" kthread+0x1/0x2",
)
ODD = (
    b"[  900.000000] sysrq: Show Blocked State\n",
    b"[  900.000000] reboot: Restarting system\n",
    b"[    0.000000] Linux version 5.10.1 (gcc) #1\n",
    b"[  900.000000] FAULT_INJECTION: forcing a failure.\n",
    b"[  900.000000] Call Trace:\n[  900.000000]  foo_bar+0x12/0x40\n",
    b"07/05/2013 04:05:06 db17 BUG: unable to handle page fault for address: 0000000000000010\n",
    b"[  900.000000] box> WARNING: at net/foo/foo.c:12 foo_bar+0x12/0x40\n",
    b"[  900.000000] Node 0 DMA free:15880kB min:4kB low:16kB high:28kB\n" * 500,
    b"WARNING: CPU: 0 PID: 1 at mm/foo.c:1 foo_init+0x1/0x2\nCall Trace:\n foo_init+0x1/0x2\n",
    b"".join(b"box7| " + row + b"\n" for row in WARNING),
    b"box7| " + WARNING[0] + b"\n",
    b"[  900.000000] box8| " + WARNING[0] + b"\n" + b"".join(b"[  900.0] box8| " + row + b"\n" for row in WARNING),
    b"x: http://panic.example/?z=1234\n",
)
"""What bears on lines far behind it, or nearly does."""


def ordinary(count: int, rng: random.Random) -> bytes:
    return b"".join(b"[%12.6f] eth%d: link is up, %d\n" % (1000 + n, rng.randrange(9), n) for n in range(count))


def log(parts: list[tuple[int, int, bool]], seed: int) -> bytes:
    rng = random.Random(seed)
    rows = []
    for number, count, odd in parts:
        rows.append(ODD[number % len(ODD)] if odd else SAMPLES[number % len(SAMPLES)])
        rows.append(ordinary(count, rng))
    return b"".join(rows)


class Within:
    """A worker in this process."""

    def __init__(self, path: str, start: int, cuts: list[int], last: int):
        self._found = tempfile.TemporaryFile()  # noqa: SIM115 -- end() closes it, as it ends a process
        stdout, sys.stdout = sys.stdout, type("Out", (), {"buffer": self._found})()  # type: ignore[assignment]
        try:
            ranges.work(path, *map(str, (start, last, *cuts)))
        finally:
            sys.stdout = stdout
        self._found.flush()

    found = ranges._Worker.found
    _piece = ranges._Worker._piece
    _process = type("Done", (), {"poll": staticmethod(lambda: 0)})

    def end(self) -> None:
        self._found.close()


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files here stand for large ones, in which nobody looks for lines that a mailer broke."""
    monkeypatch.setattr("kb.log.wrap.LARGEST", 0)
    monkeypatch.setattr("kb.gather.LARGE", 0)


def read(path: Path, jobs: int) -> list[Report]:
    return list(api.read(path, jobs=jobs))


def piped(path: Path, chunk: int, notices: bool = False) -> list[Report]:
    """The reports of the same bytes from what is no file, so many at a time."""
    tape = Tape(io.BytesIO(path.read_bytes()), chunk=chunk)
    tape.settle()
    found = (reading.reports_and_notices if notices else reading.reports)(tape, str(path))
    return [report for report in found if report.kind != "notice"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.sampled_from((0, 20, 300, 450, 900, 2000)), st.booleans()),
        min_size=4, max_size=16,
    ),
    st.integers(0, 3),
)  # fmt: skip
def test_the_reports_of_ranges_are_those_of_the_file(
    tmp_path: Path, parts: list[tuple[int, int, bool]], seed: int
) -> None:
    path = tmp_path / "big.log"
    path.write_bytes(log(parts, seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kb.log.cuts.SMALLEST", 40_000)
        patch.setattr(ranges, "_Worker", Within)
        alone = read(path, 1)
        for jobs in (2, 3, 7):
            assert read(path, jobs) == alone
        for chunk, notices in ((1 << 16, False), (50_000, True), (1 << 22, False)):
            assert piped(path, chunk, notices) == alone


def test_processes_read_what_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.log"
    path.write_bytes(log([(number, 700, number % 3 == 0) for number in range(40)], 1))
    monkeypatch.setattr("kb.log.cuts.SMALLEST", 100_000)
    started: list[list[int]] = []
    worker = ranges._Worker
    monkeypatch.setattr(ranges, "_Worker", lambda *asked: started.append(asked[2]) or worker(*asked))
    assert read(path, 3) == read(path, 1)
    assert len(started) == 2
    assert len(read(path, 1)) > 10


def test_a_process_that_fails_costs_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.log"
    path.write_bytes(log([(number, 700, False) for number in range(20)], 1))
    monkeypatch.setattr("kb.log.cuts.SMALLEST", 100_000)
    alone = read(path, 1)
    monkeypatch.setattr(ranges, "_PROGRAM", "raise SystemExit(3)")
    assert read(path, 3) == alone
    assert alone


HALF = """
import io, sys
from kb.parse import ranges
real, sys.stdout = sys.stdout, type("Out", (), {"buffer": io.BytesIO()})()
ranges.work(*sys.argv[1:])
told = sys.stdout.buffer.getvalue()
sys.stdout = real
sys.stdout.buffer.write(told[: len(told) * 7 // 8])
raise SystemExit(3)
"""
"""A worker that dies in the middle of a report."""


def test_what_a_process_told_before_it_failed_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.log"
    path.write_bytes(log([(number, 700, False) for number in range(20)], 1))
    monkeypatch.setattr("kb.log.cuts.SMALLEST", 100_000)
    alone = read(path, 1)
    monkeypatch.setattr(ranges, "_PROGRAM", HALF)
    skipped: list[int] = []
    own = ranges.islice
    monkeypatch.setattr(ranges, "islice", lambda some, start, end: skipped.append(start) or own(some, start, end))
    assert read(path, 2) == alone
    assert 0 < skipped[0] < len(alone)


def test_nothing_is_cut_where_a_report_goes_on(tmp_path: Path) -> None:
    """Every cut has lines on both sides that open nothing, and a file of records or of reports alone has none."""
    path = tmp_path / "big.log"
    for data, some in (
        (log([(number, 600, False) for number in range(40)], 1), True),
        (log([(number, 3, False) for number in range(200)], 1), False),
        (b"__CURSOR=s=1\nMESSAGE=x\n\n" + ordinary(30_000, random.Random(1)), False),
    ):
        path.write_bytes(data)
        with pytest.MonkeyPatch.context() as patch, open(path, "rb") as file:
            patch.setattr("kb.log.cuts.SMALLEST", 60_000)
            cuts = ranges.cuts_of(file)
            assert bool(cuts) == some
            for cut in cuts:
                assert data[cut - 1 : cut] == b"\n"
                around = data[:cut].rsplit(b"\n", 50)[1:] + data[cut:].split(b"\n", 80)[:-1]
                assert not any(b"Call Trace" in row or b"BUG" in row for row in around)


def test_a_report_comes_out_of_another_process_as_it_is() -> None:
    for sample in SAMPLES[:20]:
        for report in api.read(sample):
            assert pickle.loads(pickle.dumps(report)) == report


def test_what_was_learned_is_forgotten_at_a_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prefix that the lines of one report bear out explains a lone line near it, and none behind a cut."""
    rng = random.Random(1)
    path = tmp_path / "big.log"
    report = b"".join(b"box7| " + row + b"\n" for row in WARNING)
    path.write_bytes(report + ordinary(2000, rng) + b"box7| " + WARNING[0] + b"\n" + ordinary(2000, rng))
    near = [each.kind for each in read(path, 1)]
    monkeypatch.setattr("kb.log.cuts.SMALLEST", 40_000)
    monkeypatch.setattr(ranges, "_Worker", Within)
    cut = [each.kind for each in read(path, 1)]
    assert near != cut
    assert [each.kind for each in read(path, 3)] == cut
    assert [each.kind for each in piped(path, 1 << 16)] == cut


def test_who_diagnoses_all_reports_reads_the_least() -> None:
    cuts = list(range(10, 100, 10))
    assert ranges._starts(cuts, 100, 1) == []
    assert ranges._starts(cuts, 100, 2) == [20]
    assert ranges._starts(cuts, 100, 3) == [10, 60]
    assert ranges._starts([50], 100, 4) == [50]
