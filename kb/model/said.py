"""A sentence before it is words: a name and its values. What it reads like in a language is kb/words/<language>.toml's.

The model knows no text: ``str()`` of a sentence asks the package for its English, as a diagnosis does for its forms.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import kb

Value = Union[int, float, str, None, "Said", tuple["Value", ...]]
"""Numbers are numbers (the unit is the end of the value's name: ``_pages``, ``_kb``, ``_s``), names and log text are
strings, lists are tuples; a sentence may hold others, and None says nothing."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence by its stable name (``gfp.forbids_waiting``)."""

    name: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.name, frozenset(self.values.items())))

    def __str__(self) -> str:
        """The sentence in English."""
        return kb.english(self)

    def quoted(self) -> Iterator[str]:
        """The strings among its values, those of sentences inside it too: names, and what the log says."""
        return _strings(tuple(self.values.values()))

    def names(self) -> Iterator[str]:
        """Its name, and those of the sentences inside it."""
        yield self.name
        for inner in _inner(tuple(self.values.values())):
            yield from inner.names()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Said":
        """The sentence that :meth:`to_json` gave."""
        return cls(row["name"], {key: _value(value) for key, value in row["values"].items()})

    def to_json(self) -> dict[str, Any]:
        """``{"name": ..., "values": {...}}`` of plain values."""
        return {"name": self.name, "values": {key: _plain(value) for key, value in self.values.items()}}


def _strings(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, Said):
        yield from value.quoted()


def _inner(value: Value) -> Iterator[Said]:
    if isinstance(value, Said):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _inner(item)


def _value(plain: Any) -> Value:
    if isinstance(plain, Mapping):
        return Said.from_json(plain)
    found: Value = tuple(map(_value, plain)) if isinstance(plain, list) else plain
    return found


def _plain(value: Value) -> Any:
    if isinstance(value, Said):
        return value.to_json()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def joined(parts: Iterable[Said]) -> str:
    """Several sentences in English, one behind the other."""
    return "; ".join(map(str, parts))
