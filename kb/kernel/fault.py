"""What the processor says of a fault: error codes, syndromes and causes of each architecture as one :class:`Fault`.

Each function is pure, knows the tables of the kernel file that it names, and leaves out what the number does not say.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Fault(NamedTuple):
    """An access that failed."""

    access: str | None
    """``read``, ``write`` or ``execute``."""
    mode: str | None
    """``kernel`` or ``user``: who made the access."""
    why: str | None
    """``not present``, ``protection``, ``reserved bit`` ..., or the table's own words."""
    parts: tuple[str, ...]
    """All of it, fixed words in the order a person would say them."""

    @property
    def words(self) -> str:
        """All of it in English: ``not present, write, kernel mode``."""
        return ", ".join(self.parts)


def _fault(access: str | None, mode: str | None, why: str | None, first: str = "") -> Fault:
    by = f"{mode} mode" if mode else ""
    return Fault(access, mode, why, tuple(part for part in (first, why, access, by) if part))


# ---- x86

_X86_WHY = (
    (0x80000000, "SEV-SNP RMP violation"),
    (0x8000, "SGX"),
    (0x40, "shadow stack"),
    (0x20, "protection key"),
    (0x8, "reserved bit set in a page table entry"),
    (0x1, "protection"),
)
"""arch/x86/include/asm/trap_pf.h, the bit that says most first; without any of them the page is not present."""


def page_fault(code: int) -> Fault:
    """An x86 page fault's error code (``#PF: error_code(0x0002)``, before v5.1 ``Oops: 0002``)."""
    why = next((words for bit, words in _X86_WHY if code & bit), "not present")
    access = "execute" if code & 0x10 else "write" if code & 0x2 else "read"
    return _fault(access, "user" if code & 0x4 else "kernel", why)


# ---- arm64

_EC = {
    0x00: "unknown reason",
    0x0D: "branch target exception",
    0x0E: "illegal execution state",
    0x1C: "pointer authentication failure",
    0x20: "instruction abort from user mode",
    0x21: "instruction abort",
    0x22: "PC alignment fault",
    0x24: "data abort from user mode",
    0x25: "data abort",
    0x26: "SP alignment fault",
    0x2F: "SError interrupt",
    0x3C: "BRK instruction",
}
"""Exception classes of ESR_EL1 (arch/arm64/include/asm/esr.h), bits 26 to 31."""
_FSC = {
    0x10: "synchronous external abort",
    0x11: "synchronous tag check fault",
    0x18: "synchronous parity or ECC error",
    0x21: "alignment fault",
    0x30: "TLB conflict abort",
}
_FSC |= {0x00 + level: f"level {level} address size fault" for level in range(4)}
_FSC |= {0x04 + level: f"level {level} translation fault" for level in range(4)}
_FSC |= {0x08 + level: f"level {level} access flag fault" for level in range(4)}
_FSC |= {0x0C + level: f"level {level} permission fault" for level in range(4)}
_FSC |= {0x14 + level: f"level {level} external abort on a table walk" for level in range(4)}
"""Fault status codes (arch/arm64/mm/fault.c fault_info), bits 0 to 5."""


def syndrome(esr: int) -> Fault | None:
    """An arm64 ESR_EL1; None for a class that is not in the table."""
    kind = _EC.get(esr >> 26 & 0x3F)
    if kind is None:
        return None
    if "abort" not in kind:
        return Fault(None, None, kind, (kind,))
    status = _FSC.get(esr & 0x3F, f"fault status {esr & 0x3F:#x}")
    maintenance = kind.startswith("data") and esr & 0x100  # CM: WnR is set whatever the access was
    access = None if maintenance else ("write" if esr & 0x40 else "read") if kind.startswith("data") else "execute"
    mode = "user" if "user" in kind else "kernel"
    return Fault(access, mode, _why(status), tuple(part for part in (kind, status, access) if part))


def _why(status: str) -> str:
    """A fault status in the words that all architectures share, where it is one of them."""
    if "translation" in status or "page fault" in status:
        return "not present"
    return "protection" if "permission" in status else status


# ---- arm

_ARM_SHORT = {
    1: "alignment exception",
    5: "section translation fault",
    7: "page translation fault",
    8: "external abort on non-linefetch",
    9: "section domain fault",
    11: "page domain fault",
    12: "external abort on translation",
    13: "section permission fault",
    14: "external abort on translation",
    15: "page permission fault",
    22: "imprecise external abort",
}
"""Short descriptors (arch/arm/mm/fsr-2level.c), bits 0 to 3 and 10; without those that mean something else by core."""
_ARM_LONG = {
    16: "synchronous external abort",
    17: "asynchronous external abort",
    24: "synchronous parity error",
    25: "asynchronous parity error",
    33: "alignment fault",
    34: "debug event",
}
_ARM_LONG |= {4 + level: f"level {level} translation fault" for level in range(1, 4)}
_ARM_LONG |= {8 + level: f"level {level} access flag fault" for level in range(1, 4)}
_ARM_LONG |= {12 + level: f"level {level} permission fault" for level in range(1, 4)}
"""Long descriptors (LPAE, arch/arm/mm/fsr-3level.c), bits 0 to 5."""


