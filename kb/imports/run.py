"""Running an import: batches into the store, progress on stderr, and going on where an earlier run stopped."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from kb.errors import UsageError
from kb.imports import build, git, message, patches, vulns
from kb.store.base import Store
from kb.store.imports import Imports, Item, Known

BATCH = 100
"""Items of one transaction: what a stopped import has to read again at most."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an import did."""

    read: int
    """Records, commits or patches."""
    cases: int
    """Cases written."""
    known: int
    """Items that an earlier import had dealt with, or that cannot hold a splat."""
    bad: int = 0
    """Records that cannot be used."""
    why: Mapping[str, int] = field(default_factory=dict)
    """Items that made no case, by the reason, as far as one is told."""

    @property
    def passed_over(self) -> int:
        """Items that made no case, bad ones apart."""
        return self.read - self.cases - self.bad


def run(
    store: Store,
    what: str,
    arguments: Sequence[str],
    *,
    everything: bool = False,
    progress: TextIO | None = None,
    bad: build.Bad | None = None,
) -> Done:
    """Import known issues.

    Args:
        store: Where to.
        what: ``vulns``, ``git`` or ``patches``.
        arguments: A folder; a repository and ranges of commits; folders and files.
        everything: Of CVE records, also those that quote no splat.
        progress: Where to tell how far it is.
        bad: Takes the name of each record that cannot be used, and why; they are counted in any case.
    """
    if not arguments:
        raise UsageError(f"kb import {what}: where from?", help=f"kb import {what} {_WHERE[what]}")
    imports, spoilt = Imports(store), _Spoilt(bad)
    total: int | None = None
    items: Iterator[Item | None]
    if what == "vulns":
        folder = _one(what, arguments)
        total = len(vulns.records(folder))
        items = vulns.items(folder, imports.seen(vulns.ORIGIN), everything=everything, bad=spoilt)
    elif what == "git":
        repository = Path(arguments[0])
        total = git.count(repository, arguments[1:])
        items = git.items(repository, arguments[1:], imports.seen(git.origin_of(repository)), spoilt)
    else:
        seen = imports.seen(patches.ORIGIN)
        items = (item for path in arguments for item in patches.items(Path(path), seen, spoilt))
    done = _store(imports, items, Progress(progress, what, total))
    return replace(done, known=done.known - spoilt.count, bad=spoilt.count)


class _Spoilt:
    """Counts the records that cannot be used, and passes them on."""

    def __init__(self, told: build.Bad | None):
        self.count = 0
        self._told = told

    def __call__(self, name: str, reason: str) -> None:
        self.count += 1
        if self._told is not None:
            self._told(name, reason)


_WHERE = {"vulns": "DIR", "git": "REPO [RANGE...]", "patches": "DIR|MBOX..."}


def _one(what: str, arguments: Sequence[str]) -> Path:
    if len(arguments) != 1:
        raise UsageError(f"kb import {what} takes one folder, {len(arguments)} were given")
    return Path(arguments[0])


def _store(imports: Imports, items: Iterable[Item | None], progress: "Progress") -> Done:
    batch: list[Item] = []
    read = cases = known = 0
    why: Counter[str] = Counter()
    for item in items:
        read += 1
        if item is None:
            known += 1
        else:
            batch.append(item)
            why.update([item.why] if item.why else ())
        if len(batch) >= BATCH:
            cases += _put(imports, batch)
            batch = []
        progress.tell(read, cases)
    cases += _put(imports, batch)
    progress.tell(read, cases, last=True)
    return Done(read, cases, known, why=dict(why))


def _put(imports: Imports, batch: Sequence[Item]) -> int:
    """Store a batch; commits that are one change on several branches become one case."""
    merged: list[Item] = []
    pending: dict[str, Known] = {}
    for item in batch:
        if item.known is not None and item.origin != vulns.ORIGIN:
            known = _merged(imports, item.known, pending)
            item = replace(item, known=known)
            if known is not None:
                pending[known.case.id] = known
        merged.append(item)
    return imports.put(merged)


def _merged(imports: Imports, known: Known, pending: dict[str, Known]) -> Known | None:
    """With what is known of the same change; None where a CVE record says more of it already."""
    other = next((case for commit in known.commits if (case := imports.by_commit(commit)) is not None), None)
    if other is not None and other.id != known.case.id:
        return None
    before = pending.get(known.case.id)
    case = before.case if before else other
    if case is None:
        return known
    stacks = dict.fromkeys((*known.stacks, *(before.stacks if before else imports.stacks(case.id))))
    commits = dict.fromkeys((*known.commits, *(before.commits if before else imports.commits(case.id))))
    return Known(message.merged(case, known.case), tuple(stacks), tuple(commits))


_BAR = 20
"""Characters of the bar."""


class Progress:
    """A bar that is written over, on a terminal; elsewhere a line now and then."""

    def __init__(self, stream: TextIO | None, what: str, total: int | None):
        self.stream = stream
        self.what = what
        self.total = total
        self.live = stream is not None and stream.isatty()
        self.next = time.monotonic() + (0.1 if self.live else 10.0)

    def tell(self, read: int, cases: int, *, last: bool = False) -> None:
        """Say how far it is, now and then."""
        now = time.monotonic()
        if self.stream is None or (now < self.next and not last):
            return
        self.next = now + (0.1 if self.live else 10.0)
        with contextlib.suppress(OSError):  # that nobody can read it is no reason to end an import
            self._write(read, cases, last)

    def _write(self, read: int, cases: int, last: bool) -> None:
        assert self.stream is not None
        of = f"/{self.total}" if self.total else ""
        text = f"{self.what}: {read}{of} read, {cases} cases"
        if not self.live:
            self.stream.write(f"kb: {text}\n")
        else:
            self.stream.write(f"\r{self._bar(read)}{text}\x1b[K" + ("\n" if last else ""))
        self.stream.flush()

    def _bar(self, read: int) -> str:
        """``[#####               ]  26 % ``; nothing where the total is not known."""
        if not self.total:
            return ""
        share = min(1.0, read / self.total)
        return f"[{'#' * int(share * _BAR):<{_BAR}}] {100 * share:3.0f} % "
