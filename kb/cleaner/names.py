"""What stands in the place of what is personal: the same for the same thing, and of the same form.

Everything given out can be told from what is real (RFC 2606, 5737 and 3849 keep names and addresses for documentation,
IEEE 802 an address range for local use), so that a log that was cleaned is left alone when it is cleaned again. What a
log holds of that form before it is cleaned is left alone, too, and never given to something else.
"""

import contextlib
import ipaddress
import re
from collections.abc import Callable

from kb.cleaner.rules import SYSTEM_USERS, finder

_WORDS = {
    "host": b"host", "serial": b"SERIAL", "user": b"user", "secret": b"SECRET", "ssid": b"ssid",
    "container": b"container", "path": b"path", "email": b"mail", "wwn": b"target",
}  # fmt: skip
"""The word that a kind's replacements begin with; a number follows."""
_NUMBERED = re.compile(rb"(" + b"|".join(sorted(_WORDS.values())) + rb")([0-9]{1,9})")
_ADDRESS = re.compile(rb"(?i)[0-9]{1,3}(?:\.[0-9]{1,3}){3}|2001:0?db8:[0-9a-f:]{1,30}")
_MADE = (
    rb"\b(?:" + b"|".join(sorted(_WORDS.values())) + rb")[0-9]{1,9}\b"
    rb"|\b(?:192\.0\.2|198\.51\.100|203\.0\.113|198\.1[89]\.[0-9]{1,3})\.[0-9]{1,3}\b|2001:0?db8:[0-9a-f:]{1,30}"
    rb"|02[:-]?00[:-]?00(?:[:-]?[0-9a-f]{2}){3}|0200\.00[0-9a-f]{2}\.[0-9a-f]{4}"
    rb"|0{8}[-_]?0{4}[-_]?40{3}[-_]?80{3}[-_]?[0-9a-f]{12}|0{6}[0-9a-f]{6}0{52}"
    rb"|50[:-]?00[:-]?00[:-]?00(?:[:-]?[0-9a-f]{2}){4}"
)
"""What replacements look like."""
_SEPARATORS = re.compile(rb"[^0-9A-Fa-f]")
_LOCAL = frozenset(b"localhost localhost4 localhost6 localhost.localdomain localdomain none ip6-localhost".split())
"""Names of hosts that say nothing."""
_TREE = re.compile(
    rb"/(?:arch|block|certs|crypto|drivers|fs|include|init|io_uring|ipc|kernel|lib|mm|net|rust|samples|scripts|security"
    rb"|sound|tools|usr|virt)/"
)
"""Folders at the top of a kernel's tree."""
_CODE = re.compile(rb"\.(?:[chS]|rs|ko(?:\.(?:xz|gz|zst))?)$")

Digits = bytes
"""Hexadecimal digits, small, without what separates them."""


