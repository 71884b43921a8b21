"""`python -m tests.mutate [TABLE...]`: takes out each row of the tables and names those that no sample misses."""

import sys
import time
from collections import Counter

from tests.mutate import TABLES, mutants


def main(*names: str) -> int:
    """Print a line a table, and each mutant that went unnoticed; the exit code says whether there was one."""
    if unknown := set(names) - set(TABLES):
        print(f"no such table: {', '.join(sorted(unknown))} (there are {', '.join(TABLES)})", file=sys.stderr)
        return 2
    lost = []
    for name in names or TABLES:
        started = time.process_time()
        made: Counter[str] = Counter()
        for mutant in mutants(name):
            made[mutant.table] += 1
            if mutant.survives():
                lost.append(mutant.name)
        told = ", ".join(f"{count} of {table}" for table, count in made.items())
        print(f"{name:10} {told} ({time.process_time() - started:.1f} s)", flush=True)
    print("\n".join(["", "nothing holds:", *lost] if lost else ["each is noticed"]))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
