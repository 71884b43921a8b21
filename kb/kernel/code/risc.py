"""Memory operands of loads and stores of arm, powerpc, mips, riscv and arm64: base register and displacement.

Names are those of the register dumps: ``r3``, ``fp``, ``ip`` (arm), ``r31`` (powerpc's GPR rows), ``$4`` (mips), ``a5``
(riscv). Forms that these do not cover give nothing.
"""

from kb.kernel.code.operand import Operand


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) & 1 else value


# ---- arm (Arm ARM v7 A5.3, A5.2.8)

_ARM = (*(f"r{number}" for number in range(11)), "fp", "ip", "sp", "lr", "pc")


def arm(word: int) -> Operand | None:
    """LDR and STR with an immediate, the halfword and double forms; not relative to the program counter."""
    base, up, pre = _ARM[word >> 16 & 15], word >> 23 & 1, word >> 24 & 1
    if base == "pc" or word >> 28 == 15:
        return None
    if word >> 25 & 7 == 0b010:
        offset = word & 0xFFF
    elif word >> 25 & 7 == 0 and word & 0x90 == 0x90 and word >> 5 & 3 and word >> 22 & 1:
        offset = word >> 4 & 0xF0 | word & 0xF
    else:
        return None
    return Operand(base, displacement=(offset if up else -offset) if pre else 0)


# ---- powerpc (Power ISA: D, DS and X forms)

_INDEXED = frozenset((20, 21, 23, 84, 87, 149, 150, 151, 214, 215, 279, 341, 343, 407, 532, 534, 660, 662, 790, 918))
"""Extended opcodes of ldx, lwzx, lwarx, ldarx, lbzx, lhzx, lhax, lwax, stdx, stwx, stbx, sthx, the conditional stores
and the byte-reversed forms."""


def powerpc(word: int) -> Operand | None:
    """Loads and stores of 64-bit powerpc; a base of r0 stands for zero."""
    code, number = word >> 26, word >> 16 & 31
    base = f"r{number}" if number else None
    if 32 <= code <= 45 or 48 <= code <= 55:
        return Operand(base, displacement=_signed(word & 0xFFFF, 16))
    if code in (58, 62) and word & 3 != 3:
        return Operand(base, displacement=_signed(word & 0xFFFC, 16))
    if code == 31 and word >> 1 & 0x3FF in _INDEXED:
        return Operand(base, f"r{word >> 11 & 31}")
    return None


# ---- mips (MIPS64 volume II)

_MIPS = frozenset((0x1A, 0x1B, *range(0x20, 0x2F), 0x30, 0x31, 0x34, 0x35, 0x37, 0x38, 0x39, 0x3C, 0x3D, 0x3F))
"""ldl, ldr, lb ... swr, ll, lwc1, lld, ldc1, ld, sc, swc1, scd, sdc1, sd (before release 6)."""


def mips(word: int) -> Operand | None:
    """Loads and stores: always a base and 16 bits."""
    if word >> 26 not in _MIPS:
        return None
    return Operand(f"${word >> 21 & 31}", displacement=_signed(word & 0xFFFF, 16))


# ---- riscv (unprivileged ISA, chapters 2, 12 and 26)

_RISCV = "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split()


def riscv(low: int, high: int | None = None) -> Operand | None:
    """Loads, stores and atomics, the compressed ones of 64-bit machines too.

    Args:
        low: The half word at the mark, or the whole word where words are printed.
        high: The half word behind it, where half words are printed.
    """
    if low & 3 != 3:
        return _compressed(low & 0xFFFF)
    word = low | (high << 16 if high is not None else 0)
    if word < 1 << 16:
        return None
    base = _RISCV[word >> 15 & 31]
    match word & 0x7F:
        case 0x03 | 0x07:
            return Operand(base, displacement=_signed(word >> 20, 12))
        case 0x23 | 0x27:
            return Operand(base, displacement=_signed(word >> 25 << 5 | word >> 7 & 31, 12))
        case 0x2F:
            return Operand(base)
    return None


def _compressed(half: int) -> Operand | None:
    """c.lw, c.ld, c.sw, c.sd: registers s0 to a5, an unsigned offset."""
    if half & 3 or half >> 13 not in (2, 3, 6, 7):
        return None
    offset = half >> 10 & 7
    if half >> 13 & 1:  # double words
        displacement = offset << 3 | (half >> 5 & 3) << 6
    else:
        displacement = offset << 3 | (half >> 6 & 1) << 2 | (half >> 5 & 1) << 6
    return Operand(_RISCV[8 + (half >> 7 & 7)], displacement=displacement)


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
