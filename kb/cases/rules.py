"""What the linter of cases is made of: findings, and the table of rules."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from kb.cases.format import Document
from kb.model.case import Case

SEEN = ("unsighted", "sighted", "reviewed")
"""Statuses of cases that are told to others."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a case should mend."""

    rule: str
    """``KB101``."""
    reason: str
    path: str
    line: int = 1
    help: str = ""

    def __str__(self) -> str:
        text = f"error[{self.rule}]: {self.reason}\n  --> {self.path}:{self.line}"
        return f"{text}\n  help: {self.help}" if self.help else text

    def to_json(self) -> dict[str, Any]:
        """The ``kb.finding/1`` object."""
        return {"schema": "kb.finding/1", **asdict(self)}


Rule = Callable[[Document, Case], Iterator[tuple[str, int, str]]]
"""Yields reason, line and help of each finding."""

RULES: dict[str, Rule] = {}
"""Rules by number; their docstrings are docs/case-format.md's list."""


def rule(number: str) -> Callable[[Rule], Rule]:
    """Register a rule under its number."""

    def register(function: Rule) -> Rule:
        RULES[number] = function
        return function

    return register
