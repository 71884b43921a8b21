"""Plumbing: functions that are never to blame, by the groups of plumbing.toml, each with its reason."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.model.kept import toml


@dataclass(frozen=True, slots=True)
class Plumbing:
    """One entry of plumbing.toml."""

    pattern: "re.Pattern[str]"
    why: str
    modules: frozenset[str]
    """Modules whose functions it may be: core code cannot be built as one, subsystems can."""

    def covers(self, function: str, module: str | None) -> bool:
        """True for a function of core code that the pattern fits, or of one of the modules."""
        return (module is None or module in self.modules) and self.pattern.search(function) is not None


@functools.cache
def rules() -> Mapping[str, Mapping[str, Any]]:
    """plumbing.toml as it stands: groups of named entries."""
    return toml(Path(__file__).with_name("plumbing.toml"))


@functools.cache
def group(name: str) -> tuple[Plumbing, ...]:
    """The entries of a group; compiled when a report needs it, which most groups never are."""
    return tuple(
        Plumbing(re.compile("|".join(entry["names"])), entry["why"], frozenset(entry.get("modules", ())))
        for entry in rules()[name].values()
    )


Skip = Callable[[str, str | None], str | None]
"""From a symbol and its module to the reason it is skipped, None when it is not."""


@functools.cache
def skips(groups: tuple[str, ...]) -> Skip:
    """The test that skips what "common" and these groups hold."""
    entries = [entry for name in ("common", *groups) for entry in group(name)]

    @functools.lru_cache(maxsize=8192)
    def why(function: str, module: str | None) -> str | None:
        return next((entry.why for entry in entries if entry.covers(function, module)), None)

    return why
