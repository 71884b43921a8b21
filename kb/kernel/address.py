"""What a faulting address tells by itself: NULL and a field's offset, error numbers, poison, the shadow of KASAN.

Only what no pointer of the architecture can be by chance is named; where a layout is randomised, nothing is said of it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from kb.model.said import Said
from kb.words.speak import said

_PAGE = 4096
_ALL = (1 << 64) - 1
_MAX_ERRNO = 4095
"""include/linux/err.h: ERR_PTR() values are -4095 to -1."""


_NAMES = """
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT
    EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME
    ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ
    EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK
    EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT
    EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN
    ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE
    EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED
    EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
""".split()
"""include/uapi/asm-generic/errno-base.h and errno.h, 1 to 133; above 34 mips, parisc, sparc and alpha differ."""
_ERRNO = {number: name for number, name in enumerate(_NAMES, 1) if name != "-"}
_ERRNO |= {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
    514: "ERESTARTNOHAND",
    516: "ERESTART_RESTARTBLOCK",
    517: "EPROBE_DEFER",
}
"""The last ones from include/linux/errno.h: never seen by user space."""


class Meaning(NamedTuple):
    """What an address is."""

    kind: str
    """``null``, ``error-pointer``, ``list-poison``, ``slab-poison``, ``page-poison``, ``poison``, ``kasan-shadow``,
    ``non-canonical``, ``text``, ``user``, ``kernel-text`` or ``modules``."""
    says: Said
    base: int | None = None
    """The value that the pointer had, where the address is that and a small offset."""
    symbol: str | None = None
    """Name of the poison (``LIST_POISON1``)."""

    @property
    def words(self) -> str:
        """What it is, in English."""
        return str(self.says)

    def offset(self, address: int) -> int | None:
        """Bytes from the base to an address, negative for ``container_of()`` of it."""
        return None if self.base is None else address - self.base


_DELTAS: Mapping[str, int] = {
    "x86_64": 0xDEAD000000000000,
    "arm64": 0xDEAD000000000000,
    "riscv": 0xDEAD000000000000,
    "s390x": 0xDEAD000000000000,
    "loongarch": 0xDEAD000000000000,
    "ppc64": 0x5DEADBEEF0000000,
}
"""CONFIG_ILLEGAL_POINTER_VALUE, the POISON_POINTER_DELTA of include/linux/poison.h; zero on 32-bit machines."""
_LIST_1 = ("LIST_POISON1", said("poison.list_next"))
_LIST_2 = ("LIST_POISON2", said("poison.list_prev"))
_POINTERS = {
    0x100: _LIST_1,
    0x122: _LIST_2,
    0x200: _LIST_2,
    0x300: ("TIMER_ENTRY_STATIC", said("poison.timer")),
    0x400: ("TAIL_MAPPING", said("poison.tail_mapping")),
    0x500: ("MUTEX_POISON_WW_CTX", said("poison.mutex")),
    0xEB9F: ("BPF_PTR_POISON", said("poison.bpf")),
}
"""Offsets to that delta. LIST_POISON2 is 0x122 in v6.1, 0x200 in releases before."""
_OLD = {
    0x00100100: _LIST_1,
    0x00200200: _LIST_2,
}
"""The same in older releases (v3.10), and the offset to the delta on 64-bit machines then."""
_BYTES = {
    0x6B: ("slab-poison", "POISON_FREE", said("poison.slab_free")),
    0x5A: ("slab-poison", "POISON_INUSE", said("poison.slab_unset")),
    0xAA: ("page-poison", "PAGE_POISON", said("poison.page_free")),
    0xCC: ("slab-poison", "0xcc", said("poison.red_zone_live")),
    0xBB: ("slab-poison", "SLUB_RED_INACTIVE", said("poison.red_zone_free")),
    0xA7: ("poison", "POOL_POISON_FREED", said("poison.pool_freed")),
    0xA9: ("poison", "POOL_POISON_ALLOCATED", said("poison.pool_unset")),
    0xBD: ("poison", "KEY_DESTROY", said("poison.key")),
    0x6C: ("poison", "FLEX_ARRAY_FREE", said("poison.flex_array")),
}
"""include/linux/poison.h, a pointer made of one byte."""
_SHADOW: Mapping[str, int] = {
    "x86_64": 0xDFFFFC0000000000,
    "arm64": 0xDFFF800000000000,
    "riscv": 0xDFFFFFFF00000000,
}
"""CONFIG_KASAN_SHADOW_OFFSET: shadow = (address >> 3) + offset."""
_THIRTY_TWO = frozenset({"i386", "arm"})


def meaning(value: int, arch: str | None = None, *, la57: bool | None = None) -> Meaning | None:
    """What an address tells by itself; None for one that may be a pointer.

    Args:
        value: The faulting address.
        arch: ``x86_64``, ``arm64`` ... where it is known; without it what depends on it is left out.
        la57: Whether an x86_64 kernel runs with five levels of page tables (CR4 bit 12), None where not printed.
    """
    if value < _PAGE:
        _, small = _POINTERS.get(value, (None, None)) if arch in _THIRTY_TWO and value >= 0x100 else (None, None)
        return _null(value, small)
    found = _poison_pointer(value, arch) or _poison_bytes(value) or _shadow(value, arch) or _error(value, arch)
    if found is None and arch in ("x86_64", "arm64"):
        found = _text(value)
    if found is None and arch == "x86_64":
        found = _x86_64(value, la57)
    return found


def _text(value: int) -> Meaning | None:
    """Eight printable characters: a string was written over the pointer."""
    data = value.to_bytes(8, "little") if value < 1 << 64 else b""
    if not all(0x20 <= byte < 0x7F for byte in data) or not data:
        return None
    return Meaning("text", said("address.text", text=data.decode("ascii")))


def _null(value: int, poison: Said | None) -> Meaning:
    if value == 0:
        return Meaning("null", said("address.null"), 0)
    if poison is not None:
        return Meaning("null", said("address.null_or_poison", offset=value, poison=poison), 0)
    return Meaning("null", null_offset(value), 0)


def null_offset(offset: int) -> Said:
    """A NULL pointer and a field's offset."""
    return said("address.null_offset", offset=offset)


