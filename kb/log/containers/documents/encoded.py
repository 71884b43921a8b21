"""Bytes written as text: base64 by itself, uuencode, a dump in hexadecimal.

RFC 2397 (addresses that are the data); RFC 3986 (percent signs); RFC 4648 (and PEM's armour, RFC 7468,
around it); POSIX uuencode; xxd, hexdump and od.
``aws ec2 get-console-output --output text`` puts the machine and a time before the base64.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_BASE64 = re.compile(rb"(?:data:[\w/.+;=-]{0,100};base64,|(?:[\w.:-]{1,64}\t){0,3})([A-Za-z0-9+/]{40,}={0,2})\r?\n?$")
_ARMOUR = re.compile(
    rb"-----(?:BEGIN|END) [A-Z0-9 ]{1,60}-----\r?\n?$|begin-base64 [0-7]{3,4} [^\n]{1,255}\n$|====\n?$"
)
_UU = re.compile(rb"begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n")
_HEX = re.compile(rb"(?:0x)?[0-9a-f]{4,16}:? {1,2}(?=[0-9a-f]{2,4}(?:[ \r\n]|$))([^\r\n]{1,160})\r?\n?$")
_WORDS = re.compile(rb"[0-9a-f]{7} ((?:[0-9a-f]{4} ?){1,8})\s{0,40}$")
"""``hexdump`` and ``od -x``: words as a little-endian machine reads them, the second byte first."""
_END = re.compile(rb"[0-9a-f]{4,16}$")
_CLOSED = (b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd", b"PK\3\4", b"\xff\xfe", b"\xfe\xff")


_ROW = re.compile(rb"[A-Za-z0-9+/]{60,76}\r?\n?$")
RUN = re.compile(rb"^[A-Za-z0-9+/]{60,76}\r?\n(?=[A-Za-z0-9+/]{60,76}\r?\n)", re.M)
"""A row of base64 as mail programs and the command of that name wrap it, and another one."""
_NAMED = re.compile(rb"^begin [0-7]{3,4} [^\r\n]{1,255}\r?\n", re.M)


def within(head: bytes) -> bool:
    """Whether a text has such bytes between its lines: a mail that somebody saved, a post."""
    found = _NAMED.search(head)
    if found is not None and needed(head[found.start() :]):
        return True
    return any(_begins(run[0]) for run in RUN.finditer(head))


def _begins(row: bytes) -> bool:
    """Whether a row of base64 begins a packed text, or a text."""
    begin = _base64(row[: len(row.rstrip()) // 4 * 4])
    return begin.startswith(_CLOSED) or _is_text(begin)


def needed(head: bytes) -> bool:
    """Whether bytes are others, written as text, which look like a text or like a packed one."""
    if (named := _UU.match(head)) is not None:
        row = head[named.end() :].split(b"\n", 1)[0].rstrip()
        most = 2 + -(-((row[0] - 32) & 63) // 3) * 4 if row else 0  # its first byte says how many it holds
        return most - 4 <= len(row) <= most and bool(row)  # blanks at its end may be gone
    lines = head.split(b"\n", 4)[:3]
    if _ARMOUR.match(lines[0]) is not None:
        lines = lines[1:]
    if not lines:
        return False
    for line, plain in ((_BASE64, _base64), (_HEX, _hex)):
        if line.match(lines[0]) is not None or (line is _BASE64 and _BASE64.match(lines[0][:400]) is not None):
            if line is _HEX and not all(map(_of_a_dump, head.split(b"\n")[:-1])):
                return False  # the kernel prints such rows, too, and more than them
            begin = b"".join(plain(row[: len(row) - len(row) % 4] if row is lines[-1] else row) for row in lines)
            return begin.startswith(_CLOSED) or _is_text(begin)
    return False


def _of_a_dump(row: bytes) -> bool:
    """Whether xxd or ``hexdump -C`` writes a row: bytes, ``*`` for rows that repeat, the length at the end."""
    row = row.strip()
    return row in (b"", b"*") or _HEX.match(row) is not None or _END.match(row) is not None


def _is_text(data: bytes) -> bool:
    """Whether bytes are words and lines: a key or a digest is none."""
    return len(data) >= 16 and b" " in data and all(byte >= 32 or byte in b"\t\r\n\x1b" for byte in data)


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The bytes."""
    rows = lines_of(read)
    first = next(rows, b"")
    if b"%0A" in first:
        yield Member("", pieces(_each(_before(first, rows), _percent)))
        return
    if not any(each.match(first) for each in (_UU, _ARMOUR, _BASE64, _HEX)):
        yield from _between(_Blocks(_before(first, rows)), walk)
        return
    inner = _UU.match(first)
    if inner is not None:
        yield Member(inner[1].decode("utf-8", "replace").replace("!", "_"), pieces(_each(rows, _uu)))
        return
    rows = _before(first, rows)
    plain = _HEX.match(first) is not None and _BASE64.match(first) is None
    text = _each(rows, _hex) if plain else _rows_of_base64(rows)
    yield Member("", pieces(text), note="decoded: line numbers are those of the text")


