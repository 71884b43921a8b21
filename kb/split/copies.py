"""Lines that came twice: two consoles on one wire (``earlycon`` beside ``console=``), two loggers into one file.

A kernel whose clock tells microseconds prints no headline twice at one time; one that counts ticks of 1 to 10 ms
(``jiffies_sched_clock_init()``, kernel/time/sched_clock.c) may. Which other lines are copies and which are recursion
shows there, too: where the headline came twice, the lines behind it do.
"""

from kb.model.log import Line
from kb.syntax.headline import classify

_SINGLE = 4
"""Lines that came once behind which no more copies are looked for: pieces that two consoles wrote into each other."""


class Copies:
    """Tells of each line whether it is a copy of the one before it."""

    def __init__(self) -> None:
        self._before: Line | None = None
        self._single = _SINGLE
        """Lines in a row that came once."""

    def has(self, line: Line) -> bool:
        """Whether the line is a copy; each line of an input is asked for once, in order."""
        before, self._before = self._before, line
        if before is None or not _alike(before, line):
            self._single += 1
            return False
        if self._single > _SINGLE and (_of_ticks(line) or classify(line) is None):
            return False
        self._single = 0
        return True


def _alike(before: Line, line: Line) -> bool:
    same = line.time is not None and line.time == before.time and line.text == before.text != ""
    return same and line.caller == before.caller and line.number - before.last <= 1


def _of_ticks(line: Line) -> bool:
    """Whether a stamp may be of a clock that counts ticks."""
    return line.time is None or round(line.time * 1e6) % 1000 == 0
