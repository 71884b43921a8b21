"""A guilty frame with its reason, and how one is picked from a stack: what all places that kinds name share."""

import re
from collections.abc import Iterable, Mapping

from kb.model.report import Frame, Trace
from kb.model.said import Said
from kb.parse.outline import Outline
from kb.parse.plumbing import Skip
from kb.syntax.frames import aliases, is_address, plain, shown
from kb.words.speak import said

_DUMPING = re.compile(r"^(?:dump_stack(?:_lvl|_print)?|show_stack(?:_log_lvl)?|dump_backtrace)$")
_DUMP_DEPTH = 12
"""Frames within which a stack that a report prints of itself shows the printing; deeper it is somebody else's dump."""
_UNRELIABLE_STACK = 4
"""Entries that make a stack: fewer, all doubtful, are the remains of a damaged one."""


class Guilt:
    """A guilty frame and the sentence that defends the choice."""

    __slots__ = ("aliases", "frame", "function", "why")

    def __init__(
        self, function: str, frame: Frame | None, why: Said, bucket: str | None = None, also: tuple[str, ...] = ()
    ):
        """``function`` as it stood in the log, compiler suffixes removed; ``bucket`` the name it is grouped under.

        ``also`` are other functions that could be blamed as well, as they are shown.
        """
        self.function = bucket or shown(function)
        self.frame = frame
        self.why = why
        own = aliases(function) if bucket is None else (function,) if function != bucket else ()
        self.aliases = (*own, *(name for name in also if name != self.function and name not in own))
        """Other names of the function: titles made with them are alternative titles."""


def with_also(guilt: Guilt, *also: str, why: Said | None = None) -> Guilt:
    """The same guilt, with functions that could be blamed as well and, where given, another reason."""
    bucket = (
        guilt.function if guilt.frame is not None and shown(plain(guilt.frame.function)) != guilt.function else None
    )
    function = plain(guilt.frame.function) if guilt.frame is not None else guilt.function
    return Guilt(function, guilt.frame, why or guilt.why, bucket, also)


def pick(frames: Iterable[Frame], skip: Skip, place: Said) -> Guilt | None:
    """The first reliable frame with a name that is not plumbing."""
    skipped: list[str] = []
    for frame in usable(frames):
        function = plain(frame.function)
        if skip(function, frame.module) is None:
            why = said("guilty.first_not_plumbing", place=place)
            if skipped:
                why = said("guilty.first_behind_plumbing", place=place, plumbing=skipped)
            return Guilt(function, frame, why)
        skipped.append(function)
    return None


def usable(frames: Iterable[Frame]) -> list[Frame]:
    """Frames that may be blamed: reliable ones with a name.

    Inline ones are left out: whether they are there depends on who symbolised the log. Where the unwinder vouches for
    no frame at all (x86 without frame pointers before ORC), all are taken.
    """
    named = [frame for frame in frames if not frame.inline and not is_address(plain(frame.function))]
    return [frame for frame in named if frame.reliable] or (named if len(named) >= _UNRELIABLE_STACK else [])


def printed(trace: Trace) -> tuple[Frame, ...]:
    """The frames of a trace under the functions that printed it (their names differ by architecture)."""
    top = enumerate(trace.frames[:_DUMP_DEPTH])
    last = max((index for index, frame in top if _DUMPING.match(plain(frame.function))), default=-1)
    return trace.frames[last + 1 :]


def program_counter(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """The function that the program counter was in."""
    frame = out.registers.frame if out.registers is not None else None
    if frame is None or is_address(frame.function) or skip(plain(frame.function), frame.module) is not None:
        return None
    return Guilt(plain(frame.function), frame, said("guilty.program_counter"))


def main_trace(out: Outline) -> Trace | None:
    """The stack that the report is about."""
    for role in ("main", "access", "loose", "nmi", "lock"):
        for trace in out.traces:
            if trace.role == role:
                return trace
    return None


def first_of_trace(_fields: Mapping[str, str], out: Outline, skip: Skip) -> Guilt | None:
    """The first frame of the stack that the report is about."""
    trace = main_trace(out)
    return pick(printed(trace), skip, said("place.stack")) if trace is not None else None
