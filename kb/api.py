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
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from kb.records import Records
from kb.records import raw_text as raw_text

if TYPE_CHECKING:
    from pathlib import Path

    from kb.cases.library import Library
    from kb.errors import CaseError, InputError
    from kb.evidence.files import Evidence
    from kb.identity.rank import Neighbour, Query
    from kb.log.kept import Kept
    from kb.log.source import Input as Input
    from kb.log.source import Source
    from kb.log.tape import Tape
    from kb.model.case import Case
    from kb.model.report import Report
    from kb.model.verdict import Diagnosis

    Context: TypeAlias = Iterable[str | Path] | Evidence

_RECOGNISED = 1 << 18
"""Bytes of a file by which it is told what it is."""
_NAMED = 5
"""Inputs that could not be looked into, of which each is told."""

Log: TypeAlias = "str | bytes | Path | BinaryIO"
"""A log: a path, its bytes, its text (a ``str`` with a line break), or a binary file.

Any other ``str`` is opened as a file: give text that comes from elsewhere as bytes.
"""


def read(
    log: Log | Iterable[Log],
    *,
    notices: bool = False,
    most: int | None = None,
    told: Callable[[str], None] | None = None,
    tally: Tally | None = None,
    kept: Kept | None = None,
    jobs: int = 1,
    begun: Callable[[int], None] | None = None,
) -> Iterator[Report]:
    """The reports of a log (or of several), in the order of the input.

    A malformed log raises nothing: its reports are ``corrupted``.

    Args:
        log: Path (a folder is read whole), bytes, text, or binary file; compressed ones are unpacked.
        notices: Behind the reports of each input, its notices as reports of kind ``notice`` (:func:`notices`).
        most: Notices of one wording that are looked at, where a hint will do; None: all.
        told: Takes what was wrong with an input (:attr:`Report.input_notes`), also where no report is in it.
        tally: Counts the inputs, and those that could not be read.
        kept: Keeps the lines of the inputs, for who shows them beside their reports.
        jobs: Processes that many files may be read by, and a file of more than 64 MB where no notices are wanted; one
            where lines are kept.
        begun: Takes the place of each input, from 0, when its turn comes.

    Raises:
        InputError: A file is absent, cannot be read, is too large, or is packed in a way that kb cannot unpack. Of what
            holds others (an archive, a mail, a folder): no report is in it, and something that says it is a log could
            not be looked into.
    """
    from kb.log.source import open_inputs

    logs = _several(log)
    inputs = open_inputs(logs if begun is None else _counted(logs, begun))
    how = (notices, most, told)
    if kept is not None or jobs < 2 or not isinstance(logs, Sequence) or not _several_files(logs):
        return _reports(inputs, *how, tally, kept, jobs if kept is None else 1)
    return _spread(logs, inputs, *how, tally, jobs)


def _several_files(logs: Sequence[Log]) -> bool:
    return len(logs) > 1 or any(isinstance(each, str | os.PathLike) and os.path.isdir(each) for each in logs)


def _counted(logs: Iterable[Log], begun: Callable[[int], None]) -> Iterator[Log]:
    for place, each in enumerate(logs):
        begun(place)
        yield each


def _spread(
    logs: Sequence[Log],
    inputs: Iterable[Input],
    notices: bool,
    most: int | None,
    told: Callable[[str], None] | None,
    tally: Tally | None,
    jobs: int,
) -> Iterator[Report]:
    """The reports of inputs, read by several processes as far as that is worth it."""
    from kb.gather import LARGE
    from kb.spread import spread

    others = spread(logs, jobs, notices, most, told, None if notices else LARGE)
    try:
        yield from _reports(inputs, notices, most, told, tally, None, jobs, others)
    finally:
        if others is not None:
            others.end()


def notices(log: Log | Iterable[Log]) -> Iterator[Report]:
    """The notices of a log: single messages that open no report but that a case can explain (docs/kinds.md).

    A notice that comes again (of the same device) is told once, with ``fields["count"]``.

    Args:
        log: As :func:`read`.
    """
    return (report for report in read(log, notices=True) if report.kind == "notice")


class Tally:
    """Counts of a run over inputs."""

    def __init__(self) -> None:
        self.inputs = 0
        """Texts that were read: files, and members of archives and folders."""
        self.unread = 0
        """Inputs that kb could not look into."""
        self._tape: Tape | None = None
        self._size = 0

    def begins(self, tape: Tape) -> None:
        """The next input is read."""
        file = tape.plain_file
        self._size = os.fstat(file.fileno()).st_size if file is not None else 0
        self._tape = tape

    @property
    def share(self) -> float | None:
        """How much of the present input was read, 0 to 1; None where its length is not known: a pipe, a packed file."""
        return min(self._tape.end / self._size, 1.0) if self._tape is not None and self._size else None


def _reports(
    inputs: Iterable[Input],
    notices: bool,
    most: int | None,
    told: Callable[[str], None] | None,
    tally: Tally | None = None,
    kept: Kept | None = None,
    jobs: int = 1,
    elsewhere: Callable[[Input], Iterator[Report] | None] | None = None,
) -> Iterator[Report]:
    """The reports of inputs; those of one archive together. What could not be looked into is an error if none is."""
    from kb.gather import Gathered, read_input

    unread: list[InputError] = []
    group: Gathered | None = None
    any_report = False
    for each in inputs:
        if tally is not None:
            tally.inputs += not each.ends
            tally.unread += len(each.walk.unread) if each.ends and each.walk is not None else 0
            tally.begins(each.tape)
        if kept is not None and not each.ends:
            each.tape.watch(kept.of(each.name))
        if each.ends:
            found = group.rest() if group is not None else iter(())
            unread += each.walk.unread if each.walk is not None else ()
            group = None
        elif each.walk is None or each.walk.alone:
            found = read_input(each, notices, most, told, jobs, elsewhere)
        else:
            group = group or Gathered(each.walk, notices, most, told, elsewhere)
            found = group.read(each)
        for report in found:
            any_report = any_report or report.kind != "notice" or (notices and most is None)
            yield report
    failed = unread.pop(0) if unread and not any_report else None
    for error in unread[:_NAMED] if told is not None else ():
        told(f"{error.path}: not read: {error.reason}")  # type: ignore[misc]
    if told is not None and len(unread) > _NAMED:
        told(f"not read: {len(unread) - _NAMED} more")
    if failed is not None:
        raise failed


