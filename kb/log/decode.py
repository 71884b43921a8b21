"""Physical lines -> logical lines: prefixes off, escapes undone, records that share a line told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from kb.log import records
from kb.log.records import Lines
from kb.log.terminal import SGR, clean, plain
from kb.log.text import EMPHASIS, END, mirrored
from kb.log.transport import Prefix, Rule, strip
from kb.model.log import Line

if TYPE_CHECKING:
    from kb.log.learn import Shapes

_WRITTEN_SGR = re.compile(r"(?:\^\[|\\x1[bB]|\\033|\\e|\\u001[bB]|#033)\[[0-9;]{0,20}[mK]")
"""Colours as ``cat -v`` shows them, strings and rsyslog write them."""
_LEFT_SGR = re.compile(r"\[\d[0-9;]{0,20}m")
"""The same where a form took the escape away."""
_OCTAL = re.compile(r"[#\\](011|012|015|033)")
"""rsyslog's escape of control characters ($EscapeControlCharactersOnReceive, $ControlCharacterEscapePrefix)."""
_HEX = re.compile(r"\\x(09|0a|0d|1b)")
"""printk's escape in /dev/kmsg (kernel/printk/printk.c msg_add_ext_text()) and journald's in short output."""
_HEX_RUN = re.compile(r"(?:\\x[0-9a-f]{2}){1,64}")
_ENTITY = re.compile(r"&(?:gt|lt|amp|quot|apos|nbsp|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_TAG = re.compile(
    r"</?(?:br|div|span|pre|code|tt|blockquote|font|wbr|html|body|table|tr|td|li|ul|ol)(?: [^<>]{0,300})?/?>"
    r"|</p>|<p [^<>]{0,300}>|^<p>",
    re.I,
)
"""Tags a mail program or a web page writes around a log; what the kernel prints in angle brackets has no such name."""
_CLOSING = re.compile(r"</([a-z][\w.-]{0,40}(?::[\w.-]{1,40})?)>")
"""The end of an element of XML: the kernel writes its own names in capitals (``</TASK>``)."""
_ELEMENT = re.compile(r"</?(?P<name>[a-z][\w.-]{0,40}(?::[\w.-]{1,40})?)(?: [^<>]{0,300})?>")
_ROWS = frozenset({"p", "si", "row", "tr", "li", "div", "br"})
"""Elements, namespaces off, that are lines of their own: HTML, OOXML."""
_CELLS = re.compile(r"</t[dh]>[ \t]{0,40}<t[dh](?: [^<>]{0,300})?>", re.I)
"""Between two cells of a row."""
_BREAKS = re.compile(r"</?(?:br|div|p|tr|li)(?: [^<>]{0,300})?/?>", re.I)
_NEWLINE = re.compile(r"\\(?:r\\)?n")
_ESCAPED_LINES = 3
"""Line ends written as a backslash and an n that make a line a whole log in a string: JSON of a ticket, a repr()."""
_STRINGS = tuple(
    re.compile(rf"(?:^|(?<=[ ,=($\[{{:\t])){quote}((?:[^{quote}\\]|\\.|{quote}{quote})*){quote}(?=[,;)\]}}\s]|$)")
    for quote in "'\""
)
"""Strings of a row of SQL, a shell's variable, a program's output."""
_ESCAPE = re.compile(r"\\(?:u00(3c|3e|26|27|22|1b)|([\"'\\/t]))", re.I)
_ESCAPES = {"t": "\t"}
_QUOTE_END = re.compile(r'(?:\\r)?(?:\\n)?(?<!\\)"(?:[,;\]})\s]{1,4}"?)?\s*$')
"""The end of a line that was quoted whole: a string of JSON, YAML, CSV."""
_GLUED = re.compile(r"(?:<\d{1,3}>)?\[ {0,6}\d{1,7}\.\d{6}\](?: ?\[ {0,8}[TC]\d{1,10}\])? ")
"""A second printk stamp in the middle of a line: the line end between two records was lost."""
_FRAMES = "`|\u2502\u2503"
"""What begins and ends a row of a table, or a line that Markdown shows as code (CommonMark 6.1)."""
_EMPHASISED = re.compile(rf"[{re.escape(EMPHASIS)}]{{1,4}}(?=\[ {{0,8}}\d{{1,10}}\.\d{{6}}\])")
"""Marks before printk's stamp; what the kernel puts before a line of its own (``** trace_printk()``) has none."""
_DICTIONARY = re.compile(r" [A-Z_]{2,32}=")
"""Device properties behind a record of /dev/kmsg (" SUBSYSTEM=pci")."""


