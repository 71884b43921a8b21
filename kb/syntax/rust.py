"""Rust's symbols by the names of their source: the hash of a crate in them differs with every compiler.

The kernel is built with the v0 scheme (Makefile, ``-Csymbol-mangling-version=v0``, v6.1+), whose grammar is RFC 2603;
names come out as ``rustc-demangle`` prints them with ``{:#}``: without disambiguators of crates and types of constants.
"""

import functools
import re

_TYPES = "i8 bool char f64 str f32 u8 isize usize i32 u32 i128 u128 _ i16 u16 () ... i64 u64 !"
_BASIC = dict(zip("abcdefhijlmnopstuvxyz", _TYPES.split(), strict=True))
_INTEGERS = frozenset("ahijlmnostxy")
_SPECIAL = {"C": "closure", "S": "shim"}
_ESCAPES = (("$LT$", "<"), ("$GT$", ">"), ("$u20$", " "), ("$RF$", "&"), ("$C$", ","), ("..", "::"))
_DEPTH = 64
"""Levels of one symbol that are followed; rustc's own have a dozen."""
_LENGTH = 2048
"""Characters that a name may have: a symbol's back references may stand for more than memory holds."""


class _Malformed(ValueError):
    """The symbol is none of this scheme."""


@functools.lru_cache(maxsize=1024)
def demangled(symbol: str) -> str:
    """The path that a Rust symbol stands for; what is none, or none that can be read, is given back as it is."""
    if symbol.startswith("_ZN"):
        return _legacy(symbol)
    if not symbol.startswith("_R"):
        return symbol
    try:
        return _V0(symbol[2:]).path(values=True)
    except _Malformed:
        return symbol


def _legacy(name: str) -> str:
    """The scheme before v0: a path of parts with their lengths before them, a hash at its end."""
    body, parts = name[3:], list[str]()
    while (digits := re.match(r"[0-9]{1,4}", body)) is not None:
        end = digits.end() + int(digits[0])
        parts.append(body[digits.end() : end])
        if len(body) < end:
            return name
        body = body[end:]
    if not parts or not body.startswith("E"):
        return name
    if re.fullmatch(r"h[0-9a-f]{16}", parts[-1]):
        parts.pop()
    path = "::".join(parts)
    for escape, char in _ESCAPES:
        path = path.replace(escape, char)
    return path.removeprefix("_")


