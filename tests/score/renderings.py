"""The other renderings of the boots of vm/ (dmesg options, journal outputs, /dev/kmsg): same reports, same titles."""

from __future__ import annotations

from pathlib import Path

from tests.score.run import Job, Result, run
from tests.score.sets import Rows, Score


def score_renderings(folder: Path, rows: Rows, plain: list[Result]) -> Score:
    """Titles of each rendering against those of the console log of the same boot.

    A rendering is taken while the machine still runs, so it may lack the console's last reports and hold its first
    ones only: its titles must be a beginning of the console's. A rendering without any title where the console has
    one is a miss.
    """
    score, jobs, wanted = Score("vm renderings"), [], []
    for row, result in zip(rows, plain, strict=True):
        stem = row["file"].removesuffix(".log")
        for path in sorted(folder.glob(f"{stem}.*")):
            if path.suffix != ".log" and ".extra." not in path.name:
                jobs.append(Job(path.name, path))
                wanted.append(None if result.error else [one.title for one in result.seen])
    for want, result in zip(wanted, run(jobs), strict=True):
        score.log(result)
        got = [one.title for one in result.seen]
        same = want is not None and not result.error and bool(got) == bool(want) and got == want[: len(got)]
        score.count("same", result.name, same, want, result.error or got)
    return score
