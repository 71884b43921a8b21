"""Many processes write and are killed at random: what was acknowledged is there, and the store opens clean."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from kb.store import Store
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent.parent


def torture(folder: Path, *, kills: int, writers: int = 8, seed: int = 1) -> tuple[int, list[str]]:
    """Kill and replace writers so often, every other one when it has begun to write.

    Returns:
        Acknowledged writes, and what is wrong with the store afterwards.
    """
    dice, path = random.Random(seed), folder / "kb.db"
    running: list[tuple[subprocess.Popen[bytes], Path]] = []
    names = count(1)

    def start() -> tuple[subprocess.Popen[bytes], Path]:
        name = f"w{next(names)}"
        out = folder / f"said-{name}"
        command = [sys.executable, "-m", "tests.store.crash", str(path), name, str(out)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}), out

    try:
        running += [start() for _ in range(writers)]
        for number in range(kills):
            index = dice.randrange(writers)
            process, out = running[index]
            if number % 2:
                wait_for(lambda out=out: out.exists() and out.stat().st_size, "a write is acknowledged")
            time.sleep(dice.uniform(0.0, 0.2))  # death comes at any moment
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL, "a writer ended by itself"
            running[index] = start()
    finally:
        for process, _ in running:
            process.kill()
            process.wait()
    return audit(folder, path, kills + writers)


def audit(folder: Path, path: Path, kills: int) -> tuple[int, list[str]]:
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
        if extra > kills:
            wrong.append(f"{extra} writes more than were told of, after {kills} kills")
    return len(said), wrong


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_when_writers_are_killed(tmp_path: Path) -> None:
    written, wrong = torture(tmp_path, kills=40)
    assert wrong == []
    assert written >= 20
