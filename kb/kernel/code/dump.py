"""The ``Code:`` line: its units, the memory operand of the trapping instruction, whether it is BUG()'s.

Small decoders of addressing modes, so that what kb says does not depend on whether a disassembler is installed
(:mod:`kb.kernel.code.x86`, :mod:`kb.kernel.code.risc`); of any other instruction they say nothing. The caller compares
the sum with the faulting address: only an operand that explains the address is believed.
"""

from typing import NamedTuple

from kb.kernel.code.operand import Operand
from kb.kernel.code.risc import arm, arm64, mips, powerpc, riscv
from kb.kernel.code.x86 import x86


class Code(NamedTuple):
    """A ``Code:`` line: units of ``size`` bytes and which of them trapped."""

    units: tuple[int, ...]
    size: int
    """1 for bytes (x86), 2 for half words (riscv, Thumb), 4 for words."""
    trap: int | None
    """Index of the marked unit; None where none is marked."""
    marks: str = ""
    """``<`` or ``(``: what the mark was."""

    def data(self, first: int) -> bytes:
        """The bytes from a unit on, words in little-endian order."""
        return b"".join(unit.to_bytes(self.size, "little") for unit in self.units[first:])


_MOST = 256


def parse_code(text: str) -> Code | None:
    """What stands behind ``Code:``; None for anything that is no dump (``Bad EIP value.``, ``(null)``).

    x86 prints bytes with ``<48>`` around the first of the instruction, arm, arm64 and riscv words with ``(e5933000)``,
    mips and powerpc words with ``<8c420000>``.
    """
    units: list[int] = []
    size, trap, marks = 0, None, ""
    for part in text.split()[:_MOST]:
        bare = part.strip("<>()")
        if bare in ("Bad", "Unable") or not 2 <= len(bare) <= 8 or len(bare) % 2:
            break
        try:
            unit = int.from_bytes(bytes.fromhex(bare), "big")
        except ValueError:
            break
        if size and len(bare) != 2 * size:
            break
        size = len(bare) // 2
        if bare != part and trap is None:
            trap, marks = len(units), part[0]
        units.append(unit)
    if not units or size not in (1, 2, 4):
        return None
    return Code(tuple(units), size, trap, marks)


def operand(code: Code, arch: str | None) -> Operand | None:
    """The memory operand of the marked instruction; None where nothing is marked or the architecture is another."""
    if code.trap is None:
        return None
    if arch in ("x86_64", "i386") and code.size == 1:
        return x86(code.units[code.trap : code.trap + 15], 64 if arch == "x86_64" else 32)
    word = code.units[code.trap]
    if arch == "arm64" and code.size == 4:
        return arm64(word)
    return _risc(code, arch, word)


def _risc(code: Code, arch: str | None, word: int) -> Operand | None:
    if arch == "riscv" and code.size in (2, 4):
        assert code.trap is not None
        behind = code.units[code.trap + 1 : code.trap + 2] if code.size == 2 else ()
        return riscv(word, behind[0] if behind else None)
    read = {"arm": arm, "ppc64": powerpc, "mips": mips}.get(arch or "")
    return read(word) if read is not None and code.size == 4 else None


def is_bug_trap(code: Code, arch: str | None) -> bool:
    """True where the marked instruction is the one that BUG() and WARN() are made of.

    x86 ``ud2`` (include/asm/bug.h), arm64 ``brk #0x800``, riscv ``ebreak``, powerpc ``trap`` (twi, tdi, tdnei).
    """
    if code.trap is None:
        return False
    here = code.units[code.trap : code.trap + 2]
    if arch in ("x86_64", "i386"):
        return here == (0x0F, 0x0B)
    if arch == "arm64":
        return here[0] == 0xD4210000
    return arch == "riscv" and here[0] in (0x9002, 0x00100073)