def _poison_pointer(value: int, arch: str | None) -> Meaning | None:
    if arch in _THIRTY_TWO:
        return _near(value, _OLD, 0)
    known = _DELTAS.get(arch or "")
    deltas = {known} if known is not None else set(_DELTAS.values()) if arch is None else set()
    for delta in deltas:
        found = _near(value, _POINTERS, delta) or _near(value, _OLD, delta)
        if found is not None:
            return found
        below = delta + 0x100 - value
        if 0 < below < _PAGE:  # container_of() of LIST_POISON1
            return Meaning("list-poison", _beside(_LIST_1[1], -below), delta + 0x100, _LIST_1[0])
    return None


def _near(value: int, table: Mapping[int, tuple[str, Said]], delta: int) -> Meaning | None:
    """The last entry of a table at or below an address, within a page."""
    offset = value - delta
    base = max((poison for poison in table if poison <= offset < poison + _PAGE), default=None)
    if base is None:
        return None
    symbol, says = table[base]
    kind = "list-poison" if symbol.startswith("LIST") else "poison"
    return Meaning(kind, _beside(says, offset - base), delta + base, symbol)


def _beside(says: Said, offset: int) -> Said:
    """A poison, and how far from it the address is."""
    if offset > 0:
        return said("poison.plus", poison=says, offset=offset)
    return said("poison.minus", poison=says, offset=-offset) if offset else says


def _poison_bytes(value: int) -> Meaning | None:
    """A pointer of one byte repeated, or that plus or minus a small offset."""
    for size in (8, 4):
        if value >> 8 * size:
            continue
        unit = int.from_bytes(b"\1" * size, "big")
        for byte in {value >> 8 * (size - 1) & 0xFF}:
            base = unit * byte
            if byte in _BYTES and abs(value - base) < _PAGE:
                kind, symbol, says = _BYTES[byte]
                return Meaning(kind, _beside(says, value - base), base, symbol)
    return None


