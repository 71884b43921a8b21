"""Exports whose records have their text in a field that no exporter known by name writes.

Of such a document the field is chosen whose values differ from record to record, hold words, and say what only the
kernel's reports say; where none does, the document is a text like any other. A queue's answer has its texts in base64
(Kinesis, Pub/Sub); a table may come as a list a column (Grafana's data frames, Splunk's ``json_cols``); and what Python
shows is read, too.
"""

from __future__ import annotations

import binascii
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from kb.log.containers.exports import from_json
from kb.log.containers.exports.from_json import Scanner
from kb.log.containers.exports.literal import many, value_in
from kb.log.containers.exports.records import YEARS, Record, nanoseconds, ordered, record
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.scan import find
from kb.log.unpack import Pushed, Read

_BEGIN = re.compile(rb"[{\[(][\s{\[(]{0,80}(?:[\"']|$)")
_DOCUMENT = re.compile(
    rb'[{\[]\s{0,200}"(?:hits|streams|resourceLogs|events|results|tables|entries|took|timed_out|status|data|nextForwardToken|preview)"'
)
"""How the answers of search services begin."""
_CALL = re.compile(rb"\s{0,9}(?:/\*\*/)?[A-Za-z_$][\w.$ ]{0,60}[=(]\s{0,9}(?=[\[{])")
"""What makes a script of a document: a variable's name, a function's (JSONP)."""
_ONE_CODE = re.compile(rb'"[A-Za-z0-9+/]{200}')
_QUEUED = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
HELD = 4 << 20
"""Bytes by which the field is chosen, or in which a table by columns or a value of Python's must end."""
_FIRST = 1 << 18
"""Bytes in which records begin, where nothing opens a report."""
_OBJECTS = 2000
_DEEPEST = 6
_FIELDS = 200
"""Fields of an object that are looked at."""
_PART = re.compile(
    r"\+0x[0-9a-f]{1,8}/0x[0-9a-f]|\bCPU: \d+ (?:UID: \d+ )?PID: \d|Call [Tt]race:|Mem-Info:|Hardware name: "
    r"|\[ {0,6}\d{1,7}\.\d{6}\]|^R[A-D0-9][XIP0-9]: [0-9a-f]"
)
"""What reports have and titles of them have not."""
_NOTE = "line numbers are those of the exported messages, a line each, the oldest first"

Path = tuple[str, ...]


def answers(head: bytes) -> bool:
    """Whether a document begins as the answers of search services do, with no record in its first bytes.

    One that goes on with a text in base64 is a document first.
    """
    return _DOCUMENT.match(head.lstrip()) is not None and _ONE_CODE.search(head) is None


def needed(head: bytes) -> bool:
    """Whether a text begins as objects or rows do, none of which has a text by a name that is known."""
    called = _CALL.match(head)
    if called is not None:
        return _BEGIN.match(head, called.end()) is not None
    if _BEGIN.match(head.lstrip(b"\x1e \t\r\n")) is None:
        return False
    return not any(isinstance(one, Record) for one in Scanner(record).feed(head))


