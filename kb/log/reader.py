"""Logical lines of one input, decoded only where a report may be.

A log is scanned as bytes for what opens reports (:mod:`kb.log.scan`); the line of a hit is decoded and judged, and only
around one that can open a report a window of lines is decoded, which grows as long as its consumer asks for more. Quiet
stretches are never decoded, and of an input larger than memory (or without an end) only a part is held at a time
(:mod:`kb.log.tape`). Line numbers are those of the input's physical lines, also where the reader jumped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kb.log.judge import Judge
from kb.log.places import BACK, BACK_BYTES, INSIDE, Places
from kb.log.scan import BOOT, NOTICES, OPENERS, find, notice_at
from kb.log.tape import LONGEST, Cursor, Tape

if TYPE_CHECKING:
    from kb.log.learn import Doubtful
    from kb.log.stretch import Stretch
    from kb.model.log import Line

_DULL = 10_000
"""Hits of notices of which no more are wanted that cost more than a scanner without them (some 30 ms)."""
_VERSION = re.compile(rb"Linux version (\d[\w.+~-]{1,100})")


class Reader:
    """The lines of one log.

    Args:
        data: The whole log, as it came, or a tape of one that is longer than memory or never ends.
        source: Its name, for reports.
        opens: Of a line that, by its text, can open a report or bears on one that follows, how many lines before it
            bear on it, of its context; 0 for others. Of a candidate, only its own line is decoded until this says so.
            None: every candidate is looked at.
        belongs: Whether a line, by its text, is what only a report has: by it, prefixes that no rule explains are
            learned. None: none are.
        notice: Gets each line that may be a notice, once, in order; None: notices are not looked for. Returns False
            when no more lines of that wording are wanted.
        stops: Whether the windows end before an offset; when they are asked for again, they go on.
    """

    def __init__(
        self,
        data: bytes | Tape,
        source: str = "-",
        opens: Callable[[str], int] | None = None,
        notice: Callable[[Line], bool] | None = None,
        belongs: Callable[[str], bool] | None = None,
        stops: Callable[[int], bool] | None = None,
    ):
        self.source = source
        self._tape = data if isinstance(data, Tape) else Tape(data)
        self._places = Places(self._tape)
        self._opens = opens
        self._judge = Judge(self._tape, self._places, opens or _any, belongs)
        self._stops = stops
        self._stopped = False
        self._notice = notice
        self._full: set[bytes] = set()
        """Literals of notices of which no more are wanted."""
        self._dull = 0
        """Hits of those since the scanner was told."""
        self._without: frozenset[bytes] = frozenset()
        """Literals of notices that are not looked for any more."""
        self._told = 0
        """Offset behind the last line that went to ``notice``."""
        self._back_lines = BACK
        """Lines before the candidate that bear on it."""
        self._searched = 0
        """Offset up to which candidates were looked for."""
        self._place: Cursor | None = None
        """Of the window that is read, where its lines are decoded as they stand."""
        self._boots: list[tuple[int, str]] = []

    def lines(self, offset: int = 0, number: int = 1) -> Iterator[Line]:
        """Logical lines from a place on.

        Args:
            offset: Byte offset, the start of a line.
            number: Number of that line, 1-based.
        """
        for line, _ in self._decode(offset, number):
            if line is not None:
                yield line

    def windows(self) -> Iterator[tuple[int, Iterator[Line | None]] | None]:
        """For each candidate not yet consumed, its line's number and the lines from a little before it on.

        The consumer stops taking lines when its report is over; the next window begins at the first candidate behind
        the last line it took. None, as a window or as a line, says that a live input is silent.
        """
        self._stopped = False
        while True:
            hit = self._candidate()
            if hit is None:
                if self._tape.ended or self._stopped:
                    return
                yield None
                continue
            start, end, before = self._places.line_start(hit), self._tape.line_end(hit), self._places.done
            begin = self._places.begin(hit, self._back_lines)
            yield self._tape.number(start), self._window(begin, start)
            if self._places.done <= hit and self._places.done == before:
                self._places.done = end  # nothing was taken: the candidate is declined
            self._searched = max(self._places.done, end)

    def again(self, stretch: Stretch, until: float) -> list[Line] | None:
        """The next lines of the window but one, where they are those of a stretch that was read; None for others.

        Args:
            stretch: The lines.
            until: Time that none of them has reached (s since boot).
        """
        place = self._place
        found = stretch.again(place, until) if place is not None and not self._judge.shapes else None
        if place is not None and found is not None:
            self._places.done = max(self._places.done, place.offset)
            if self._notice is not None and place.offset > self._told:
                for line in stretch.notable(found):
                    self._notice(line)
            self._told = max(self._told, place.offset)
        return found

    @property
    def live(self) -> bool:
        """True for an input that may go on."""
        return self._tape.live

    @property
    def done(self) -> int:
        """Offset behind the last line that was given."""
        return self._places.done

    def forget(self) -> None:
        """Go on as if the input began here: nothing is known of prefixes."""
        self._judge.forget()

    @property
    def doubtful(self) -> list[Doubtful]:
        """Lines with a headline behind a prefix that may be none."""
        return self._judge.doubtful

    def release_at(self, number: int) -> str | None:
        """Kernel release of the boot that a line belongs to, None where no boot message stands before it."""
        release = None
        for line, found in self._boots:
            if line > number:
                break
            release = found
        return release

    # ---- candidates

    def _candidate(self) -> int | None:
        """The next place where a report may begin; None where the input ends or is silent."""
        tape = self._tape
        names = OPENERS if self._notice is None else OPENERS + NOTICES
        while True:
            behind = self._readable()
            passed, base = 0, tape.base  # to judge a line may read on
            if self._dull > _DULL:
                self._dull, self._without = 0, frozenset(self._full)
            begin = max(self._searched, tape.base) - tape.base
            for found in find(tape.data, begin, behind - tape.base, names, self._without):
                hit = base + found
                if self._stops is not None and self._stops(hit):
                    self._stopped = True
                    return None
                if self._passed(hit):
                    continue
                if hit < passed:
                    continue
                self._back_lines = BACK if self._opens is None else self._judge.back(hit)
                if self._back_lines:
                    return hit
                passed = tape.line_end(hit)
            self._searched = max(self._searched, behind)
            if self._stops is not None and not tape.ended and self._stops(behind):
                self._stopped = True
                return None
            if self._readable() > behind:
                continue  # to judge a line was to read on
            if tape.ended or not tape.fill(max(self._places.done, behind - BACK_BYTES)):
                return None

    def _readable(self) -> int:
        """Offset up to which whole lines have been read."""
        tape = self._tape
        if tape.ended:
            return tape.end
        last = tape.newline_before(tape.base, tape.end)
        return max(last + 1, tape.end - LONGEST)

    def _passed(self, hit: int) -> bool:
        """Take note of a boot, or tell a notice: neither opens a report."""
        tape = self._tape
        if tape.data.startswith(BOOT, hit - tape.base):
            self._boot(hit)
            return True
        literal = notice_at(tape.data, hit - tape.base) if self._notice is not None else None
        if literal is None:
            return False
        if literal in self._full:
            self._dull += 1
        elif hit >= self._told and not self._tell(hit):
            self._full.add(literal)
        return True

    def _boot(self, hit: int) -> None:
        found = _VERSION.match(self._tape.data, hit - self._tape.base)
        if found is not None:
            start = self._places.line_start(hit)
            self._boots.append((self._tape.number(start), found[1].decode("ascii", "replace")))

    def _tell(self, hit: int) -> bool:
        """Hand on the line of a notice's literal; False when no more of its wording are wanted."""
        start, end = self._places.line_start(hit), self._tape.line_end(hit)
        plain = INSIDE.match(self._tape.data, start - self._tape.base) is None and self._places.layout is None
        plain = plain and self._places.broken(start) is None
        begin = start if plain else self._places.begin(hit, self._back_lines)
        more, notice, number = False, self._notice, self._tape.number(begin)
        assert notice is not None
        for line, behind in self._decode(begin, number):
            if line is None or (plain and line.number > number):
                break
            if behind > self._told:
                more = notice(line) or more
            if behind >= end and not plain:
                break
        self._told = max(self._told, end)
        return more

    # ---- windows

    def _decode(self, offset: int, number: int) -> Iterator[tuple[Line | None, int]]:
        from kb.log.decode import decode

        self._place = place = Cursor(self._tape, offset, number)
        lines = decode(place, self._judge.shapes)
        how = self._places.broken(offset)
        if how is None:
            return lines
        self._place = None
        from kb.log.wrap import rejoin

        return rejoin(lines, how)

    def _window(self, start: int, line: int) -> Iterator[Line | None]:
        """Lines from an offset on. Notices before the candidate's line have been told."""
        self._told = max(self._told, line)
        for found, end in self._decode(start, self._tape.number(start)):
            if found is not None:
                self._places.done = max(self._places.done, end)
                if end > self._told:
                    self._told = end
                    if self._notice is not None:
                        self._notice(found)
                if end > line and found.text.startswith("Linux version "):
                    version = _VERSION.search(found.raw)
                    if version is not None:
                        self._boots.append((found.number, version[1].decode("ascii", "replace")))
            yield found


def _any(text: str) -> int:
    return BACK
