"""Documents of word processors and tables, as their archives hold them: paragraphs as lines.

Office Open XML (``word/document.xml``, ECMA-376: ``w:p``, ``w:tab``, ``w:br``; ``a:p`` of slides), OpenDocument
(``content.xml``, ISO 26300: ``text:p``, and blanks in a row as ``<text:s text:c="5"/>``).
"""

import html
import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_MARK = re.compile(
    rb"<(?:(?P<cell>/text:p></table:table-cell)|(?P<end>/(?:[wa]:p|text:p|text:h|table:table-row))"
    rb"|(?P<br>[wa]:br(?: [^<>]{0,200})?/|text:line-break/)"
    rb"|(?P<tab>(?:w:tab|text:tab)(?: [^<>]{0,200})?/|/table:table-cell)"
    rb'|text:s(?: text:c="(?P<blanks>\d{1,4})")?/'
    rb"|[^<>]{1,2000})>"
)
_BLANKS = 256
"""Blanks that one mark may stand for: columns of a page."""
_WAITING = 4096
"""Bytes in which a mark ends."""
_NOTE = "line numbers are those of the document's paragraphs"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The document's text."""
    yield Member("", pieces(_text(read)), text=True, note=_NOTE)


def _text(read: Read) -> Iterator[bytes]:
    rest = b""
    while piece := read(1 << 18):
        data = rest + piece
        cut = data.rfind(b"<")
        cut = cut if cut >= 0 and len(data) - cut < _WAITING else len(data)
        rest = data[cut:]
        yield _plain(data[:cut])
    yield _plain(rest)


def _plain(data: bytes) -> bytes:
    text = _MARK.sub(_shown, data.replace(b"\r", b"").replace(b"\n", b""))
    return html.unescape(text.decode("utf-8", "replace")).encode("utf-8", "replace") if b"&" in text else text


def _shown(found: re.Match[bytes]) -> bytes:
    if found["end"] or found["br"]:
        return b"\n"
    if found["tab"] or found["cell"]:
        return b"\t"
    if found[0].startswith(b"<text:s") and found[0][7:8] in b" /":
        return b" " * min(int(found["blanks"] or b"1"), _BLANKS)
    return b""
