"""Traces of calls in which a log was read or written: strace, ltrace.

``write(1, "[   12.3] BUG: ...", 80) = 80`` (strace's util.c string_quote()): a text is what one call says of one
descriptor, its strings one behind the other, wherever their lines end. A program that copies a log (dmesg, cat) says it
twice: of the ways in which it moves text, one is read. What a call did not write it is asked for again.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from kb.log.containers.walk import Member, Walk, beginning, lines_of, pieces
from kb.log.scan import find
from kb.log.unpack import Read

_CALL = re.compile(
    rb"(?P<task>\[pid {1,7}\d{1,10}(?:<[^<>\r\n]{1,20}>)?\] |\d{1,10}(?:<[^<>\r\n]{1,20}>)? {1,8})?"
    rb" {0,6}(?:\d[\d:.]{0,24} {1,4}|\[ {0,8}[0-9a-f]{8,16}\] ){0,3}"
    rb"(?:[\w.+-]{1,64}->)?(?:<\.\.\. (?P<resumed>\w{1,40}) resumed> ?"
    rb"|(?:SYS_)?(?P<name>[a-z_]\w{0,40})(?:@[\w.]{1,40})?\()"
    rb"(?P<place>[^\s,\"()]{1,200}(?=, ))?"
)
_END = re.compile(
    rb"(?:(?:, (?P<asked>\d{1,10}))?\) {1,80}= (?:(?P<result>-?\d{1,10})|\?|0x|<void>|nil|\")[^\r\n]{0,200}"
    rb"|(?P<unfinished><unfinished \.\.\.>))\s*$"
)
_MOVES = re.compile(
    rb"(?:p?(?:read|write)v?\d{0,2}|send(?:to|msg)?|recv(?:from|msg)?|syslog|klogctl|_{0,2}f?(?:puts|gets|write|read)"
    rb"(?:_unlocked|_chk)?|getline|_{0,2}f?printf(?:_chk)?)$"
)
"""Calls that move text."""
_WRITES = re.compile(rb"p?write(?:64)?$")
_ADDRESS = (b"sun_path=", b"sun_path=@")
"""What stands before the name of a socket, which is no text that is moved."""
_DATAGRAM = re.compile(rb"<\d{1,3}>")
"""RFC 3164: a message of its own, which has no end of line."""
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*+)("?)(\.\.\.)?', re.S)
_ESCAPED = re.compile(rb"\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))", re.S)
_PIECE = re.compile(rb"(?:[^\\]|\\(?:x[0-9a-f]{2}|[0-7]{1,3}|.)){1,65536}+", re.S)
"""So many characters, escaped or not, as are replaced at once."""
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
_HEAD = 1 << 18
"""Bytes by which it is told which call moves the log."""
_LONGEST = 4 << 20
"""Bytes of a line: what a call moves, each byte as four characters."""
_WAITING = 1 << 12
"""Tasks of which an unfinished call is remembered."""
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
    trace = _Trace()
    calls = [said for row in rows if (said := trace.call(row)) is not None]
    return len(calls) * 2 > len(rows) and any(said.text is not None for said in calls)


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The text that was moved."""
    yield Member("", pieces(_texts(lines_of(read, _LONGEST))), note=_NOTE)


def _texts(rows: Iterator[bytes]) -> Iterator[bytes]:
    head = beginning(rows, _HEAD)
    way, trace = _way(head), _Trace()
    for row in itertools.chain(head, rows):
        said = trace.call(row)
        if said is None:
            yield row
        elif said.text is not None and (way is None or said.way == way) and _is_words(said.text):
            yield said.text


def _is_words(text: bytes) -> bool:
    """Whether a text may be a log's: a library that is loaded, a table that is looked up hold zeros."""
    return not text.startswith(b"\x7fELF") and text.count(b"\0") * 10 <= len(text)


def _way(rows: list[bytes]) -> Way | None:
    """The way by which most text goes of those that move a report; None where none does so early."""
    texts: dict[Way, list[bytes]] = {}
    trace = _Trace()
    for row in rows:
        said = trace.call(row)
        if said is not None and said.text and _is_words(said.text):
            texts.setdefault(said.way, []).append(said.text)
    whole = {way: b"".join(parts) for way, parts in texts.items()}
    sizes = Counter({way: len(text) for way, text in whole.items() if next(find(text), None) is not None})
    return sizes.most_common(1)[0][0] if sizes else None


class _Trace:
    """The lines of a trace, read in order."""

    def __init__(self) -> None:
        self._waiting: dict[bytes | None, bytes] = {}
        """What the unfinished call of a task moves text from or to."""

    def call(self, row: bytes) -> _Said | None:
        """What the next line says; None for one that is no call."""
        call = _CALL.match(row)
        end = _END.search(row, max(len(row) - 300, 0)) if call is not None else None
        if call is None or end is None:
            return None
        name = call["name"] or call["resumed"]
        if _MOVES.match(name) is None:
            return _Said((name, b""), None)
        place = call["place"] or b""
        if call["resumed"]:
            place = self._waiting.pop(call["task"], place)
        elif end["unfinished"] and len(self._waiting) < _WAITING:
            self._waiting[call["task"]] = place
        text = _moved(name, end, b"".join(_strings(row, call.end("name"))))
        return _Said((name, b"" if b"puts" in name else place), text)


def _strings(row: bytes, start: int) -> Iterator[bytes]:
    """The strings that a call is told, but for names of sockets."""
    for found in _STRING.finditer(row, max(start, 0)):
        if not row[max(found.start() - 10, 0) : found.start()].endswith(_ADDRESS):
            yield _plain(found[1]) + b"\n" * bool(found[3])


def _moved(name: bytes, end: re.Match[bytes], text: bytes) -> bytes:
    """What of a text was moved, with the end of a line where a call has none."""
    result, asked = int(end["result"] or 0), int(end["asked"] or 0)
    if _WRITES.match(name) is not None and result < asked and end["result"]:
        return text[: max(result, 0)]
    if name == b"puts" or (name.startswith(b"send") and _DATAGRAM.match(text) is not None):
        return text if text.endswith(b"\n") else text + b"\n"
    return text


def _plain(text: bytes) -> bytes:
    if b"\\" not in text:
        return text
    return b"".join(_ESCAPED.sub(_unescaped, piece[0]) for piece in _PIECE.finditer(text))


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] or found[2]:
        return bytes((int(found[1] or found[2], 16 if found[1] else 8) & 255,))
    return _ESCAPES.get(found[3], found[3])
