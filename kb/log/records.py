"""Transports that put a record on several lines, or into JSON: journalctl's export, verbose and json, dmesg -J, docker.

Every reader here is a total function: what does not look like a record after all is handed back as plain text.
"""

import functools
import itertools
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from kb.log.terminal import clean
from kb.log.text import whole
from kb.log.transport import PRINTK, SEVERITIES, named, strip
from kb.model.log import Line

Piece = tuple[bytes | None, int, bool]
"""Bytes of a physical line, its number, whether it continues the piece before; None where a live input pauses."""

_LONGEST_RECORD = 4096
"""Lines of a record that are read before it is taken for plain text."""
_LARGEST_FIELD = 16 << 20
"""Bytes of a binary field of the export format that are read."""

EXPORT = re.compile(r"(?:__CURSOR|__REALTIME_TIMESTAMP|__MONOTONIC_TIMESTAMP|__SEQNUM|_BOOT_ID|_TRANSPORT|PRIORITY)=")
"""First line of a journal export record (systemd.io/JOURNAL_EXPORT_FORMATS)."""
VERBOSE = re.compile(
    r"(?P<wall>[^\W\d]\S{0,11} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \S{1,9}) "
    r"\[s=[0-9a-f]{1,40};(?:[a-z]=[0-9a-f]{1,40};?){1,8}\]$"
)
"""First line of a record of journalctl -o verbose."""
_VERBOSE_FIELD = re.compile(r"    ([A-Z_][A-Z0-9_]{0,63})=(.*)")
PRETTY_FIELD = re.compile(r'\s{0,40}"([\w.@]{1,64})"\s{0,4}:\s{0,16}(.*?),?\s{0,4}$')
"""A field on a line of its own in indented JSON."""
PRETTY_MARKS = frozenset({"{", "}", "},{", "},", "[", "]", '"dmesg": [', '"dmesg" : ['})
"""Lines, blanks at both ends off, that stand between records of indented JSON."""
_ESCAPED_LINES = 3
"""Lines that make a string a text of its own."""
_TEXT_KEYS = ("MESSAGE", "msg", "log", "message", "line", "text", "textPayload", "MSG")
HOSTS = ("_HOSTNAME", "hostname", "host", "Host", "HOST", "nodename", "node_name", "node", "Computer", "instance")
"""How fields are called that name the machine."""
_HOST = re.compile(
    r"(?:.*\.)?_{0,2}(?:(?:k8s|kube(?:rnetes)?|src|source|orig|origin|sys|syslog|os)[_-]?)?"
    r"(?:h|host|node|machine|server|computer|vm|fqdn)(?:[._-]?(?:name|id|ip))?$",
    re.I,
)
"""How any other field is called that does: by no word more. ``upstream_server`` and ``broker_host`` name machines that
have passed a line on, another one for each line."""
_BLANK = re.compile(r"\s")
_DEEP, _FIELDS = 3, 64
"""Objects within objects in which it is looked for, and fields of each."""
_WALL_KEYS = ("time", "timestamp", "@timestamp", "ts", "__REALTIME_TIMESTAMP")


class Lines(Protocol):
    """What a record is read from: physical lines, one of which may be put back."""

    def line(self) -> Piece:
        """The next physical line."""

    def read(self, size: int) -> bytes:
        """So many bytes, whatever lines they hold."""

    def back(self, piece: Piece) -> None:
        """Put the last line back."""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape").rstrip("\r\n")


def as_lines(fields: dict[str, Any], number: int, last: int, raw: bytes) -> Iterator[Line] | None:
    """The log lines of a record, None where it has no message.

    Args:
        fields: Its fields by the transport's names.
        number: First physical line.
        last: Last physical line.
        raw: The bytes of those lines.
    """
    for key in (*_TEXT_KEYS, *(key for key, value in fields.items() if _is_log(value))):
        message = _message(fields[key]) if key in fields else None
        if message is not None:
            return _emit(message, key, fields, number, last, raw)
    return None


def _is_log(value: Any) -> bool:
    """Whether a value is a text of several lines, or lines: what a command printed, a ticket's words."""
    if isinstance(value, list):
        return len(value) > _ESCAPED_LINES and all(isinstance(one, str) for one in value)
    return isinstance(value, str) and value.count("\n") >= _ESCAPED_LINES


