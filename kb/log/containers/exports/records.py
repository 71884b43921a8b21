"""Records of exports: which field is the log's text, when and where it was printed, and their order.

What comes out are lines of JSON as journald and docker write them (:mod:`kb.log.records` reads those), oldest first.
"""

from __future__ import annotations

import functools
import html
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.log.records import HOSTS, host_of, names_host

if TYPE_CHECKING:
    from kb.log.containers.walk import Walk

TEXT = (
    "message", "MESSAGE", "_raw", "@message", "full_message", "short_message", "log", "line", "Line", "msg",
    "textPayload", "logmessage", "text", "content", "MSG", "body",
)  # fmt: skip
"""Fields that hold a record's text: Elastic and ECS, journald, Splunk, CloudWatch, GELF, docker and Fluent Bit, Loki,
GCP, OTLP."""
_CALLED = re.compile(r"(?:message|msg|raw|raw_?string|raw_?data|oops|log_?(?:entry|line|text)|_line)$", re.I)
"""How any other field that holds it is called: ``SyslogMessage``, ``_msg``, ``kernel_message``."""
_INSIDE = (
    "_source", "result", "attributes", "jsonPayload", "fields", "event", "data", "log", "_doc", "content", "lines",
    "properties", "body", "record", "payload", "map",
)  # fmt: skip
"""Objects in which the record proper stands."""
_TIME = (
    "@timestamp", "timestamp", "time", "ts", "_time", "timeUnixNano", "observedTimeUnixNano", "date",
    "__REALTIME_TIMESTAMP", "TimeGenerated", "receiveTimestamp", "Timestamp", "Date", "Time", "timereported",
    "timegenerated", "ISODATE", "_messagetime", "received_at", "generated_at", "event_time", "eventTime", "datetime",
)  # fmt: skip
_TIMES = frozenset(_TIME)
_WHEN = re.compile(
    r"(?i)time|stamp|date|created|instant|received|\[UTC\]|(?:^|[@._])(?:ts|dt|t|when)(?:[._ ]|$)"
    r"|\u65f6\u95f4|\u65e5\u6642"
)
"""How any other field is called that holds a time, if its value is one."""
YEARS = 10**18
"""Nanoseconds: a smaller number is a time since boot, a duration, a count."""
_HOST = ("host.name", "host.hostname", *HOSTS, "kubernetes.host", "agent.hostname")
_HOSTS = frozenset(part for name in _HOST for part in (name, name.partition(".")[0]))
_CODE = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")
"""No line of a log: a console in base64, whatever its field is called."""
_NUMBERED = frozenset(("n", "t"))
"""A line of what Proxmox VE answers for a log: its number and its text."""
_JOURNAL = frozenset(
    "MESSAGE SYSLOG_IDENTIFIER _TRANSPORT PRIORITY _HOSTNAME _BOOT_ID __REALTIME_TIMESTAMP __MONOTONIC_TIMESTAMP "
    "_SOURCE_MONOTONIC_TIMESTAMP _PID SYSLOG_PID".split()
)
PRINTK = re.compile(r"(?:<\d{1,3}>)?\[ {0,6}(\d{1,7})\.(\d{6})\]")
_AMERICAN = re.compile(
    r"(?:(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}),?"
    r"|(?P<name>[A-Z][a-z]{2}) (?P<day2>\d{1,2}), (?P<year2>\d{4}) @)"
    r" (?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<part>\d{1,9}))?(?: ?(?P<half>[AP]M))?"
)
"""Azure's ``11/28/2026, 2:24:16.000 PM``, Kibana's ``Nov 28, 2026 @ 14:24:16.000``."""
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d\d:?\d\d)?")
WINDOW = 20_000
"""Records that are put in order at once, where they come in order by and large."""
_SIZE = 4 << 20
"""Bytes of their text."""
_PACKED = 32 << 20
"""Bytes, packed, of an export that comes newest first: a gigabyte or so of kernel's lines."""


