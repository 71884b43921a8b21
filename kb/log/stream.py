"""One input that was opened: unpacked, in UTF-8, its first bytes looked at."""

import codecs
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from kb.errors import InputError
from kb.log.files import Held, read_all, readable
from kb.log.tape import Tape
from kb.log.text import encoded
from kb.log.unpack import FREE, RATIO, Pushed, Read, Unpacked, packing_of

if TYPE_CHECKING:
    from kb.log.containers.walk import Walk

_TEXT_PROBE = 8192
TELLING = 512
"""Bytes that tell how an input is packed and encoded, and what it holds: a header of tar."""


class Source(NamedTuple):
    """One input, ready to be read as lines."""

    name: str
    """Path as given, ``-`` for standard input and for text."""
    data: bytes
    """Unpacked, UTF-8 where it was UTF-16; empty where the input was not read."""
    notes: tuple[str, ...] = ()
    """What was wrong with the input: ``gzip data is cut or damaged after 400 bytes``, ``not read: a FIFO, ...``."""


class Input(NamedTuple):
    """One input, to be read as it comes."""

    name: str
    """As :attr:`Source.name`; of a member of a container, the container's name, ``!``, and its own."""
    tape: Tape
    notes: list[str]
    """As :attr:`Source.notes`; damage behind the first megabytes is told when it is reached."""
    walk: "Walk | None" = None
    """The walk through what holds it: inputs of one walk may tell the same event. None for a log of its own."""
    release: str | None = None
    """Kernel release that the container tells beside this text."""
    ends: bool = False
    """True for an input without bytes that ends a walk: what was passed over is known now."""


class Stream:
    """An input that was opened: unpacked, its first bytes looked at.

    Args:
        name: What errors and reports call it.
        read: Gives its bytes.
        head: Bytes of it that were read before.
        walk: The walk it is met on, for a member.
        live: True for one that may still be written: what it is must be told by the head that is there.
        notes: Where what is wrong with it is told; others may add to it.
    """

    def __init__(
        self,
        name: str,
        read: Read,
        head: bytes = b"",
        walk: "Walk | None" = None,
        live: bool = False,
        notes: list[str] | None = None,
    ):
        self.name = name
        self.live = live
        self.notes = [] if notes is None else notes
        self.packed = False
        """True where the bytes are no longer those of the file."""
        self.walk = walk
        self.release: str | None = None
        self.taken = len(head)
        """Bytes that were read of it, packed as they are."""
        self._raw = read
        self.read: Read = self._counted
        self.head = head if live else _first(head, self.read)
        for _ in range(3):  # a .gz inside a .gz happens; more is no log
            packing = packing_of(self.head)
            if packing is None:
                break
            self.packed = True
            self.read = Unpacked(name, Pushed(self.head, self.read), packing, self.notes).read
            self.read = walk.counted(self.read, name, self.notes) if walk is not None else self._bounded(self.read)
            self.head = _first(b"", self.read)
        if not live:
            self._decode()

    def _decode(self) -> None:
        """Go on in UTF-8: what an export or a mail begins with is told by letters."""
        self.head = self.head.removeprefix(_MARK)
        encoding = _wide(self.head[:_TEXT_PROBE])
        if encoding is not None:
            self.packed = True
            self.read = _utf8(Pushed(self.head, self.read).read, encoding)
            self.head = _first(b"", self.read)

    def _counted(self, size: int) -> bytes:
        piece = self._raw(size)
        self.taken += len(piece)
        return encoded(piece) if isinstance(piece, str) else piece

    def _bounded(self, read: Read) -> Read:
        """What is unpacked, as long as it does not grow as only a bomb does."""
        size = 0

        def piece(most: int) -> bytes:
            nonlocal size
            got = read(most)
            size += len(got)
            if size > FREE and size > RATIO * self.taken:
                reason = f"grows to more than {RATIO} times its size when it is unpacked"
                raise InputError(reason, path=self.name, help="unpack it yourself if you trust it, and give the log")
            return got

        return piece

    @property
    def foreign(self) -> bool:
        """True for what is no plain UTF-8 text, and for what must be put in order: it is read whole.

        No kernel that still runs logs like that, so that a pipe of it ends.
        """
        head = self.head[:_TEXT_PROBE]
        if self.live:
            return _wide(head) is not None or PART.match(head) is not None
        return b" Part" in head[:64] or _spaced(head) or _coloured(head) or _escaped(head)

    def far(self, size: int) -> bool:
        """Read on until so many first bytes are held; False where there are no more than were looked at."""
        had = len(self.head)
        if self.live or had < TELLING or is_binary(self.head):
            return False
        parts = [self.head]
        while had < size and (piece := self.read(size - had)):
            parts.append(piece)
            had += len(piece)
        self.head = b"".join(parts)
        return len(self.head) > _TEXT_PROBE

    def all(self) -> Read:
        """All of its bytes, from the first on."""
        return Pushed(self.head, self.read).read

    def whole(self) -> Source:
        """All of it, in UTF-8."""
        held = Held(self.name, said="once unpacked" if self.packed else "")
        data = readable(self.name, lambda: read_all(self.all(), held))
        return plain(self.name, data, self.notes)

    def tape(self, file: BinaryIO | None = None) -> Input:
        """The same, to be read as it comes.

        Args:
            file: The file that is read: a live one, or one that can be read again.
        """
        if self.foreign:
            source = self.whole()
            return self._input(Tape(source.data), list(source.notes))
        if file is not None and not self.packed:
            tape = Tape(file, start=self.head.removeprefix(_MARK))
        else:
            tape = Tape(Pushed(b"", self.read), start=self.head)
        tape.limit(self.name, "once unpacked" if self.packed else "")
        return self._input(tape, self.notes)

    def _input(self, tape: Tape, notes: list[str]) -> Input:
        return Input(self.name, tape, notes, self.walk, self.release)


