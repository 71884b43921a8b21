"""What kb costs by the shape of its input: storms, dense logs, exports, a live pipe: part of ``make bench``.

Prints, never asserts. Made of the project's own samples, so that it runs anywhere; times are CPU seconds of the
process, medians of runs that are interleaved.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KB = [sys.executable, "-c", "import sys; from kb.cli import main; sys.exit(main())"]

STAMP = "[{:12.6f}] "
RUNS = 3
QUIET = (
    "eth0: NIC Link is Up 1000 Mbps Full Duplex",
    'audit: type=1400 audit(1700000000.123:45): apparmor="ALLOWED" operation="open"',
    "nvme nvme0: 4/0/0 default/read/poll queues, QID 3 timeout is 30 s",
    "pcieport 0000:00:1c.0: AER: Corrected error received: 0000:01:00.0 was masked",
    "systemd[1]: Started Session 4711 of User root.",
)
"""Ordinary lines, and look-alikes of what opens a report."""


def environment() -> dict[str, str]:
    """The caller's, with kb importable and its bytecode cached."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "KB_DB")}
    return {**env, "PYTHONPATH": str(ROOT)}


def messages(path: Path) -> list[str]:
    """The messages of a sample, prefixes off."""
    from kb.log.reader import Reader

    return [line.text for line in Reader(path.read_bytes()).lines()]


@cache
def samples() -> list[list[str]]:
    """The messages of the project's samples that hold a report."""
    from kb.api import read

    paths = sorted((ROOT / "cases").glob("*/match*.log"))
    return [messages(path) for path in paths if any(True for _ in read(path))]


def stamped(texts: Iterator[str]) -> Iterator[str]:
    """The same as a serial console writes them."""
    for number, text in enumerate(texts):
        yield STAMP.format(100 + number * 0.01) + text


def quiet() -> Iterator[str]:
    """Five million bytes without a report."""
    for number in range(70_000):
        yield f"{QUIET[number % len(QUIET)]} {number}"


def dense() -> Iterator[str]:
    """A thousand reports, one after the other."""
    for number in range(1000):
        yield from samples()[number % len(samples())]


def storm(words: str) -> Iterator[str]:
    """Two thousand reports that differ by their stamps: of the first sample that says this."""
    sample = next(sample for sample in samples() if any(words in text for text in sample))
    for _ in range(2000):
        yield from sample


def mixed() -> Iterator[str]:
    """The thousand reports, an ordinary line before each of their lines."""
    return (text for pair in zip(dense(), quiet(), strict=False) for text in pair)


def as_json(line: str, number: int) -> str:
    """A line as ``journalctl -o json`` writes it."""
    micro = str(1_700_000_000_000_000 + number * 1000)
    fields = {"__REALTIME_TIMESTAMP": micro, "_HOSTNAME": "db17", "_TRANSPORT": "kernel", "PRIORITY": "4"}
    return json.dumps({**fields, "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": line})


def as_export(line: str, number: int) -> str:
    """A line as ``journalctl -o export`` writes it."""
    head = f"__CURSOR=s=1;i={number:x}\n__REALTIME_TIMESTAMP={1_700_000_000_000_000 + number * 1000}\n"
    return f"{head}_HOSTNAME=db17\n_TRANSPORT=kernel\nPRIORITY=4\nSYSLOG_IDENTIFIER=kernel\nMESSAGE={line}\n"


def spent(path: Path) -> tuple[float, int, float]:
    """CPU seconds, reports and peak memory (MB) of ``kb match --json`` on a file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*KB, "match", "--json", str(path)], capture_output=True, env=environment(), check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, done.stdout.count(b"\n"), after.ru_maxrss / 1024


def shapes(folder: Path) -> None:
    """Each shape once: seconds, MB/s, ms a report."""
    made: dict[str, Callable[[], Iterator[str]]] = {
        "ordinary lines": lambda: stamped(quiet()),
        "1,000 reports": lambda: stamped(dense()),
        "2,000 equal warnings": lambda: stamped(storm("WARNING: CPU")),
        "2,000 equal allocation failures": lambda: stamped(storm("page allocation failure")),
        "reports among ordinary lines": lambda: stamped(mixed()),
        "the same, journalctl -o json": lambda: (as_json(text, n) for n, text in enumerate(mixed())),
        "the same, journalctl -o export": lambda: (as_export(text, n) for n, text in enumerate(mixed())),
    }
    paths: dict[str, Path] = {}
    for name, lines in made.items():
        paths[name] = folder / f"{len(paths)}.log"
        paths[name].write_text("\n".join(lines()) + "\n", encoding="utf-8", errors="surrogateescape")
    nothing = folder / "nothing.log"
    nothing.write_text("nothing\n")
    taken: dict[str, list[tuple[float, int, float]]] = {name: [] for name in ("", *paths)}
    for _ in range(RUNS):
        taken[""].append(spent(nothing))
        for name, path in paths.items():
            taken[name].append(spent(path))
    start = statistics.median(row[0] for row in taken[""])
    print(f"shapes, CPU time beyond a start ({1000 * start:.0f} ms), median of {RUNS} interleaved runs")
    for name, path in paths.items():
        took = statistics.median(row[0] for row in taken[name]) - start
        size, reports = path.stat().st_size / 1e6, taken[name][0][1]
        each = f"{1000 * took / reports:7.2f} ms a report" if reports else ""
        print(f"  {name:34} {took:7.2f} s {size / took:8.1f} MB/s {reports:6} reports {each}")


def live() -> None:
    """Seconds from a report's last line to its being told, while foreign lines go on."""
    report = list(stamped(iter(samples()[0])))
    print("live, seconds from the last line of a report until it is told")
    for gap in (0.2, 0.01):
        process = subprocess.Popen(
            [*KB, "match", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), bufsize=0
        )
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        write = partial(_write, process.stdin)
        for number in range(int(2 / gap)):
            write(STAMP.format(90 + number * gap) + QUIET[0])
            time.sleep(gap)
        for line in report:
            write(line)
        end = time.monotonic()
        while process.stdout.read() is None and time.monotonic() - end < 20:
            write(STAMP.format(5000 + time.monotonic() - end) + QUIET[0])
            time.sleep(gap)
        print(f"  {1 / gap:5.0f} other lines a second {time.monotonic() - end:24.2f} s")
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _write(stream: object, line: str) -> None:
    stream.write(line.encode("utf-8", "surrogateescape") + b"\n")  # type: ignore[attr-defined]


def main() -> int:
    """Runs both."""
    with tempfile.TemporaryDirectory() as name:
        shapes(Path(name))
    live()
    return 0


if __name__ == "__main__":
    sys.exit(main())
