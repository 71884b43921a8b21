"""One process that records and annotates until it is killed; says what the store has acknowledged.

Run as ``python -m tests.store.crash STORE NAME OUT``: after each write that returned it appends a line to OUT.
"""

from __future__ import annotations

import os
import random
import sys

from kb.model.stack import Stack
from kb.store import Store
from kb.store.similar import Stacks


def main(path: str, name: str, out: str) -> None:
    """Write for ever."""
    dice = random.Random(name)
    said = os.open(out, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    with Store(path) as store:
        stacks = Stacks(store)
        for number in range(1 << 40):
            signature = f"kb1:{dice.randrange(40):016x}"
            if number % 3 == 2:
                note = store.annotate(f"signature:{signature}", f"{name} {number}", author=name)
                os.write(said, f"note {note.id}\n".encode())
                continue
            log = f"{name} {number}\n".encode() * 20
            for _ in range(1 + number % 2):  # a retry: counted once
                store.record(
                    signature, title="WARNING in foo", kind="warning", host=name, source=str(number), evidence=log,
                    event=f"{name} {number}",
                )  # fmt: skip
            os.write(said, f"seen {signature}\n".encode())
            stacks.add_seen(Stack(signature, "WARNING in foo", "warning", (f"f{dice.randrange(99)}", "g"), None))


if __name__ == "__main__":
    main(*sys.argv[1:4])
