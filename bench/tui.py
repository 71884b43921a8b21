"""The triage desk in a real terminal: first rows, keys, memory. Needs tmux; every row says what it was run on.

python bench/tui.py                     # a store of 1,000,000 signatures (made in a temporary folder, half a minute)
python bench/tui.py --signatures 10000  # a smaller one
"""

from __future__ import annotations

import argparse
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

KINDS = ("oops", "warning", "kasan", "hung_task", "oom_kill", "page_allocation_failure")


def make_store(path: Path, count: int) -> None:
    """A store of that many signatures, each seen on one host; its rows are random but the same in each run."""
    from kb.store import Store

    rand = random.Random(1)
    with Store(path) as store:
        db = store.connection
        db.execute("begin")
        for number in range(count):
            day = f"20{rand.randrange(20, 27)}-{rand.randrange(1, 13):02}-{rand.randrange(1, 29):02}"
            seen = f"{day}T00:00:00.{number % 1_000_000:06}Z"
            title = f"WARNING in func_{rand.randrange(100_000)}_{number}"
            db.execute(
                "insert into signatures (signature, title, kind, first, last, count) values (?, ?, ?, ?, ?, ?)",
                (f"kb1:{number:016x}", title, rand.choice(KINDS), seen, seen, rand.randrange(1, 1000)),
            )
        db.execute(
            "insert into sightings (signature, host, kernel, first, last, count)"
            " select id, 'host', '6.1.' || (id % 200), first, last, count from signatures"
        )
        db.execute("commit")


class Screen:
    """A pane of 120 x 40 in a tmux of its own."""

    def __init__(self, folder: Path, words: list[str]):
        self.socket = str(folder / f"tmux-{time.monotonic_ns()}")
        self.started = time.perf_counter()
        self.tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", f"cd {ROOT}; exec {shlex.join(words)}"
        )

    def tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def until(self, holds: Callable[[str], bool]) -> float:
        """Seconds until the screen is so."""
        start = time.perf_counter()
        while not holds(self.tmux("capture-pane", "-p", "-e")):
            if time.perf_counter() - start > 60:
                raise SystemExit(f"not within a minute:\n{self.tmux('capture-pane', '-p')}")
        return time.perf_counter() - start

    def key(self, name: str) -> float:
        """Seconds from a key to a changed screen."""
        before = self.tmux("capture-pane", "-p", "-e")
        start = time.perf_counter()
        self.tmux("send-keys", name)
        self.until(lambda screen: screen != before)
        return time.perf_counter() - start

    def peak_mb(self) -> float:
        """Peak resident memory of the app, where /proc tells it."""
        pid = self.tmux("list-panes", "-F", "#{pane_pid}").strip()
        status = Path(f"/proc/{pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def measure(name: str, words: list[str], needle: str, keys: list[str], folder: Path, within: str = "") -> None:
    """Rows of one start; ``within`` is the key that leads to where the keys are measured."""
    screen = Screen(folder, words)
    try:
        screen.until(lambda shown: needle in shown)
        print(f"{name:44} first rows {time.perf_counter() - screen.started:6.2f} s")
        time.sleep(1.5)
        if within:
            print(f"{'  ' + within:44} {screen.key(within) * 1000:13.0f} ms")
            time.sleep(1.5)
        for key in keys:
            times = []
            for _ in range(10):
                times.append(screen.key(key) * 1000)
                time.sleep(0.15)
            print(f"{'  ' + key:44} median {statistics.median(times):6.0f} ms   worst {max(times):6.0f} ms")
        print(f"{'  peak memory':44} {screen.peak_mb():13.0f} MB")
    finally:
        screen.tmux("kill-server")


def main() -> int:
    """Runs all rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--signatures", type=int, default=1_000_000, help="of the store (default 1,000,000)")
    options = parser.parse_args()
    if shutil.which("tmux") is None:
        print("tui: left out, there is no tmux")
        return 0
    kb = [sys.executable, "-m", "kb", "tui"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_store(folder / "kb.db", options.signatures)
        store = [*kb, f"--db={folder / 'kb.db'}"]
        measure(f"home of a store of {options.signatures:,}", store, "WARNING in func", ["Down"], folder)
        measure(
            f"list of a store of {options.signatures:,}", store, "WARNING in func", ["Down", "PageDown"], folder, "l"
        )
        sample = next((ROOT / "cases/nofs-high-order-watermark").glob("match-*.log")).read_bytes()
        quiet = b"".join(b"[%5d.000000] eth0: link is up, 1000 Mbps full duplex\n" % number for number in range(18_000))
        log = folder / "one.log"
        log.write_bytes(quiet + sample * 20)
        name = f"log of {log.stat().st_size / 1e6:.1f} MB, 20 reports"
        measure(name, [*kb, f"--db={folder / 'none.db'}", str(log)], "page allocation failure", ["Down"], folder, "z")
    return 0


if __name__ == "__main__":
    sys.exit(main())
