"""Takes each row of the tables out and wants a sample to fail: what nothing holds down goes, or gets a sample.

Each module has ``mutants()``, those of one table, made and judged in this process.
"""

from collections.abc import Iterator
from importlib import import_module

from tests.mutate.table import Mutant

TABLES = ("kinds", "plumbing", "notices", "openers", "weights", "cleaner")


def mutants(name: str) -> Iterator[Mutant]:
    """The mutants of a table."""
    found: Iterator[Mutant] = import_module(f"tests.mutate.{name}").mutants()
    return found
