"""Many files are the same reports, told in the same order, however many processes read them."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest

from kb import api, spread
from kb.errors import InputError
from kb.log.source import Input

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = sorted((ROOT / "cases").glob("*/match*.log"))[::9]
ODD = (
    b"",
    b"[    1.000000] eth0: link is up\n" * 40,
    b"\x7fELF" + bytes(4000),
    b"x: http://panic.example/?z=1234\n" + b"[    1.000000] nothing\n" * 20,
    b"Oops#1 Part2\n<4>[  900.000000] Call Trace:\nOops#1 Part1\n<4>[  900.000000]  foo_bar+0x12/0x40\n",
    gzip.compress(SAMPLES[0].read_bytes() * 3)[:-300],
)
"""What is no log, or one that is read in parts, cut, or by who asked for it."""


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "LEAST", 0)


def archive(*paths: Path) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as made:
        for path in paths:
            made.add(path, path.parent.name + ".log")
    return held.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as people have them: logs, packed ones, an archive, and what is none."""
    contents = [path.read_bytes() for path in SAMPLES]
    contents += [gzip.compress(contents[1]), archive(*SAMPLES[:3]), *ODD]
    random.Random(5).shuffle(contents)
    for number, content in enumerate(contents):
        place = tmp_path / "logs" / f"host{number % 3}" / f"{number}.log"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return tmp_path / "logs"


def told(logs: Any, jobs: int, **how: Any) -> list[object]:
    """The reports and what is said of the inputs, in their order."""
    found: list[object] = []
    tally = api.Tally()
    for report in api.read(logs, jobs=jobs, told=found.append, tally=tally, **how):
        found.append(report)
    return [*found, tally.inputs, tally.unread]


@pytest.mark.parametrize("how", [{}, {"notices": True, "most": 4}])
def test_a_folder_is_the_same_whoever_reads_its_files(folder: Path, how: dict[str, Any]) -> None:
    alone = told(folder, 1, **how)
    assert len(alone) > 10
    for jobs in (2, 3):
        assert told([folder], jobs, **how) == alone


def test_so_are_files_that_are_named_one_of_them_twice(folder: Path) -> None:
    paths = [path for path in sorted(folder.rglob("*.log")) if path.stat().st_size > 100]
    paths.insert(3, paths[1])
    begun: list[int] = []
    assert told(paths, 2, begun=begun.append) == told(paths, 1)
    assert begun == list(range(len(paths)))


def test_other_processes_do_read_some(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    ask = spread.Spread.__call__

    def asked(self: spread.Spread, each: Input) -> Any:
        found = ask(self, each)
        if found is not None:
            given.append(each.name)
        return found

    monkeypatch.setattr(spread.Spread, "__call__", asked)
    monkeypatch.setattr(spread._Desk, "claim", _left_to_workers)
    told([folder], 2)
    assert len(given) > len(SAMPLES)


_claim = spread._Desk.claim


def _left_to_workers(desk: spread._Desk, place: int) -> bool:
    """The caller takes none for itself."""
    if desk.number < 0:
        while not Path(desk.path(place) + "-claimed").exists():
            pass
        return False
    return _claim(desk, place)


def test_a_worker_that_dies_takes_no_file_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = told(folder, 1)
    ask = spread.Spread.__call__

    def asked(self: spread.Spread, each: Input) -> Any:
        for worker in self._workers:
            worker.kill()
        return ask(self, each)

    monkeypatch.setattr(spread.Spread, "__call__", asked)
    assert told([folder], 3) == alone


def test_what_cannot_be_read_is_an_error_whoever_comes_upon_it(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "dmesg.log.gz"
    empty.write_bytes(b"\x1f\x8b\x08broken, and no more")
    for jobs in (1, 2):
        with pytest.raises(InputError, match="no such file"):
            told([*sorted(folder.rglob("*.log"))[:3], tmp_path / "absent.log", empty], jobs)


def test_nothing_is_left_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    reports = api.read([folder], jobs=2)
    next(reports)
    assert list(tmp_path.glob("kb-*"))
    reports.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.glob("kb-*"))


def test_a_few_small_files_start_no_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert spread.spread([folder], 4) is None
    monkeypatch.setattr(spread, "LEAST", 0)
    assert spread.spread([SAMPLES[0]], 4) is None
    assert spread.spread([folder], 1) is None
