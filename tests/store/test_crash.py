"""Many processes write and are killed at random: what was acknowledged is there, and the store opens clean."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kb.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent


def torture(folder: Path, *, seconds: float, writers: int = 8, seed: int = 1) -> tuple[int, int, list[str]]:
    """Kill and replace writers for so long.

    Returns:
        Acknowledged writes, kills, and what is wrong with the store afterwards.
    """
    dice, path = random.Random(seed), folder / "kb.db"
    running: list[subprocess.Popen[bytes]] = []
    started = kills = 0

    def start() -> subprocess.Popen[bytes]:
        nonlocal started
        started += 1
        out = folder / f"said-{started}"
        command = [sys.executable, "-m", "tests.store.crash", str(path), f"w{started}", str(out)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})

    try:
        running += [start() for _ in range(writers)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.05, 0.3))
            index = dice.randrange(writers)
            running[index].send_signal(signal.SIGKILL)
            assert running[index].wait() == -signal.SIGKILL, "a writer ended by itself"
            kills += 1
            running[index] = start()
    finally:
        for process in running:
            process.kill()
            process.wait()
    return audit(folder, path, kills)


def audit(folder: Path, path: Path, kills: int) -> tuple[int, int, list[str]]:
    """Hold what the writers were told against what the store has."""
    said = [line.split() for out in folder.glob("said-*") for line in out.read_text().splitlines() if " " in line]
    seen = Counter(rest for what, rest in said if what == "seen")
    notes = {rest for what, rest in said if what == "note"}
    with Store(path) as store:
        wrong = store.check()
        db = store.connection
        counts = dict(db.execute("select signature, count from signatures"))
        wrong += [
            f"{name}: {counts.get(name, 0)} of {number}" for name, number in seen.items() if counts[name] < number
        ]
        kept = {row[0] for row in db.execute("select id from annotations")}
        wrong += [f"note {note} is lost" for note in notes - kept]
        sums = dict(
            db.execute(
                "select s.signature, sum(g.count) from sightings g join signatures s on s.id = g.signature group by 1"
            )
        )
        wrong += [f"{name}: {count} but its sightings are {sums.get(name)}" for name, count in counts.items()
                  if sums.get(name) != count]  # fmt: skip
        (events,) = db.execute("select count(*) from events").fetchone()
        if events != sum(counts.values()):
            wrong.append(f"{events} events, but {sum(counts.values())} sightings")
        # one write of each writer may have been done and not yet told of when it was killed
        extra = sum(counts.values()) + len(kept) - len(said)
        if extra > kills + 8:
            wrong.append(f"{extra} writes more than were told of, after {kills} kills")
    return len(said), kills, wrong


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_when_writers_are_killed(tmp_path: Path) -> None:
    written, kills, wrong = torture(tmp_path, seconds=8)
    assert wrong == []
    assert kills > 5
    assert written > 50
