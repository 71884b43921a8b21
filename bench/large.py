"""What large inputs cost kb: 200 MB by one process and two, many files, memory by transport, a store of known cases.

Prints, never asserts: part of ``make bench``. CPU is that of all processes, against ``grep -cE`` of the same bytes in
the same run; time on the clock says something on an idle machine only. ``--huge`` sends ten times as much through a
pipe, too.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from bench import KB, OPENERS, SHARED, environment

RUNS = 3
CASES = 4000


def spent(command: Sequence[str], pipe: Path | None = None, times: int = 1) -> tuple[float, float, float]:
    """CPU seconds, seconds on the clock and peak memory (MB) of a command; a file may come through a pipe."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    feed = subprocess.Popen(["cat", *[str(pipe)] * times], stdout=subprocess.PIPE) if pipe is not None else None
    process = subprocess.Popen(
        command,
        stdin=feed.stdout if feed is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment(), "LC_ALL": "C"},
    )
    assert process.stdout is not None
    while process.stdout.read(1 << 20):
        pass
    _, _, own = os.wait4(process.pid, 0)
    process.returncode = 0
    if feed is not None:
        feed.wait()
    took, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, took, own.ru_maxrss / 1024


def made(path: Path, size: str, seed: int, *more: str) -> Path:
    """A log of make_biglog."""
    maker, corpus = SHARED / "bench/make_biglog.py", SHARED / "corpus/syzkaller"
    command = [sys.executable, str(maker), str(corpus), "--size", size, "--seed", str(seed), "--out", str(path), *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def against(rows: dict[str, tuple[Sequence[str], Path | None]], runs: int = RUNS) -> None:
    """Each row's medians, and its ratio to the first, of runs that are interleaved."""
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in rows}
    for _ in range(runs):
        for name, (command, pipe) in rows.items():
            taken[name].append(spent(command, pipe))
    first = taken[next(iter(rows))]
    for name, each in taken.items():
        cpu, wall, peak = (statistics.median(column) for column in zip(*each, strict=True))
        by_cpu = statistics.median(one[0] / other[0] for one, other in zip(each, first, strict=True))
        by_wall = statistics.median(one[1] / other[1] for one, other in zip(each, first, strict=True))
        print(f"  {name:34} {cpu:7.2f} s x{by_cpu:5.1f}   {wall:7.2f} s on the clock x{by_wall:5.1f} {peak:6.0f} MB")


def one_file(folder: Path, size: str) -> Path:
    """A large log, by one process and two."""
    big = made(folder / "big.log", size, 1)
    kb = [*KB, "match", "--json"]
    print(f"{big.stat().st_size / 1e6:.0f} MB in one file, CPU and clock against grep")
    against(
        {
            "grep -cE": (["grep", "-cE", OPENERS, str(big)], None),
            "kb match --jobs 1": ([*kb, "--jobs", "1", str(big)], None),
            "kb match --jobs 2": ([*kb, "--jobs", "2", str(big)], None),
        }
    )
    return big


def many_files(folder: Path) -> None:
    """Some files of 20 MB, by one process and two."""
    logs = folder / "logs"
    logs.mkdir()
    for number in range(6):
        made(logs / f"{number}.log", "20M", 10 + number)
    kb = [*KB, "match", "--json"]
    print("6 files of 20 MB")
    against(
        {
            "kb match --jobs 1": ([*kb, "--jobs", "1", str(logs)], None),
            "kb match --jobs 2": ([*kb, "--jobs", "2", str(logs)], None),
        }
    )


def memory(big: Path, *, huge: bool) -> None:
    """Peak memory by the way a log comes."""
    ways: dict[str, tuple[str, Path | None, int]] = {"file": (str(big), None, 1), "pipe": ("-", big, 1)}
    for suffix in ("gz", "xz"):
        place = big.with_name(f"{big.name}.{suffix}")
        with big.open("rb") as source, _packing(place) as out:
            shutil.copyfileobj(source, out, 1 << 20)
        ways[suffix] = (str(place), None, 1)
    if huge:
        ways["pipe, ten times"] = ("-", big, 10)
    print("peak memory, one process")
    for name, (path, pipe, times) in ways.items():
        used, _, peak = spent([*KB, "match", "--json", "--jobs", "1", path], pipe, times)
        print(f"  {name:34} {used:7.2f} s {peak:6.0f} MB")


def _packing(place: Path) -> IO[bytes]:
    return gzip.open(place, "wb") if place.suffix == ".gz" else lzma.open(place, "wb", preset=0)


def known(folder: Path) -> None:
    """A log of reports, with a store of imported cases and without."""
    from kb.api import KnowledgeBase, read
    from kb.identity.frames import names
    from kb.model.case import Case
    from kb.model.stack import Stack
    from kb.store.imports import Imports, Item, Known

    dense = folder / "dense.log"
    dense.write_bytes(b"".join(path.read_bytes() for path in sorted((SHARED / "corpus/syzkaller").glob("*.log"))))
    stacks = [stack for report in read(dense) if (stack := names(report))]
    items = []
    for number in range(CASES):
        stack = stacks[number % len(stacks)]
        frames = tuple(name if place % 3 else f"{name}_{number}" for place, name in enumerate(stack))
        mark = f"kb1:{number:016x}"
        case = Case(
            id=f"known-{number}", title=f"oops in {frames[0]}", status="imported", kind=("oops",), subsystem="",
            summary="", signatures=(mark,),
        )  # fmt: skip
        items.append(
            Item("bench", str(number), b"%d" % number, Known(case, (Stack(mark, case.title, "oops", frames, case.id),)))
        )
    with KnowledgeBase(folder / "kb.db") as base:
        Imports(base.store).put(items)
    kb = [*KB, "match", "--json", "--jobs", "1", str(dense), "--db"]
    print(f"{CASES} imported cases that share two frames of three with the reports of a dense log")
    rows: dict[str, tuple[Sequence[str], Path | None]] = {
        "without": ([*kb, str(folder / "none.db")], None),
        "with": ([*kb, str(folder / "kb.db")], None),
    }
    against(rows)


def main() -> int:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="200M", help="size of the large log (default 200M)")
    parser.add_argument("--huge", action="store_true", help="also ten times as much through a pipe")
    options = parser.parse_args()
    if not (SHARED / "bench/make_biglog.py").exists() or shutil.which("grep") is None:
        print("large inputs: left out, there is no make_biglog.py or no grep")
        return 0
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    with tempfile.TemporaryDirectory() as name:
        big = one_file(Path(name), options.size)
        many_files(Path(name))
        memory(big, huge=options.huge)
        known(Path(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