class _V0:
    """A reader of one symbol, from behind its ``_R``. Each method reads what it is named after and gives its text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._room = _LENGTH
        self._bound = 0
        """Lifetimes that the binders around the place have named."""

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise _Malformed
        self._at += 1
        return self._text[self._at - 1]

    def _eat(self, char: str) -> bool:
        if self._text[self._at : self._at + 1] != char:
            return False
        self._at += 1
        return True

    def _match(self, pattern: str) -> str:
        found = re.compile(pattern).match(self._text, self._at)
        if found is None:
            raise _Malformed
        self._at = found.end()
        return found[0]

    def _base62(self) -> int:
        digits = self._match(r"[0-9a-zA-Z]{0,14}_")[:-1]
        value = 0
        for digit in digits:
            value = value * 62 + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".index(digit)
        return value + 1 if digits else 0

    def _disambiguator(self) -> int:
        return self._base62() + 1 if self._eat("s") else 0

    def _identifier(self) -> tuple[str, int]:
        number = self._disambiguator()
        punycode = self._eat("u")
        size = int(self._match(r"0|[1-9][0-9]{0,3}"))
        self._eat("_")
        if self._at + size > len(self._text):
            raise _Malformed
        name = self._text[self._at : self._at + size]
        self._at += size
        if punycode:
            name = _puny(name)
        self._room -= len(name)
        if self._room < 0:
            raise _Malformed
        return name, number

    def _back(self, read: str, **how: bool) -> str:
        """What stands at an earlier place, read again."""
        start = self._at - 1
        place = self._base62()
        if place >= start:
            raise _Malformed
        here, self._at = self._at, place
        text = self._deeper(read, **how)
        self._at = here
        return text

    def _deeper(self, read: str, **how: bool) -> str:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _Malformed
        text: str = getattr(self, read)(**how)
        self._depth -= 1
        return text

    def path(self, values: bool = False) -> str:
        """A path. In one of values, generic arguments stand behind ``::``."""
        tag = self._next()
        if tag == "C":
            return self._identifier()[0]
        if tag in "MX":
            self._disambiguator()
            self._deeper("path")  # of the module that holds the implementation
            of = self._deeper("type")
            return f"<{of}>" if tag == "M" else f"<{of} as {self._deeper('path')}>"
        if tag == "Y":
            return f"<{self._deeper('type')} as {self._deeper('path')}>"
        if tag == "N":
            return self._nested(values)
        if tag == "I":
            base = self._deeper("path", values=values)
            return f"{base}{'::' if values else ''}<{', '.join(self._until_end('argument'))}>"
        if tag == "B":
            return self._back("path", values=values)
        raise _Malformed

    def _nested(self, values: bool) -> str:
        space = self._next()
        outer = self._deeper("path", values=values)
        name, number = self._identifier()
        if space.isupper():
            return f"{outer}::{{{_SPECIAL.get(space, space)}{':' + name if name else ''}#{number}}}"
        return f"{outer}::{name}" if name else outer

    def _until_end(self, read: str) -> list[str]:
        found = list[str]()
        while not self._eat("E"):
            found.append(self._deeper(read))
        return found

    def argument(self) -> str:
        """A generic argument."""
        if self._eat("L"):
            return self._lifetime()
        return self._deeper("constant") if self._eat("K") else self._deeper("type")

    def _lifetime(self) -> str:
        index = self._base62()
        if index > self._bound:
            raise _Malformed
        return "'_" if index == 0 else _lifetime_name(self._bound - index)

    def _binder(self) -> str:
        if not self._eat("G"):
            return ""
        count = self._base62() + 1
        if count > _DEPTH:
            raise _Malformed
        names = [_lifetime_name(self._bound + index) for index in range(count)]
        self._bound += count
        return f"for<{', '.join(names)}> "

    def type(self) -> str:
        """A type."""
        tag = self._next()
        if tag in _BASIC:
            return _BASIC[tag]
        if tag in "CMXYNI":
            self._at -= 1
            return self._deeper("path")
        if tag == "A":
            return f"[{self._deeper('type')}; {self._deeper('constant')}]"
        if tag == "S":
            return f"[{self._deeper('type')}]"
        if tag == "T":
            parts = self._until_end("type")
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        if tag in "RQ":
            life = self._lifetime() + " " if self._eat("L") else ""
            return f"&{'' if life == chr(39) + '_ ' else life}{'mut ' if tag == 'Q' else ''}{self._deeper('type')}"
        if tag in "PO":
            return f"*{'const' if tag == 'P' else 'mut'} {self._deeper('type')}"
        if tag == "F":
            return self._function()
        if tag == "D":
            return self._dynamic()
        if tag == "B":
            return self._back("type")
        raise _Malformed

    def _function(self) -> str:
        outer = self._bound
        binder = self._binder()
        unsafe = "unsafe " if self._eat("U") else ""
        abi = ""
        if self._eat("K"):
            abi = 'extern "C" ' if self._eat("C") else f'extern "{self._identifier()[0].replace("_", "-")}" '
        arguments = ", ".join(self._until_end("type"))
        result = "" if self._eat("u") else f" -> {self._deeper('type')}"
        self._bound = outer
        return f"{binder}{unsafe}{abi}fn({arguments}){result}"

    def _dynamic(self) -> str:
        outer = self._bound
        binder = self._binder()
        bounds = " + ".join(self._until_end("bound"))
        self._bound = outer
        if not self._eat("L"):
            raise _Malformed
        life = self._lifetime()
        return f"dyn {binder}{bounds}{'' if life == chr(39) + '_' else ' + ' + life}"

    def bound(self) -> str:
        """A trait of a trait object, with its associated types."""
        trait = self._deeper("path")
        types = list[str]()
        while self._eat("p"):
            name = self._identifier()[0]
            types.append(f"{name} = {self._deeper('type')}")
        if not types:
            return trait
        return f"{trait.removesuffix('>')}{', ' if trait.endswith('>') else '<'}{', '.join(types)}>"

    def constant(self) -> str:
        """A constant: an integer, a bool, a char, or ``_``."""
        tag = self._next()
        if tag == "p":
            return "_"
        if tag == "B":
            return self._back("constant")
        if tag not in _INTEGERS and tag not in "bc":
            raise _Malformed
        sign = "-" if self._eat("n") else ""
        digits = self._match(r"[0-9a-f]{0,32}_")[:-1]
        value = int(digits or "0", 16)
        if tag == "b":
            return "true" if value else "false"
        if tag == "c":
            return repr(chr(value)) if value <= 0x10FFFF else "'?'"
        return f"{sign}{value}"


def _lifetime_name(index: int) -> str:
    return f"'{chr(ord('a') + index)}" if index < 26 else f"'_{index}"


def _puny(name: str) -> str:
    """An identifier with letters beyond ASCII: Punycode, whose delimiter is ``_`` here."""
    head, _, tail = name.rpartition("_")
    try:
        return (f"{head}-{tail}" if head else tail).encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        raise _Malformed from None
