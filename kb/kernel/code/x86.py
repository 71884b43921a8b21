"""Memory operands of x86 instructions: those with a ModRM byte."""

from collections.abc import Sequence

from kb.kernel.code.operand import Operand

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
