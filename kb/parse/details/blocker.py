"""The lines by which the hung-task detector tells what a task is blocked on and who holds it.

kernel/hung_task.c debug_show_blocker(), since 2025: mutexes first, then semaphores, then rw-semaphores. Read on demand
by the facts of hung tasks.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from kb.model.log import Line

# "INFO: task %s:%d is blocked on a mutex likely owned by task %s:%d.", "... blocked on a semaphore likely last held by
# task %s:%d", "INFO: task %s:%d <%s> blocked on an rw-semaphore likely owned by task %s:%d <%s>",
# "INFO: task %s:%d is blocked on a mutex, but the owner is not found."
_BLOCKER = re.compile(
    r"INFO: task (?P<comm>.{1,32}):(?P<pid>\d{1,10}) (?:<(?P<waits_as>reader|writer)> )?(?:is )?"
    r"blocked on an? (?P<lock>mutex|semaphore|rw-semaphore)"
    r"(?: likely (?P<how>owned|last held) by task (?P<owner>.{1,32}):(?P<owner_pid>\d{1,10})"
    r"(?: <(?P<owner_as>reader|writer)>)?"
    r"|, but the (?:owner|last holder) is not found)"
)
_MOST = 2000


class Blocker(NamedTuple):
    """What a task waits for, as the kernel names it."""

    lock: str
    """``mutex``, ``semaphore`` or ``rw-semaphore``."""
    line: int
    waits_as: str | None = None
    """``reader`` or ``writer`` of an rw-semaphore."""
    owner: str | None = None
    owner_pid: int | None = None
    owner_as: str | None = None
    last_held: bool = False
    """True for a semaphore: the task that took it last need not hold it."""


def blocker(lines: Sequence[Line], pid: int | None) -> Blocker | None:
    """The blocker of a task among the lines of its report; None where the kernel names none."""
    for line in lines[:_MOST]:
        text = line.text[:300]
        if "blocked on a" not in text:
            continue
        found = _BLOCKER.search(text)
        if found is None or (pid is not None and int(found["pid"]) != pid):
            continue
        return Blocker(
            found["lock"],
            line.number,
            found["waits_as"],
            found["owner"],
            int(found["owner_pid"]) if found["owner_pid"] else None,
            found["owner_as"],
            found["how"] == "last held",
        )
    return None
