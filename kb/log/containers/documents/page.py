"""Pages and documents of markup: what they show, a block or a row of a table a line.

HTML, whatever stands on one physical line; XML of any vocabulary, in which an element is a line (RSS of a tracker,
JUnit, Robot Framework, exports of Bugzilla and ServiceNow). Markup that stands in a text, escaped, is read like a page.
What a page's scripts draw it from (JSON, by itself or given to a name) is an input beside its text; an element of XML
without a text is shown by its longest attribute of words.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.exports.unnamed import is_words, opens
from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_TAG = re.compile(
    r"<(?:(?P<end>/)?(?P<name>[A-Za-z][\w.:-]{0,60})(?P<rest>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>"
    r"|(?P<comment>!--)|(?P<raw>!\[CDATA\[)|[!?][^<>]*>)"
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label mark nobr q s samp small span strike strong"
    " sub sup tt u var wbr o:p time img input ac:parameter".split()
)
"""Elements within a line."""
_CELLS = frozenset({"td", "th"})
_HIDDEN = frozenset({"script", "style"})
_SCRIPT = 4 << 20
"""Characters of a script that are looked at."""
_VALUE = re.compile(r"(?:^|[=(,:])\s{0,9}(?=[{\[])")
_LOOKS = 1000
"""Scripts, values and attributes of a page that are looked at."""
_HOLDS = re.compile(r"\s{0,9}(?:[{\[]\s{0,9}[\"{\[]|<[a-z!])", re.I)
"""How a value of an attribute begins that is a document, or a page."""
_VALUES = 8
"""Values that are looked for in a script."""
_ATTRIBUTE = re.compile(r"[\w.:@-]{1,80}\s{0,9}=\s{0,9}(?:\"([^\"<]*)\"|'([^'<]*)')")
_HTML = frozenset("a b body br center code div font hr html i li ol p pre span table td th tr tt u ul".split())
_PRINTED = re.compile(r"[0-9a-f]{8}(?:[0-9a-f]{8})?|[\w.-]{1,60}::[\w.:-]{1,60}")
"""What the kernel prints in angle brackets and nobody has escaped: an address, a path of Rust's."""
_ESCAPED = re.compile(r"\s{0,100}<(?:p|div|pre|br|table|span|html|body|ul|ol|h\d|code)[ />]", re.I)
"""How a page begins that stands in an element as text."""
_WAITING = 1 << 17
"""Characters in which a tag or an entity ends: a test's message is an attribute."""
_DOCUMENT = re.compile(rb"\s{0,200}<(?:!doctype\s|\?xml\s|html[\s>]|[a-z][\w.:-]{0,60}\s{1,80}xmlns[:=])", re.I)
_PART = "table|div|pre|p|body|span|ol|ul|section|article|code|h[1-6]"
"""With what a part of a page begins."""
_WEB = re.compile(
    rf"\s{{0,200}}(?:(?:<\?xml\s[^<>]{{0,200}}>\s{{0,200}})?<(?:!doctype\s{{1,9}})?html\b|<(?:{_PART})[\s>])", re.I
)
_FRAGMENT = re.compile(rf"\s{{0,200}}<(?:{_PART})(?:\s[^<>]{{0,500}})?>".encode(), re.I)
_XML = re.compile(rb"\s{0,200}<[a-z][\w.:-]{0,60}(?:\s[^<>]{0,500})?>\s{0,200}<[a-z!]")
_PARTS = re.compile(rb"<t[dh][\s>]|<!\[CDATA\[", re.I)
"""Cells, and text as it stands: a part of a page without them is read line by line, as a mail's."""
_NOTE = "line numbers are those of the page's text"


def needed(head: bytes) -> bool:
    """Whether bytes begin a page, or a document of XML."""
    begin = head.removeprefix(b"\xef\xbb\xbf")
    if _DOCUMENT.match(begin) is not None or (_FRAGMENT.match(begin) and _PARTS.search(begin)):
        return True
    return b"<![CDATA[" in begin and _XML.match(begin) is not None


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The page's text, and the values in its scripts and attributes that may hold a log."""
    reader = _Reader()
    yield Member("", pieces(_text(read, reader)), note=_NOTE)
    for number, text in enumerate(reader.beside, 1):
        if not walk.member():
            return
        data = text.encode("utf-8", "replace")
        if walk.keeps(len(data)):
            yield Member(f"value{number}", pieces(iter((data,))))
            walk.release(len(data))


