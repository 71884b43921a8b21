"""Physical lines -> logical lines: prefixes off, escapes undone, records that share a line told apart."""

import io
import re
from collections.abc import Iterator

from kb.log.transport import Prefix, Rule, strip
from kb.model.log import Line

LONGEST = 64 << 10
"""Bytes of a physical line that are read at once; a longer one comes in pieces."""

_SGR = re.compile(r"\x1b\[[0-9;:]{0,40}[mK]")
"""Colours, and the erase-to-end-of-line that goes with them."""
_OCTAL = re.compile(r"#(011|012|015|033)")
"""rsyslog's escape of control characters ($EscapeControlCharactersOnReceive)."""
_HEX = re.compile(r"\\x(09|0a|0d|1b)")
"""printk's escape in /dev/kmsg (kernel/printk/printk.c msg_add_ext_text()) and journald's in short output."""
_HEX_RUN = re.compile(r"(?:\\x[0-9a-f]{2}){1,4}")
_GLUED = re.compile(r"(?:<\d{1,3}>)?\[ {0,6}\d{1,7}\.\d{6}\](?: ?\[ {0,8}[TC]\d{1,10}\])? ")
"""A second printk stamp in the middle of a line: the line end between two records was lost."""


class Cursor:
    """A place in a log: its bytes line by line, with numbers and offsets."""

    __slots__ = ("_file", "_whole", "number", "offset")

    def __init__(self, data: bytes, offset: int = 0, number: int = 1):
        self._file = io.BytesIO(data)  # shares the bytes: nothing is copied
        self._file.seek(offset)
        self.offset = offset
        """Offset behind the last piece read."""
        self.number = number
        """Number of the next line."""
        self._whole = True

    def line(self) -> tuple[bytes, int, bool]:
        """The next physical line with its end, its number, and whether it continues the piece before; b"" at the end."""
        raw = self._file.readline(LONGEST)
        self.offset += len(raw)
        number, piece = self.number, not self._whole
        self._whole = raw.endswith(b"\n")
        if self._whole:
            self.number += 1
        return raw, number, piece


def decode(cursor: Cursor) -> Iterator[tuple[Line, int]]:
    """Logical lines from a place on, each with the offset behind it."""
    sticky: list[Rule] = []
    new, take = tuple.__new__, cursor.line
    while True:
        raw, number, piece = take()
        if not raw:
            return
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if not text.isprintable():
            text = _clean(text)
        prefix = strip(text, sticky)
        end, time, wall, caller, level, host, rule = prefix
        if rule == "kmsg" and "\\x" in text:
            text = text[:end] + _HEX_RUN.sub(_unescape, text[end:])
        if "[" in text[end:] or "#0" in text or "\\x" in text or "\n" in text or "\r" in text:
            for line in _several(text, prefix, number, raw, piece, sticky):
                yield line, cursor.offset
        else:
            fields = (text[end:], number, number, raw, time, wall, caller, level, host, None, piece)
            yield new(Line, fields), cursor.offset


def _clean(text: str) -> str:
    """Colours, NULs around a line and a mailer's no-break blanks off; other control characters stay."""
    text = text.strip("\0")
    if "\x1b" in text:
        text = _SGR.sub("", text)
    return text.replace("\xa0", " ")


def _unescape(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "surrogateescape")


def _control(found: re.Match[str]) -> str:
    return chr(int(found[1], 8))


def _control_hex(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _several(text: str, prefix: Prefix, number: int, raw: bytes, piece: bool, sticky: list[Rule]) -> Iterator[Line]:
    """The records that one physical line holds."""
    end, time, wall, caller, level, host, _ = prefix
    body = text[end:]
    if "#0" in body:
        body = _OCTAL.sub(_control, body)
    if "\\x" in body:
        body = _HEX.sub(_control_hex, body)
    if "\x1b" in body:
        body = _SGR.sub("", body)
    later = piece
    for record in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        for part in _unglue(record):
            if part is not record:
                inner = strip(part, sticky)
                if inner.rule is not None:
                    time, caller, level = inner.time, inner.caller, inner.level if inner.level is not None else level
                    part = part[inner.end :]
            yield Line(part, number, number, raw, time, wall, caller, level, host, None, later)
            later = True


def _unglue(record: str) -> Iterator[str]:
    """A record cut before each further stamp in it."""
    start = 0
    for found in _GLUED.finditer(record):
        if found.start() > start:
            yield record[start : found.start()]
            start = found.start()
    yield record[start:] if start else record
