"""The memory operand of the trapping instruction, out of the ``Code:`` bytes: which register held the pointer.

A small decoder of addressing modes, so that what kb says does not depend on whether a disassembler is installed. It
reads x86 instructions with a ModRM byte and the load and store formats of arm64 (:mod:`kb.kernel.operand_risc`: of arm,
powerpc, mips and riscv); of anything else it says nothing. The caller compares the sum with the faulting address: only
an operand that explains the address is believed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_MASK = (1 << 64) - 1


class Operand(NamedTuple):
    """``base + index * scale + displacement``."""

    base: str | None
    by: str | None = None
    """The index register."""
    scale: int = 1
    displacement: int = 0

    def address(self, registers: Mapping[str, int], bits: int = 64) -> int | None:
        """The effective address; None where a register is not printed."""
        total = self.displacement
        for name, times in ((self.base, 1), (self.by, self.scale)):
            if name is None:
                continue
            if name not in registers:
                return None
            total += registers[name] * times
        return total & ((1 << bits) - 1)

    @property
    def text(self) -> str:
        """As a person writes it: ``RAX + RCX*8 + 0x58``."""
        parts = [name for name in (self.base,) if name]
        if self.by:
            parts.append(f"{self.by}*{self.scale}" if self.scale > 1 else self.by)
        if self.displacement or not parts:
            sign = "-" if self.displacement < 0 else "+"
            parts.append(f"{sign} {abs(self.displacement):#x}" if parts else f"{self.displacement:#x}")
        return " + ".join(parts).replace("+ + ", "+ ").replace("+ - ", "- ")


# ---- x86

_LOW = ("AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI")
_PREFIXES = frozenset((0x26, 0x2E, 0x36, 0x3E, 0xF0, 0xF2, 0xF3, 0x66))
_SEGMENTED = frozenset((0x64, 0x65, 0x67))
"""FS and GS (the base is not a general register) and address size: not decoded."""
_MODRM = frozenset(
    [row + column for row in range(0x00, 0x40, 8) for column in range(4)]
    + [0x62, 0x63, 0x69, 0x6B, *range(0x80, 0x90), 0xC0, 0xC1, 0xC6, 0xC7, *range(0xD0, 0xD4), 0xD8, 0xD9, 0xDA, 0xDB]
    + [0xDC, 0xDD, 0xDE, 0xDF, 0xF6, 0xF7, 0xFE, 0xFF]
) - {0x62, 0x8D}
"""One-byte opcodes with a ModRM byte (Intel SDM volume 2, table A-2); LEA makes no access, 0x62 is EVEX."""
_MODRM_0F = frozenset(
    {*range(0x10, 0x19), 0x1F, *range(0x28, 0x30), *range(0x40, 0x77), 0x7E, 0x7F, *range(0x90, 0xA0), 0xA3, 0xA4}
    | {0xA5, *range(0xAB, 0xB9), *range(0xBA, 0xC8), *range(0xD1, 0xFF)}
)
"""Two-byte opcodes (table A-3) that the kernel uses with a memory operand."""


def x86(code: Sequence[int], bits: int = 64) -> Operand | None:
    """The memory operand of an x86 instruction.

    Args:
        code: Bytes from the first of the instruction on.
        bits: 64 or 32.
    """
    at, rex = 0, 0
    while at < len(code) and code[at] in _PREFIXES and at < 4:
        at += 1
    if at < len(code) and bits == 64 and code[at] & 0xF0 == 0x40:
        rex, at = code[at], at + 1
    if at >= len(code) or code[at] in _SEGMENTED:
        return None
    table = _MODRM
    if code[at] == 0x0F:
        table, at = _MODRM_0F, at + 1
    if at + 1 >= len(code) or code[at] not in table:
        return None
    return _modrm(code[at + 1 :], rex, bits)


def _name(number: int, bits: int) -> str:
    return (("R" if bits == 64 else "E") + _LOW[number]) if number < 8 else f"R{number:02d}"


def _modrm(code: Sequence[int], rex: int, bits: int) -> Operand | None:
    mode, rm = code[0] >> 6, code[0] & 7
    if mode == 3:
        return None
    base: str | None = _name(rm | (rex & 1) << 3, bits)
    index, scale, at = None, 1, 1
    if rm == 4:
        if len(code) < 2:
            return None
        sib, at = code[1], 2
        number = sib >> 3 & 7 | (rex & 2) << 2
        index, scale = (_name(number, bits), 1 << (sib >> 6)) if number != 4 else (None, 1)
        base = None if sib & 7 == 5 and mode == 0 else _name(sib & 7 | (rex & 1) << 3, bits)
        size = 4 if base is None else (0, 1, 4)[mode]
    elif rm == 5 and mode == 0:
        if bits == 64:
            return None  # relative to RIP: no register is to blame
        base, size = None, 4
    else:
        size = (0, 1, 4)[mode]
    if len(code) < at + size:
        return None
    displacement = int.from_bytes(bytes(code[at : at + size]), "little", signed=True) if size else 0
    return Operand(base, index, scale, displacement)


# ---- arm64


def arm64(word: int) -> Operand | None:
    """The memory operand of an arm64 load or store (Arm ARM C4.1: op0 of bits 25 to 28 is x1x0)."""
    if not word >> 27 & 1 or word >> 25 & 1:
        return None
    family = word >> 28 & 3
    base = f"x{word >> 5 & 31}" if word >> 5 & 31 != 31 else "sp"
    if family == 0:  # exclusives, acquire and release: no offset
        return Operand(base)
    if family == 2:  # pairs: a signed 7 bit offset in units of the register's size
        size = 2 + (word >> 31 & 1) if not word >> 26 & 1 else 2 + (word >> 30 & 3)
        offset = (word >> 15 & 0x7F) - (0x80 if word >> 21 & 1 else 0)
        return Operand(base, displacement=0 if word >> 23 & 3 == 1 else offset << size)
    if family != 3:
        return None  # literals
    if word >> 24 & 1:  # an unsigned 12 bit offset
        size = word >> 30 | (word >> 21 & 4 if word >> 26 & 1 else 0)
        return Operand(base, displacement=(word >> 10 & 0xFFF) << size)
    if word >> 21 & 1:
        return _arm64_register(word, base)
    offset = (word >> 12 & 0x1FF) - (0x200 if word >> 20 & 1 else 0)
    return Operand(base, displacement=0 if word >> 10 & 3 == 1 else offset)


def _arm64_register(word: int, base: str) -> Operand | None:
    """Register offset; the extended forms (UXTW, SXTW) and the atomics of v8.1 aside."""
    if word >> 10 & 3 == 0:
        return Operand(base)
    if word >> 10 & 3 != 2 or word >> 13 & 7 != 3:
        return None
    return Operand(base, f"x{word >> 16 & 31}", 1 << (word >> 30) if word >> 12 & 1 else 1)


# ---- the Code: line


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
            unit = int(bare, 16)
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
    from kb.kernel import operand_risc

    if arch == "riscv" and code.size in (2, 4):
        assert code.trap is not None
        behind = code.units[code.trap + 1 : code.trap + 2] if code.size == 2 else ()
        return operand_risc.riscv(word, behind[0] if behind else None)
    read = {"arm": operand_risc.arm, "ppc64": operand_risc.powerpc, "mips": operand_risc.mips}.get(arch or "")
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
