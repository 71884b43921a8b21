"""Plumbing: functions that are never to blame, by the groups of plumbing.toml, each with its reason."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.model.kept import toml
from kb.model.lazy import Lazy
from kb.syntax.sets import nominator

_LOOKS = re.compile(r"\(\?[^:]")


@dataclass(frozen=True, slots=True)
class Plumbing:
    """One entry of plumbing.toml."""

    pattern: Lazy
    why: str
    modules: frozenset[str]
    """Modules whose functions it may be: core code cannot be built as one, subsystems can."""

    def holds(self, module: str | None) -> bool:
        """True for core code, and for one of the modules."""
        return module is None or module in self.modules

    def covers(self, function: str, module: str | None) -> bool:
        """True for a function of core code that the pattern fits, or of one of the modules."""
        return self.holds(module) and self.pattern.compiled.search(function) is not None


@functools.cache
def rules() -> Mapping[str, Mapping[str, Any]]:
    """plumbing.toml as it stands: groups of named entries."""
    return toml(Path(__file__).with_name("plumbing.toml"))


@functools.cache
def group(name: str) -> tuple[Plumbing, ...]:
    """The entries of a group."""
    return tuple(
        Plumbing(Lazy("|".join(entry["names"])), entry["why"], frozenset(entry.get("modules", ())))
        for entry in rules()[name].values()
    )


Skip = Callable[[str, str | None], str | None]
"""From a symbol and its module to the reason it is skipped, None when it is not."""


@functools.cache
def skips(groups: tuple[str, ...]) -> Skip:
    """The test that skips what "common" and these groups hold."""
    entries = [entry for name in ("common", *groups) for entry in group(name)]
    plain = [_plain(entry) for entry in entries]
    nominate = nominator(plain)
    exact = [pattern == entry.pattern.source for pattern, entry in zip(plain, entries, strict=True)]

    @functools.lru_cache(maxsize=8192)
    def why(function: str, module: str | None) -> str | None:
        if nominate is None or not function.isascii():
            return next((entry.why for entry in entries if entry.covers(function, module)), None)
        for index in sorted(nominate(function) or ()):
            entry = entries[index]
            if entry.holds(module) if exact[index] else entry.covers(function, module):
                return entry.why
        return None

    return why


def _plain(entry: Plumbing) -> str:
    """The pattern of an entry as a set takes it: it may fit more."""
    pattern = entry.pattern.source
    if not _LOOKS.search(pattern):
        return pattern
    from kb.syntax.patterns import loosened

    return loosened(pattern)
