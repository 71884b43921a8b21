"""Mutants of kb/parse/notices.toml: each row, and each field by which two notices are told apart."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from kb.parse import notice
from tests.mutate.table import Mutant, Path, without, words
from tests.parse import notices

_MUST = ("subtype", "title", "severity")
"""Keys without which a row cannot be read."""


@contextmanager
def changed(table: Mapping[str, Any]) -> Iterator[None]:
    """notices.toml as it would be."""
    with mock.patch.object(notice, "table", return_value=table):
        _forget()
        yield
    _forget()


def _forget() -> None:
    notice.rows.cache_clear()
    notice._begins.cache_clear()
    notice._classify.cache_clear()


def mutants() -> Iterator[Mutant]:
    """All of them; ``after`` and ``of`` need a line before, ``fewer`` a near miss: tests/parse/test_notice.py."""
    for name, row in notice.table().items():
        yield _mutant((name,))
        for path in words(row, (*_MUST, "after", "of", "fewer"), (name,)):
            yield _mutant(path)


def _mutant(path: Path) -> Mutant:
    row, *rest = path
    change = partial(changed, without(notice.table(), path))
    return Mutant("notices.toml", str(row), " ".join(map(str, rest)), change, partial(_noticed, str(row)))


def _noticed(row: str) -> bool:
    own = [sample for sample in notices.samples() if sample.row == row]
    return any(notices.told(sample.text) != sample.told for sample in own)
