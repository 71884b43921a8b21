"""Bytes written as text: base64 by itself, uuencode, a dump in hexadecimal.

RFC 2397 (addresses that are the data); RFC 3986 (percent signs); RFC 4648 (and PEM's armour, RFC 7468,
around it); POSIX uuencode; xxd, hexdump and od.
``aws ec2 get-console-output --output text`` puts the machine and a time before the base64.
"""

import binascii
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_BASE64 = re.compile(
    rb"(?:data:[\w/.+;=-]{0,100};base64,|(?:[\w.:-]{1,64}\t){0,3})"
    rb"(?:[A-Za-z0-9+/]{40,}|[A-Za-z0-9_-]{40,})={0,2}\r?\n?$"
)
_URL = bytes.maketrans(b"-_", b"+/")
"""RFC 4648 5: the alphabet of names and addresses."""
_ARMOUR = re.compile(
    rb"-----(?:BEGIN|END) [A-Z0-9 ]{1,60}-----\r?\n?$|begin-base64 [0-7]{3,4} [^\n]{1,255}\n$|====\n?$"
)
_UU = re.compile(rb"begin [0-7]{3,4} ([^\r\n]{1,255})\r?\n")
_HEX = re.compile(
    rb"(?:0x)?[0-9a-f]{4,16}:? {1,3}(?=[0-9a-f]{2,4}(?:[ \r\n]|$))(?P<pairs>[^\r\n]{1,160})\r?\n?$"
    rb"|(?P<plain>)(?:[0-9a-f]{2}){16,}\r?\n?$"
    rb"|[ \t]{0,16}(?P<array>(?:0x[0-9a-f]{2}, ?){4,32}(?:0x[0-9a-f]{2})?)\r?\n?$",
    re.I,
)
"""A row of a dump with its offset; of ``xxd -p``; of ``xxd -i``."""
_WORDS = re.compile(rb"[0-9a-f]{7} ((?:[0-9a-f]{4} ?){1,8})\s{0,40}$")
"""``hexdump`` and ``od -x``: words as a little-endian machine reads them, the second byte first."""
_REST = re.compile(
    rb"(?P<bytes>(?:0x[0-9a-f]{2},? ?){1,32}$|(?:[0-9a-f]{2}){1,32}$)|[0-9a-f]{5,15}$|\};|unsigned int \w{1,80} = ",
    re.I,
)
"""How a dump ends: less than a row, the length, the end of an array."""
_BETWEEN = re.compile(rb"0x|[, ]")
_HEADS = 4
"""Lines before the first row of a dump: the numbers of its columns, the name of an array."""
_HELD, _PROBED = 1 << 12, 1 << 13
"""Bytes of rows by which a dump is told from a text with a number on a line of its own, and bytes that tell others."""
_CLOSED = (b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd", b"PK\3\4", b"\xff\xfe", b"\xfe\xff")


_NAME = rb"^(?:[ \t]{0,40}(?:- )?[\w.-]{1,64}(?:::?|=)[ \t]?[\"']?)?[ \t]{0,40}"
"""The name of a value, as LDIF, YAML and settings write it."""
_ROW = re.compile(_NAME + rb"(?:([A-Za-z0-9+/]{60,80})|([A-Za-z0-9+/]{200,}={0,2})[\"',;]{0,2})\r?\n?$")
RUN = re.compile(
    _NAME + rb"(?:([A-Za-z0-9+/]{60,80})\r?\n(?=[ \t]{0,40}[A-Za-z0-9+/]{60,80}\r?\n)|([A-Za-z0-9+/]{200}))", re.M
)
"""A row of base64 as mail programs, LDIF and the command of that name wrap it, and another one; one not wrapped."""
_NAMED = re.compile(rb"^begin [0-7]{3,4} [^\r\n]{1,255}\r?\n", re.M)


def within(head: bytes) -> bool:
    """Whether a text has such bytes between its lines: a mail that somebody saved, a post."""
    found = _NAMED.search(head)
    if found is not None and needed(head[found.start() :]):
        return True
    return any(_begins(run) for run in RUN.finditer(head))


def _begins(row: re.Match[bytes]) -> bool:
    """Whether a row of base64 begins a packed text, or a text."""
    begin = b"".join(_decoded(iter((row[1] or row[2][:200],))))
    return begin.startswith(_CLOSED) or _is_text(begin)


def needed(head: bytes) -> bool:
    """Whether bytes are others, written as text, which look like a text or like a packed one."""
    if (named := _UU.match(head)) is not None:
        row = head[named.end() :].split(b"\n", 1)[0].rstrip()
        most = 2 + -(-((row[0] - 32) & 63) // 3) * 4 if row else 0  # its first byte says how many it holds
        return most - 4 <= len(row) <= most and bool(row)  # blanks at its end may be gone
    lines = head.split(b"\n", _HEADS + 4)[: _HEADS + 3]
    if _dumps(lines):
        return _is_dump(head.split(b"\n")[:-1] or lines)  # the last may be cut
    if _ARMOUR.match(lines[0]) is not None:
        lines = lines[1:]
    if not lines or _BASE64.match(lines[0][:400]) is None:
        return False
    begin = b"".join(_decoded(map(_code, lines[:3])))
    return begin.startswith(_CLOSED) or _is_text(begin)


def _dumps(rows: Sequence[bytes]) -> bool:
    """Whether one of the first rows may be a dump's."""
    return any(_HEX.match(row[:200]) is not None for row in rows[: _HEADS + 1])


def _is_dump(rows: Sequence[bytes]) -> bool:
    """Whether rows are a dump of a text, or of a packed one: the kernel prints such rows, too, and more than them."""
    first = next((at for at, row in enumerate(rows[: _HEADS + 1]) if _HEX.match(row[:200]) is not None), None)
    if first is None or not all(map(_of_a_dump, rows[first:])):
        return False
    begin = b"".join(_dumped(rows[first : first + 3]))
    return begin.startswith(_CLOSED) or _is_text(begin)


def _of_a_dump(row: bytes) -> bool:
    """Whether xxd or ``hexdump -C`` writes a row: bytes, ``*`` for rows that repeat, what ends it."""
    row = row.strip()
    return row in (b"", b"*") or _HEX.match(row) is not None or _REST.match(row) is not None


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
    head = [first, *itertools.islice(rows, _HEADS)]
    held = sum(map(len, head)) if _dumps(head) else _HELD
    while held < _HELD and (row := next(rows, b"")):
        head.append(row)
        held += len(row)
    rows = itertools.chain(head[1:], rows)
    dump = _dumps(head)
    if not needed(b"".join(head)[:_PROBED]):
        yield from _between(_Blocks(_before(first, rows)), walk)
        return
    inner = _UU.match(first)
    part = _Part(rows if inner is not None else _before(first, rows), _goes_on(first, dump), _HEADS if dump else 0)
    if inner is not None:
        yield Member(inner[1].decode("utf-8", "replace").replace("!", "_"), pieces(_each(part, _uu)))
    else:
        text = _dumped(part) if dump else _decoded(map(_code, part))
        yield Member("", pieces(text), note="decoded: line numbers are those of the text")
    behind = part.behind()
    if behind and dump and walk.member():
        yield Member("text2", pieces(_before(behind, rows)))  # another dump, where a line stood in one
    elif behind:
        yield from _between(_Blocks(_before(behind, rows)), walk)


def _goes_on(first: bytes, dump: bool) -> Callable[[bytes], bool]:
    """Whether a row is one more of the bytes that a text begins with, by its first row; asked in order."""
    if dump:
        return _of_a_dump
    if _UU.match(first) is not None:
        return _until(re.compile(rb"end\b"))
    if _ARMOUR.match(first) is not None:
        return _until(re.compile(rb"-----END |====\s*$"))
    return lambda row: _CODE_ROW.match(row) is not None


def _until(last: re.Pattern[bytes]) -> Callable[[bytes], bool]:
    ended = False

    def goes_on(row: bytes) -> bool:
        nonlocal ended
        before, ended = ended, ended or last.match(row) is not None
        return not before or not row.strip()

    return goes_on


class _Part:
    """The rows of the bytes that a text begins with, and so many before them; what is behind is a text of its own."""

    def __init__(self, rows: Iterator[bytes], goes_on: Callable[[bytes], bool], head: int):
        self._rows = rows
        self._goes_on = goes_on
        self._head = head
        self._behind: bytes | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._behind is not None:
            raise StopIteration
        row = next(self._rows, b"")
        self._head -= 1
        if not row or not (self._goes_on(row) or self._head >= 0):
            self._behind = row
            raise StopIteration
        return row

    def behind(self) -> bytes:
        """The first row behind them; empty where there is none."""
        for _ in self:
            pass  # of a member that nobody read
        return self._behind or b""


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
            named, coded = _UU.match(row), _ROW.match(row)
            if named is not None or (coded is not None and _begins(coded)):
                self.inner = named[1].decode("utf-8", "replace").replace("!", "_") if named is not None else "base64"
                self._first = row
                return
            yield row

    def block(self) -> Iterator[bytes]:
        """The bytes of the block, up to the first line that is no part of one."""
        first, self._first = self._first, b""
        if _UU.match(first) is None:
            yield from _decoded(self._rows_of(first))
            return
        for row in self._rows:
            yield _uu(row)
            if row.startswith(b"end"):
                return

    def _rows_of(self, row: bytes) -> Iterator[bytes]:
        """Rows of base64: each but the last is as long as the first, which a name may have made shorter.

        One that nobody wrapped ends with its line.
        """
        found = _ROW.match(row)
        wrapped = found is not None and found[1] is not None
        width = len(found[1]) if found is not None and wrapped else 0
        named = found is not None and wrapped and bool(row[: found.start(1)].strip())
        yield (found[1] or found[2]) if found is not None else b""
        while row.endswith(b"\n") is wrapped and (row := next(self._rows, b"")):
            text = row.strip(b" \t\r\n\"',;")
            if _BASE64_ROW.match(text) is None or (wrapped and len(text) > width and not named):
                self._first = row
                return
            yield text
            if wrapped and len(text) < width:
                return
            width, named = len(text), False


_CODE_ROW = re.compile(
    rb"(?:data:[\w/.+;=-]{0,100};base64,|(?:[\w.:-]{1,64}\t){0,3})[A-Za-z0-9+/_-]*={0,2}[ \t]{0,40}\r?\n?$"
)
_BASE64_ROW = re.compile(rb"[A-Za-z0-9+/]{1,}={0,2}$")


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


def _code(row: bytes) -> bytes:
    """What is base64 in a row that begins a text of its own."""
    return b"" if _ARMOUR.match(row) is not None else row[max(row.rfind(b"\t"), row.rfind(b",")) + 1 :].strip()


def _decoded(rows: Iterator[bytes]) -> Iterator[bytes]:
    """What rows of base64 say, of any length: what is left of one goes on in the next."""
    rest = b""
    for row in rows:
        text = rest + row.translate(_URL)
        cut = len(text) if text.endswith(b"=") else len(text) // 4 * 4
        rest = text[cut:]
        yield _base64(text[:cut])
    yield _base64(rest)


def _base64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def _uu(row: bytes) -> bytes:
    try:
        return b"" if row.startswith(b"end") else binascii.a2b_uu(row)
    except binascii.Error:
        return b""


def _dumped(rows: Iterable[bytes]) -> Iterator[bytes]:
    """What the rows of a dump say; of one without offsets the last may be short."""
    kind = None
    for row in rows:
        found = _HEX.match(row)
        kind = kind or (found.lastgroup if found is not None else None)
        if found is not None:
            yield _hex(row, found)
        elif kind in ("plain", "array") and (rest := _REST.match(row.strip())) is not None and rest["bytes"]:
            yield _unhexed(rest["bytes"])


def _hex(row: bytes, found: re.Match[bytes]) -> bytes:
    if (words := _WORDS.match(row)) is not None:
        pairs = words[1].split()
        return b"".join(binascii.unhexlify(pair)[::-1] for pair in pairs)
    if found.lastgroup == "plain":
        return _unhexed(row.strip())
    return _unhexed(found["array"] or found["pairs"].partition(b"  |" if b"  |" in row else b"  ")[0])


def _unhexed(digits: bytes) -> bytes:
    try:
        return binascii.unhexlify(_BETWEEN.sub(b"", digits))
    except binascii.Error:
        return b""