def _message(value: Any) -> str | None:
    """A message: text, or the list of byte values that journald writes where the text is not UTF-8."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return whole("\n".join(str(item) for item in value))
        try:
            return bytes(value).decode("utf-8", "surrogateescape")
        except (TypeError, ValueError):
            return None
    return None


def _emit(message: str, key: str, fields: dict[str, Any], number: int, last: int, raw: bytes) -> Iterator[Line]:
    stamp, wall = _times(fields)
    level, boot = _level(fields), _string(fields.get("_BOOT_ID"))
    host = named(_string(host_of(fields)))
    caller = _string(fields.get("caller"))
    name = _string(fields.get("SYSLOG_IDENTIFIER"))
    if key == "MESSAGE" and name and name != "kernel" and fields.get("_TRANSPORT") != "kernel":
        pid = _string(fields.get("_PID") or fields.get("SYSLOG_PID"))
        message = f"{name}[{pid}]: {message}" if pid else f"{name}: {message}"
    later = False
    for text in message.rstrip("\r\n").replace("\r\n", "\n").split("\n"):
        text = text if text.isprintable() else clean(text)
        end, t, w, c, lv, h = 0, stamp, wall, caller, level, host
        if key not in ("MESSAGE", "msg") or PRINTK.match(text.lstrip(" ")):  # a console's stamp inside of a journal's
            # record, or of rsyslog's, whose msg begins with the blank behind the tag
            prefix = strip(text)
            end = prefix.end
            t, w, c = prefix.time or t, prefix.wall or w, prefix.caller or c
            lv, h = prefix.level if prefix.level is not None else lv, prefix.host or h
        yield Line(text[end:], number, last, raw, t, w, c, lv, h, boot, later)
        later = True


@functools.lru_cache(4096)
def names_host(name: str) -> bool:
    """Whether a field is called as one that names a machine."""
    return len(name) < 80 and _HOST.match(name) is not None


def host_of(fields: Mapping[str, Any]) -> str | None:
    """The machine that a field of an object names, or of an object in it: by a known name, or by one of that form."""
    return _within(fields, _known_host) or _within(fields, _likely_host)


def _within(
    fields: Mapping[str, Any], host: Callable[[Mapping[str, Any]], str | None], deep: int = _DEEP
) -> str | None:
    found = host(fields)
    if found is not None or not deep:
        return found
    inner = (value for value in itertools.islice(fields.values(), _FIELDS) if isinstance(value, dict))
    return next((found for each in inner if (found := _within(each, host, deep - 1))), None)


def _known_host(fields: Mapping[str, Any]) -> str | None:
    return next((value for key in HOSTS if isinstance(value := fields.get(key), str)), None)


def _likely_host(fields: Mapping[str, Any]) -> str | None:
    for name, value in itertools.islice(fields.items(), _FIELDS):
        if isinstance(value, str) and 0 < len(value) <= 255 and names_host(name) and not _BLANK.search(value):
            return value
    return None


def _string(value: Any) -> str | None:
    return whole(value) if isinstance(value, str) else str(value) if isinstance(value, int) else None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _times(fields: dict[str, Any]) -> tuple[float | None, str | None]:
    """Seconds since boot, and the time of day (journald's microseconds as UTC)."""
    if "msg" in fields and "pri" in fields:  # dmesg -J: seconds, or a date with --time-format
        seconds = _number(fields.get("time"))
        return seconds, None if seconds is not None else _string(fields.get("time"))
    micro = _number(fields.get("_SOURCE_MONOTONIC_TIMESTAMP", fields.get("__MONOTONIC_TIMESTAMP")))
    wall = next((_string(fields[key]) for key in _WALL_KEYS if key in fields), None)
    if wall is not None and wall.isascii() and wall.isdigit() and len(wall) == 16:
        seconds, rest = divmod(int(wall), 1_000_000)
        wall = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06d}Z"
    return None if micro is None else micro / 1e6, wall


def _level(fields: dict[str, Any]) -> int | None:
    value = fields.get("PRIORITY", fields.get("pri"))
    if isinstance(value, str) and value in SEVERITIES:
        return SEVERITIES[value]
    number = _number(value)
    return None if number is None or not 0 <= number < 1024 else int(number) & 7


