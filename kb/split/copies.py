"""Lines that came twice: two consoles on one wire (``earlycon`` and ``console=``), two loggers into one file.

The kernel prints no line of a report twice at one time. Its clock tells microseconds, or ticks of 1 to 10 ms where it
has none better (``jiffies_sched_clock_init()``, kernel/time/sched_clock.c): there a loop may warn twice within
a tick, so that only the line right behind is a copy. Which lines of a stack are copies and which are recursion shows at
the headline: where that came twice, the rest did.
"""

from kb.model.log import Line
from kb.syntax.headline import classify

_NEAR = 32
"""Lines within which a copy comes: a block that a console or a logger writes at once."""


class Copies:
    """Tells of each line whether it is a copy of one before it."""

    def __init__(self) -> None:
        self._recent: dict[tuple[float, str, str | None], int] = {}
        """Where a line of this time, text and caller last stood."""
        self._copied = -_NEAR
        """Where the last copy stood."""
        self._exact = False
        """Whether the clock of these lines tells microseconds."""

    def has(self, line: Line) -> bool:
        """Whether the line is a copy; each line of an input is asked for once, in order."""
        if line.time is None or not line.text:
            return False
        key = (line.time, line.text, line.caller)
        before = self._recent.pop(key, None)
        self._recent[key] = line.number
        if len(self._recent) > _NEAR:
            del self._recent[next(iter(self._recent))]
        self._exact = self._exact or round(line.time * 1e6) % 1000 != 0
        if before is None or line.number - before > (_NEAR if self._exact else 1):
            return False
        if line.number - self._copied > _NEAR and classify(line) is None:
            return False
        self._copied = line.number
        return True
