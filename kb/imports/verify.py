"""What cases cite of the kernel's history, against facts of it: the pack of known fixes, or a git tree.

A commit that neither knows is no contradiction: it is counted as not known here. Nothing is fetched.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kb.cases.format import Document
from kb.cases.rules import Finding
from kb.errors import InputError
from kb.known.pack import PACKED, branch_of, subject_id
from kb.model.case import Case, Fix

_SHORT = 12
_CITED = re.compile(r'\b(?P<commit>[0-9a-f]{12,40})\b,? ?\(?\\?["“](?P<subject>[^"“”\\\n]{8,200})\\?["”]')
"""A commit in a text with its subject behind it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a history says of a commit."""

    commit: str
    """Its id, 40 hex digits."""
    subject: str
    """:func:`kb.known.pack.subject_id` of its subject."""
    releases: frozenset[str] = frozenset()
    """First releases that have it under this id; empty: not known."""
    branches: Mapping[str, str] = field(default_factory=dict)
    """First release of each branch (``6.1``, ``mainline``) that has it, under whatever id."""


class History(Protocol):
    """Where commits are looked up."""

    def look(self, commits: Iterable[str]) -> Mapping[str, Recorded]:
        """Those of these ids (12 digits or more) that are known."""
        ...


@dataclass
class Tally:
    """What was cited, and what the history said of it."""

    cited: int = 0
    confirmed: int = 0
    findings: list[Finding] = field(default_factory=list)


class Pack:
    """The facts of known fixes.

    Args:
        path: A pack.

    Raises:
        InputError: It cannot be read, or a line of it is none.
    """

    def __init__(self, path: Path = PACKED):
        self._known: dict[str, Recorded] = {}
        try:
            with open(path, encoding="utf-8") as stream:
                for number, line in enumerate(stream, 1):
                    self._add(json.loads(line), path, number)
        except OSError as error:
            raise InputError(f"cannot read it: {error.strerror}", path=str(path)) from None
        except ValueError:
            raise InputError("not a pack of known fixes", path=str(path)) from None

    def _add(self, row: object, path: Path, number: int) -> None:
        if not isinstance(row, dict):
            raise InputError("not a line of a pack", path=str(path), line=number)
        fixed = row.get("fixed")
        if "commit" not in row or not isinstance(fixed, dict):
            return  # its first line
        branches = {branch_of(release): release for release in fixed}
        releases: dict[str, set[str]] = {commit: set() for commit in (row["commit"], *fixed.values()) if commit}
        for release, commit in fixed.items():
            releases[commit].add(release)
        for commit, names in releases.items():
            self._known[commit[:_SHORT]] = Recorded(commit, row["subject"], frozenset(names), branches)

    def look(self, commits: Iterable[str]) -> Mapping[str, Recorded]:
        """See :class:`History`."""
        found = {commit: self._known.get(commit[:_SHORT]) for commit in commits}
        return {commit: known for commit, known in found.items() if known is not None}


class Tree:
    """A clone of the kernel with its tags: mainline, stable, or both.

    Args:
        repository: A clone, bare or not.
    """

    def __init__(self, repository: Path):
        self._repository = repository

    def look(self, commits: Iterable[str]) -> Mapping[str, Recorded]:
        """See :class:`History`."""
        from kb.imports.git import releases_of, subjects_of

        wanted = sorted(set(commits))
        subjects, releases = subjects_of(self._repository, wanted), releases_of(self._repository, wanted)
        found = {}
        for commit, (full, subject) in subjects.items():
            release = releases.get(commit)
            found[commit] = Recorded(full, subject_id(subject), frozenset((release,) if release is not None else ()))
        return found


def verify(documents: Sequence[Document], histories: Sequence[History]) -> Tally:
    """Ids, releases and subjects of all fixes, and of commits that texts cite with a subject.

    Args:
        documents: Case files, taken apart.
        histories: What they are held against; the first that knows a commit speaks.
    """
    tally = Tally()
    cited = [(document, document.case) for document in documents if document.case is not None]
    wanted = {fix.commit for _, case in cited for fix in case.fixes}
    wanted |= {found["commit"] for document, _ in cited for found in _CITED.finditer(document.text)}
    known: dict[str, Recorded] = {}
    for history in histories:
        known |= {key: value for key, value in history.look(wanted - known.keys()).items() if key not in known}
    for document, case in cited:
        for finding in (*_fixes(document, case, known, tally), *_texts(document, known)):
            tally.findings.append(finding)
    return tally


def _fixes(document: Document, case: Case, known: Mapping[str, Recorded], tally: Tally) -> Iterator[Finding]:
    for index, fix in enumerate(case.fixes):
        tally.cited += 1
        fact = known.get(fix.commit)
        if fact is None:
            continue
        wrong = list(_contradictions(fix, fact))
        tally.confirmed += not wrong
        for rule, key, reason, help_ in wrong:
            line = document.line(f"fix[{index}].{key}", f"fix[{index}]")
            yield Finding(rule, reason, document.path, line, help_)


def _contradictions(fix: Fix, fact: Recorded) -> Iterator[tuple[str, str, str, str]]:
    """Rule, key, reason and help of each."""
    if not fact.commit.startswith(fix.commit):
        yield "KB401", "commit", f"{fix.commit} is no commit: the history has {fact.commit}", "cite its own id"
    if subject_id(fix.subject) != fact.subject:
        yield "KB403", "subject", f"{fix.commit[:_SHORT]} has another subject", "take it from the commit"
    if fix.since is None or not _plain(fix.since):
        return
    branch = branch_of(fix.since)
    there = fact.branches.get(branch)
    if there is None and fact.releases and (branch in map(branch_of, fact.releases)):
        there = next(release for release in sorted(fact.releases) if branch_of(release) == branch)
    if there is not None and _same(there) != _same(fix.since):
        reason = f"{fix.commit[:_SHORT]} is in {branch} from {there} on, not from {fix.since}"
        yield "KB402", "since", reason, f'since = "{there}"'
    elif there is None and fact.releases and not any(_same(fix.since) == _same(each) for each in fact.releases):
        named = ", ".join(sorted(fact.releases))
        yield "KB402", "since", f"{fix.commit[:_SHORT]} came with {named}, not with {fix.since}", f"since: {named}"


def _texts(document: Document, known: Mapping[str, Recorded]) -> Iterator[Finding]:
    """Commits that a text cites with a subject that is another one's."""
    for found in _CITED.finditer(document.text):
        fact = known.get(found["commit"])
        if fact is None or subject_id(found["subject"]) == fact.subject:
            continue
        line = document.text.count("\n", 0, found.start()) + 1
        yield Finding("KB403", f"{found['commit']} has another subject", document.path, line, "take it from the commit")


def _plain(release: str) -> bool:
    """Whether a release is one of mainline or stable: a distribution's says nothing here."""
    return re.fullmatch(r"\d+\.\d+(?:\.\d+){0,2}(?:-rc\d+)?", release) is not None


def _same(release: str) -> str:
    """A release without its candidate: what 4.4-rc3 brought is said to be in 4.4."""
    return release.partition("-")[0]