def _text(read: Read, reader: _Reader) -> Iterator[bytes]:
    rest = b""
    while piece := read(1 << 18):
        data = rest + piece
        cut = max(data.rfind(b"<"), data.rfind(b"&"), len(data) - _WAITING)
        cut = cut if cut > len(data) - _WAITING else max(data.rfind(b"\n") + 1, cut)
        rest = data[cut:]
        yield reader.feed(data[:cut].decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    yield reader.feed(rest.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") + b"\n"


class _Reader:
    """What is open, and where in a line its text stands."""

    def __init__(self, *, inner: bool = False) -> None:
        self._until: str | None = None
        """What ends the part that is passed over or taken as it stands."""
        self._hidden = False
        self._pre = 0
        self._cell = self._filled = False
        """Within a cell; it has a text already."""
        self._row = False
        """A cell of the row has begun."""
        self._start = True
        """At the start of a line."""
        self._inner: _Reader | None = None
        """The page that is read in an element as text."""
        self._nests = not inner
        self._fresh = False
        """Nothing was read of an element but its tag."""
        self._web: bool | None = True if inner else None
        """Whether the page is one of HTML; None before anything of it was read."""
        self._words = ""
        """Words of the attributes of the element that has just begun."""
        self._script: list[str] = []
        self._looks = _LOOKS
        self._room = _SCRIPT
        """Characters that may still be held of scripts and attributes."""
        self.beside: list[str] = []
        """Values of scripts and attributes that may hold a log, whole."""
        self._out: list[str] = []

    def feed(self, data: str) -> str:
        """The text of what comes next."""
        if self._web is None and data:
            self._web = _WEB.match(data) is not None
        self._out, at = [], 0
        while at < len(data):
            if self._until is not None:
                at = self._pass(data, at)
                continue
            tag = _TAG.search(data, at)
            self._shown(html.unescape(data[at : len(data) if tag is None else tag.start()]))
            if tag is None:
                break
            at = tag.end()
            self._mark(tag)
        return "".join(self._out)

    def _pass(self, data: str, at: int) -> int:
        """Up to the end of a comment, a script, or text as it stands; the place behind it."""
        assert self._until is not None
        ends = re.compile(re.escape(self._until), re.I).search(data, at)  # the module keeps the few that there are
        end = -1 if ends is None else ends.start()
        text = data[at : end if end >= 0 else len(data)]
        if not self._hidden:
            self._shown(text)
        elif self._until == "</script":
            self._hold(text)
        if end < 0:
            return len(data)
        self._values()
        end += 0 if self._until.startswith("</") else len(self._until)
        self._until, self._hidden = None, False
        return end

    def _hold(self, text: str) -> None:
        text = text[: self._room]
        self._room -= len(text)
        self._script.append(text)

    def _opens(self, text: str) -> bool:
        """Whether a text may open a report, as long as not too many were asked for that."""
        self._looks -= 1
        return self._looks >= 0 and opens(text.encode("utf-8", "replace"))

    def _values(self) -> None:
        """Note the values in the script that has ended."""
        text, self._script = "".join(self._script), []
        if not text or not self._opens(text):
            self._room += len(text)
            return
        at = 0
        for _ in range(_VALUES):
            found = _VALUE.search(text, at)
            if found is None:
                return
            at = found.end()
            try:
                _, end = json.JSONDecoder().raw_decode(text, at)
            except (ValueError, RecursionError):
                continue
            if self._opens(text[at:end]):
                self.beside.append(text[at:end])
            at = end

    def _attributes(self, rest: str) -> None:
        """Note what the attributes of an element say: a page's state, a page; words."""
        values = (html.unescape(found[1] or found[2] or "") for found in _ATTRIBUTE.finditer(rest))
        texts = [value for value in values if is_words(value)]
        for text in texts if self._web else ():
            if _HOLDS.match(text) is not None and len(text) <= self._room and self._opens(text):
                self._room -= len(text)
                self.beside.append(text)
        self._words = "" if self._web else max(texts, key=len, default="")

    def _mark(self, tag: re.Match[str]) -> None:
        if tag["comment"]:
            self._until, self._hidden = "-->", True
        elif tag["raw"]:
            self._until = "]]>"
        elif tag["name"]:
            self._element(tag)

    def _element(self, tag: re.Match[str]) -> None:
        name, ends = tag["name"].lower(), tag["end"] is not None
        printed = _PRINTED.fullmatch(tag["name"]) is not None or (tag["name"].isupper() and name not in _HTML)
        if printed and not tag["rest"]:  # a stack's name that nobody has escaped
            self._shown(tag[0])
            return
        self._leave()
        words, self._words = self._words, ""
        if not ends and "=" in tag["rest"]:
            self._attributes(tag["rest"])
            words = self._words if tag["rest"].endswith("/") else ""
        if words and (self._fresh or not ends):
            self._out.append(("" if self._start else "\n") + words + "\n")
            self._start = True
            self._words = ""
        self._fresh = not ends
        if name in _HIDDEN:
            if not ends and not tag["rest"].endswith("/"):
                self._until, self._hidden = f"</{name}", True
        elif name in _CELLS:
            self._begin_cell(ends)
        elif name not in _INLINE:
            self._block(name, ends)
        elif name == "a" and ends and self._out and self._out[-1].isdecimal():
            self._out.append(" ")  # a line's number

    def _begin_cell(self, ends: bool) -> None:
        if not ends and self._row:
            self._out.append("\t")
            self._start = False
        self._row = self._row or not ends
        self._cell, self._filled = not ends, False

    def _block(self, name: str, ends: bool) -> None:
        if name == "pre":
            self._pre = max(self._pre + (-1 if ends else 1), 0)
        if name == "tr":
            self._row = self._cell = False
        elif self._row and (ends or not self._filled):
            return  # the only one in its cell, or its end: the row goes on
        if not self._start or name == "br":
            self._out.append("\n")
        self._start = True

    def _leave(self) -> None:
        """End the page that stood in an element."""
        if self._inner is not None:
            self._start, self._inner = self._inner._start, None

    def _shown(self, text: str) -> None:
        if not text:
            return
        if self._inner is None and self._nests and self._fresh and _ESCAPED.match(text) is not None:
            self._inner = _Reader(inner=True)
        if self._inner is not None:
            text = self._inner.feed(text)
        elif not self._pre and "\n" in text and not text.strip():
            return  # between two elements
        self._fresh = self._fresh and not text.strip()
        text = text.replace("\xa0", " ").replace("\r", "")
        if self._row and not self._pre and not self._filled:
            text = text.lstrip("\n")
        if not text:
            return
        self._filled = True
        self._out.append(text)
        self._start = text.endswith("\n")
