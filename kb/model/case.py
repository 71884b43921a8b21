"""Cases: known problems, as written in cases/<id>/case.md."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_ID = re.compile(r"[^\W_][^/\\:]{0,127}")


def is_id(text: str) -> bool:
    """Whether a text can be a case's id, which becomes the name of its folder: no path, nothing hidden, no option.

    What a good id is the linter says.
    """
    return text.isprintable() and _ID.fullmatch(text) is not None


class Severity(StrEnum):
    """What a report asks of who is on call, by what it means for the machine, not by the kernel's own level."""

    HARMLESS = "harmless"
    """Asked for, or another program's words on the same console: nothing to do."""
    WATCH = "watch"
    """The kernel goes on and has lost nothing: worth a look when it comes again."""
    ACT = "act"
    """Something failed, is stuck or is broken, and who uses it feels it: find the cause."""
    STOP = "stop"
    """The kernel has died, a CPU is lost, or memory holds what it must not: take the machine out of service."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """One testable sentence, ``fact op value``; three-valued over facts."""

    text: str
    """As written."""
    fact: str
    op: str
    """``==  !=  <  <=  >  >=  has  lacks  in  matches``, or ``present``/``absent`` without a value."""
    value: Any
    line: int = 0


@dataclass(frozen=True, slots=True)
class Affected:
    """A range of kernels that have the problem."""

    kernel: str
    """``>= 3.10, < 4.4`` or a list of releases."""
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """A commit that mends it, on a branch."""

    commit: str
    subject: str
    since: str | None = None
    """First release that has it."""
    branch: str = "mainline"
    by: str = ""
    note: str = ""
    prerequisites: tuple[str, ...] = ()
    missing_when: tuple[Predicate, ...] = ()
    """Evidence of a report that the kernel lacks this fix, whatever its version says: all must hold."""


@dataclass(frozen=True, slots=True)
class Workaround:
    """What to do until the fix, and what it costs."""

    do: str
    caveat: str
    by: str = ""
    when: tuple[Predicate, ...] = ()
    """It is not offered where one of these is a sure no: what helps a virtual machine does not help a board."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command that confirms or rules out the case."""

    run: str
    expect: str
    means: str = ""
    kernel: str = ""
    """Range of kernels the command works on; empty: all."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so."""

    id: str
    text: str = ""
    url: str = ""
    sha256: str = ""
    file: str = ""
    """File of the kernel's tree with the functions that were read, or a log beside the case."""
    release: str = ""
    """Release of the kernel that the file is of."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was done to find out whether a case is right."""

    what: str
    """One of :data:`CHECKS`."""
    on: str
    """The day, ISO 8601."""
    against: str
    """What it was held against: ``linux 6.12 mm/page_alloc.c``."""


CHECKS = ("sources", "predicates", "commands", "text")
"""What can be checked of a case: ids, subjects and releases against history or source; predicates on reports that a
machine printed; commands by running them; the text by who had not written it."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A claim of a source that the kernel source contradicts."""

    claim: str
    finding: str
    source: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A known problem."""

    id: str
    title: str
    kind: tuple[str, ...]
    """Report kinds it can explain."""
    status: str
    """``draft``, ``unsighted``, ``sighted``, ``reviewed``, ``withdrawn`` or ``imported``: what was done to it."""
    summary: str
    severity: str = ""
    """A :class:`Severity`; empty: that of the kind of the report."""
    checked: tuple[Check, ...] = ()
    recorded: tuple[str, ...] = ()
    """Its sample logs that a machine printed; the others were written from the formats."""
    subsystem: str = ""
    keywords: tuple[str, ...] = ()
    require: tuple[Predicate, ...] = ()
    any: tuple[tuple[Predicate, ...], ...] = ()
    """Groups of which at least one must hold whole."""
    refute: tuple[Predicate, ...] = ()
    support: tuple[Predicate, ...] = ()
    seen_in: tuple[str, ...] = ()
    provided: str = ""
    """What has to be so besides and no report shows: the case is at most MAYBE."""
    broader: tuple[str, ...] = ()
    """Ids of narrower cases that this one also covers."""
    affected: tuple[Affected, ...] = ()
    fixes: tuple[Fix, ...] = ()
    workarounds: tuple[Workaround, ...] = ()
    verify: tuple[Step, ...] = ()
    sources: tuple[Source, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    prose: str = ""
    path: str = ""
    signatures: tuple[str, ...] = field(default=())
    """Signature ids of its match samples or its import."""
    files: tuple[str, ...] = ()
    """Files that the fix of an imported case touches, by their paths in the kernel's tree."""
