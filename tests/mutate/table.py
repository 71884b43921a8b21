"""What a table of rows is to this check: mutants of it, each with the samples that must notice."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a table to what is taken out."""


@dataclass(frozen=True)
class Mutant:
    """A table without one of its rows, or a row without one of its words."""

    table: str
    row: str
    """Whose it is; of a row the first mutant takes out the row itself."""
    what: str
    change: Callable[[], AbstractContextManager[None]]
    """Enters the changed state."""
    fails: Callable[[], bool]
    """True when a sample notices; anything raised is noticed as well."""

    @property
    def name(self) -> str:
        """For the reader."""
        return f"{self.table}: {self.row}: {self.what}" if self.what else f"{self.table}: {self.row}"

    def survives(self) -> bool:
        """True when no sample notices."""
        with self.change():
            try:
                return not self.fails()
            except Exception:
                return False


def without(table: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A copy of a table in which the item at a path is gone."""
    made = dict(table)
    node: Any = made
    for key in path[:-1]:
        node[key] = copy.copy(node[key])
        node = node[key]
    del node[path[-1]]
    return made


def words(values: Mapping[str, Any], skip: Sequence[str], path: Path = ()) -> Iterator[Path]:
    """Paths of what a row says: each item of its lists, each other value; not of what it must have."""
    for key, value in values.items():
        if key in skip:
            continue
        if isinstance(value, list):
            yield from ((*path, key, index) for index in range(len(value)))
        else:
            yield (*path, key)
