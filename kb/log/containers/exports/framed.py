"""Records of several lines of which one is the message: what stands around it is left out.

An event as Splunk's page shows it is a date, a time, the message and its fields; ``socat -v`` puts a head before what
one side sent, and two hyphens behind it (xio-socat.c). OpenTelemetry's debug exporter writes a field a line, of which
the body is the message (go.opentelemetry.io/collector exporter/internal/otlptext/logs.go).
"""

import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, beginning, lines_of, pieces
from kb.log.unpack import Read

_FIELDS = re.compile(
    rb"^host ?= ?\S{1,255}[ \t]{1,8}source ?= ?[^\r\n]{1,400}?[ \t]{1,8}sourcetype ?= ?\S{1,100}\s*$", re.M
)
_DATE = re.compile(rb"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\s*$")
_TIME = re.compile(rb"\d{1,2}:\d\d:\d\d(?:\.\d{1,9})?(?: ?[AP]M)?\s*$")
_SENT = re.compile(
    rb"^[<>] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? {1,2}length=\d{1,10} from=\d{1,20} to=\d{1,20}\r?\n", re.M
)
_MARK = re.compile(rb"--\r?\n$")
_LEAD = rb"(?:\S[^\n]{0,199}?[:|\t] {0,8})?"
"""What a runtime or the journal puts before each line of a program's output."""
_RECORD = re.compile(rb"^" + _LEAD + rb"LogRecord #\d{1,9}\r?\n", re.M)
_BODY = re.compile(rb"^" + _LEAD + rb"Body: (?:Str|STRING|Map)\(")
_FIELD = re.compile(
    rb"^"
    + _LEAD
    + rb"(?:LogRecord #\d|(?:Observed)?Timestamp: \d{4}-|Severity(?:Text|Number): |EventName: |Attributes:\r?\n"
    rb"| {5}-> |(?:Trace|Span) ID: [0-9a-f]*\r?\n|Flags: \d+\r?\n|(?:Resource|Scope)Logs? #\d"
    rb"|(?:Resource|ScopeLogs) SchemaURL:|Resource attributes:\r?\n|InstrumentationScope )"
)
_FRAMES = (
    (_FIELDS, (_FIELDS, _DATE, _TIME)),
    (_SENT, (_SENT, _MARK)),
    (_RECORD, (_FIELD,)),
)
"""What such a text is told by, and its lines that are no message."""
_HEAD = 1 << 18
"""Bytes by which it is told what stands around the messages: as many as a text is told by."""
_NOTE = "line numbers are those of the messages, a line each"


def needed(head: bytes) -> bool:
    """Whether a text has more than one such record."""
    return _frame(head) is not None


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages."""
    yield Member("", pieces(_messages(lines_of(read))), text=True, note=_NOTE)


def _frame(head: bytes) -> tuple[re.Pattern[bytes], ...] | None:
    for told, frame in _FRAMES:
        if len(told.findall(head)) > 1:
            return frame
    return None


def _messages(rows: Iterator[bytes]) -> Iterator[bytes]:
    head = beginning(rows, _HEAD)
    frame = _frame(b"".join(head)) or ()
    rows = itertools.chain(head, rows)
    for row in _bodies(rows) if _FIELD in frame else rows:
        if not any(each.match(row) for each in frame):
            yield row


def _bodies(rows: Iterator[bytes]) -> Iterator[bytes]:
    """The rows, bodies out of what names their type; what closes one stands on its last line, before a field."""
    body: bytes | None = None
    for row in rows:
        begins = _BODY.match(row)
        if body is not None:
            told = begins is not None or _FIELD.match(row) is not None
            yield _closed(body) if told else body
            body = None if told else row
        if begins is not None:
            body = row[begins.end() :]
        elif body is not row:
            yield row
    if body is not None:
        yield _closed(body)


def _closed(row: bytes) -> bytes:
    return row.rstrip(b"\r\n").removesuffix(b")") + b"\n"
