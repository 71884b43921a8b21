"""The Python API: the one place where logs, cases and the store meet.

import kb

with kb.KnowledgeBase("kb.db") as base:
    for report in base.read(attachment):
        diagnosis = base.diagnose(report)

kb.match(log)          # no database: what `kb match` does
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kb.reading import Log as Log
from kb.reading import Tally as Tally
from kb.reading import documents as documents
from kb.reading import inputs as inputs
from kb.reading import no_log as no_log
from kb.reading import notices as notices
from kb.reading import read as read
from kb.reading import read_evidence as read_evidence
from kb.reading import read_live as read_live
from kb.reading import reports as reports
from kb.reading import sort_out as sort_out
from kb.records import Records
from kb.records import raw_text as raw_text

if TYPE_CHECKING:
    from pathlib import Path

    from kb.cases.library import Library
    from kb.errors import CaseError
    from kb.evidence.files import Evidence
    from kb.identity.rank import Neighbour, Query
    from kb.log.source import Input as Input
    from kb.model.case import Case
    from kb.model.report import Report
    from kb.model.verdict import Diagnosis
    from kb.reading import Context as Context


def diagnose(
    report: Report,
    cases: Iterable[Case] | None = None,
    *,
    kernel: str | None = None,
    context: Context = (),
    everything: bool = False,
) -> Diagnosis:
    """What a report says and what is known about it. Pure: writes nothing.

    Args:
        report: From :func:`read`.
        cases: Cases to match against; the packaged ones and ``$KB_CASES`` by default.
        kernel: Release to assume where the log prints none.
        context: Files beside the log: /proc/vmstat before and after, buddyinfo, zoneinfo, a trace, sysctl output; or
            what :func:`read_evidence` made of them. Without any, those of the archive that the report was read from.
        everything: Also each case that may match and that nothing but the report's kind speaks for.

    Raises:
        UsageError: ``kernel`` is no release.
    """
    return _diagnosed(report, cases, kernel, context, everything)


def _diagnosed(
    report: Report,
    cases: Iterable[Case] | None,
    kernel: str | None,
    context: Context,
    everything: bool,
    further: Callable[[Diagnosis], Diagnosis] | None = None,
) -> Diagnosis:
    _checked(kernel)
    from kb.diagnose import diagnose as conclude

    known = library().cases if cases is None else cases
    beside = read_evidence(context)
    if beside is None and report.beside:
        beside = _beside(report.beside)
    return conclude(report, known, kernel=kernel, evidence=beside, everything=everything, further=further)


@functools.lru_cache(maxsize=4)
def _beside(files: tuple[tuple[str, bytes], ...]) -> Evidence:
    from kb.evidence.files import parse_evidence

    return parse_evidence(files, members=True)


def match(
    log: Log | Iterable[Log],
    *,
    cases: Iterable[Case] | None = None,
    kernel: str | None = None,
    context: Context = (),
    notices: bool = False,
    told: Callable[[str], None] | None = None,
) -> list[Diagnosis]:
    """All diagnoses of a log, without a database: the pure function behind ``kb match``.

    Args:
        log: Path, bytes, text or binary file.
        cases: Cases to match against; the packaged ones and ``$KB_CASES`` by default.
        kernel: Release to assume where the log prints none.
        context: Files beside the log.
        notices: Behind the reports of each input, its notices too (``kb match --notices``).
        told: As :func:`read`.

    Raises:
        UsageError: ``kernel`` is no release.
        InputError: As :func:`read`.
    """
    _checked(kernel)
    known = library().cases if cases is None else tuple(cases)
    beside = read_evidence(context)
    once, found = None, []
    for report in read(log, notices=notices, told=told):
        if once is None:
            from kb.diagnose import Once

            once = Once()
        diagnosis = diagnose(report, known, kernel=kernel, context=beside or ())
        found.append(once(with_known_fixes(diagnosis) if cases is None else diagnosis))
    if not found:
        return found
    from kb.identity.group import numbered

    return numbered(found)


def with_known_fixes(found: Diagnosis) -> Diagnosis:
    """A diagnosis with what the known fixes that come with kb say of its report (:attr:`Diagnosis.known_fixes`)."""
    if found.report.kind == "notice":
        return found
    from dataclasses import replace

    from kb.errors import StoreError
    from kb.known.index import opened
    from kb.recall import known_fixes

    index = opened()
    if index is None:
        return found
    try:
        return replace(found, known_fixes=known_fixes(index, found))
    except StoreError:  # a damaged index is no reason not to read a log
        return found


def _checked(kernel: str | None) -> None:
    if kernel is not None:
        from kb.kernel.release import checked

        checked(kernel)


def library(folder: str | Path | None = None) -> Library:
    """The case library: packaged cases, then ``$KB_CASES``, then ``folder``.

    It is held in memory. ``$KB_CASES`` counts as it is now; an edited case is seen within a second. A case that cannot
    be used is left out and listed in ``errors``: one broken draft must not keep a log from being read.

    Raises:
        CaseError: ``folder`` is not there.
    """
    from kb.cases.library import RECENT, load
    from kb.errors import CaseError

    if folder is not None and not os.path.isdir(folder):
        raise CaseError("no such folder of cases", path=str(folder))
    return load(() if folder is None else (folder,), skip_broken=True, recent=RECENT)


def _known_fix(case_id: str) -> Case | None:
    from kb.known.index import opened
    from kb.store.imports import Imports

    index = opened()
    return Imports(index).get(case_id) if index is not None else None


class KnowledgeBase(Records):
    """Cases and a store together.

    One base may be shared by any number of threads, in every call: cases are loaded once, and each thread gets a
    connection to the store of its own, closed when the thread or the base ends. :meth:`close`, from whichever thread,
    lets what is being written finish; every later use of the store is a StoreError.

    Args:
        path: The store's file; by default ``$KB_DB``, else in the user's data folder. Made on first use.
        cases: A folder of cases over the packaged ones.
    """

    def __init__(self, path: str | Path | None = None, *, cases: str | Path | None = None):
        super().__init__(path)
        self._folder = cases
        self._library: Library | None = None

    @property
    def library(self) -> Library:
        """The cases that reports are matched against, loaded on first use; ``errors`` lists those left out."""
        with self._lock:
            if self._library is None:
                self._library = library(self._folder)
            return self._library

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases that reports are matched against, loaded on first use: a quiet log needs none."""
        return self.library.cases

    @property
    def left_out(self) -> tuple[CaseError, ...]:
        """Cases that could not be used, and why; empty until the library was needed."""
        return self._library.errors if self._library is not None else ()

    def reload(self, *folders: str | Path, skip_broken: bool = False) -> Library:
        """Read the cases afresh, those of more folders over the others.

        Args:
            folders: Folders of cases over the packaged ones, ``$KB_CASES`` and the one the base was made with.
            skip_broken: Go on without cases that cannot be used; the library lists them in ``errors``.

        Raises:
            CaseError: A case or a folder cannot be used, and ``skip_broken`` is not given; the cases stay as they were.
        """
        from kb.cases.library import load

        own = () if self._folder is None else (self._folder,)
        found = load((*own, *folders), skip_broken=skip_broken)
        with self._lock:
            self._library = found
        return found

    def read(self, log: Log | Iterable[Log], *, notices: bool = False) -> Iterator[Report]:
        """The reports of a log, in the order of the input: see :func:`read`."""
        return read(log, notices=notices)

    def diagnose(
        self, report: Report, *, kernel: str | None = None, context: Context = (), everything: bool = False
    ) -> Diagnosis:
        """What a report says and what is known about it, imported cases and neighbours included; writes nothing.

        Args:
            report: A report of :meth:`read`.
            kernel: Release to assume where the log prints none, as ``uname -r`` prints it.
            context: Files beside the log: captured /proc files, traces, settings.
            everything: Also cases that only the report's kind speaks for.

        Raises:
            InputError: A file of the context cannot be read.
            StoreError: The store cannot be read.
        """
        from kb.known.distribution import concerned, kept, told

        store = self.known
        if store is None:
            found = _diagnosed(report, self.cases, kernel, context, everything, with_known_fixes)
            return told(found, kept(self.path)) if concerned(found) else found
        from dataclasses import replace

        from kb.identity.signature import signature
        from kb.recall import nearest_first, recall, settled

        linked, similar = recall(store, report, signature(report))
        cases = self._with(linked) if linked else self.cases
        # what the store says may change between two reports: only without it equal reports share all that is found
        further = None if linked else with_known_fixes
        found = _diagnosed(report, cases, kernel, context, everything, further)
        if linked or any(each.how == "signature" for each in found.matches):
            found = with_known_fixes(replace(found, matches=settled(store, found)))
        found = replace(found, matches=nearest_first(found.matches, similar), similar=similar)
        return told(found, kept(self.path)) if concerned(found) else found

    def _with(self, linked: Iterable[Case]) -> tuple[Case, ...]:
        """The library's cases and those that a store links to; of one id the library's."""
        own = {case.id for case in self.cases}
        return (*self.cases, *(case for case in linked if case.id not in own))

    def similar(self, subject: Report | str, *, limit: int = 10, cases: bool | None = None) -> list[Neighbour]:
        """What resembles a report, or a signature of the store by the beginning of its id: best first, explained.

        Args:
            subject: A report or a signature.
            limit: Neighbours wanted.
            cases: True for imported cases only, False for what was seen only, None for both.

        Raises:
            UsageError: No signature of the store begins so, or several do.
            StoreError: The store cannot be read.
        """
        from kb.identity.rank import merged
        from kb.recall import nearest, query_of, stored_query

        query = stored_query(self.store, subject) if isinstance(subject, str) else query_of(subject)
        store = self.known
        found = nearest(store, query, limit=limit, cases=cases) if store is not None else []
        return found if cases is False else merged(found, self._near_fixes(query, limit), limit)

    def _near_fixes(self, query: Query, limit: int) -> list[Neighbour]:
        from kb.known.index import opened
        from kb.recall import nearest

        index = opened()
        return nearest(index, query, limit=limit, cases=True) if index is not None else []

    def case(self, case_id: str) -> Case | None:
        """A case by its id or the only one that begins so: of the library, else imported, else a known fix."""
        found = self.library.get(case_id)
        store = self.known
        if found is None and store is not None:
            from kb.store.imports import Imports

            found = Imports(store).get(case_id)
        return found if found is not None else _known_fix(case_id)

    def search(self, words: str, *, limit: int = 50) -> list[tuple[str, str, str]]:
        """Cases that hold all words, ``(id, status, title)``: those of the library first, then imported ones."""
        wanted = words.lower().split()
        found = []
        for case in self.cases:
            text = " ".join((case.id, case.title, case.summary, case.subsystem, *case.keywords, case.prose)).lower()
            if wanted and all(word in text for word in wanted):
                found.append((case.id, case.status, case.title))
        store = self.known
        own = {case_id for case_id, _, _ in found}
        more = store.search(words, limit=limit) if store is not None else []
        return [*found, *(row for row in more if row[0] not in own)][:limit]
