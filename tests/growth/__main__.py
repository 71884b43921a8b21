"""CPU seconds of inputs of growing size: ``python -m tests.growth [BYTES [NAME...]]``, for a person to look at."""

import sys
import time

from tests.growth.inputs import PUMPS, WARNING, whole


def main(size: int, *names: str) -> None:
    """Print a row an input: a quarter, half and the whole of the size, and a mark where that is not linear."""
    whole(WARNING)
    for name, (shape, work) in PUMPS.items():
        if names and not any(each in name for each in names):
            continue
        part = max(1.0, (len(shape(200)) - len(shape(100))) / 100)
        spent, data = [], b""
        for share in (4, 2, 1):
            data = shape(max(1, int(size / share / part)))
            started = time.process_time()
            work(data)
            spent.append(time.process_time() - started)
        grows = spent[2] > 0.2 and spent[2] > 2.9 * spent[1] and spent[1] > 2.5 * spent[0]
        row = " ".join(f"{seconds:7.2f}" for seconds in spent)
        print(f"{name:34} {len(data):10} {row}{'  <-- grows' if grows else ''}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000, *sys.argv[2:])
