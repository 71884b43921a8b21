"""A store of many signatures: exact look-up, similar, record, and what it costs kb match to start beside it.

``python bench/signatures.py [--sizes 10000,100000,1000000]``. Stacks are synthetic: families of stacks that share
most frames, functions drawn by Zipf's law over 40,000 names, 12 frames each. Prints, never asserts.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kb.identity.rank import Query  # noqa: E402
from kb.recall import nearest  # noqa: E402
from kb.store import Store  # noqa: E402
from kb.store.connection import write  # noqa: E402
from kb.store.imports import Imports  # noqa: E402
from kb.store.similar import _packed  # noqa: E402

FUNCTIONS = 40_000
_WEIGHTS = list(accumulate(1 / (rank + 20) for rank in range(FUNCTIONS)))
QUERIES = 200


def stacks(number: int, dice: random.Random) -> Iterator[list[int]]:
    """Ids of frames: about sixteen stacks a family, each one or two frames away from the family's own."""
    family: list[int] = []
    for index in range(number):
        if index % 16 == 0:
            family = [found + 1 for found in dice.choices(range(FUNCTIONS), cum_weights=_WEIGHTS, k=12)]
        yield edited(family, dice)


def edited(stack: list[int], dice: random.Random) -> list[int]:
    """The stack with a frame gone, changed, or added."""
    made = list(stack)
    for _ in range(dice.randint(0, 2)):
        at = dice.randrange(len(made))
        match dice.randrange(3):
            case 0 if len(made) > 4:
                del made[at]
            case 1:
                made[at] = dice.randrange(FUNCTIONS) + 1
            case _:
                made.insert(at, dice.randrange(FUNCTIONS) + 1)
    return made


def fill(store: Store, number: int) -> None:
    """Write signatures and their stacks at once, as an index built afresh would."""
    dice = random.Random(1)
    made = list(stacks(number, dice))
    held = [0] * (FUNCTIONS + 1)
    for stack in made:
        for frame in set(stack):
            held[frame] += 1
    postings = sorted((frame, index) for index, stack in enumerate(made, 1) for frame in set(stack))
    with write(store.connection) as db:
        db.executemany(
            "insert into frames values (?, ?, ?)", ((i, f"function_{i}", held[i]) for i in range(1, FUNCTIONS + 1))
        )
        db.executemany(
            "insert into signatures values (?, ?, '', 'WARNING in foo', 'warning', '2031', '2031', 1)",
            ((index, f"kb1:{index:016x}") for index in range(1, number + 1)),
        )
        db.executemany(
            "insert into stacks values (?, ?, '', 'WARNING in foo', 'warning', '', ?)",
            ((index, f"kb1:{index:016x}", _packed(stack)) for index, stack in enumerate(made, 1)),
        )
        db.executemany("insert into postings values (?, ?)", postings)
    store.connection.execute("analyze")


def milliseconds(run: Callable[[int], object]) -> tuple[float, float]:
    """Median and 95th percentile of CPU time over the queries, the first ones for the caches."""
    taken = []
    for index in range(QUERIES + 20):
        start = time.process_time_ns()
        run(index)
        taken.append((time.process_time_ns() - start) / 1e6)
    taken = sorted(taken[20:])
    return statistics.median(taken), taken[int(len(taken) * 0.95)]


def measure(folder: Path, number: int) -> None:
    """One size: prints a row."""
    with Store(folder / f"{number}.db") as store:
        start = time.perf_counter()
        fill(store, number)
        built = time.perf_counter() - start
        dice, imports = random.Random(2), Imports(store)
        known = [dice.randrange(1, number + 1) for _ in range(QUERIES + 20)]
        rows = dict(enumerate(stacks(number, random.Random(1)), 1))
        asked = [tuple(f"function_{i}" for i in edited(rows[index], dice)) for index in known]
        del rows
        found = 0

        def similar(index: int) -> None:
            nonlocal found
            near = nearest(store, Query("kb1:none", "warning", asked[index]), limit=10)
            family = {(int(each.entry.signature[4:], 16) - 1) // 16 for each in near[:1]}
            found += (known[index] - 1) // 16 in family

        times = {
            "exact": milliseconds(lambda index: store._find(f"kb1:{known[index]:016x}")),
            "linked cases": milliseconds(lambda index: imports.by_signature([f"kb1:{known[index]:016x}"])),
            "similar": milliseconds(similar),
            "record": milliseconds(
                lambda index: store.record(f"kb1:{known[index]:016x}", title="t", kind="warning", host="h")
            ),
        }
        size = (folder / f"{number}.db").stat().st_size / 1e6
    row = "  ".join(f"{name} {median:.2f}/{worst:.2f}" for name, (median, worst) in times.items())
    share = 100 * found / (QUERIES + 20)
    print(
        f"{number:>9} signatures  {size:6.0f} MB  built in {built:4.0f} s  {row}  right family {share:.1f}%", flush=True
    )


def crash(kills: int) -> None:
    """Eight processes that record and annotate, killed at random."""
    from tests.store.test_crash import torture

    with tempfile.TemporaryDirectory() as name:
        written, wrong = torture(Path(name), kills=kills, seed=int(time.time()))
    lost = f"{len(wrong)} things wrong: {wrong[:3]}" if wrong else "none lost, the store is sound"
    print(f"8 writers, {kills} times one of them killed: {written} writes acknowledged, {lost}")


def main() -> int:
    """Runs all sizes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000,1000000", help="signatures, by commas; empty: none")
    parser.add_argument("--crash", type=int, default=300, metavar="N", help="kill a writer so often")
    args = parser.parse_args()
    sizes = [int(size) for size in args.sizes.split(",") if size]
    if sizes:
        print("a store of many signatures, ms of CPU, median/95th percentile")
    with tempfile.TemporaryDirectory() as name:
        for size in sizes:
            measure(Path(name), size)
    if args.crash:
        crash(args.crash)
    return 0


if __name__ == "__main__":
    sys.exit(main())
