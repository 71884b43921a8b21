"""Inputs as a caller names them (paths, folders, bytes, files, pipes) to reports, and the files beside to evidence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from kb.errors import InputError
    from kb.evidence.files import Evidence
    from kb.log.kept import Kept
    from kb.log.source import Input, Source
    from kb.log.tape import Tape
    from kb.model.report import Report

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
        file = tape.plain_file or tape.outer
        self._size = os.fstat(file.fileno()).st_size if file is not None else 0
        self._tape = tape

    @property
    def share(self) -> float | None:
        """How much of the present input was read, 0 to 1: of what is packed, of the file that holds it.

        None where that is not known: of a pipe, and of what had to be read whole before its first member.
        """
        if self._tape is None or not self._size:
            return None
        if self._tape.plain_file is not None:
            return min(self._tape.end / self._size, 1.0)
        try:
            taken = self._tape.outer.tell() if self._tape.outer is not None else 0
        except (OSError, ValueError):  # closed by now
            return None
        return taken / self._size if taken < self._size else None


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
            if group is None and each.walk is not None and not each.walk.alone:
                group = Gathered(each.walk, notices, most, told)  # nothing in it could be read: that is told, too
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


def no_log(name: str) -> bool:
    """Whether an input is a member of a container, and its name is none that logs have: a setting, numbers, a list.

    Args:
        name: As :attr:`~kb.log.stream.Source.name`.
    """
    from kb.log.containers.roles import says_log

    return "!" in name and not says_log(name)


def documents(
    log: Log | Iterable[Log], *, in_place: Callable[[Input], None] | None = None, notices: bool = False
) -> Iterator[Source | Report]:
    """The inputs themselves, as :func:`inputs`, each with its reports behind it.

    Those of an archive come behind the last input of it: an event that several of its logs tell of is one report.

    Args:
        log: As :func:`inputs`.
        in_place: Takes a large plain file before it is read, instead of all of it: its reports come while it is.
        notices: As :func:`read`.

    Raises:
        InputError: As :func:`inputs`.
    """
    from kb.gather import documents as read_documents
    from kb.log.source import open_inputs

    return read_documents(open_inputs(_several(log)), in_place, notices)


def reports(data: bytes, name: str = "-") -> Iterator[Report]:
    """The reports of one input's bytes (``inputs(...).data``), in order, each as soon as it is read."""
    from kb.parse.reading import reports as read_reports

    return read_reports(data, name)


def _several(log: Log | Iterable[Log]) -> Iterable[Log]:
    if isinstance(log, str | bytes | os.PathLike) or hasattr(log, "read"):
        return [log]  # type: ignore[list-item]
    return log


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
