"""Mutants by hand: ``python -m tests.fuzz --seconds 3600 --processes 2 --seed 0 --out fuzz``.

SECONDS, JOBS and SEED of the environment are the defaults. A mutant that fails is written to the folder as
``<seed>.log`` and named on stdout with its seed; ``--replay SEED`` (or a file of that folder) runs one again and shows
where it fails.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time
import traceback
from pathlib import Path

from kb import api
from tests.fuzz.check import check, guarded, store
from tests.fuzz.mutate import Mutant, mutant

_MEMORY = 3 << 30
"""Bytes of address space that a process may have: what asks for more fails with a MemoryError."""
_STORE = 2000
"""Mutants that are recorded into one store."""


def run(each: Mutant, base: api.KnowledgeBase) -> int | str:
    """How many reports a mutant holds, or what it fails with."""
    try:
        with guarded():
            return check(each.data, base)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        name = Path(place.filename).name
        return f"seed {each.seed}: {type(error).__name__} in {name}:{place.lineno}: {str(error)[:200]} ({each.how})"


def work(first: int, step: int, until: float, out: Path) -> tuple[int, int, int]:
    """Mutants of every ``step``-th seed until a time: how many, how many reports in them, how many failed."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    seed, count, reports, failed = first, 0, 0, 0
    while time.monotonic() < until:
        with store() as base:
            for _ in range(_STORE):
                each = mutant(seed)
                found = run(each, base)
                if isinstance(found, str):
                    out.mkdir(parents=True, exist_ok=True)
                    (out / f"{seed}.log").write_bytes(each.data)
                    print(found, flush=True)
                    failed += 1
                else:
                    reports += found
                seed, count = seed + step, count + 1
                if time.monotonic() >= until:
                    break
    return count, reports, failed


def main() -> int:
    """Fuzz for a while, or replay one."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    given = os.environ.get
    parser.add_argument("--seconds", type=float, default=given("SECONDS", "60"))
    parser.add_argument("--processes", type=int, default=given("JOBS", str(multiprocessing.cpu_count())))
    parser.add_argument("--seed", type=int, default=given("SEED", "0"), help="the first")
    parser.add_argument("--out", type=Path, default=Path("fuzz"), help="folder for what fails")
    parser.add_argument("--replay", metavar="SEED|FILE")
    options = parser.parse_args()
    if options.replay is not None:
        with store() as base, guarded():
            data = mutant(int(options.replay)).data if options.replay.isdecimal() else Path(options.replay).read_bytes()
            print(check(data, base), "reports")
        return 0
    until, many = time.monotonic() + options.seconds, options.processes
    with multiprocessing.Pool(many) as pool:
        rows = pool.starmap(work, [(options.seed + n, many, until, options.out) for n in range(many)])
    count, reports, failed = (sum(column) for column in zip(*rows, strict=True))
    print(f"{count} mutants from seed {options.seed} on, {reports} reports in them, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
