"""Logs exported as JSON, whatever stands around the records: documents, arrays, lines.

Read as it comes: an object is looked at when it ends, if it stands alone or in an array and no record was found in it
before. So a document of any size takes the memory of one record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Generic, TypeVar

from kb.log.containers.exports.records import PRINTK, Record, Seen, falling, nanoseconds, ordered, record
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

R = TypeVar("R")

_MARK = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*"', re.S)
_START = re.compile(rb'(?:data: ?)?\x1e?[ \t]*[{\[](?=[ \t\r\n]*(?:["{\[\]}]|$))')
"""How a line begins that begins a value, where no value is open."""
_KEY = re.compile(rb'"([\w.@-]{1,64})"\s{0,20}:\s{0,20}$')
_LARGEST = 1 << 20
"""Bytes of an object that is looked at, and of a string."""
_DEEPEST = 64
_FLAT = ("MESSAGE", "msg", "log", "message", "line", "text", "textPayload", "MSG")
"""Fields of a record that :mod:`kb.log.records` knows without this reader."""
_NESTED = re.compile(rb"[\[{][ \t]{0,40}\r?\n[^}]|[\[{][\[{\"]")
_NOTE = "line numbers are those of the exported messages, a line each, the oldest first"


def needed(head: bytes) -> bool:
    """Whether records are anything but plain lines, oldest first, with the text at their top."""
    if head.startswith((b"{\n", b"{\r\n")) and _NESTED.search(head, 3) is None:
        return False  # indented records, each by itself: journalctl -o json-pretty
    scanner = Scanner(record)
    found = [one for one in scanner.feed(head) if isinstance(one, Record)]
    return bool(found) and (
        not scanner.flat or falling(found) or head.lstrip().startswith(b"data:")
    )  # journalctl -o json-sse


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages."""
    yield Member("", pieces(ordered(_records(read), walk, name)), text=True, note=_NOTE)


def _records(read: Read) -> Iterator[Record]:
    scanner, seen = Scanner(record), Seen()
    while piece := read(1 << 18):
        for one in scanner.feed(piece):
            if not isinstance(one, Record):
                yield _line(one)
            elif not seen.had(one.text):
                yield one
    yield from map(_line, scanner.rest())


def _line(raw: bytes) -> Record:
    """A line that is no JSON, as it is."""
    return Record("", None, None, raw if raw.endswith(b"\n") else raw + b"\n")


class _Open:
    """An object or array that has begun."""

    __slots__ = ("array", "found", "start")

    def __init__(self, array: bool, start: int):
        self.array = array
        self.start = start
        self.found = False
        """True when a record was found in it."""


