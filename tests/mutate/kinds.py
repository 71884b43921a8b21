"""Mutants of kb/syntax/kinds.toml: each kind, headline, variant, and each word of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from unittest import mock

from kb.parse import follow
from kb.split import anatomy
from kb.syntax import headline, kinds
from tests.kinds import families, samples
from tests.mutate.table import Mutant, Path, without, words
from tests.split import held

_MUST = ("means", "severity", "sample", "title")
"""Keys without which a row cannot be read."""
_PRINTED = ("prints", "has", "printers")
"""Keys of words that tell whose a line is: logs of tests/split/held/ name them."""
_FAMILIES = (families.allocations_have_their_engine, families.stalls_have_their_decoder)


@contextmanager
def changed(table: Mapping[str, Any]) -> Iterator[None]:
    """kinds.toml as it would be."""
    with mock.patch.object(kinds, "table", return_value=table):
        _forget()
        try:
            yield
        finally:
            _forget()
    _forget()


def _forget() -> None:
    for cached in (kinds.kinds, kinds.rows, kinds.family, kinds.printing, headline._remembered, anatomy.printed_by):
        cached.cache_clear()
    anatomy._printers.cache_clear()
    follow._causes.cache_clear()


def mutants() -> Iterator[Mutant]:
    """All of them."""
    for kind, values in kinds.table().items():
        if kind == "notice":
            continue
        yield _mutant(kind, kind, (kind,), None)
        own = {key: value for key, value in values.items() if key.islower()}
        for path in words(own, _MUST, (kind,)):
            yield _mutant(kind, kind, path, None)
        for name, row in values.items():
            if name.isupper():
                yield from _headline(kind, name, row)


def _headline(kind: str, name: str, row: Mapping[str, Any]) -> Iterator[Mutant]:
    yield _mutant(kind, f"{kind}.{name}", (kind, name), name)
    for path in words(row, (*_MUST, "variant"), (kind, name)):
        yield _mutant(kind, f"{kind}.{name}", path, name)
    for index, variant in enumerate(row.get("variant", ())):
        place = (kind, name, "variant", index)
        yield _mutant(kind, f"{kind}.{name}", place, name)
        for path in words(variant, (), place):
            yield _mutant(kind, f"{kind}.{name}", path, name)


def _mutant(kind: str, row: str, path: Path, terminal: str | None) -> Mutant:
    table = kinds.table()
    value: Any = table
    for key in path:
        value = value[key]
    what = "" if row == ".".join(map(str, path)) else f"{' '.join(map(str, path[1:]))} = {value!r}"
    key = str(path[1]) if len(path) > 1 else ""
    fails = partial(_noticed, kind, terminal, f"{kind}.{key}.{value}" if key in _PRINTED else "", key == "family")
    return Mutant("kinds.toml", row, what, partial(changed, without(table, path)), fails)


def _noticed(kind: str, terminal: str | None, word: str, family: bool) -> bool:
    """True when a log that names the word goes wrong, or a sample of the kind fails (the headline's first)."""
    return (
        any(log.wrong() for log in held.logs() if word in log.names)
        or any(not check() for check in checks(kind, terminal))
        or (family and not all(law() for law in _FAMILIES))
    )


def checks(kind: str, terminal: str | None = None) -> Iterator[Callable[[], bool]]:
    """The samples of a kind as functions that tell whether they hold."""
    logs = sorted(samples.logs(kind), key=lambda log: terminal is not None and not log.shows.startswith(f"{terminal}:"))
    yield from (partial(_holds, log) for log in logs)


def _holds(log: samples.Log) -> bool:
    return samples.said(log) == log.said and not samples.lacking(log)


ALL: Callable[[], AbstractContextManager[None]] = partial(changed, kinds.table())
"""Enters the state as it is: every sample must hold in it."""
