"""Mutants of kb/parse/plumbing.toml: each group, entry, pattern and module."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from kb.parse import plumbing
from tests.mutate.table import Mutant, Path, without, words
from tests.parse.skips import samples


@contextmanager
def changed(table: Mapping[str, Any]) -> Iterator[None]:
    """plumbing.toml as it would be."""
    with mock.patch.object(plumbing, "rules", return_value=table):
        _forget()
        yield
    _forget()


def _forget() -> None:
    plumbing.group.cache_clear()
    plumbing.skips.cache_clear()


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for group, entries in plumbing.rules().items():
        yield _mutant((group,))
        for name, entry in entries.items():
            yield _mutant((group, name))
            for path in words(entry, ("why",), (group, name)):
                yield _mutant(path)


def _mutant(path: Path) -> Mutant:
    table = plumbing.rules()
    value: Any = table
    for key in path:
        value = value[key]
    group, *rest = path
    what = f"{' '.join(map(str, rest))} = {value!r}" if len(path) > 2 else " ".join(map(str, rest))
    return Mutant(
        "plumbing.toml", str(group), what, partial(changed, without(table, path)), partial(_noticed, str(group))
    )


def _noticed(group: str) -> bool:
    return any(not sample.holds() for sample in samples() if sample.group == group)
