"""The QR code of the kernel's panic screen, as the address that a telephone reads from it.

drivers/gpu/drm/drm_panic.c ``_draw_panic_static_qr_code()`` and drm_panic_qr.rs, 6.12-rc1 on:
``CONFIG_DRM_PANIC_SCREEN_QR_CODE_URL`` then ``?a=<machine>&v=<release>&z=<digits>`` (``zl=`` in the first version). The
digits are the newest lines of kmsg, packed with zlib.
"""

import re
import zlib
from typing import NamedTuple

_ADDRESS = re.compile(
    rb"[?#&](?:a=(?P<arch>[\w.-]{1,64})(?:&|&amp;))?(?:v=(?P<release>[\w.+~-]{1,128})(?:&|&amp;))?"
    rb"(?P<how>zl?)=(?P<digits>\d{17}(?:\d|=?\r?\n[> ]{0,8}(?=\d))*)"
)
_LONGEST = 16 << 10
"""Bytes of an address, line ends of a mail included: the largest code holds 7089 digits (ISO/IEC 18004)."""
_LARGEST = 1 << 20
_TAIL = {3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6}
"""Bytes that so many digits at the end are."""


class Panic(NamedTuple):
    """What an address says."""

    text: bytes
    """Empty where nothing can be unpacked, though release or architecture say that it is a panic's."""
    release: str | None
    arch: str | None
    whole: bool = True
    """False where the address is cut or damaged behind the text."""


class Watch:
    """Addresses in bytes that pass by, found while somebody else reads them."""

    def __init__(self, before: bytes = b"") -> None:
        self._held = before
        self._found: dict[bytes, None] = {}

    @property
    def holds(self) -> bool:
        """True where an address may not be over yet."""
        return bool(self._held)

    def __call__(self, data: bytes) -> None:
        """Take the next bytes of the input."""
        data = self._held + data
        last = 0
        for found in _ADDRESS.finditer(data):
            last = found.start()
            if data[found.end() : found.end() + 12].strip(b"=\r\n> "):  # else the next line may go on
                self._found[found[0]] = None
                last = found.end()
        mark = max(data.rfind(b"&", last), data.rfind(b"?", last), last)
        self._held = data[max(mark - 300, last) :] if len(data) - mark < _LONGEST else b""

    def panics(self) -> list[Panic]:
        """What the addresses say, those that say something."""
        self._found.update((found[0], None) for found in _ADDRESS.finditer(self._held))
        self._held = b""
        said = [panic for address in self._found if (panic := read_address(address)) is not None]
        return list(dict.fromkeys(said))[:8]


def read_address(address: bytes) -> Panic | None:
    """What an address says, None where it is none of a panic."""
    found = _ADDRESS.search(address)
    if found is None:
        return None
    digits = re.sub(rb"\D", b"", found["digits"])
    packed = _fields(digits) if found["how"] == b"z" else _bits(digits)
    unpacker = zlib.decompressobj()
    text = b""
    try:
        for at in range(0, len(packed), 64):  # of a damaged address, what comes before the damage
            text += unpacker.decompress(packed[at : at + 64], max(_LARGEST - len(text), 1))
            if len(text) >= _LARGEST:
                break
    except zlib.error:
        pass
    release, arch = (value.decode("ascii") if value else None for value in (found["release"], found["arch"]))
    if not text and release is None and arch is None:
        return None
    return Panic(text, release, arch, unpacker.eof)


def _fields(digits: bytes) -> bytes:
    """``z=``: seven bytes, little endian, as seventeen digits; what is left over as few digits as hold it."""
    out = b""
    for at in range(0, len(digits), 17):
        part = digits[at : at + 17]
        size = 7 if len(part) == 17 else _TAIL.get(len(part))
        if size is None:
            break
        number = int(part)
        if number >= 1 << (8 * size):
            break
        out += number.to_bytes(size, "little")
    return out


def _bits(digits: bytes) -> bytes:
    """``zl=``: thirteen bits, the most significant first, as four digits; a tail of few bits as few digits."""
    count = (13 * (len(digits) // 4) + (0, 4, 7, 10)[len(digits) % 4]) // 8
    whole, tail = divmod(8 * count, 13)
    value = 0
    for at in range(0, 4 * whole, 4):
        value = value << 13 | (int(digits[at : at + 4]) & 0x1FFF)
    if tail:
        value = value << tail | (int(digits[4 * whole :] or b"0") & ((1 << tail) - 1))
    return value.to_bytes(count, "big")