def read_live(
    stream: BinaryIO,
    *,
    notices: bool = False,
    most: int | None = None,
    told: Callable[[str], None] | None = None,
    paused: Callable[[], None] | None = None,
    going: Callable[[], None] | None = None,
    kept: Kept | None = None,
) -> Iterator[Report]:
    """The reports of an input that may never end (``journalctl -kf | kb match``), each as soon as it is over.

    An input that ends without a pause is read like a file. In one that goes on, a notice is told at the first pause
    behind it, and not again.

    Args:
        stream: A binary file: a pipe, a socket's file, a terminal.
        notices: Its notices, too.
        most: As :func:`read`.
        told: As :func:`read`.
        paused: Called whenever nothing has come for a moment.
        going: Called whenever something has come.
        kept: As :func:`read`.
    """
    from kb.log.source import open_live

    yield from _reports(open_live(stream, paused, going), notices, most, told, kept=kept)


def inputs(log: Log | Iterable[Log]) -> Iterator[Source]:
    """The inputs themselves, unpacked: for who shows the log beside its reports.

    Raises:
        InputError: As :func:`read`.
    """
    from kb.log.source import open_sources

    return open_sources(_several(log))


def documents(
    log: Log | Iterable[Log], *, in_place: Callable[[Input], None] | None = None
) -> Iterator[Source | Report]:
    """The inputs themselves, as :func:`inputs`, each with its reports behind it.

    Those of an archive come behind the last input of it: an event that several of its logs tell of is one report.

    Args:
        log: As :func:`inputs`.
        in_place: Takes a large plain file before it is read, instead of all of it: its reports come while it is.

    Raises:
        InputError: As :func:`inputs`.
    """
    from kb.gather import documents as read_documents
    from kb.log.source import open_inputs

    return read_documents(open_inputs(_several(log)), in_place)


def reports(data: bytes, name: str = "-") -> Iterator[Report]:
    """The reports of one input's bytes (``inputs(...).data``), in order, each as soon as it is read."""
    from kb.parse.reading import reports as read_reports

    return read_reports(data, name)


def _several(log: Log | Iterable[Log]) -> Iterable[Log]:
    if isinstance(log, str | bytes | os.PathLike) or hasattr(log, "read"):
        return [log]  # type: ignore[list-item]
    return log


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


def read_evidence(paths: Context) -> Evidence | None:
    """What files beside a log hold, each recognised by its content; None where there are none."""
    if not isinstance(paths, Iterable):
        return paths
    paths = tuple(paths)
    return sort_out(paths)[0] if paths else None


def sort_out(paths: Iterable[str | Path]) -> tuple[Evidence, list[Source], list[str]]:
    """Files beside a log, those among them that are logs themselves, and a sentence for each on how it was taken.

    A file that says what is known of /proc and the like is evidence; of the others, one that reads like a kernel log
    is an input.
    """
    from kb.evidence.files import is_log, parse_evidence, recognise
    from kb.log.source import open_sources

    beside: list[Source] = []
    logs: list[Source] = []
    told: list[str] = []
    for source in open_sources(map(os.fspath, paths)):
        kind = recognise(source.data[:_RECOGNISED].decode("utf-8", "replace"))
        log = kind is None and is_log(source.data)
        (logs if log else beside).append(source)
        told += [f"{source.name}: {note}" for note in source.notes]
        told.append(f"{source.name}: taken as {'a log' if log else kind or 'nothing that kb knows'}")
    return parse_evidence((source.name, source.data) for source in beside), logs, told


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


@functools.lru_cache(maxsize=8)
def _further(store: Path, _written: int) -> Callable[[Diagnosis], Diagnosis]:
    """What is added where there is no store; one function for the same changelogs: diagnoses are remembered by it."""
    from kb.known.distribution import kept, told

    logs = kept(store)
    return lambda found: told(with_known_fixes(found), logs)


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
        """What a report says and what is known about it, imported cases and neighbours included; writes nothing."""
        from kb.known.distribution import kept, told, written

        store = self.known
        if store is None:
            further = _further(self.path, written(self.path))
            return _diagnosed(report, self.cases, kernel, context, everything, further)
        from dataclasses import replace

        from kb.identity.signature import signature
        from kb.recall import nearest_first, recall, settled

        mark = signature(report)
        linked, similar = recall(store, report, mark)
        own = {case.id for case in self.cases}
        more = [case for case in linked if case.id not in own]
        cases = (*self.cases, *more) if more else self.cases
        found = diagnose(report, cases, kernel=kernel, context=context, everything=everything)
        matches = nearest_first(settled(store, found), similar)
        return told(with_known_fixes(replace(found, matches=matches, similar=similar)), kept(self.path))

    def similar(self, subject: Report | str, *, limit: int = 10, cases: bool | None = None) -> list[Neighbour]:
        """What resembles a report, or a signature of the store by the beginning of its id: best first, explained.

        Args:
            subject: A report or a signature.
            limit: Neighbours wanted.
            cases: True for imported cases only, False for what was seen only, None for both.
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
