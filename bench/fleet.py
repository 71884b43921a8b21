"""What a fleet costs: ``kb scan`` by one process and two, and a million reports into a store: part of ``make bench``.

Prints, never asserts. Synthetic: files of ordinary lines with a report in every seventh; a scan's tables of
``--reports`` reports of ``--signatures`` signatures on 1,000 hosts in seven days. CPU seconds of all processes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from shapes import KB, QUIET, ROOT, environment, messages, stamped

SAMPLE = ROOT / "cases/softlockup-generic/match-6.1.log"
HOSTS, DAYS, EVIDENCE = 1000, 7, 3


def cpu(*words: str) -> tuple[float, float]:
    """CPU and wall seconds of a command and its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([*KB, *words], cwd=ROOT, env=environment(), capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, time.monotonic() - start


def quiet_files(folder: Path, count: int) -> None:
    """Files of some 100 kB, packed; a report stands in every seventh."""
    report = messages(SAMPLE)
    for number in range(count):
        lines = [f"{QUIET[index % len(QUIET)]} {number} {index}" for index in range(1200)]
        if number % 7 == 0:
            lines[600:600] = report
        text = "\n".join(stamped(iter(lines))) + "\n"
        (folder / f"node{number:05}.log.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))


def rows(reports: int, signatures: int) -> Iterator[dict[str, object]]:
    """The reports' table of a scan."""
    text = "\n".join(messages(SAMPLE))
    for number in range(reports):
        mark = number * 7919 % signatures
        host, day = number * 31 % HOSTS, 1 + number * DAYS // reports
        fresh = number < signatures * EVIDENCE
        yield {
            "source": f"h{host:04}/{number}.log", "number": 0, "lines": [100, 140], "kind": "warning",
            "title": f"WARNING in synthetic_{mark}", "function": f"synthetic_{mark}", "module": None,
            "signature": f"kb1:{mark:016x}", "key": f"warning|WARNING in synthetic_{mark}", "alt": [], "case": None,
            "fix": None, "kernel": f"6.1.{mark % 50}", "host": f"h{host:04}", "time": float(number),
            "wall": f"2026-03-{day:02}T12:00:{number % 60:02}+00:00", "corrupted": None,
            "headline": f"WARNING: CPU: 1 PID: {number} at x.c:1", "evidence": text if fresh else None,
        }  # fmt: skip


def results(folder: Path, reports: int, signatures: int) -> None:
    """What a scan leaves."""
    place = folder / "reports/day=2026-03-01"
    place.mkdir(parents=True)
    with (place / "part-0.ndjson").open("w", encoding="utf-8") as file:
        for row in rows(reports, signatures):
            file.write(json.dumps(row) + "\n")
    (folder / "signatures.ndjson").write_text("")
    (folder / "errors.ndjson").write_text("")
    summary = {"schema": "kb.scan/1", "version": "0", "format": "ndjson", "files": reports, "size": 0,
               "reports": reports, "errors": 0, "signatures": signatures}  # fmt: skip
    (folder / "scan.json").write_text(json.dumps(summary) + "\n")


def scans(folder: Path, files: int, runs: int) -> None:
    """One process and two over the same files, in turn."""
    logs = folder / "logs"
    logs.mkdir()
    quiet_files(logs, files)
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for run in range(runs):
        for jobs in found:
            words = (
                "scan",
                str(logs),
                "--out",
                str(folder / f"out{jobs}-{run}"),
                "--jobs",
                str(jobs),
                "--format",
                "ndjson",
            )
            found[jobs].append(cpu(*words))
    for jobs, each in found.items():
        used, wall = (statistics.median(column) for column in zip(*each, strict=True))
        print(f"scan of {files} files of 100 kB, {jobs} process(es): {used:6.2f} s CPU, {wall:6.2f} s on the clock")
    ratios = [two[0] / one[0] for one, two in zip(found[1], found[2], strict=True)]
    print(f"  CPU of two against one: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def loads(folder: Path, reports: int, signatures: int) -> None:
    """The tables of a scan into a store, twice."""
    place, store = folder / "result", folder / "kb.db"
    results(place, reports, signatures)
    for time_ in ("first", "again"):
        used, wall = cpu("store", "load", str(place), "--db", str(store))
        size = sum(path.stat().st_size for path in folder.glob("kb.db*")) / 1e6
        each = f"{used / reports * 1e6:.0f} us each"
        print(f"load of {reports} reports, {time_}: {used:6.1f} s CPU ({each}), {wall:.1f} s, store {size:.1f} MB")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  largest process of all: {peak:.0f} MB")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--signatures", type=int, default=10_000)
    options = parser.parse_args()
    os.environ.pop("KB_DB", None)
    with tempfile.TemporaryDirectory() as name:
        scans(Path(name), options.files, options.runs)
        loads(Path(name), options.reports, options.signatures)


if __name__ == "__main__":
    main()
