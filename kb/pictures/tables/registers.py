"""The registers of a fault: their values, what can be told of each by itself, which one held the bad pointer."""

from dataclasses import dataclass

from kb.kernel.address import meaning
from kb.model.said import Said
from kb.model.verdict import Diagnosis
from kb.parse.details.registers import general, read

_SMALL = 4096
_TELLING = frozenset(
    {"error-pointer", "list-poison", "slab-poison", "page-poison", "poison", "text", "kasan-shadow", "kernel-text",
     "modules", "user"}
)  # fmt: skip
"""Kinds of addresses that a value is by more than chance."""
_BAD = _TELLING - {"kernel-text", "modules", "user"}


@dataclass(frozen=True, slots=True)
class Register:
    """A number of the dump."""

    name: str
    value: int
    means: Said | None
    """What an address of that value is, where that can be told."""
    suspect: bool
    """Whether that is no pointer that may be followed: an error number, the poison of freed memory, text."""
    bad: bool
    """Whether the instruction took the bad pointer from it."""
    line: int


def registers(found: Diagnosis) -> tuple[Register, ...]:
    """The registers of a report's first dump, in the order of the log; empty where it prints none."""
    report = found.report
    dump = read(report.lines)
    pointers = general(dump.values)
    fault = found.facts.get("fault_register")
    rows = []
    for name, value in dump.values.items():
        told = meaning(value, report.arch) if name in pointers and value >= _SMALL else None
        kind = told.kind if told is not None and told.kind in _TELLING else ""
        bad = fault is not None and fault.value == name
        if bad and told is None:
            told = meaning(value, report.arch)
            kind = told.kind if told is not None else ""
        means = told.says if told is not None and kind else None
        rows.append(Register(name, value, means, kind in _BAD, bad, dump.where.get(name, 0)))
    return tuple(rows)