class Names:
    """The replacements of one run: which thing got which."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, bytes], bytes] = {}
        """What was replaced: kind and the thing as it stood, in the order of its first appearance."""
        self._numbers: dict[tuple[bytes, object], int] = {}
        """By word and thing in one spelling."""
        self._full: dict[bytes, bytes] = {}
        """The full name of a host by its first."""
        self._last: dict[bytes, int] = {}
        self._taken: set[object] = set()

    def reserve(self, data: bytes) -> None:
        """Never give out what stands in a log already."""
        for found in finder(_MADE)(data):
            text: bytes = found[0]
            numbered = _NUMBERED.fullmatch(text)
            if numbered is not None:
                self._taken.add((numbered[1], int(numbered[2])))
            elif _ADDRESS.fullmatch(text) is None:
                self._taken.add(_digits(text))
            else:
                with contextlib.suppress(ValueError):
                    self._taken.add(ipaddress.ip_address(text.decode("ascii").rstrip(":")))

    def of(self, kind: str, value: bytes) -> bytes | None:
        """The replacement of a thing, None where it stays: it is nobody's, or a replacement itself."""
        made = _MAKERS[kind](self, value)
        if made is None or made == value:
            return None
        self.made.setdefault((kind, value), made)
        return made

    # ---- numbers

    def _number(self, word: bytes, thing: object, free: Callable[[int], bool] | None = None) -> int:
        """The number of a thing among those of a word; the next that is free for a new one."""
        known = self._numbers.get((word, thing))
        if known is not None:
            return known
        number = self._last.get(word, 0) + 1
        while (word, number) in self._taken or (free is not None and not free(number)):
            number += 1
        self._last[word] = number
        self._numbers[word, thing] = number
        return number

    def _word(self, kind: str, thing: bytes) -> bytes | None:
        """``ssid1`` and the like."""
        word = _WORDS[kind]
        if _NUMBERED.fullmatch(thing) is not None or not re.search(rb"[0-9A-Za-z\x80-\xff]", thing):
            return None
        return word + b"%d" % self._number(word, thing)

    def _hex(self, kind: bytes, value: bytes, head: Digits) -> bytes:
        """Digits that begin with ``head`` and end in a number, as many and standing as those of the value."""
        digits = _digits(value)

        def write(number: int) -> Digits:
            return head + (b"%x" % number).zfill(len(digits) - len(head))

        word = b"%s of %d" % (kind, len(digits))
        return _spelled(write(self._number(word, digits, lambda each: write(each) not in self._taken)), value)

    # ---- kinds

    def _host(self, value: bytes) -> bytes | None:
        name = value.lower().rstrip(b".")
        if name in _LOCAL or re.fullmatch(rb"host[0-9]{1,9}(?:\.example\.com|\.localdomain)?|example\.com", name):
            return None
        if not re.search(rb"[a-z\x80-\xff]", name):
            return self._ip(value)
        label, dot, domain = name.partition(b".")
        if not dot or domain in _LOCAL:
            return b"host%d" % self._number(b"host", label) + value[len(label) :]
        if self._full.setdefault(label, name) == name:  # the machine that is called by its first name alone, too
            self._numbers[b"host", name] = self._number(b"host", label)
        return b"host%d.example.com" % self._number(b"host", name)

    def domain(self, value: bytes) -> bytes:
        """A domain alone."""
        self.made.setdefault(("host", value), b"example.com")
        return b"example.com"

    def _ip(self, value: bytes) -> bytes | None:
        try:
            address = ipaddress.ip_address(value.decode("ascii"))
        except ValueError:
            return None
        if isinstance(address, ipaddress.IPv4Address):
            return self._ipv4(address)
        if address.ipv4_mapped is not None and b"." in value:
            inner = self._ipv4(address.ipv4_mapped)
            return None if inner is None else value[: value.rindex(b":") + 1] + inner
        if address.is_loopback or address.is_unspecified or address.is_multicast or address in _V6:
            return None
        number = self._number(b"ipv6", address, lambda each: _v6(each) not in self._taken)
        made = _v6(number)
        if b"::" in value:
            return str(made).encode()
        groups = made.exploded.split(":")
        padded = all(len(group) == 4 for group in value.split(b":"))
        return ":".join(group if padded else f"{int(group, 16):x}" for group in groups).encode()

    def _ipv4(self, address: ipaddress.IPv4Address) -> bytes | None:
        first = int(address) >> 24
        if first in (0, 127, 255) or address.is_multicast or any(address in each for each in _V4):
            return None
        return str(_v4(self._number(b"ipv4", address, lambda each: _v4(each) not in self._taken))).encode()

    def _mac(self, value: bytes) -> bytes | None:
        digits = _digits(value)
        nobodys = digits.startswith(
            (b"020000", b"00005e0053", b"0180c20000")
        )  # RFC 7042: 00:00:5e:00:53 is for documents
        return None if nobodys or not _tells(digits) else self._hex(b"mac", value, b"020000")

    def _uuid(self, value: bytes) -> bytes | None:
        digits = _digits(value)
        head = _UUID if len(digits) == 32 else b"0" * (len(digits) // 2)
        return None if digits.startswith(head) or not _tells(digits) else self._hex(b"uuid", value, head)

    def _container(self, value: bytes) -> bytes | None:
        if re.fullmatch(rb"[0-9a-f]{12}|[0-9a-f]{64}", value) is None:
            return self._word("container", value)
        if value.startswith(b"000000"):
            return None
        # the short form is the beginning of the long one, and stays it
        short = b"%012x" % self._number(b"id", value[:12], lambda each: b"%012x" % each + b"0" * 52 not in self._taken)
        return short.ljust(len(value), b"0")

    def _wwn(self, value: bytes) -> bytes | None:
        for word, head in ((b"iqn", b"iqn.2001-04.com.example:"), (b"nqn", b"nqn.2014-08.com.example:")):
            if value.startswith(word + b"."):
                if re.fullmatch(re.escape(head) + rb"target[0-9]{1,9}", value):
                    return None
                return head + b"target%d" % self._number(b"target", value)
        digits = _digits(value)
        head = b"5" + b"0" * (len(digits) - 9)
        return None if digits.startswith(head) or not _tells(digits) else self._hex(b"wwn", value, head)

    def _user(self, value: bytes) -> bytes | None:
        return None if value.lower() in SYSTEM_USERS else self._word("user", value)

    def _email(self, value: bytes) -> bytes | None:
        if re.fullmatch(rb"mail[0-9]{1,9}@example\.com|user[0-9]{1,9}@host[0-9]{1,9}\.example\.com", value):
            return None
        return b"mail%d@example.com" % self._number(b"mail", value.lower())

    def _serial(self, value: bytes) -> bytes | None:
        text = value.rstrip()
        made = None if len(set(text.upper())) == 1 else self._word("serial", text)
        return None if made is None else made + value[len(text) :]

    def _path(self, value: bytes) -> bytes | None:
        """``/path1``; of a file of a kernel's tree, and of a module, the part stays that others have, too."""
        name = value.rstrip(b".")  # of a sentence
        if re.match(rb"/path[0-9]{1,9}(?:/|$)", name):
            return None
        start = len(name)
        if _CODE.search(name):
            top = _TREE.search(name, name.rfind(b"/linux") + 1) or _TREE.search(name)
            start = top.start() if top is not None else name.rindex(b"/")
        return (b"/path%d" % self._number(b"path", name[:start]) if start else b"") + value[start:]


_MAKERS: dict[str, Callable[[Names, bytes], bytes | None]] = {
    "host": Names._host,
    "ip": Names._ip,
    "mac": Names._mac,
    "serial": Names._serial,
    "uuid": Names._uuid,
    "user": Names._user,
    "email": Names._email,
    "secret": lambda names, value: names._word("secret", value),
    "path": Names._path,
    "wwn": Names._wwn,
    "ssid": lambda names, value: names._word("ssid", value),
    "container": Names._container,
}

_UUID = b"00000000000040008000"
_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")))
"""RFC 5737, and for logs with more addresses than those have room for, RFC 2544."""
_V6 = ipaddress.IPv6Network("2001:db8::/32")


def _v4(number: int) -> ipaddress.IPv4Address:
    """The address of a number from 1 on."""
    index = number - 1
    for network in _V4[:3]:
        if index < 254:
            return network[index + 1]
        index -= 254
    return _V4[3][index % _V4[3].num_addresses]


def _v6(number: int) -> ipaddress.IPv6Address:
    return _V6[number]


def _tells(digits: Digits) -> bool:
    """Whether digits tell one thing from another: not all zero, not all ones."""
    return digits.strip(b"0") != b"" and digits.strip(b"f") != b""


def _digits(value: bytes) -> Digits:
    return _SEPARATORS.sub(b"", value).lower()


def _spelled(digits: Digits, like: bytes) -> bytes:
    """Digits with the separators, and the capitals, of a value."""
    capital = any(65 <= byte <= 70 for byte in like)
    source = iter(digits.upper() if capital else digits)
    return bytes(next(source) if chr(byte) in "0123456789abcdefABCDEF" else byte for byte in like)
