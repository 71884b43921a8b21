"""Mutants of kb/split/weights.py: each weight counts nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from kb.split.weights import Weight
from tests.mutate.table import Mutant
from tests.split import held


@contextmanager
def changed(weight: Weight) -> Iterator[None]:
    """The weight without its points."""
    points = weight.points
    weight.points = 0
    try:
        yield
    finally:
        weight.points = points


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for weight in Weight:
        fails = partial(noticed, weight.name)
        yield Mutant("weights.py", weight.name, "", partial(changed, weight), fails)


def noticed(name: str) -> bool:
    """True when a log that names a row goes wrong."""
    return any(log.wrong() for log in held.logs() if name in log.names)
