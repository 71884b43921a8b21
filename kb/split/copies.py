"""Lines that came twice: two consoles on one wire (``earlycon`` beside ``console=``), two loggers into one file.

The kernel prints no headline twice at one time. Which other lines are copies and which are recursion shows there, too:
where the headline came twice, line by line, the rest of its report did.
"""

from kb.model.log import Line
from kb.syntax.headline import classify

_NEAR = 32
"""Lines from copy to copy."""


class Copies:
    """Tells of each line whether it is a copy of the one before it."""

    def __init__(self) -> None:
        self._before: Line | None = None
        self._copied = -_NEAR
        """Where the last copy stood."""

    def has(self, line: Line) -> bool:
        """Whether the line is a copy; each line of an input is asked for once, in order."""
        before, self._before = self._before, line
        if (
            before is None
            or line.time is None
            or (line.time, line.text, line.caller) != (before.time, before.text, before.caller)
            or line.number - before.last > 1
            or not line.text
        ):
            return False
        if line.number - self._copied > _NEAR and classify(line) is None:
            return False
        self._copied = line.number
        return True
