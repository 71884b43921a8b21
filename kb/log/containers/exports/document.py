"""JSON documents that hold logs as strings: a cloud's console, a ticket, a command's output, a notebook.

AWS ``get-console-output`` (``Output``, base64), GCP ``getSerialPortOutput`` (``contents``), Azure's boot log (one
string); what trackers' and chats' interfaces answer, HAR, Jupyter; a list of lines, in JSON or as Python writes it.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from kb.errors import InputError
from kb.log.containers.exports.literal import VALUES, many, value_in
from kb.log.containers.exports.records import Seen, value_of
from kb.log.containers.walk import HELD, Member, Walk, pieces
from kb.log.unpack import Pushed, Read, packing_of

_BASE64 = re.compile(r"(?:data:[\w/.+;=-]{0,100};base64,)?([A-Za-z0-9+/\s]{16,}={0,2}\s{0,2})")
_LINES = 3
"""Line ends, or strings in a row, that make a value a text of its own."""
_STAMP = re.compile(r"\[ {0,6}\d{1,7}\.\d{6}\] ")
"""Printk's: one is enough where the lines are few."""
_CONSOLE = re.compile(
    rb'\{\s{0,40}(?:"\w{1,40}"\s{0,8}:\s{0,8}"[^"\n]{0,80}",?\s{0,40}){0,8}'
    rb'"(?:Output|contents)"[ \t]{0,8}:[ \t]{0,8}"[^"\n]{20}'
)
_STRING = re.compile(rb'b?["\'](?:[^"\'\\\n]|\\.){0,4000}\\n')
_TEXT = re.compile(rb'"(?:[^"\\\n]|\\[^\n])*')
_ENCODED = re.compile(rb'"[A-Za-z0-9+/]{64}')
_ROWS = re.compile(rb'\[\s{0,80}(?:"(?:[^"\\\n]|\\[^\n]){0,1000}",\s{1,80}){4}')
_OUTPUT = re.compile(rb'"(?:text|lines|stdout_lines)"\s{0,8}:\s{0,8}\[\s{0,80}"')
"""A notebook's output, a command's."""
_FRAME = re.compile(rb'\{"Data" ?: ?"([A-Za-z0-9+/]{4,}={0,2})"[^{}\n]{0,400}\}')
"""Nomad's api/fs.go StreamFrame."""
_LIST = re.compile(rb"[\[(]b?[\"']")
_NOTE = "line numbers are those of the text in the document"


def console(head: bytes) -> bool:
    """Whether a document is one console, or one string."""
    begin = head.lstrip()
    return _CONSOLE.search(begin) is not None or _STRING.match(begin) is not None


def needed(head: bytes) -> bool:
    """Whether a document holds texts, and is no row of records."""
    begin = head.lstrip()
    if begin[:1] not in (b"{", b"["):
        return _LIST.match(begin) is not None
    if _FRAME.match(begin):
        return True
    first, newline, more = begin.partition(b"\n")
    if newline and more.lstrip()[:1] in (b"{", b"[") and value_in(first.rstrip(b"\r,")) is not None:
        return False
    for text in _TEXT.finditer(begin):
        ends = text[0].count(b"\\n")
        if ends >= _LINES or (ends and _STAMP.search(text[0].decode("utf-8", "replace")) is not None):
            return True
    return any(each.search(begin) is not None for each in (_ENCODED, _ROWS, _OUTPUT)) or _LIST.match(begin) is not None


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The texts of the document, each once."""
    data = b""
    while len(data) < HELD and (piece := read(1 << 20)):
        data += piece
    held = len(data) < HELD and walk.keeps(len(data))
    crowded = held and many(data)
    if crowded:
        help_ = "give the text in it: jq -r .FIELD FILE | kb match"
        walk.unread.append(InputError(f"is a document of more than {VALUES} values", path=name, help=help_))
    value = value_in(data) if held and not crowded else None
    if held and value is None and (frames := _frames(data)):
        yield Member("", pieces(iter(frames)), text=True, note=_NOTE)
        walk.release(len(data))
        return
    given = False
    seen, before = Seen(), set[int]()
    for text in _whole(value):
        given = True
        if hash(text) in before or seen.had(text):  # the same as lines, or as a page shows it
            continue
        before.add(hash(text))
        yield Member("", pieces(iter((_bytes(text),))), note=_NOTE)
    if held:
        walk.release(len(data))
    if not given:  # records, a line of text each, or no document after all, or one of gigabytes
        from kb.log.containers.exports import unnamed

        yield from unnamed.members(name, Pushed(data, read).read, file, walk)


def _frames(data: bytes) -> list[bytes]:
    """What objects, one behind the other, hold in base64: the frames of a stream, which may end anywhere."""
    if _FRAME.match(data) is None:
        return []
    try:
        return [base64.b64decode(found[1]) for found in _FRAME.finditer(data)]
    except binascii.Error:
        return []


def _whole(value: Any) -> Iterator[str]:
    """The texts in a value; where there is none, a line that is encoded, if it is the only one: others are records."""
    found = _texts(value)
    first = next(found, None)
    if first is not None:
        yield from chain((first,), found)
        return
    lines = list(islice(_texts(value, alone=True), 2))
    yield from lines if len(lines) == 1 else ()


def _texts(value: Any, alone: bool = False) -> Iterator[str]:
    """The texts in a value, in order: strings of several lines, lists of lines, what is encoded.

    Args:
        value: As JSON or Python writes it.
        alone: Whether one line may be encoded, too.
    """
    waiting = [value]
    if isinstance(value, str):
        yield value
        return
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and each.lstrip()[:1] == "{" and (inner := value_of(each)) is not None:
            waiting.append(inner)  # a queue's message
        elif isinstance(each, str) and _is_text(each, alone):
            yield each
        elif _is_lines(each, alone=each is value):
            yield "".join(one if one.endswith("\n") else one + "\n" for one in each)
        elif isinstance(each, list | tuple):
            waiting += each[::-1]
        elif isinstance(each, dict):
            if isinstance(console := each.get("Output", each.get("contents")), str):
                yield console
            waiting += list(each.values())[::-1]


def _is_text(text: str, alone: bool) -> bool:
    ends = text.count("\n")
    return ends >= _LINES or (ends > 0 and _STAMP.search(text) is not None) or packed(text, alone) is not None


def _is_lines(value: Any, alone: bool) -> bool:
    """Whether a list is the lines of a text: several, or with their ends, or all that there is."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) for one in value):
        return False
    return alone or len(value) > _LINES or all(one.endswith("\n") for one in value[:-1])


def packed(text: str, alone: bool = False) -> bytes | None:
    """The bytes that a string encodes, where they are packed or a text of lines, or of one where that is enough."""
    found = _BASE64.fullmatch(text) if len(text) >= 64 else None
    if found is None:
        return None
    try:
        data = base64.b64decode(found[1])
    except binascii.Error:
        return None
    head = data[:4096]
    lines = (head if alone else head.strip()).count(b"\n") and all(byte >= 32 or byte in b"\t\r\n\x1b" for byte in head)
    return data if packing_of(data) is not None or data.startswith(b"PK\3\4") or lines else None


def _bytes(text: str) -> bytes:
    data = packed(text, alone=True)
    return text.encode("utf-8", "surrogateescape" if text.isascii() else "replace") if data is None else data