class Place(Lines, Protocol):
    """A cursor as :func:`decode` uses it."""

    offset: int
    number: int


def decode(cursor: Place, shapes: Shapes | None = None) -> Iterator[tuple[Line | None, int]]:
    """Logical lines from a place on, each with the offset behind it; None where a live input pauses.

    Args:
        cursor: The place.
        shapes: What was learned of prefixes that no rule explains.
    """
    sticky: list[Rule] = []
    new, take = tuple.__new__, cursor.line
    before = Prefix(0)
    while True:
        raw, number, piece = take()
        if not raw:
            if raw is None:
                yield None, cursor.offset
                continue
            return
        text = raw.decode("utf-8", "surrogateescape").rstrip(END)
        if not text.isprintable():
            text = clean(text)
        if "[0m" in text:
            text = _WRITTEN_SGR.sub("", text)
            text = _LEFT_SGR.sub("", text) if _LEFT_SGR.match(text) is not None else text
        if "&" in text or "<" in text:
            text = _unescape_html(text)
        if "'" in text:
            text = text.replace("'\"'\"'", "'").replace("'\\''", "'")  # as a shell's quotes hold one
        if not text.isascii():
            text = plain(text)
        if text and (text[0] in _FRAMES or text[-1] in _FRAMES or text[0] in EMPHASIS):
            text = _unframed(text.rstrip(" "))
        prefix = strip(text, sticky)
        if shapes:
            text, prefix = shapes.strip(text, prefix, sticky)
        end, time, wall, caller, level, host, rule = prefix
        if rule is None:
            record = None if piece else _record(text, cursor, raw, number)
            if record is not None:
                for line in record:
                    yield line, cursor.offset
                continue
            if before.end:
                width = before.end
                if text[:width].isspace() and len(text) > width:  # a message of several lines, indented by the tool
                    prefix = before
                    end, time, wall, caller, level, host, rule = prefix
                    piece = True
                elif before.rule == "kmsg" and _DICTIONARY.match(text):
                    continue
        elif rule == "kmsg" and "\\x" in text:
            text = text[:end] + _HEX_RUN.sub(_unescape, text[end:])
        elif rule == "nxos":
            text = text.removesuffix(" - kernel")
        elif rule == "logcat-process":
            text = text[: text.rindex("  (")]
        before = prefix
        if (
            ("[" in text[end:] and _GLUED.search(text, end) is not None)
            or "\\" in text or "#0" in text or "\n" in text or "\r" in text or "\x1b" in text
        ):  # fmt: skip
            for line in _several(text, prefix, number, raw, piece, sticky):
                yield line, cursor.offset
        else:
            fields = (text[end:], number, number, raw, time, wall, caller, level, host, None, piece)
            yield new(Line, fields), cursor.offset


def _unframed(text: str) -> str:
    """A line without what ends it as it has begun; what begins a row of a table is a prefix, which is learned."""
    if text[0] == text[-1] == "`":
        return text[1:-1] if text.count("`") == 2 and " " in text else text
    if (marks := _EMPHASISED.match(text)) is not None:
        return text[marks.end() :].removesuffix(mirrored(marks[0]))
    return text[:-1].rstrip(" ") if text[0] == text[-1] and text[0] in _FRAMES else text


def _record(text: str, cursor: Place, raw: bytes, number: int) -> Iterator[Line] | None:
    """The records that begin on this line, where it belongs to a transport with records of their own."""
    char = text[:1]
    if char and len(text) > 2 and (char in "{\x1e" or text.startswith('["')):
        return records.json_line(text, number, raw)
    if char in '{ }[]\t"' and text.strip() in records.PRETTY_MARKS:
        return records.pretty(cursor, raw, number)
    if char in " \t" and records.is_field(raw):  # a window that begins inside a record
        cursor.back((raw, number, False))
        return records.pretty(cursor, b"", number)
    if char.isalpha() or char == "_":
        if records.EXPORT.match(text):
            return records.export(cursor, raw, number)
        found = records.VERBOSE.match(text)
        if found is not None:
            return records.verbose(cursor, raw, number, found["wall"])
    return None