def told(begin: bytes) -> bool:
    """Whether the beginning of an input tells more than lines: a value that goes on, or a field that holds the text."""
    called = _CALL.match(begin)
    begin = begin if called is None else begin[called.end() :]
    scanner = Scanner(record)
    found = any(isinstance(one, Record) for one in scanner.feed(begin))
    return found or scanner.open or _column(_objects(begin)) is not None


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages, or the text as it is."""
    head = b""
    while len(head) < HELD and (piece := read(1 << 18)):
        head += piece
    called = _CALL.match(head)
    begin = head if called is None else head[called.end() :]
    opening = opens(begin)
    if any(isinstance(one, Record) for one in Scanner(record).feed(begin if opening else begin[:_FIRST])):
        yield from from_json.members(name, Pushed(begin, read).read, file, walk)
        return
    column = _column(_objects(begin)) if opening else None
    if column is not None:
        found = _records(Pushed(begin, read).read, column)
        yield Member("", pieces(ordered(found, walk, name)), text=True, note=_NOTE)
        return
    rows = list(_table(head)) if opening and len(head) < HELD else []
    if rows:
        yield Member("", pieces(ordered(rows, walk, name)), text=True, note=_NOTE)
        return
    yield Member("", Pushed(head, read).read, text=True)


_ENDS = bytes.maketrans(b"\"'", b"\n\n")
_PACKED = re.compile(rb"[A-Za-z0-9+/]{40}")


def opens(data: bytes) -> bool:
    """Whether any string may open a report: of data that is no log, a look at its bytes says no."""
    if _PACKED.search(data) is not None:
        return True
    return next(find(data.replace(b"\\n", b"\n").translate(_ENDS)), None) is not None


def _objects(data: bytes) -> list[dict[str, Any]]:
    """The first objects that stand alone or in an array."""
    found: list[dict[str, Any]] = []

    def keep(fields: dict[str, Any], labels: dict[str, Any]) -> None:
        if len(found) < _OBJECTS:
            found.append(fields)

    for _ in Scanner[Record](keep).feed(data):
        pass
    return found


def _records(read: Read, column: Path) -> Iterator[Record]:
    """The records whose text is in a field, and the lines between them."""

    def made(fields: dict[str, Any], labels: dict[str, Any]) -> Record | None:
        text = _at(fields, column)
        return None if text is None else _record(text, _leaves(fields, ()), labels)

    scanner = Scanner(made)
    while piece := read(1 << 18):
        for one in scanner.feed(piece):
            yield one if isinstance(one, Record) else Record("", None, None, one.rstrip(b"\r\n") + b"\n")


def _record(text: str, fields: Iterable[tuple[Path, Any]], labels: Mapping[str, Any]) -> Record | None:
    """A record of a text and of what stands beside it, by the names of its fields and by the last of them."""
    beside = dict(labels)
    for path, value in fields:
        if value != text:
            beside[".".join(path)] = value
            beside.setdefault(path[-1], value)
    return record({**beside, "message": text})


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """What an object holds that is no object and no list, each with the names that lead to it."""
    if len(path) > _DEEPEST:
        return
    if isinstance(value, list) and not all(isinstance(one, Mapping) for one in value):
        value = {str(at): one for at, one in enumerate(value[:_FIELDS])}
    if not isinstance(value, Mapping):
        yield path, _plain(value) if isinstance(value, str) else value
        return
    for name in itertools.islice(value, _FIELDS):
        yield from _leaves(value[name], (*path, str(name)))


def _at(fields: Any, path: Path) -> str | None:
    for name in path:
        if isinstance(fields, list) and name.isdecimal() and int(name) < len(fields):
            fields = fields[int(name)]
        else:
            fields = fields.get(name) if isinstance(fields, Mapping) else None
    return _plain(fields) if isinstance(fields, str) else None


def _plain(value: str) -> str:
    """A text, out of base64 where it is written so: letters and blanks are no chance there."""
    if len(value) % 4 or _QUEUED.fullmatch(value) is None:
        return value
    try:
        text = binascii.a2b_base64(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value
    return text.rstrip("\r\n") if text.rstrip("\r\n").isprintable() else value


def _column(objects: list[dict[str, Any]]) -> Path | None:
    """The field that holds the text: the one with most different values that are words."""
    values: dict[Path, set[str]] = {}
    for one in objects:
        for path, value in _leaves(one, ()):
            if isinstance(value, str) and is_words(value):
                values.setdefault(path, set()).add(value)
    told = [path for path, each in values.items() if _is_log(each)]
    return max(told, key=lambda path: len(values[path]), default=None)


def is_words(text: str) -> bool:
    """Whether a text is more than a name or a number."""
    return " " in text.strip() and any(map(str.isalpha, text))


def _is_log(values: set[str]) -> bool:
    """Whether texts open a report and go on as one."""
    opens = any(next(find(value.encode("utf-8", "replace")), None) is not None for value in values)
    return opens and sum(_PART.search(value) is not None for value in values) > 1


def _values(data: bytes) -> list[Any]:
    """The values that bytes are, the last first: one, or one a line; none where they are more than are held."""
    if many(data):
        return []
    whole = value_in(data)
    if whole is not None:
        return [whole]
    rows = data.splitlines()
    if not rows or value_in(rows[0]) is None:
        return []
    return [value for row in reversed(rows) if (value := value_in(row)) is not None]


def _row(values: tuple[Any, ...]) -> dict[str, Any]:
    """A row whose columns have no names: what is a time is called so."""
    time = next((value for value in values if isinstance(value, str | int) and (nanoseconds(value) or 0) > YEARS), None)
    return {"time": time} | {str(at): value for at, value in enumerate(values)}


def _table(data: bytes) -> Iterator[Record]:
    """The rows of a table that comes as a list a column, and objects that Python wrote."""
    objects: list[dict[str, Any]] = []
    waiting = _values(data)
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            objects.append(each)
            waiting += each.values()
        elif isinstance(each, list):
            lengths = {len(one) if isinstance(one, list) else 0 for one in each}
            if len(each) > 1 and len(lengths) == 1 and max(lengths) > 2:
                objects += map(_row, zip(*each, strict=True))
            else:
                waiting += each[::-1]
    column = _column(objects)
    for one in objects if column is not None else ():
        text = _at(one, column or ())
        found = _record(text, _leaves(one, ()), {}) if text is not None else None
        if found is not None:
            yield found
