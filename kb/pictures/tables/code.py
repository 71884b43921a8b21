"""The instructions around the one that trapped."""

from dataclasses import dataclass

from kb.kernel.code.disasm import MISSING, Instruction, instructions
from kb.kernel.code.dump import is_bug_trap, operand, parse_code
from kb.model.said import Said
from kb.model.verdict import Diagnosis
from kb.parse.details.registers import code as code_line


@dataclass(frozen=True, slots=True)
class Listing:
    """The ``Code:`` line."""

    rows: tuple[Instruction, ...]
    """Empty where the bytes cannot be disassembled here."""
    units: tuple[str, ...]
    """The bytes (or words) as printed."""
    trap: int | None
    """Index in ``units`` of the first of the instruction that trapped."""
    operand: str | None
    """Its operand in memory: ``0x18(%rdi)``."""
    bug: bool
    """Whether it is the instruction that BUG() and WARN() are made of."""
    missing: Said | None
    """What to install for ``rows``."""
    line: int


def listing(found: Diagnosis) -> Listing | None:
    """The instructions of a report, None where it prints no ``Code:`` line that is a dump."""
    printed = code_line(found.report.lines)
    if printed is None:
        return None
    text, line = printed
    code = parse_code(text)
    if code is None:
        return None
    arch = found.report.arch
    missing: Said | None = None
    rows: tuple[Instruction, ...] = ()
    try:
        rows = instructions(code, arch)
    except ImportError:
        missing = MISSING
    accessed = operand(code, arch)
    units = tuple(f"{unit:0{2 * code.size}x}" for unit in code.units)
    return Listing(
        rows, units, code.trap, accessed.text if accessed is not None else None, is_bug_trap(code, arch), missing, line
    )
