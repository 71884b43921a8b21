"""Cases: known problems, as written in cases/<id>/case.md."""

import re
from dataclasses import dataclass, field
from typing import Any

_ID = re.compile(r"[^\W_][^/\\:]{0,127}")


def is_id(text: str) -> bool:
    """Whether a text can be a case's id, which becomes the name of its folder: no path, nothing hidden, no option.

    What a good id is the linter says.
    """
    return text.isprintable() and _ID.fullmatch(text) is not None


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
    """``draft``, ``reviewed``, ``withdrawn`` or ``imported``."""
    summary: str
    subsystem: str = ""
    keywords: tuple[str, ...] = ()
    require: tuple[Predicate, ...] = ()
    any: tuple[tuple[Predicate, ...], ...] = ()
    """Groups of which at least one must hold whole."""
    refute: tuple[Predicate, ...] = ()
    support: tuple[Predicate, ...] = ()
    seen_in: tuple[str, ...] = ()
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
