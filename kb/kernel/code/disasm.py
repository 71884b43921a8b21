"""The ``Code:`` bytes as instructions, by capstone (extra ``kernel-kb[disasm]``) where it is installed.

x86 instructions have no fixed length and the dump begins in the middle of one (42 bytes before the trapping one,
arch/x86/kernel/dumpstack.c ``PROLOGUE_SIZE``), so a start is searched for from which a run of instructions ends exactly
at the mark. What stands before the mark is a reading, what stands at the mark and behind it is certain.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kb.kernel.code.dump import Code, parse_code
from kb.model.said import Said
from kb.words.speak import said

MISSING = said("code.install_capstone")
_SHOWN_BEFORE = 6
_SHOWN_AFTER = 4
_SEARCH = 24
"""Starts that are tried: after a few instructions of x86 any wrong start has run into the right one."""


def disassemble(text: str, arch: str | None) -> tuple[str | Said, ...]:
    """Lines of the instructions around the trapping one, which is marked with ``>``.

    Args:
        text: What stands behind ``Code:``.
        arch: ``x86_64``, ``i386``, ``arm64``, ``arm``, ``mips``, ``ppc64``, ``riscv``.

    Returns:
        Empty where the line is no dump; :data:`MISSING` where capstone is not installed or not made for the machine.
    """
    code = parse_code(text)
    if code is None:
        return ()
    try:
        found = instructions(code, arch)
    except ImportError:
        return (MISSING,)
    return tuple(f"{'>' if each.trapped else ' '} {each.raw:<26} {each.words}" for each in found)


class Instruction(NamedTuple):
    """An instruction of the dump."""

    raw: str
    """Its bytes or words, as printed."""
    words: str
    """``mov (%rax), %rax``, or ``(bad)``."""
    trapped: bool


def instructions(code: Code, arch: str | None) -> tuple[Instruction, ...]:
    """The instructions around the one that trapped; empty for a machine that capstone does not know.

    Raises:
        ImportError: capstone is not installed.
    """
    engine = _engine(arch, code.size) if arch is not None else None
    if engine is None:
        return ()
    mark = code.trap if code.trap is not None else 0
    start = _start(engine, code, mark) if code.size == 1 and arch in ("x86_64", "i386") else 0
    before = _run(engine, code, start, until=mark)[-_SHOWN_BEFORE:]
    after = _run(engine, code, mark)[: _SHOWN_AFTER + 1]
    if code.trap is None:
        return tuple(after)
    return (*before, *(each._replace(trapped=index == 0) for index, each in enumerate(after)))


def _engine(arch: str, size: int) -> Any:
    """Words are printed as numbers and given to the engine in little-endian order whatever the machine's is."""
    import capstone as cs

    modes = {
        "x86_64": (cs.CS_ARCH_X86, cs.CS_MODE_64),
        "i386": (cs.CS_ARCH_X86, cs.CS_MODE_32),
        "arm64": (cs.CS_ARCH_ARM64, cs.CS_MODE_LITTLE_ENDIAN),
        "arm": (cs.CS_ARCH_ARM, cs.CS_MODE_THUMB if size == 2 else cs.CS_MODE_ARM),
        "mips": (cs.CS_ARCH_MIPS, cs.CS_MODE_MIPS64),
        "ppc64": (cs.CS_ARCH_PPC, cs.CS_MODE_64),
    }
    riscv = getattr(cs, "CS_ARCH_RISCV", None)
    if riscv is not None:
        modes["riscv"] = (riscv, cs.CS_MODE_RISCV64 | cs.CS_MODE_RISCVC)
    if arch not in modes or (size == 1) != (arch in ("x86_64", "i386")):
        return None
    engine = cs.Cs(*modes[arch])
    if arch in ("x86_64", "i386"):
        engine.syntax = cs.CS_OPT_SYNTAX_ATT
    return engine


def _run(engine: Any, code: Code, first: int, until: int | None = None) -> list[Instruction]:
    """Instructions from a unit on, up to another; what the engine cannot read is shown as it stands."""
    data = code.data(first)
    if until is not None:
        data = data[: (until - first) * code.size]
    lines: list[Instruction] = []
    at = 0
    while at < len(data) and len(lines) < len(code.units):
        found = next(engine.disasm(data[at:], 0, 1), None)
        length = found.size if found is not None else code.size
        raw = data[at : at + length].hex(" ") if code.size == 1 else _words(data[at : at + length], code.size)
        words = f"{found.mnemonic} {found.op_str}".strip() if found is not None else "(bad)"
        lines.append(Instruction(raw, words, False))
        at += length
    return lines


def _words(data: bytes, size: int) -> str:
    units = (data[at : at + size] for at in range(0, len(data), size))
    return " ".join(f"{int.from_bytes(unit, 'little'):0{2 * size}x}" for unit in units)


def _start(engine: Any, code: Code, mark: int) -> int:
    """The first byte from which whole instructions lead up to the mark; the mark itself where there is none."""
    for first in range(min(mark, _SEARCH)):
        if _leads(engine, code.data(first)[: mark - first]):
            return first
    return mark


def _leads(engine: Any, data: Sequence[int]) -> bool:
    return len(data) == sum(int(entry.size) for entry in engine.disasm(bytes(data), 0))
