"""Kinds: all that is known of a kind of report stands in one row of kinds.toml; this reads it.

Everything that treats kinds differently asks here, by what a kind is, prints or belongs to, never by its name in a set
of its own: a new kind is a row, and nothing else learns of it.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from kb.model.case import Severity as Severity
from kb.model.kept import toml
from kb.model.lazy import Lazy
from kb.syntax.roles import Role

Note = Literal["fault", "slab", "object", "page", "atomic", "rcu", "nmi"]
"""Notes that only some kinds print, by how they begin: :data:`kb.split.anatomy.NOTES`."""
Place = Literal[
    "named", "pc", "lr", "trace", "stall", "stuck", "elsewhere", "hung", "lock", "held", "chain", "became",
    "last_function", "exception", "page_owner", "panic_in", "pair", "in_flight", "handlers", "none",
]  # fmt: skip
"""Where the function that is to blame is looked for: docs/kinds.md explains each."""


class Form(StrEnum):
    """How a kind is told."""

    REPORT = "report"
    """Many lines, opened by a headline."""
    NOTICE = "notice"
    """One line that opens no report; told only when asked for."""


class Family(StrEnum):
    """Kinds that are alike in what they mean."""

    ALLOCATION = "allocation-like"
    """Memory was asked for and not given; nobody was killed for it."""
    OOPS = "oops-like"
    """The task that ran is dead, killed by the kernel's own fault: what it held stays taken."""
    STALL = "stall-like"
    """A CPU, task or worker makes no progress."""