_MARK = b"\xef\xbb\xbf"
"""The mark of byte order that some put before UTF-8."""


def _utf8(read: Read, encoding: str) -> Read:
    """Bytes of UTF-16, UTF-32 or EBCDIC as UTF-8."""
    decode = _decoder(encoding)

    def piece(size: int) -> bytes:
        text = ""
        while not text and (got := read(max(size // 2, 4))):  # three bytes for two, at most
            text = decode(got, False).lstrip("\ufeff")
        return (text or decode(b"", True)).encode("utf-8", "replace")

    return piece


def _first(head: bytes, read: Read) -> bytes:
    """So many first bytes as tell what the input is: zeros tell nothing."""
    while len(head) < TELLING and (piece := read(_TEXT_PROBE)):
        head += piece
    while head and len(head) < _HOLE and not head.strip(b"\0") and (piece := read(_TEXT_PROBE)):
        head += piece
    return head


_NO_BREAK = re.compile(rb"\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80|&nbsp;|&#160;")
"""Blanks of Unicode that are none of ASCII's (Zs), and as HTML writes the commonest."""
_BLANKS = 16
"""Such blanks, in the first bytes, by which a text is one that came through a web page."""


def _spaced(head: bytes) -> bool:
    """Whether a text has its blanks as a page shows them: nothing that is looked for would be found in it."""
    return (not head.isascii() or b"&" in head) and len(_NO_BREAK.findall(head)) >= _BLANKS


_SGR = re.compile(rb"\x1b\[[0-9;:]{0,40}m")
_COLOURS = 5
"""Changes of colour a line by which single words are coloured; dmesg has four."""


def _coloured(head: bytes) -> bool:
    """Whether a text has its words in colours: nothing that is looked for would be found in it."""
    return head.count(b"\x1b[") > _COLOURS * max(head.count(b"\n"), 1)


_ESCAPE = re.compile(rb"\\([][_*<>~#`|(){}+.!-])")
_ESCAPES = 16
"""Marks of Markdown with a backslash, in the first bytes, by which a text is one that an editor wrote as such."""
_BARE = re.compile(rb"(?<=[a-z0-9])_(?=[a-z0-9])")


def _escaped(head: bytes) -> bool:
    """Whether a text has its marks escaped as editors export them to Markdown: each ``_`` of a name, each bracket."""
    if head.count(b"\\") < _ESCAPES:
        return False
    return len(_ESCAPE.findall(head)) >= _ESCAPES and head.count(b"\\_") > 4 * len(_BARE.findall(head))


def is_binary(data: bytes) -> bool:
    """True for bytes that are no text, no UTF-16 text and nothing that can be unpacked."""
    probe = data.lstrip(b"\0")[:_TEXT_PROBE]
    if not probe or packing_of(data) is not None or _wide(data[:_TEXT_PROBE]) is not None:
        return False
    probe = _ZEROS.sub(b"", probe)
    odd = len(probe) - len(probe.translate(None, _CONTROLS))
    if probe.startswith((b"\x7fELF", b"\x89PNG", b"PK\3\4")) or odd * 10 > len(probe):
        return True
    return odd * 20 > len(probe) and probe.decode("utf-8", "replace").count("\ufffd") * 5 > len(probe)


def is_wordless(head: bytes) -> bool:
    """Whether a text has no word: rows of one length, or one row, without a blank, are bytes written in some way.

    Lists have rows of many lengths, or rows that begin alike; numbers and digests have few characters; JSON has its
    quotes, an address its scheme, and other scripts do without blanks.
    """
    probe = head[:_TEXT_PROBE]
    if len(probe) < _WORDLESS or not probe.isascii() or any(byte in probe for byte in b" \t\0"):
        return False
    if _MARKUP.match(probe) is not None or len(set(probe)) < _ALPHABET:
        return False
    rows = probe.split()
    alike = len(rows) > 3 and len({row[:2] for row in rows[:-1]}) == 1
    even = len({len(row) for row in rows[:-2]}) <= 1
    return not alike and even and len(rows[0]) >= _ROW and len(rows[-1]) <= len(rows[0])


def wordless(head: bytes, name: str) -> InputError | None:
    """Why a text says nothing to kb; None for one that has words."""
    if not is_wordless(head):
        return None
    help_ = "decode it first (base32 -d, od -c and the like write bytes as text), or give the log's text"
    return InputError("holds no words: it is written in a way that kb does not read", path=name, help=help_)


_MARKUP = re.compile(rb"\s*(?:[{\[\"']|<[A-Za-z!?/]|[A-Za-z][A-Za-z+.-]{1,9}://)")
_WORDLESS, _ROW = 512, 40
"""Bytes of a text, and of its first row, by which it is none: few keys and addresses are as long."""
_ALPHABET = 28
"""Characters by which bytes are written, at least: base32 has 32; numbers, with signs and times, some twenty."""
_HOLE = 1 << 20
"""Bytes at the beginning of an input that may be a hole: ISO 9660 has 32 kB, a file cut by a crash any number."""
_ZEROS = re.compile(rb"\0{64,}")
"""A hole in a text: written after a crash, or set aside before there was anything to write."""
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\a\b\t\n\v\f\r\x1b")
"""What no text holds, but for a line or two: NUL where a serial port had nothing to say."""


PART = re.compile(rb"^(?:[A-Z][a-z]{3,12})#(\d{1,9}) Part(\d{1,9})\r?$", re.M)
"""fs/pstore/platform.c pstore_dump(): the head of one part of a dump; part 1 is the newest text."""


def _in_order(data: bytes) -> bytes:
    """The parts of a pstore dump, oldest text first; any other data unchanged."""
    heads = list(PART.finditer(data))
    if len(heads) < 2 or heads[0].start() != 0:
        return data
    ends = [*(head.start() for head in heads[1:]), len(data)]
    parts = [(int(head[1]), -int(head[2]), data[head.start() : end]) for head, end in zip(heads, ends, strict=True)]
    ordered = sorted(parts, key=lambda part: part[:2])
    if ordered == parts:
        return data
    return b"".join(text if text.endswith(b"\n") else text + b"\n" for _, _, text in ordered)


def plain(name: str, data: bytes, notes: list[str]) -> Source:
    """Bytes in UTF-8, and in order where they are parts of a dump; ``notes`` are added to."""
    encoding = _wide(data[:_TEXT_PROBE])
    if encoding is not None:
        data = _decoder(encoding)(data, True).lstrip("\ufeff").encode("utf-8", "replace")
    data = data.removeprefix(_MARK)
    if _spaced(data[:_TEXT_PROBE]):
        data = _NO_BREAK.sub(b" ", data)
    if _coloured(data[:_TEXT_PROBE]):
        data = _SGR.sub(b"", data)
    if _escaped(data[:_TEXT_PROBE]):
        data = _ESCAPE.sub(rb"\1", data)
    ordered = _in_order(data) if b" Part" in data[:64] else data
    if ordered is not data:
        notes.append("parts of a pstore dump put in order: line numbers are those of the joined text")
        data = ordered
    return Source(name, data, tuple(notes))


_LETTERS = bytes(
    (
        *range(0x81, 0x8A),
        *range(0x91, 0x9A),
        *range(0xA2, 0xAA),
        *range(0xC1, 0xCA),
        *range(0xD1, 0xDA),
        *range(0xE2, 0xEA),
        *range(0xF0, 0xFA),
    )
)
_PAGE = {0xDD: "[", 0xA8: "]", 0x85: "\n"}
"""The brackets of page 1047 (z/OS), read as page 037 (z/VM), and its line end."""


def _ebcdic(probe: bytes) -> str | None:
    """The code page of a text in EBCDIC, as z/VM and z/OS send it in binary: a blank is 0x40, and 0x20 is none."""
    if b" " in probe or b"@" not in probe or probe.count(b"@") * 50 < len(probe):
        return None
    letters = len(probe) - len(probe.translate(None, _LETTERS))
    if letters * 2 < len(probe) or not (b"\x15" in probe or b"%" in probe):
        return None
    if probe.decode("utf-8", "replace").count("\ufffd") * 10 < len(probe):
        return None  # letters of another script
    return "cp500" if probe.count(b"J") > probe.count(b"\xba") + probe.count(b"\xad") else "cp037"


def _decoder(encoding: str) -> Callable[[bytes, bool], str]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    if not encoding.startswith("cp"):
        return decoder.decode
    return lambda data, final: decoder.decode(data, final).translate(_PAGE)


def _wide(probe: bytes) -> str | None:
    """What other than UTF-8 a text is in: UTF-16 or UTF-32, with or without a byte order mark; EBCDIC."""
    if probe.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if probe.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if probe.startswith(b"\xfe\xff"):
        return "utf-16-be"
    half = len(probe) // 2
    if half < 8:
        return None
    even, odd = probe[0::2].count(0), probe[1::2].count(0)
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return _ebcdic(probe)