def arm_status(fsr: int) -> Fault | None:
    """A 32-bit arm fault status as ``Internal error: Oops: 817`` prints it; None where the table has no such status.

    Bit 31 is Linux's own mark of a prefetch abort, bit 11 a write, bit 9 the long descriptor format
    (arch/arm/mm/fault.h).
    """
    long = fsr & 0x200
    status = _ARM_LONG.get(fsr & 0x3F) if long else _ARM_SHORT.get(fsr & 0xF | (fsr & 0x400) >> 6)
    if status is None:
        return None
    access = "execute" if fsr & 0x80000000 else "write" if fsr & 0x800 else "read"
    return Fault(access, None, _why(status), (status, access))


# ---- powerpc

_PPC_TRAPS = {
    0x200: "machine check",
    0x300: "data access",
    0x380: "data access, no segment",
    0x400: "instruction fetch",
    0x480: "instruction fetch, no segment",
    0x600: "alignment",
    0x700: "program check",
    0x800: "floating point unavailable",
}
"""Exception vectors of 64-bit powerpc (arch/powerpc/include/asm/interrupt.h): ``TRAP: 0300``."""
_DSISR = (
    (0x40000000, "not present"),
    (0x10000000, "protection"),
    (0x08000000, "protection"),
    (0x00200000, "protection key"),
    (0x04000000, "access to cache-inhibited or guarded memory"),
)
"""arch/powerpc/include/asm/reg.h DSISR_NOHPTE, NOEXEC_OR_G, PROTFAULT, KEYFAULT, BADACCESS."""
_DSISR_STORE = 0x02000000


def powerpc(trap: int | None, dsisr: int | None) -> Fault | None:
    """TRAP and DSISR of a powerpc register dump; None where the trap is no memory access."""
    trap = trap & ~0xF if trap is not None else None
    name = _PPC_TRAPS.get(trap) if trap is not None else None
    if name is None:
        return None
    if trap not in (0x300, 0x380, 0x400, 0x480):
        return Fault(None, None, name, (name,))
    if trap in (0x400, 0x480):
        return Fault("execute", None, "not present" if trap == 0x480 else None, (name,))
    access = None if dsisr is None else "write" if dsisr & _DSISR_STORE else "read"
    why = "not present" if trap == 0x380 else None
    why = next((words for bit, words in _DSISR if dsisr is not None and dsisr & bit), why)
    return _fault(access, None, why, name)


# ---- riscv, mips, loongarch, s390

_RISCV = {
    0: (None, "instruction address misaligned"),
    1: ("execute", "access fault"),
    2: (None, "illegal instruction"),
    3: (None, "breakpoint"),
    4: ("read", "misaligned"),
    5: ("read", "access fault"),
    6: ("write", "misaligned"),
    7: ("write", "access fault"),
    12: ("execute", "page fault"),
    13: ("read", "page fault"),
    15: ("write", "page fault"),
}
"""arch/riscv/include/asm/csr.h EXC_*: ``cause: 000000000000000f``."""
_MIPS = {
    1: ("write", "protection"),
    2: ("read", "not present"),
    3: ("write", "not present"),
    4: ("read", "address error"),
    5: ("write", "address error"),
    6: ("execute", "bus error"),
    7: (None, "bus error"),
    10: (None, "reserved instruction"),
    19: ("read", "protection"),
    20: ("execute", "protection"),
}
"""arch/mips/include/asm/mipsregs.h EXCCODE_*: ``Cause : 00800008 (ExcCode 02)``. TLBL and AdEL may be fetches
too, a bus error of data (7) may be a store's."""
_LOONGARCH = {
    1: ("read", "not present"),
    2: ("write", "not present"),
    3: ("execute", "not present"),
    4: ("write", "protection"),
    5: ("read", "protection"),
    6: ("execute", "protection"),
    7: (None, "privilege"),
    8: (None, "address error"),
    9: (None, "address not aligned"),
    13: (None, "instruction not existing"),
}
"""arch/loongarch/include/asm/loongarch.h EXCCODE_*: ``ESTAT: 00010000 [PIL] (IS= ECode=1 EsubCode=0)``."""
_S390 = {
    0x01: "operation",
    0x04: "protection",
    0x05: "addressing",
    0x06: "specification",
    0x10: "not present",
    0x11: "not present",
    0x38: "not present",
    0x39: "not present",
    0x3A: "not present",
    0x3B: "not present",
}
"""Program interruption codes (arch/s390/kernel/pgm_check.S): ``Oops: 0004 ilc:2``; 0x10 and up: no table entry."""


def _row(table: Mapping[int, tuple[str | None, str]], code: int) -> Fault | None:
    row = table.get(code)
    if row is None:
        return None
    access, why = row
    shared = "not present" if why == "page fault" else why
    return Fault(access, None, shared, (why, access) if access else (why,))


def riscv(cause: int) -> Fault | None:
    """A riscv ``cause``; interrupts (the top bit) are no faults. A page fault may be of presence or of permission."""
    found = _row(_RISCV, cause)
    return found._replace(why=None) if found is not None and found.parts[0] == "page fault" else found


def mips(code: int) -> Fault | None:
    """A mips ``ExcCode``."""
    return _row(_MIPS, code)


def loongarch(code: int) -> Fault | None:
    """A loongarch ``ECode``."""
    return _row(_LOONGARCH, code)


def s390(code: int, teid: int | None) -> Fault | None:
    """An s390 program interruption code and the translation-exception identification beside the failing address.

    Bits 52 and 53 of the identification tell store from fetch where the machine has that facility
    (arch/s390/include/asm/fault.h); a segment or page exception is always of the kernel's own access here.
    """
    why = _S390.get(code & 0x7F)
    if why is None:
        return None
    access = {1: "write", 2: "read"}.get(teid >> 10 & 3) if teid is not None else None
    return _fault(access, None, why)
