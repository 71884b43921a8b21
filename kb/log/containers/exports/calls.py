"""Traces of calls in which a log was read or written: strace, ltrace.

``write(1, "[   12.3] BUG: ...", 80) = 80`` (strace's util.c string_quote()): a text is what one call says of one
descriptor, its strings one behind the other, wherever their lines end. A program that copies a log (dmesg, cat) says it
twice: of the ways in which it moves text, one is read.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.scan import find
from kb.log.unpack import Read

_CALL = re.compile(
    rb"(?:\[pid {1,7}\d{1,10}\] |\d{1,10} {1,8})?(?:\d[\d:.]{0,24} {1,4}|\[ {0,8}[0-9a-f]{8,16}\] ){0,3}"
    rb"(?:[\w.+-]{1,64}->)?(?:<\.\.\. (?P<resumed>\w{1,40}) resumed> ?"
    rb"|(?:SYS_)?(?P<name>[a-z_]\w{0,40})(?:@[\w.]{1,40})?\()"
    rb"(?P<place>[^\s,\"()]{1,200}(?=, ))?"
)
_END = re.compile(rb"(?:\) {1,80}= (?:-?\d|\?|0x|<void>|nil|\")[^\r\n]{0,200}|<unfinished \.\.\.>)\s*$")
_MOVES = re.compile(
    rb"(?:p?(?:read|write)v?\d{0,2}|send(?:to|msg)?|recv(?:from|msg)?|syslog|klogctl|_{0,2}f?(?:puts|gets|write|read)"
    rb"(?:_unlocked|_chk)?|getline|_{0,2}f?printf(?:_chk)?)$"
)
"""Calls that move text."""
_DATAGRAM = re.compile(rb"<\d{1,3}>")
"""RFC 3164: a message of its own, which has no end of line."""
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*+)("?)(\.\.\.)?', re.S)
_ESCAPED = re.compile(rb"\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))", re.S)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
_HEAD = 1 << 18
"""Bytes by which it is told which call moves the log."""
_NOTE = "line numbers are those of the text in the traced calls"

Way = tuple[bytes, bytes]


class _Said(NamedTuple):
    """What a line of a trace says."""

    way: Way
    """The call, and what it moves text from or to."""
    text: bytes | None
    """None for a call that moves none."""


def needed(head: bytes) -> bool:
    """Whether most lines are traced calls, and some of them move text."""
    rows = [row for row in head.split(b"\n")[: -1 if head.count(b"\n") > 1 else None] if row.strip()]
    calls = [said for row in rows if (said := _said(row)) is not None]
    return len(calls) * 2 > len(rows) and any(said.text is not None for said in calls)


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The text that was moved."""
    yield Member("", pieces(_texts(lines_of(read))), note=_NOTE)


def _texts(rows: Iterator[bytes]) -> Iterator[bytes]:
    head: list[bytes] = []
    size = 0
    while size < _HEAD and (row := next(rows, b"")):
        head.append(row)
        size += len(row)
    way = _way(head)
    for row in itertools.chain(head, rows):
        said = _said(row)
        if said is None:
            yield row
        elif said.text is not None and (way is None or said.way == way):
            yield said.text


def _way(rows: list[bytes]) -> Way | None:
    """The way by which most text goes of those that move a report; None where none does so early."""
    texts: dict[Way, list[bytes]] = {}
    for row in rows:
        said = _said(row)
        if said is not None and said.text:
            texts.setdefault(said.way, []).append(said.text)
    whole = {way: b"".join(parts) for way, parts in texts.items()}
    sizes = Counter({way: len(text) for way, text in whole.items() if next(find(text), None) is not None})
    return sizes.most_common(1)[0][0] if sizes else None


def _said(row: bytes) -> _Said | None:
    call = _CALL.match(row)
    if call is None or _END.search(row, max(len(row) - 300, 0)) is None:
        return None
    name = call["name"] or call["resumed"]
    if _MOVES.match(name) is None:
        return _Said((name, b""), None)
    place = b"" if b"puts" in name or call["place"] is None else call["place"]
    text = b"".join(_plain(found[1]) + b"\n" * bool(found[3]) for found in _STRING.finditer(row, call.end("name")))
    ends = name == b"puts" or (name.startswith(b"send") and _DATAGRAM.match(text) is not None)
    return _Said((name, place), text + b"\n" * (ends and not text.endswith(b"\n")))


def _plain(text: bytes) -> bytes:
    return _ESCAPED.sub(_unescaped, text) if b"\\" in text else text


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] or found[2]:
        return bytes((int(found[1] or found[2], 16 if found[1] else 8) & 255,))
    return _ESCAPES.get(found[3], found[3])
