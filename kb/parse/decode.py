"""What the numbers of a fault mean: error codes, syndromes, addresses that no allocation can have.

Each function is pure and says nothing rather than guess. :func:`decoded` puts what applies to a report into words.
"""

from collections.abc import Mapping

_PAGE = 4096
_LIST_POISON = {0x100: "LIST_POISON1: the next pointer of an entry taken off its list (list_del)"}
_LIST_POISON |= dict.fromkeys((290, 512), "LIST_POISON2: the prev pointer of an entry taken off its list (list_del)")
_DELTA = 0xDEAD000000000000
"""CONFIG_ILLEGAL_POINTER_VALUE of 64-bit x86, arm64, riscv, s390 (include/linux/poison.h)."""
_BYTES = {
    0x6B: "POISON_FREE: read from a slab object that was freed",
    0x5A: "POISON_INUSE: read from a slab object that was never initialised",
    0xAA: "PAGE_POISON: read from a page that was freed",
    0xCC: "SLUB_RED_ACTIVE: the red zone behind a slab object",
    0xBB: "SLUB_RED_INACTIVE: the red zone behind a free slab object",
}
"""include/linux/poison.h, the same since v2.6.24; a pointer made of one of them."""
_SHADOW = {"x86_64": 0xDFFFFC0000000000, "arm64": 0xDFFF800000000000, "riscv": 0xDFFFFFFF00000000}
"""CONFIG_KASAN_SHADOW_OFFSET: shadow = (address >> 3) + offset."""

_PF = (
    (0x1, "protection violation", "page not present"),
    (0x2, "write", "read"),
    (0x4, "user mode", "kernel mode"),
    (0x8, "reserved bit set in a page table entry", ""),
    (0x10, "instruction fetch", ""),
    (0x20, "protection key", ""),
    (0x40, "shadow stack", ""),
    (0x8000, "SGX", ""),
    (0x80000000, "SEV-SNP RMP violation", ""),
)
"""arch/x86/include/asm/trap_pf.h: bit, its meaning set, and clear."""

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
_FSC |= {0x08 + level: f"level {level} access flag fault" for level in range(1, 4)}
_FSC |= {0x0C + level: f"level {level} permission fault" for level in range(1, 4)}
_FSC |= {0x14 + level: f"level {level} external abort on a table walk" for level in range(4)}
"""Fault status codes (arch/arm64/mm/fault.c fault_info), bits 0 to 5."""


def page_fault(code: int) -> str:
    """An x86 page fault's error code in words, such as ``page not present, write, kernel mode``."""
    words = (is_set if code & bit else clear for bit, is_set, clear in _PF)
    return ", ".join(word for word in words if word)


def syndrome(esr: int) -> str | None:
    """An arm64 ESR_EL1 in words; None for a class that is not in the table."""
    kind = _EC.get(esr >> 26 & 0x3F)
    if kind is None:
        return None
    if "abort" not in kind:
        return kind
    status = _FSC.get(esr & 0x3F, f"fault status {esr & 0x3F:#x}")
    access = ("write" if esr & 0x40 else "read") if kind.startswith("data") else "instruction fetch"
    return f"{kind}, {status}, {access}"


def address(value: int, arch: str | None = None) -> str | None:
    """What an address tells by itself; None for one that may be a pointer.

    Args:
        value: The faulting address.
        arch: ``x86_64``, ``arm64`` ... where it is known; without it what depends on it is left out.
    """
    if value < _PAGE:
        return "NULL" if value == 0 else f"NULL pointer, {value:#x} bytes into the object"
    offset = value - _DELTA
    if 0 <= offset < _PAGE:
        base = max((poison for poison in _LIST_POISON if poison <= offset), default=None)
        if base is not None:
            return _LIST_POISON[base] + (f", plus {offset - base:#x}" if offset > base else "")
    shadow = _SHADOW.get(arch or "")
    if shadow is not None and 0 <= value - shadow < 1 << 48:
        real = (value - shadow) << 3 & (1 << 64) - 1
        return f"KASAN's shadow of {real:#x}" + (" (a NULL pointer with an offset)" if real < _PAGE else "")
    for size in (8, 4):
        same = {value >> 8 * index & 0xFF for index in range(1, size)}
        if value >> 8 * size == 0 and len(same) == 1 and (byte := same.pop()) in _BYTES:
            return _BYTES[byte]
    if value >= (1 << 64) - _PAGE:
        return f"an error number taken for a pointer: -{(1 << 64) - value}, or that plus an offset"
    if arch == "x86_64" and 0 < value >> 47 < (1 << 17) - 1:
        return "not canonical: no pointer of this architecture"
    return None


def decoded(fields: Mapping[str, str], subtype: str | None, arch: str | None) -> dict[str, str]:
    """What the fields of a fault mean, as further fields: ``fault`` and ``address_means``."""
    found: dict[str, str] = {}
    where = _hex(fields.get("address"))
    meaning = address(where, arch) if where is not None else None
    if meaning is not None:
        found["address_means"] = meaning
    code = _hex(fields.get("error_code") or fields.get("esr") or fields.get("code"))
    if code is None:
        return found
    if arch in ("x86_64", "i386") and subtype in ("null-deref", "page-fault"):
        found["fault"] = page_fault(code)
    elif arch == "arm64" and code > 0xFFFFFF and (words := syndrome(code)) is not None:
        found["fault"] = words
    return found


def _hex(text: str | None) -> int | None:
    """A hexadecimal number with or without ``0x``; None for anything else (a ``Code:`` dump is no number)."""
    try:
        return int(text, 16) if text and len(text) <= 18 else None
    except ValueError:
        return None
