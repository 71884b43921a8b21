"""A known fix in words: the commit, the releases that have it, and whether the kernel at hand is one of them."""

import re

from kb.model.verdict import Match
from kb.words.speak import Words

_DIGITS = re.compile(r"\d+")


def fixed_where(words: Words, match: Match, kernel: str | None) -> str:
    """``known fix: 97e... in 6.6.58, 6.1.114: your 6.1.90 lacks it``."""
    fixes = match.case.fixes
    commit = next((fix.commit for fix in fixes if fix.branch == "mainline"), fixes[0].commit if fixes else "")
    releases = tuple(sorted((fix.since for fix in fixes if fix.since), key=_order, reverse=True))
    name = {"affected": "fix.lacks", "fixed": "fix.has"}.get(match.fix_status, "fix.known")
    if kernel is None or name == "fix.known":
        return words("fix.known", commit=commit[:12], releases=releases)
    return words(name, commit=commit[:12], releases=releases, release=kernel)


def _order(release: str) -> tuple[int, ...]:
    return tuple(map(int, _DIGITS.findall(release)))
