"""What a file does to its worker, by its name: for KB_SCAN_HOOK."""

import os
import time


def misbehave(source: str) -> None:
    if "abort" in source:
        os.abort()
    while "spin" in source:
        pass


def slow(source: str) -> None:
    time.sleep(0.1)
