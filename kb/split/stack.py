"""Where a report is in a stack that it prints."""

from enum import Enum, auto
from typing import NamedTuple

from kb.split.anatomy import is_bottom, is_user


class Phase(Enum):
    """Where a report is with respect to its stack."""

    BEFORE = auto()
    """No stack has begun."""
    ASIDE = auto()
    """In a stack that is not the report's own."""
    HEAD = auto()
    """Behind the heading."""
    OPEN = auto()
    """In the frames."""
    PAST = auto()
    """Behind them as it seems: other parts have followed."""
    CLOSED = auto()
    """Behind a mark that ends it."""


OVER = (Phase.PAST, Phase.CLOSED)
"""Where a report is behind its stack."""


class Stack(NamedTuple):
    """The last stack of a report as far as it is printed. A value: each line makes the next one."""

    phase: Phase = Phase.BEFORE
    marks: int = 0
    """``<TASK>`` and the like that are open."""
    top: str | None = None
    """Its last frame that the kernel was sure of."""
    user: bool = False
    """True behind the registers of user mode, the last of a stack."""
    author: frozenset[str] | None = None
    """The kinds that it says it is of, None while no frame has told."""

    def framed(self, text: str) -> "Stack":
        """Behind a frame."""
        phase = self.phase if self.phase is Phase.ASIDE else Phase.OPEN
        return Stack(phase, self.marks, self.top if " ? " in text else text, self.user, self.author)

    def marked(self, text: str) -> "Stack":
        """Behind a mark of a context: ``<IRQ>``, ``</TASK>``."""
        if not closes(text):
            return self._replace(marks=self.marks + 1)
        phase = Phase.CLOSED if "</TASK>" in text else self.phase
        return self._replace(phase=phase, marks=max(self.marks - 1, 0))

    def asked(self, text: str) -> "Stack":
        """Behind "NMI backtrace": who ran and the registers come before the stack, or nothing does."""
        phase = Phase.CLOSED if "skipped" in text else Phase.BEFORE
        return Stack(phase, author=self.author)

    def tracked(self) -> "Stack":
        """Behind the heading of mm/slub.c print_track()."""
        return self._replace(phase=Phase.HEAD, top=None, user=False)

    def counted(self, text: str) -> "Stack":
        """Behind a program counter."""
        return self._replace(user=self.user or is_user(text))

    def ended(self) -> "Stack":
        """Behind the end mark of the report."""
        return self._replace(phase=Phase.CLOSED, marks=0, user=False)

    @property
    def at_bottom(self) -> bool:
        """True behind a frame that no other stands below."""
        return self.top is not None and is_bottom(self.top)


def closes(text: str) -> bool:
    """True for a mark that leaves a context."""
    return "</" in text or "<EO" in text