class Trait(StrEnum):
    """What the lines of a kind are printed in, as far as kinds differ in it."""

    END_MARK = "end-mark"
    """``---[ end trace``, and registers and modules before it: __warn() and oops_exit() (kernel/panic.c)."""
    REGISTERS = "registers"
    """The registers, with the program counter (show_regs())."""
    REGISTERS_FIRST = "registers-first"
    """No stack without them before it."""
    MODULES = "modules"
    """``Modules linked in:`` (print_modules())."""
    FAULT_ADDRESS = "fault-address"
    """``IP:`` and ``CR2:`` on lines of their own (arch/x86/mm/fault.c show_fault_oops() to v4.20)."""
    BORDER = "border"
    """A line of ``=`` behind it (mm/kasan/report.c end_report() and its like)."""
    MESSAGE = "message"
    """Words of its own behind the cut mark (kernel/panic.c __warn_printk()), or behind the headline (older; Rust)."""
    OBJECTS = "objects"
    """Behind its stack those of who allocated and freed the object or page."""
    SHOW_MEM = "show-mem"
    """Behind its stack the state of memory (show_mem())."""
    SERIAL = "serial"
    """One at a time: its lines are printed under a lock, to the kill (mm/oom_kill.c oom_lock)."""
    NO_STACK = "no-stack"
    """None of its own."""
    BARE_STACK = "bare-stack"
    """A stack without a heading."""
    RACE_STACKS = "race-stacks"
    """A stack for each side of a race, under a heading that says what it did (kernel/kcsan/report.c)."""
    LOCK_STACKS = "lock-stacks"
    """Stacks of where locks were taken before (kernel/locking/lockdep.c)."""
    STACK_BACKTRACE = "stack-backtrace"
    """``stack backtrace:`` before who ran (kernel/locking/lockdep.c)."""
    NO_CPU_LINE = "no-cpu-line"
    """No ``CPU: 1 PID: 99``: the task that it is about does not run."""
    MANY_CPUS = "many-cpus"
    """Who ran, and the stack, of other CPUs too: no such line contradicts it."""
    ASKS_CPUS = "asks-cpus"
    """It makes other CPUs print their stacks (lib/nmi_backtrace.c)."""
    LAST_WORDS = "last-words"
    """What the kernel says of the machine when it gives up (kernel/panic.c)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One table of kinds.toml; the fields are explained at its top."""

    name: str
    means: str
    severity: Severity
    sample: str
    """A file of tests/, from the root of the repository."""
    form: Form = Form.REPORT
    family: frozenset[Family] = frozenset()
    prints: frozenset[Role | Note] = frozenset()
    has: frozenset[Trait] = frozenset()
    printers: tuple[str, ...] = ()
    wave: bool = False
    fatal: bool = False
    engine: str | None = None
    decoders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A headline of a kind: a terminal of grammars/headline.lark."""

    name: str
    kind: str
    title: str
    guilty: tuple[Place, ...]
    subtype: str | None = None
    alt: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    joins: frozenset[str] = frozenset()
    each: str = ""
    unless: str = ""
    late: bool = False
    prelude: bool = False
    bare: bool = False
    solo: bool = False
    unannounced: bool = False
    """True for what is a report only of a kernel that ran, and did not say that it goes down."""
    needs: str = ""
    apart: tuple[str, ...] = ()
    place: bool = True
    """False where the file that the headline names is the reporter's own, as where a variant was chosen by it."""
    lost: bool = False
    told_by: Lazy | None = None
    variants: tuple["Variant", ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """What a headline is where its fields say more."""

    conditions: tuple[tuple[str, Lazy], ...]
    changes: Mapping[str, Any] = field(default_factory=dict)


NONE = Kind("", "no headline is known", Severity.WATCH, "")
"""Of a report whose headline is lost."""
_CONDITIONS = ("file", "fn", "fn2", "what", "note", "address")


@functools.cache
def table() -> Mapping[str, Mapping[str, Any]]:
    """kinds.toml as it stands."""
    return toml(Path(__file__).with_name("kinds.toml"))


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name."""
    return {name: _kind(name, row) for name, row in table().items()}


def kind_of(name: str) -> Kind:
    """A kind by name; for a name that is none, a kind without traits."""
    return kinds().get(name, NONE)


@functools.cache
def family(name: Family) -> frozenset[str]:
    """The names of the kinds of a family."""
    return frozenset(kind.name for kind in kinds().values() if name in kind.family)


@functools.cache
def printing(what: Role | Note) -> frozenset[str]:
    """The names of the kinds that print a role or a note; empty where no kind claims it for its own."""
    return frozenset(kind.name for kind in kinds().values() if what in kind.prints)


@functools.cache
def rows() -> Mapping[str, Row]:
    """All headlines by the name of their terminal."""
    heads = {name: (kind, row) for kind, name, row in _headlines()}
    shared: dict[str, list[Mapping[str, Any]]] = {}
    for name, (_, row) in heads.items():
        for variant in row.get("variant", ()):
            for target in (name, *variant.get("same_for", ())):
                shared.setdefault(target, []).append(variant)
    return {name: _row(name, kind, row, shared.get(name, [])) for name, (kind, row) in heads.items()}


def refine(row: Row, fields: Mapping[str, str]) -> Row:
    """The row as the first variant changes it whose conditions all hold for these fields."""
    for variant in row.variants:
        if all(pattern.compiled.search(fields.get(key, "")) for key, pattern in variant.conditions):
            own = any(key in ("file", "fn") for key, _ in variant.conditions)
            return replace(row, place=row.place and not own, **variant.changes)
    return row


def _headlines() -> list[tuple[str, str, Mapping[str, Any]]]:
    return [(kind, name, row) for kind, values in table().items() for name, row in values.items() if name.isupper()]


def _kind(name: str, values: Mapping[str, Any]) -> Kind:
    own = _typed({key: value for key, value in values.items() if key.islower()})
    own["severity"] = Severity(own["severity"])
    own["form"] = Form(own.get("form", Form.REPORT))
    own["family"] = frozenset(map(Family, own.get("family", ())))
    own["has"] = frozenset(map(Trait, own.get("has", ())))
    return Kind(name, **own)


def _row(name: str, kind: str, values: Mapping[str, Any], variants: list[Mapping[str, Any]]) -> Row:
    plain = {key: value for key, value in values.items() if key not in ("variant", "told_by")}
    if "told_by" in values:
        plain["told_by"] = Lazy(values["told_by"])
    return Row(name=name, kind=kind, variants=tuple(map(_variant, variants)), **_typed(plain))


def _variant(values: Mapping[str, Any]) -> Variant:
    conditions = tuple((key, Lazy(values[key])) for key in _CONDITIONS if key in values)
    return Variant(conditions, _typed({k: v for k, v in values.items() if k not in (*_CONDITIONS, "same_for")}))


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return typed | {key: frozenset(typed[key]) for key in ("joins", "prints") if key in typed}
