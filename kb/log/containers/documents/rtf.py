r"""Rich text: the text of a document of Word or WordPad, its paragraphs as lines.

Rich Text Format Specification 1.9.1: ``\par`` ends a paragraph, ``\'hh`` is a byte of the code page, ``\uN`` a
character behind which ``\ucN`` others stand for old readers; a group that begins with ``\*`` or names fonts, colours,
styles or a picture holds no text.
"""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z'])|([{}])|[\r\n]{1,64}|([^\\{}\r\n]{1,4096})", re.I
)
_BREAKS = frozenset({b"par", b"line", b"row", b"sect", b"page"})
_ASIDE = frozenset(
    {b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"header", b"footer", b"object", b"filetbl"}
)
_CHARACTERS = {
    b"tab": "\t",
    b"cell": "\t",
    b"emdash": "\u2014",
    b"endash": "\u2013",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
    b"bullet": "\u2022",
}
_DEEPEST = 1_000
_NOTE = "line numbers are those of the document's paragraphs"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The document's text."""
    yield Member("", pieces(_text(read)), note=_NOTE)


def _text(read: Read) -> Iterator[bytes]:
    """The text, as it is read."""
    reader = _Reader()
    rest = b""
    while piece := read(1 << 18):
        data = rest + piece
        cut = max(data.rfind(b"\n"), data.rfind(b"}"), len(data) - 8192) if len(data) > 8192 else 0
        while data[cut - 1 : cut] == b"\\":  # the brace or the line end is what it escapes
            cut -= 1
        rest = data[cut:]
        yield reader.feed(data[:cut])
    yield reader.feed(rest)


class _Reader:
    """The groups that are open, and what they say of the text in them."""

    def __init__(self) -> None:
        self._aside = [False]
        self._fallback = 1
        self._skip = 0
        self._decoder = _decoder("cp1252")

    def feed(self, data: bytes) -> bytes:
        """The text of whole tokens."""
        out: list[str] = []
        for found in _TOKEN.finditer(data):
            word, number, code, char, brace, plain = found.groups()
            if brace:
                self._group(brace)
            elif word:
                out.append(self._word(word.lower(), number))
            elif char:
                self._aside[-1] = self._aside[-1] or char == b"*"
                out.append(
                    self._shown(
                        {b"~": " ", b"_": "-", b"\n": "\n"}.get(char, char.decode("latin-1") if char in b"\\{}" else "")
                    )
                )
            elif code or plain:  # of two bytes, the second one may be written as the character that it is alone
                out.append(self._bytes(bytes.fromhex(code.decode()) if code else plain))
        return "".join(out).encode("utf-8", "replace")

    def _group(self, brace: bytes) -> None:
        if brace == b"{" and len(self._aside) < _DEEPEST:
            self._aside.append(self._aside[-1])
        elif brace == b"}" and len(self._aside) > 1:
            self._aside.pop()

    def _word(self, word: bytes, number: bytes | None) -> str:
        value = int(number or b"0")
        if word in _ASIDE:
            self._aside[-1] = True
        elif word == b"uc":
            self._fallback = min(max(value, 0), 8)
        elif word == b"ansicpg":
            self._decoder = _decoder(f"cp{value}" if value in _PAGES else "cp1252")
        elif word == b"u" and number is not None:
            shown = self._shown(chr(value & 0xFFFF) if not 0xD800 <= value & 0xFFFF < 0xE000 else "\ufffd")
            self._skip = self._fallback
            return shown
        elif not self._aside[-1]:
            return "\n" if word in _BREAKS else _CHARACTERS.get(word, "")
        return ""

    def _bytes(self, data: bytes) -> str:
        """What bytes of the code page show: each of them counts where old readers' characters are passed."""
        skip, self._skip = self._skip, max(self._skip - len(data), 0)
        return "" if self._aside[-1] else self._decoder.decode(data[skip:])

    def _shown(self, text: str) -> str:
        skip, self._skip = self._skip, max(self._skip - len(text), 0)
        return "" if self._aside[-1] else text[skip:]


def _decoder(page: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(page)("replace")


_PAGES = frozenset({437, 850, 866, 874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258})