def _unescape_html(text: str) -> str:
    """Tags that break or decorate lines, and entities, of a log pasted into HTML."""
    if _TAG.search(text) is not None:
        text = _CELLS.sub(" ", text)
        text = _TAG.sub("", _BREAKS.sub("\n", text)).strip("\n")
    if "</" in text and (names := set(_CLOSING.findall(text))):
        text = _without(text, names)
    return _ENTITY.sub(_entity, text) if "&" in text else text


def _without(text: str, names: set[str]) -> str:
    """The text of elements that end on a line."""

    def put(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in names:
            return found[0]
        return "\n" if found[0].startswith("</") and name.rpartition(":")[2] in _ROWS else ""

    return _ELEMENT.sub(put, text).strip("\n")


def _entity(found: re.Match[str]) -> str:
    """What an entity stands for; what would be no character that a log shows stays as it is written."""
    from html import unescape

    char = unescape(found[0]).replace("\xa0", " ").replace("\r", "\n")
    return char if char.isprintable() or char in "\t\n" else found[0]


def _unescape_string(text: str) -> str:
    """The lines of a log that was written as one string, or as some."""
    most = text.count("\\n")
    for each in _STRINGS:
        found = [one for one in each.findall(text) if "\\n" in one]
        if sum(one.count("\\n") for one in found) * 10 >= most * 8:
            return "\n".join(_ESCAPE.sub(_escaped, _NEWLINE.sub("\n", one)) for one in found)
    return _ESCAPE.sub(_escaped, _NEWLINE.sub("\n", _QUOTE_END.sub("", text)))


def _escaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2])


def _unescape(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "surrogateescape")


def _several(text: str, prefix: Prefix, number: int, raw: bytes, piece: bool, sticky: list[Rule]) -> Iterator[Line]:
    """The records that one physical line holds."""
    end, time, wall, caller, level, host, rule = prefix
    body = text[end:]
    if body.count("\\n") >= _ESCAPED_LINES or "=> {" in body:
        at = body.find("{")  # what a tool prints of a command that it ran: ``FAILED! => {"stdout": ...}``
        told = records.json_line(body[at:], number, raw) if at > 0 and body.rstrip().endswith("}") else None
        if told is not None:
            yield from told
            return
    rebuilt = body.count("\\n") >= _ESCAPED_LINES
    if rebuilt:
        body = _unescape_string(body)
    if "#0" in body or "\\0" in body:
        body = _OCTAL.sub(lambda found: chr(int(found[1], 8)), body)
    if "\\x" in body:
        body = _HEX.sub(lambda found: chr(int(found[1], 16)), body)
    if "\x1b" in body:
        body = SGR.sub("", body)
    later = piece
    for index, record in enumerate(body.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        for part in _unglue(record, rule is None and not index):
            if part is not record or index or rebuilt:
                inner = strip(part, sticky)
                if inner.rule is not None:
                    time, caller, wall = inner.time, inner.caller, inner.wall or wall
                    level = inner.level if inner.level is not None else level
                    part = part[inner.end :]
            yield Line(part, number, number, raw, time, wall, caller, level, host, None, later)
            later = True


def _unglue(record: str, bare: bool = False) -> Iterator[str]:
    """A record cut before each further stamp in it; what has no word before the first is none."""
    start, quoted = 0, False
    for found in _GLUED.finditer(record):
        if found.start() > start:
            before = record[start : found.start()]
            quoted = quoted or (not start and before.endswith('"'))
            if start or not bare or any(map(str.isalpha, before)):  # a number, a quote: what stands around records
                yield _unquote(before) if quoted and start else before
            start = found.start()
    last = record[start:] if start else record
    yield _unquote(last) if quoted else last


def _unquote(record: str) -> str:
    """A record without the end of the string that it was quoted in."""
    return _ESCAPE.sub(_escaped, _QUOTE_END.sub("", record).replace('""', '"'))
