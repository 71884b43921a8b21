"""What kb costs, as ratios to something plain that runs beside it in the same minute: ``make bench``.

Prints, never asserts: a time says as much about the machine as about kb. Rows: start-up against a bare interpreter;
a large log against grep with the same literals.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

TINY = b"[    1.000000] eth0: link up\n" * 20
REPORTS = sorted((ROOT / "cases/nofs-high-order-watermark").glob("match-*.log"))[:1]
# What the installed command runs.
KB = [sys.executable, "-c", "import sys; from kb.cli import main; sys.exit(main())"]

# What opens a report, as a grep user would write it. Not kb's own list: a yardstick must not move with the measured.
OPENERS = (
    "BUG:|WARNING:|Oops|Kernel panic|general protection fault|page allocation failure|invoked oom-killer"
    "|blocked for more than|detected stall|soft lockup|hard LOCKUP|kernel BUG at|UBSAN:|Unable to handle kernel"
    "|Internal error:|Call Trace:|Machine Check|divide error|NETDEV WATCHDOG|EXT4-fs error"
)


def environment() -> dict[str, str]:
    """The caller's, but bytecode may be cached: without it every start compiles kb anew (x3)."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "KB_DB")}
    env["PYTHONPATH"] = str(ROOT)
    return env


def seconds(command: Sequence[str], data: Path | None, env: Mapping[str, str]) -> float:
    """Wall time of one run. Its output goes into a pipe: GNU grep stops at the first hit when it sees /dev/null."""
    with open(data or os.devnull, "rb") as stdin:
        start = time.perf_counter()
        done = subprocess.run(command, stdin=stdin, capture_output=True, env=env, check=False)
        took = time.perf_counter() - start
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.decode(errors='replace')}")
    return took


def medians(rows: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """Median of each row; the runs are interleaved so that a busy minute falls on all of them."""
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for run in rows.values():
        run()  # once for the caches
    for _ in range(runs):
        for name, run in rows.items():
            taken[name].append(run())
    return {name: statistics.median(times) for name, times in taken.items()}


def start_up(folder: Path, runs: int) -> None:
    """``kb match`` and ``kb --help`` against ``python -c pass``."""
    env = environment()
    tiny = folder / "tiny.log"
    tiny.write_bytes(TINY)
    commands: dict[str, tuple[list[str], Path | None]] = {
        "python -c pass": ([sys.executable, "-c", "pass"], None),
        "kb --help": ([*KB, "--help"], None),
        "kb match, no report in 20 lines": ([*KB, "match"], tiny),
    }
    for report in REPORTS:
        commands["kb match, one report"] = ([*KB, "match"], report)
    rows: dict[str, Callable[[], float]] = {
        name: partial(seconds, command, data, env) for name, (command, data) in commands.items()
    }
    rows["kb chat, first prompt"] = lambda: first_prompt(env)
    times = medians(rows, runs)
    base = times["python -c pass"]
    print(f"start-up, median of {runs} interleaved runs")
    for name, value in times.items():
        print(f"  {name:34} {1000 * value:7.1f} ms   x{value / base:.2f}")


def first_prompt(env: Mapping[str, str]) -> float:
    """Wall time until ``kb chat`` on a terminal shows its prompt."""
    import pty

    start = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execve(KB[0], [*KB, "chat"], {**env, "TERM": "xterm"})
    shown = b""
    while b"kb>" not in shown and select.select([terminal], [], [], 20)[0]:
        shown += os.read(terminal, 65536)
    took = time.perf_counter() - start
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(terminal)
    return took


def peak_mb(arguments: Sequence[str], data: Path, env: Mapping[str, str]) -> float:
    """Peak resident memory of one run of kb, MB (1e6 bytes): VmHWM, since ru_maxrss includes who started it."""
    code = (
        "import atexit, sys; from kb.cli import main\n"
        "show = lambda: sys.stderr.write([x for x in open('/proc/self/status') if x.startswith('VmHWM')][0])\n"
        "atexit.register(show); sys.exit(main())"
    )
    with open(data, "rb") as stdin:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, stdin=stdin, capture_output=True, env=env, check=False)
    return int(done.stderr.split()[-2]) * 1024 / 1e6


def throughput(folder: Path, size: str, runs: int) -> None:
    """A large log through ``kb match --json`` against ``LC_ALL=C grep -cE`` with the openers."""
    maker, corpus = SHARED / "bench/make_biglog.py", SHARED / "corpus/syzkaller"
    for needed in (maker, corpus):
        if not needed.exists():
            print(f"throughput: left out, there is no {os.path.relpath(needed, ROOT)}")
            return
    if shutil.which("grep") is None:
        print("throughput: left out, there is no grep")
        return
    big = folder / "big.log"
    made = [sys.executable, str(maker), str(corpus), "--size", size, "--seed", "1", "--out", str(big)]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    env = environment()
    kb, grep = [*KB, "match", "--json"], ["grep", "-cE", OPENERS]
    times = medians(
        {
            "grep -cE": lambda: seconds(grep, big, {**env, "LC_ALL": "C"}),
            "kb match --json": lambda: seconds(kb, big, env),
        },
        runs,
    )
    megabytes = big.stat().st_size / 1e6
    hits = len(re.findall(rf"(?m)^.*(?:{OPENERS})".encode(), big.read_bytes()))
    print(f"throughput, {megabytes:.1f} MB, {hits} lines with an opener, median of {runs} interleaved runs")
    for name, value in times.items():
        ratio = f"x{value / times['grep -cE']:.1f}"
        print(f"  {name:34} {value:7.2f} s {megabytes / value:8.1f} MB/s   {ratio}")
    if Path("/proc/self/status").exists():
        peaks = {name: peak_mb(args, big, env) for name, args in (("kb match --json", kb[3:]), ("--help", ["--help"]))}
        print("  peak memory: " + ", ".join(f"{name} {value:.0f} MB" for name, value in peaks.items()))


def main() -> int:
    """Runs both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=15, help="runs of the start-up rows (default 15)")
    parser.add_argument("--size", default="20M", help="size of the large log (default 20M)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        start_up(Path(name), args.runs)
        throughput(Path(name), args.size, max(3, args.runs // 5))
    return 0


if __name__ == "__main__":
    sys.exit(main())