_LINES = 8
"""Line ends, or tags, from which on a text is compared with others."""
_KNOWN, _BEFORE = 32, 4096
"""Texts that are remembered by their words, and as they are."""
_COMPARED = 1 << 20
"""Characters of a text that is compared by its words: each takes fifty bytes."""
_WORD = 5
_ALIKE = 0.95
"""Part of the long words of a text that are another's, too: a stamp, an address, a function."""
_MARKUP = re.compile(r"</?[a-z][^<>]{0,300}>", re.I)


class Record(NamedTuple):
    """One message of an export."""

    text: str
    stamp: int | None
    """Nanoseconds of the record's own time."""
    printk: int | None
    """Microseconds of printk's stamp."""
    line: bytes
    """The record as a line."""


class Told(NamedTuple):
    """What an object says, whatever stands around it."""

    text: str
    stamp: int | None
    """Nanoseconds of its own time."""
    host: str | None
    fields: Mapping[str, Any]
    """The object in which the text stands."""


def told(fields: Mapping[str, Any], labels: Mapping[str, Any] | None = None) -> Told | None:
    """What an object says, None where it has no text.

    Args:
        fields: The object.
        labels: What was said of it elsewhere: a stream's labels.
    """
    text = _text(fields)
    if text is not None and text.startswith("{") and (inner := value_of(text)) is not None:
        return told({**_outer(fields), **inner}, labels)
    if text is None:
        for name in _INSIDE:
            inner = fields.get(name)
            if isinstance(inner, Mapping):
                if name == "event":
                    text = _said(inner.get("original"))
                    if text is not None:
                        break
                    continue
                found = told({**_outer(fields), **inner}, labels)
                if found is not None:
                    return found
        values = _named(fields.get("body"))
        if text is None and values:
            return told({**_outer(fields), **values}, labels)
    if text is None or _CODE.fullmatch(text) is not None:
        return None
    host = _host(fields) or (_host(labels) if labels else None)
    return Told(text, nanoseconds(_time(fields)), host, fields)