class Scanner(Generic[R]):
    """Values told apart by their brackets alone.

    Args:
        made: What an object that stands alone or in an array is, by its fields and what was said of it; None: nothing.
    """

    def __init__(self, made: Callable[[dict[str, Any], dict[str, Any]], R | None]) -> None:
        self._made = made
        self.flat = True
        """False when a record is no object of its own with its text at the top."""
        self.unread = 0
        """Values that stand alone and in which no record was found."""
        self._data = b""
        self._at = 0
        self._open: list[_Open] = []
        self._labels: dict[str, Any] = {}
        self._columns: list[str] = []

    def feed(self, piece: bytes) -> Iterator[R | bytes]:
        """The records that end in the next bytes, and the lines between values."""
        self._data += piece
        while self._step():
            yield from self._told
        self._forget()

    def rest(self) -> Iterator[bytes]:
        """What is left at the end, where it is no part of a value."""
        if not self._open and self._data[self._at :].strip():
            yield self._data[self._at :]

    @property
    def open(self) -> bool:
        """Whether a value has begun and not ended."""
        return bool(self._open)

    _told: tuple[R | bytes, ...] = ()

    def _step(self) -> bool:
        """Go on by a token or a line; False where more bytes are needed."""
        self._told = ()
        return self._inside() if self._open else self._between()

    def _between(self) -> bool:
        data, at = self._data, self._at
        begins = _START.match(data, at)
        if begins is not None:
            self._open.append(_Open(data[begins.end() - 1] == 0x5B, begins.end() - 1))
            self._at = begins.end()
            return True
        end = data.find(b"\n", at)
        if end < 0 and len(data) - at < _LARGEST:
            return False
        end = end + 1 if end >= 0 else len(data)
        if data[at:end].strip(b" \t\r\n,]}\x1e"):
            self._told = (data[at:end],)
            self.flat = False
        self._at = end
        return True

    def _inside(self) -> bool:
        data = self._data
        mark = _MARK.search(data, self._at)
        if mark is None:
            self._at = len(data)
            return False
        char = data[mark.start()]
        if char == 0x22:
            end = _STRING_END.match(data, mark.end())
            if end is None and len(data) - mark.end() < _LARGEST:
                self._at = mark.start()
                return False
            self._at = end.end() if end is not None else len(data)
            return True
        self._at = mark.end()
        if char in b"{[":
            if len(self._open) < _DEEPEST:
                self._open.append(_Open(char == 0x5B, mark.start()))
            else:
                self._open.clear()  # nothing that anybody exports; the next line may begin a value again
                self.unread += 1
            return True
        self._close(self._open.pop(), mark.end())
        return True

    def _close(self, ended: _Open, end: int) -> None:
        outer = self._open[-1] if self._open else None
        if not ended.found and end - ended.start <= _LARGEST and ended.start >= 0:
            element = outer is None or outer.array
            if element:
                found = self._record(ended, end, outer)
                if found is not None:
                    self._told = (found,)
                    ended.found = True
            elif outer is not None:
                self._aside(ended, end)
        if outer is not None and ended.found:
            outer.found = True
        elif outer is None and not ended.found and self._data[max(ended.start, 0) + 1 : end - 1].strip():
            self.unread += 1

    def _record(self, ended: _Open, end: int, outer: _Open | None) -> R | None:
        value = _value(self._data[ended.start : end])
        found = None
        if isinstance(value, dict):
            found = self._made(value, self._labels)
            if found is not None and (outer is not None or not self._is_line(value, end)):
                self.flat = self.flat and outer is not None and "pri" in value and "msg" in value
        elif isinstance(value, list) and outer is not None:
            found = self._row(value)
            self.flat = self.flat and found is None
        return found

    def _is_line(self, value: dict[str, Any], end: int) -> bool:
        """Whether a record is a line with its text at the top, which is no object itself."""
        text = next((value[key] for key in _FLAT if isinstance(value.get(key), str)), "{")
        return not text.startswith("{") and self._data[end : end + 1] not in (b"{", b"[")

    def _row(self, value: list[Any]) -> R | None:
        """Loki's ``[stamp, line]``; a row of a table; CloudWatch Insights' list of field and value."""
        if 2 <= len(value) <= 3 and all(isinstance(one, str) for one in value[:2]) and value[0].isdecimal():
            return self._made({"line": value[1], "ts": value[0]}, self._labels)
        if len(value) == len(self._columns):
            return self._made(dict(zip(self._columns, value, strict=True)), {})
        if value and all(isinstance(one, dict) and "field" in one for one in value):
            return self._made({str(one["field"]): one.get("value") for one in value}, {})
        stamped = [one for one in value if isinstance(one, str) and PRINTK.match(one) is not None]
        if len(stamped) == 1:  # printk alone stamps a line so, whatever its column is called
            times = [one for one in value if not isinstance(one, str) or one is not stamped[0]]
            time = next((one for one in times if isinstance(one, str | int | float) and nanoseconds(one)), None)
            return self._made({"message": stamped[0], "time": time}, {})
        return None

    def _aside(self, ended: _Open, end: int) -> None:
        """A stream's labels, a table's columns: what is said of the records that follow."""
        key = _KEY.search(self._data, max(ended.start - 100, 0), ended.start)
        if key is None:
            return
        if key[1] in (b"stream", b"labels", b"metric", b"resource") and not ended.array:
            value = _value(self._data[ended.start : end])
            if isinstance(value, dict):
                self._labels = value | _attributes(value.get("attributes")) | _labels(value.get("labels"))
        elif key[1].lower() in (b"columns", b"meta", b"fields", b"schema", b"headers"):
            self._columns = _names(_value(self._data[ended.start : end])) or self._columns

    def _forget(self) -> None:
        """Drop the bytes that nobody will look at again."""
        start = min(
            (one.start for one in self._open if not one.found and self._at - one.start <= _LARGEST), default=self._at
        )
        start = min(start, self._at)
        keep = max(start - 100, 0)  # the key before a value
        if keep:
            self._data = self._data[keep:]
            self._at -= keep
            for one in self._open:
                one.start -= keep


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _names(value: Any) -> list[str]:
    """Names of a table's columns: a list, of objects perhaps; an object by name, each with its place."""
    if isinstance(value, dict):
        each = [(name, one.get("index")) for name, one in value.items() if isinstance(one, dict)]
        places = {place: name for name, place in each if isinstance(place, int) and 0 <= place < len(each)}
        return [places.get(at, "") for at in range(len(each))] if places else []
    if not isinstance(value, list):
        return []
    called = ("name", "text", "ColumnName")
    names = [next((one[key] for key in called if key in one), None) if isinstance(one, dict) else one for one in value]
    return [name for name in names if isinstance(name, str)] if all(isinstance(name, str) for name in names) else []


def _attributes(value: Any) -> dict[str, Any]:
    """OTLP's attributes: ``[{"key": "host.name", "value": {"stringValue": "db17"}}]``."""
    if not isinstance(value, list):
        return {}
    return {
        str(one["key"]): one["value"].get("stringValue")
        for one in value
        if isinstance(one, dict) and "key" in one and isinstance(one.get("value"), dict)
    }


def _labels(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