def json_line(text: str, number: int, raw: bytes) -> Iterator[Line] | None:
    """The records of a line of JSON (NDJSON, RFC 7464 sequences, ``dmesg -J`` in one line), None for other text."""
    import json

    try:
        value = json.loads(text.strip("\x1e \t,"))
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and _is_log(value):
        value = {"line": value}
    if not isinstance(value, dict):
        return None
    records = value.get("dmesg")
    if isinstance(records, list):
        return (
            line
            for record in records
            if isinstance(record, dict)
            for line in as_lines(record, number, number, raw) or ()
        )
    return as_lines(value, number, number, raw)


def is_field(raw: bytes) -> bool:
    """Whether a line is a field of a record of indented JSON, as :func:`pretty` reads it: what is not stays a line."""
    return PRETTY_FIELD.match(_text(raw)) is not None


def pretty(lines: Lines, raw: bytes, number: int) -> Iterator[Line]:
    """Records of indented JSON (journalctl -o json-pretty, dmesg -J) from the line that opens the first.

    Ends before the first line that is no part of such a record.
    """
    from json import loads

    held, last, count = raw, number, 0
    fields: dict[str, Any] = {}
    while True:
        piece = lines.line()
        if not piece[0]:
            break
        text = _text(piece[0])
        found = PRETTY_FIELD.match(text)
        if text.strip() in PRETTY_MARKS:
            yield from as_lines(fields, number, piece[1], held + piece[0]) or () if fields else ()
            held, fields, number, count = piece[0], {}, piece[1], 0
            continue
        if found is None or count > _LONGEST_RECORD:
            lines.back(piece)
            break
        count += 1
        held += piece[0]
        last = piece[1]
        value = found[2]
        if value == "[":
            more, value = _array(lines)
            held += more
        try:
            fields[found[1]] = loads(value)
        except (ValueError, RecursionError):
            fields[found[1]] = value.strip('"')
    if fields:
        yield from as_lines(fields, number, last, held) or ()


def _array(lines: Lines) -> tuple[bytes, str]:
    """The rest of an array over several lines: its bytes, and its text."""
    raw, text = b"", "["
    while len(raw) < _LARGEST_FIELD:
        piece = lines.line()
        if not piece[0]:
            break
        raw += piece[0]
        part = piece[0].strip()
        text += part.decode("utf-8", "replace")
        if part.startswith(b"]"):
            return raw, text.rstrip(",")
    return raw, "[]"


def export(lines: Lines, raw: bytes, number: int) -> Iterator[Line]:
    """One record of the journal export format from its first line to the empty line behind it."""
    fields: dict[str, Any] = {}
    held, last, piece = b"", number, (raw, number, False)
    for _ in range(_LONGEST_RECORD):
        text = _text(piece[0])
        if not text:
            held += piece[0]
            break
        key, equals, value = text.partition("=")
        held += piece[0]
        last = piece[1]
        if not equals:
            size = int.from_bytes(lines.read(8), "little")
            data = lines.read(min(size, _LARGEST_FIELD) + 1)
            held += size.to_bytes(8, "little") + data
            last += data.count(b"\n")
            value = data[:-1].decode("utf-8", "surrogateescape")
        fields[key] = value
        following = lines.line()
        if not following[0]:
            break
        piece = (following[0], following[1], following[2])
    yield from as_lines(fields, number, last, held) or ()


def verbose(lines: Lines, raw: bytes, number: int, wall: str) -> Iterator[Line]:
    """One record of journalctl -o verbose from its first line to before the next."""
    fields: dict[str, Any] = {}
    held, last, key = raw, number, ""
    for _ in range(_LONGEST_RECORD):
        piece = lines.line()
        if not piece[0]:
            break
        text = _text(piece[0])
        found = _VERBOSE_FIELD.match(text)
        if found is not None:
            key = found[1]
            fields[key] = found[2]
        elif key and text.startswith(" " * (5 + len(key))):
            fields[key] += "\n" + text[5 + len(key) :]
        else:
            lines.back(piece)
            break
        held += piece[0]
        last = piece[1]
    fields.setdefault("time", wall)
    yield from as_lines(fields, number, last, held) or ()