def shadowed(value: int, arch: str | None) -> int | None:
    """The first of the eight bytes that an address of KASAN's shadow stands for; None for other addresses."""
    shadow = _SHADOW.get(arch or "")
    if shadow is None or not 0 <= value - shadow < 1 << 48:
        return None
    return (value - shadow) << 3 & _ALL


def _shadow(value: int, arch: str | None) -> Meaning | None:
    real = shadowed(value, arch)
    if real is None:
        return None
    if real < _PAGE:
        return Meaning("kasan-shadow", said("address.kasan_shadow_null", first=real, last=real + 7))
    return Meaning("kasan-shadow", said("address.kasan_shadow", first=real, last=real + 7))


def _error(value: int, arch: str | None) -> Meaning | None:
    width = 1 << 32 if arch in _THIRTY_TWO else 1 << 64
    number = width - value
    if not 0 < number <= _MAX_ERRNO:
        return None
    name = _ERRNO.get(number)
    if name is None:
        return Meaning("error-pointer", said("address.error", number=number), value)
    return Meaning("error-pointer", said("address.error_named", number=number, errno=name), value)


def error_name(value: int, bits: int = 64) -> str | None:
    """``-ENOMEM`` for the value of a register that is a plausible ERR_PTR(); None for anything else."""
    number = (1 << bits) - value
    name = _ERRNO.get(number) if 0 < number <= _MAX_ERRNO else None
    return f"-{name}" if name else None


def _x86_64(value: int, la57: bool | None) -> Meaning | None:
    """Ranges of Documentation/arch/x86/x86_64/mm.rst that no randomisation moves."""
    if not canonical(value, la57=la57 is not False):
        return Meaning("non-canonical", said("address.not_canonical"))
    if value < 1 << (56 if la57 else 47):
        return Meaning("user", said("address.user"))
    if la57 is False and not canonical(value, la57=False):
        return Meaning("non-canonical", said("address.not_canonical_four"))
    if 0xFFFFFFFF80000000 <= value < 0xFFFFFFFFA0000000:
        return Meaning("kernel-text", said("address.kernel_image"))
    if 0xFFFFFFFFC0000000 <= value < 0xFFFFFFFFFF000000:
        return Meaning("modules", said("address.modules"))
    return None


def canonical(value: int, *, la57: bool) -> bool:
    """Whether x86_64 may use an address at all: the bits above the last translated one are copies of it."""
    top = value >> (56 if la57 else 47)
    return top in (0, (1 << (8 if la57 else 17)) - 1)


_APART = 20
"""Below this bit two pointers differ by chance: other fields of an object, other pages of a slab."""


def flipped_bit(value: int, arch: str | None, *, la57: bool | None = None) -> int | None:
    """The bit of a non-canonical x86_64 address without which it is a kernel's pointer, or NULL and a field's offset.

    Nothing computes such an address: it is left where memory lost one bit. Addresses that poison or text
    explains are :func:`meaning`'s.
    """
    found = meaning(value, arch, la57=la57)
    if found is None or found.kind != "non-canonical":
        return None
    top = value >> 47
    ones = (1 << 17) - 1
    bit = one_bit(top, ones)
    if bit is None and value & ((1 << 47) - 1) < _PAGE:
        bit = one_bit(top, 0)
    return bit + 47 if bit is not None else None


def one_bit(left: int, right: int) -> int | None:
    """The number of the only bit in which two values differ, None where it is not one."""
    differs = left ^ right
    return differs.bit_length() - 1 if differs.bit_count() == 1 else None


def flipped_pointer(was: int, expected: int) -> int | None:
    """The only bit in which a pointer differs from the one that belongs there, where chance does not explain it."""
    bit = one_bit(was, expected)
    return bit if bit is not None and bit >= _APART else None