class _Blocks:
    """The lines of a text in which others are encoded."""

    def __init__(self, rows: Iterator[bytes]):
        self._rows = rows
        self._first = b""
        self.inner: str | None = None
        """What the block is called that comes next, None behind the last."""

    def text(self) -> Iterator[bytes]:
        """The lines up to the next block."""
        first, self._first, self.inner = self._first, b"", None
        if first:
            yield first
        for row in self._rows:
            named = _UU.match(row)
            if named is not None or (_ROW.match(row) is not None and _begins(row)):
                self.inner = named[1].decode("utf-8", "replace").replace("!", "_") if named is not None else "base64"
                self._first = row
                return
            yield row

    def block(self) -> Iterator[bytes]:
        """The bytes of the block, up to the first line that is no part of one."""
        first, self._first = self._first, b""
        uu = _UU.match(first) is not None
        if not uu:
            yield _base64(first)
        for row in self._rows:
            if not uu and (_BASE64_ROW.match(row) is None):
                self._first = row
                return
            yield _uu(row) if uu else _base64(row)
            if uu and row.startswith(b"end"):
                return


_BASE64_ROW = re.compile(rb"[A-Za-z0-9+/]{2,76}={0,2}\r?\n?$")


def _between(blocks: _Blocks, walk: Walk) -> Iterator[Member]:
    """The text between the blocks, and what each of them holds."""
    number = 0
    while walk.member():
        number += 1
        yield Member(f"text{number}" if number > 1 else "", pieces(blocks.text()), text=True)
        for _ in blocks.text() if blocks.inner is None else ():
            pass  # of a member that nobody read
        if blocks.inner is None:
            return
        yield Member(blocks.inner, pieces(blocks.block()))


def _before(first: bytes, rows: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rows


def _each(rows: Iterator[bytes], decode: Callable[[bytes], bytes]) -> Iterator[bytes]:
    for row in rows:
        yield decode(row)


def _percent(row: bytes) -> bytes:
    """RFC 3986 2.1, and the plus of HTML's forms."""
    return unquote_to_bytes(row.replace(b"+", b" "))


def _base64(row: bytes) -> bytes:
    if _ARMOUR.match(row) is not None:
        return b""
    text = row[max(row.rfind(b"\t"), row.rfind(b",")) + 1 :].strip()
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _rows_of_base64(rows: Iterator[bytes]) -> Iterator[bytes]:
    """What rows of base64 say; one that is too long to be held comes in parts of any length."""
    rest = b""
    for row in rows:
        if row.endswith(b"\n") and not rest:
            yield _base64(row)
            continue
        text = rest + row[max(row.rfind(b"\t"), row.rfind(b",")) + 1 :].strip()
        cut = len(text) if row.endswith(b"\n") else len(text) // 4 * 4
        rest = text[cut:]
        yield _base64(text[:cut])
    yield _base64(rest)


def _uu(row: bytes) -> bytes:
    try:
        return b"" if row.startswith(b"end") else binascii.a2b_uu(row)
    except binascii.Error:
        return b""


def _hex(row: bytes) -> bytes:
    found = _HEX.match(row)
    if found is None:
        return b""
    if (words := _WORDS.match(row)) is not None:
        pairs = words[1].split()
        return b"".join(binascii.unhexlify(pair)[::-1] for pair in pairs)
    text = found[1].partition(b"  |" if b"  |" in found[1] else b"  ")[0]
    digits = text.replace(b" ", b"")
    try:
        return binascii.unhexlify(digits)
    except binascii.Error:
        return b""
