"""Inputs to reports: one by one, and those of one archive or folder together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb.log.containers.walk import Walk
    from kb.log.source import Input, Source
    from kb.model.report import Report
    from kb.parse.events import Events

    Elsewhere = Callable[[Input], Iterator[Report] | None]

LARGE = 64 << 20
"""Bytes from which on a plain file is read in ranges."""
_EVIDENCE = 8 << 20
"""Bytes of the files of one archive that are kept for the diagnosis."""


def read_input(
    each: Input,
    notices: bool,
    most: int | None,
    told: Callable[[str], None] | None,
    jobs: int = 1,
    elsewhere: Elsewhere | None = None,
) -> Iterator[Report]:
    """The reports of an input, with what is wrong with it as far as that is known; the rest is told at its end.

    Args:
        each: The input.
        notices: Behind the reports, its notices as reports of kind ``notice``.
        most: Notices of one wording that are looked at; None: all.
        told: Takes what was wrong with the input.
        jobs: Processes that a large file may be read by.
        elsewhere: Gives the reports of an input that another process reads; they come with what was told of it.
    """
    found = elsewhere(each) if elsewhere is not None else None
    if found is not None:
        yield from found
        return
    from kb.parse import reading

    said = 0

    def tell() -> None:
        nonlocal said
        for note in each.notes[said:] if told is not None else ():
            told(f"{each.name}: {note}")  # type: ignore[misc]
        said = len(each.notes)

    ranges = _ranges(each, jobs) if not notices else None
    each.tape.settle()
    tell()
    if ranges is not None:
        found = ranges
    elif notices:
        found = reading.reports_and_notices(each.tape, each.name, most)
    else:
        found = reading.reports(each.tape, each.name)
    for report in found:
        each.notes.extend(f"line {report.headline_line}: {why}" for why in report.damage if why.name == "damage.prefix")
        tell()
        if each.notes or each.release is not None:
            from dataclasses import replace

            report = replace(report, input_notes=tuple(each.notes), kernel=each.release or report.kernel)
        yield report
    tell()


def _ranges(each: Input, jobs: int) -> Iterator[Report] | None:
    """The reports of a large plain file, by several processes; None for another input, or one that is not so large."""
    file = each.tape.plain_file
    if file is None or each.walk is not None:
        return None
    is_file = os.path.isfile(each.name) and os.path.samestat(os.stat(each.name), os.fstat(file.fileno()))
    if not is_file or os.fstat(file.fileno()).st_size < LARGE:
        return None
    from kb.parse.ranges import cuts_of, read_ranges

    cuts = cuts_of(file)
    return read_ranges(each.tape, each.name, cuts, jobs) if cuts else None


def documents(
    inputs: Iterable[Input], in_place: Callable[[Input], None] | None = None, notices: bool = False
) -> Iterator[Source | Report]:
    """Each input whole, and behind it its reports; those of one container behind its last, each event once.

    Args:
        inputs: The inputs.
        in_place: Takes a plain file of more than a window (:data:`kb.log.tape.WHOLE`) before it is read: it is not
            held, and its reports come while it is read.
        notices: As :func:`read_input`.

    Raises:
        InputError: As :func:`kb.log.source.open_sources`.
    """
    from kb.log.files import readable
    from kb.log.stream import Source
    from kb.log.tape import Tape

    group: Gathered | None = None
    seen = False
    for each in inputs:
        if each.ends:
            assert each.walk is not None
            if not seen and each.walk.unread:
                raise each.walk.unread[0]
            yield from group.rest() if group is not None else ()
            group, seen = None, False
            continue
        if in_place is not None and _stays(each):
            in_place(each)
            yield from read_input(each, notices, None, None)
            continue
        data = readable(each.name, each.tape.rest)
        seen = seen or bool(data)
        yield Source(each.name, data, tuple(each.notes))
        again = each._replace(tape=Tape(data), notes=list(each.notes))
        if each.walk is None or each.walk.alone:
            yield from read_input(again, notices, None, None)
        else:
            group = group or Gathered(each.walk, notices, None, None)
            yield from group.read(again)


def _stays(each: Input) -> bool:
    """Whether an input is large, a file of its own, and can be read from any place while it is read."""
    from kb.log.tape import WHOLE

    file = each.tape.plain_file
    return file is not None and each.walk is None and hasattr(os, "pread") and os.fstat(file.fileno()).st_size > WHOLE


class Gathered:
    """The reports of what one container holds: each event once, with what the container says of the machine.

    Args:
        walk: The walk through the container.
        notices: As :func:`read_input`.
        most: As :func:`read_input`.
        told: As :func:`read_input`.
        elsewhere: As :func:`read_input`.
    """

    def __init__(
        self,
        walk: Walk,
        notices: bool,
        most: int | None,
        told: Callable[[str], None] | None,
        elsewhere: Elsewhere | None = None,
    ):
        self._walk = walk
        self._elsewhere = elsewhere
        self._how = (notices, most, told)
        self._events: Events | None = None
        self._beside: list[tuple[str, bytes]] = []
        self._size = self._place = 0
        self._release: tuple[str, str] | None = None

    def read(self, each: Input) -> Iterator[Report]:
        """Read a member; gives the reports that can wait no longer for another source."""
        if self._taken(each):
            return
        self._place += 1
        for report in read_input(each, *self._how, elsewhere=self._elsewhere):
            if self._events is None:
                from kb.parse.events import Events

                self._events = Events()
            yield from map(self._finished, self._events.add(report, self._place))

    def rest(self) -> Iterator[Report]:
        """The reports that are left, now that everything in the container is known."""
        told = self._how[2]
        for note in self._walk.passed if told is not None else ():
            told(f"{self._walk.root}: {note}")  # type: ignore[misc]
        if self._events is not None:
            yield from map(self._finished, self._events.rest())

    def _taken(self, each: Input) -> bool:
        """Keep what says something of the machine: its numbers, which are no log, and its release."""
        from kb.log.containers.roles import says_log, says_numbers

        if says_log(each.name) and not says_numbers(each.name):
            return False
        each.tape.settle()
        data = each.tape.data
        if not each.tape.whole or not data:
            return False
        from kb.evidence.beside import numbers, release_of

        member = each.name.removeprefix(self._walk.root).lstrip("!/")
        if says_numbers(each.name) and (release := release_of(data)) is not None:
            self._release = self._release or (release, member)
        if not numbers(data) or self._size + len(data) > _EVIDENCE:
            return False
        self._beside.append((member, data))
        self._size += len(data)
        return True

    def _finished(self, report: Report) -> Report:
        """A report with what the container says beside it."""
        from dataclasses import replace

        notes = (*report.input_notes, *self._walk.notes)
        if report.kernel is None and self._release is not None:
            release, member = self._release
            report = replace(report, kernel=release)
            notes = (*notes, f"kernel release {release} from {member}")
        return replace(report, input_notes=tuple(dict.fromkeys(notes)), beside=tuple(self._beside))