def record(fields: Mapping[str, Any], labels: Mapping[str, Any] | None = None) -> Record | None:
    """The record that an object is, None where it has no text: as :func:`told`."""
    found = told(fields, labels)
    if found is None:
        return None
    text, stamp, host, fields = found
    out: dict[str, Any] = {}
    if fields.get("MESSAGE") is not None and text == _said(fields["MESSAGE"]):
        out = {name: value for name, value in fields.items() if name in _JOURNAL}
    else:
        out["message"] = text
        if stamp is not None and stamp > 10**17:
            value = _time(fields)
            out["time"] = value if isinstance(value, str) and not value.isdecimal() else iso(stamp)
    if host:
        out["_HOSTNAME"] = host
    printk = PRINTK.search(text, 0, 300)
    line = json.dumps(out, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return Record(text, stamp, int(printk[1] + printk[2]) if printk else None, line)


def _time(fields: Mapping[str, Any]) -> Any:
    told = _TIMES & fields.keys()
    known = (
        next((fields[name] for name in _TIME if name in told and fields[name] not in (None, "")), None)
        if told
        else None
    )
    if known is not None and nanoseconds(known) is not None:
        return known
    called = (value for name, value in fields.items() if value and _WHEN.search(name) is not None)
    return next((value for value in called if (nanoseconds(value) or 0) > YEARS), known)


def _outer(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an object says beside the record in it: its time and host."""
    return {
        name: value for name, value in fields.items() if isinstance(value, (str, int, float)) and _stands_outside(name)
    }


@functools.lru_cache(4096)
def _stands_outside(name: str) -> bool:
    return name in _TIMES or name in _HOST or _WHEN.search(name) is not None or names_host(name)


def _text(fields: Mapping[str, Any]) -> str | None:
    if fields.keys() == _NUMBERED:
        return _said(fields["t"])
    for name in TEXT:
        if name in fields and (text := _said(fields[name])) is not None:
            return text
    texts = [(name, text) for name in fields if (text := _said(fields[name])) is not None]
    called = next((text for name, text in texts if is_called(name)), None)
    # printk alone stamps a line so: whatever the field is called, it is a log
    return called or next((text for _, text in texts if PRINTK.match(text.lstrip()) is not None), None)


def is_called(name: str) -> bool:
    """Whether a field that no exporter known by name writes holds the text, by what it is called."""
    return _CALLED.search(name) is not None


def value_of(text: str) -> dict[str, Any] | None:
    """The object that somebody has put into a text: a queue, a container's runtime."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Seen:
    """The texts of several lines that were met: a comment is often there as text, as HTML and as parts."""

    def __init__(self) -> None:
        self._known: list[set[str]] = []
        self._before: set[int] = set()

    def had(self, text: str) -> bool:
        """Whether a text says what one before it did; what is short says little."""
        if "\n" not in text.strip("\n"):
            return False
        if hash(text) in self._before:
            return True
        if len(self._before) < _BEFORE:
            self._before.add(hash(text))
        if (text.count("\n") < _LINES and text.count("<") < _LINES) or len(text) > _COMPARED:
            return False
        words = {word for word in _MARKUP.sub(" ", html.unescape(_MARKUP.sub(" ", text))).split() if len(word) > _WORD}
        if any(len(words & known) >= _ALIKE * len(words) for known in self._known):
            return True
        if len(self._known) < _KNOWN:
            self._known.append(words)
        return False


def _named(body: Any) -> dict[str, Any]:
    """The values of an OTLP body that is a map: ``{"kvlistValue": {"values": [{"key": .., "value": ..}]}}``."""
    values = body.get("kvlistValue") if isinstance(body, Mapping) else None
    values = values.get("values") if isinstance(values, Mapping) else None
    if not isinstance(values, list):
        return {}
    return {str(one["key"]): _said(one.get("value")) for one in values if isinstance(one, Mapping) and "key" in one}


def _said(value: Any) -> str | None:
    """A text, or the only one of a list (Kibana's ``fields``), or OTLP's ``stringValue``, or journald's bytes."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    elif isinstance(value, list) and value and type(value[0]) is int:
        try:
            return bytes(value).decode("utf-8", "replace")
        except (TypeError, ValueError):
            return None
    if isinstance(value, Mapping):
        value = value.get("stringValue")
    return value if isinstance(value, str) else None


def _host(fields: Mapping[str, Any]) -> str | None:
    for name in _HOST if _HOSTS & fields.keys() else ():
        value: Any = fields.get(name)
        outer, _, inner = name.partition(".")
        if value is None and inner and isinstance(fields.get(outer), Mapping):
            value = fields[outer].get(inner)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str) and 0 < len(value) <= 255 and not any(char.isspace() for char in value):
            return value
    return host_of(fields)


def nanoseconds(value: Any) -> int | None:
    """A time as nanoseconds since 1970, by its size: seconds, milli-, micro-, nanoseconds; ISO 8601, or as consoles.

    An object is Log4j's instant (``epochSecond``), protobuf's timestamp (``seconds``), MongoDB's (``$date``).
    """
    if isinstance(value, Mapping):
        seconds = value.get("epochSecond", value.get("seconds"))
        if seconds is None:
            return nanoseconds(value["$date"]) if isinstance(value.get("$date"), str | int) else None
        rest = value.get("nanoOfSecond", value.get("nanos", 0))
        whole = nanoseconds(seconds) if isinstance(seconds, str | int) else None
        return whole if whole is None or not isinstance(rest, int) else whole + rest
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and len(value) < 24 and value.replace(".", "", 1).isdecimal():
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or (isinstance(value, float) and not -1e18 < value < 1e18):
        return None
    if isinstance(value, int | float):
        size = next((size for size, least in ((1, 1e17), (10**3, 1e14), (10**6, 1e11)) if value >= least), 10**9)
        return int(value * size) if isinstance(value, int) else int(value) * size + int(value % 1 * size)
    found = _ISO.match(value) if isinstance(value, str) else None
    if found is None:
        return _american(value) if isinstance(value, str) else None
    zone = (found[4] or "Z").replace("Z", "+00:00").replace("UTC", "+00:00")
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone if ':' in zone else zone[:3] + ':' + zone[3:]}")
        return int(at.timestamp()) * 10**9 + int((found[3] or "0").ljust(9, "0"))
    except (ValueError, OverflowError):
        return None


def _american(value: str) -> int | None:
    found = _AMERICAN.match(value)
    if found is None:
        return None
    month = int(found["month"]) if found["month"] else _MONTHS.find(found["name"]) // 3 + 1
    hour = int(found["hour"]) % 12 + 12 * (found["half"] == "PM") if found["half"] else int(found["hour"])
    day, year = int(found["day"] or found["day2"]), int(found["year"] or found["year2"])
    if month > 12:  # the day stands first
        month, day = day, month
    try:
        at = datetime(year, month, day, hour, int(found["minute"]), int(found["second"]), tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) * 10**9 + int((found["part"] or "0").ljust(9, "0"))


def iso(stamp: int) -> str | None:
    """Nanoseconds since 1970 as UTC."""
    seconds, rest = divmod(stamp, 10**9)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest // 1000:06d}Z"
    except (ValueError, OverflowError, OSError):
        return None


def falling(records: Iterable[Record]) -> bool:
    """Whether the newest come first: by their own stamps, else by printk's."""
    stamps = [one.stamp for one in records if one.stamp is not None]
    if stamps and stamps[0] != stamps[-1]:
        return stamps[0] > stamps[-1]
    printk = [one.printk for one in records if one.printk is not None]
    return bool(printk) and printk[0] > printk[-1]


def ordered(records: Iterable[Record], walk: Walk | None = None, name: str = "") -> Iterator[bytes]:
    """Lines of the records, oldest first.

    Those that come oldest first by and large are put in order by windows; of those that come newest first, what is done
    with is held packed until the end.

    Args:
        records: The records, as they come.
        walk: Is told where they are too many to be held.
        name: What the walk calls them.
    """
    held: list[Record] = []
    done: list[bytes] = []
    size, packed, reverse = 0, 0, None
    for one in records:
        if one.stamp is None and not one.text:  # a line that is no record stays where it is
            yield from _all(held, done)
            yield one.line
            held, size, packed, reverse = [], 0, 0, None
            continue
        held.append(one)
        size += len(one.line)
        if len(held) < WINDOW and size < _SIZE:
            continue
        if reverse is None:
            reverse = falling(held)
        rows = _sorted(held)
        keep = len(rows) // 2
        if reverse:
            done.append(zlib.compress(b"".join(row.line for row in rows[keep:]), 1))
            packed += len(done[-1])
            held = rows[:keep][::-1]
            if packed > _PACKED:
                yield from _all(held, done)
                held, packed = [], 0
                if walk is not None:
                    walk.say(
                        name, "comes newest first and is too long to be put in order: its parts are, each by itself"
                    )
        else:
            yield from (row.line for row in rows[:keep])
            held = rows[keep:]
        size = sum(len(row.line) for row in held)
    yield from _all(held, done)


def _all(held: list[Record], done: list[bytes]) -> Iterator[bytes]:
    """The lines that are left: those that came last are the oldest."""
    yield from (one.line for one in _sorted(held))
    while done:
        yield zlib.decompress(done.pop())


def _sorted(records: list[Record]) -> list[Record]:
    if falling(records):
        records = records[::-1]
    keys: list[tuple[int, int]] = []
    stamp, printk = 0, 0
    for one in records:
        stamp = one.stamp if one.stamp is not None else stamp
        printk = one.printk if one.printk is not None else printk
        keys.append((stamp, printk))
    return [records[at] for at in sorted(range(len(records)), key=keys.__getitem__)]
