"""Which container an input is, by its first bytes."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from kb.log.containers.walk import Member, Walk
    from kb.log.unpack import Read

    Members = Callable[[str, Read, BinaryIO | None, Walk], Iterator[Member]]
    """Name of the container, its bytes, the plain file that has them where there is one, the walk."""

GUESSED = "exports.unnamed"
"""The format of which no name of a field tells, but what the values say."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
"""PNG, JPEG, GIF, TIFF."""
_TAR = 512
"""Bytes of a header of tar."""


def container_of(name: str, head: bytes) -> Members | None:
    """What lists the members of an input, None for one that is a text of its own.

    Args:
        name: Its name; pstore's compressed records say what they are by it alone.
        head: Its first bytes, :data:`kb.log.stream.TELLING` of them or more, unpacked.
    """
    return _members(format_of(name, head))


def further(name: str, head: bytes) -> Members | None:
    """What lists the members of a text that goes on in another form behind what :func:`container_of` has seen.

    Args:
        name: Its name.
        head: Its first bytes, some hundred thousand.
    """
    return _members(_first(_FURTHER, name, head))


def members_of(module: str) -> Members:
    """What lists the members of an input that is of a format."""
    members: Members = importlib.import_module(f"kb.log.containers.{module}").members
    return members


def format_of(name: str, head: bytes) -> str | None:
    """The module that reads an input, by its name below this folder, as :func:`container_of` is told it."""
    return _first(_FORMATS, name, head)


def _first(formats: tuple[tuple[str, Callable[[str, bytes], bool]], ...], name: str, head: bytes) -> str | None:
    return next((module for module, tells in formats if tells(name, head)), None)


def _members(module: str | None) -> Members | None:
    return None if module is None else members_of(module)


_PROGRAM = re.compile(rb"(?:#!|MZ|\x7fELF).*?PK\x03\x04[\x0a-\x3f]\0", re.S)
"""A program of a few kilobytes before an archive that unpacks itself (APPNOTE.TXT 4.3.7: a version, at most 6.3)."""


def _zip(name: str, head: bytes) -> bool:
    """An archive, the first part of one (APPNOTE.TXT 8.5.3, .4), or one behind a program."""
    begins = head.startswith((b"PK\3\4", b"PK\5\6", b"PK00PK\3\4", b"PK\7\x08PK\3\4"))
    return begins or _PROGRAM.match(head) is not None


_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")


def ends_in_zip(head: bytes, file: BinaryIO) -> bool:
    """Whether a program unpacks itself: a zip archive is told by its end, whatever is before it (APPNOTE.TXT 4.1.9).

    Args:
        head: The first bytes of the file.
        file: The file, which can be sought; where it stands stays.
    """
    if not head.startswith(_PROGRAMS):
        return False
    import zipfile

    at = file.tell()
    try:
        return zipfile.is_zipfile(file)
    finally:
        file.seek(at)


def _behind(name: str, head: bytes) -> bool:
    if not head.startswith(b"#!"):
        return False
    from kb.log.containers.archives.behind import needed

    return needed(head)


def _tar(name: str, head: bytes) -> bool:
    """A header whose checksum is right: the bytes added up, the checksum's own as blanks (POSIX.1-1988 ustar)."""
    header = head[:_TAR]
    digits = header[148:156].strip(b" \0")
    if len(header) < _TAR or not digits or not header[0] or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(header[:148]) + 8 * 32 + sum(header[156:])


def _picture(name: str, head: bytes) -> bool:
    if head.startswith(b"BM"):
        return head[6:10] == bytes(4)  # reserved, before the offset of the points
    return head.startswith(_PICTURES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")


def _pdf(name: str, head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf\0 \t\r\n").startswith(b"%PDF-")


def _pstore(name: str, head: bytes) -> bool:
    return name.endswith(".enc.z")


_PROBLEM = re.compile(rb"(?:[A-Z][A-Za-z0-9]{1,40}: [^\n]{0,300}\n){0,3}ProblemType: ")
_FIELDS = (b"Architecture: ", b"ApportVersion: ")


def _apport(name: str, head: bytes) -> bool:
    return _PROBLEM.match(head) is not None or (head.startswith(_FIELDS) and b": base64\n" in head)


def _sqlite(name: str, head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0")


_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]|[ \t]\S")
_MAIL = re.compile(
    rb"^Content-(?:Transfer-Encoding: ?(?:base64|quoted-printable)|Type: ?(?:multipart|message)/)"
    rb"|[; \t](?:DelSp=\"?yes|format=\"?flowed)",
    re.M | re.I,
)
_RECEIVED = re.compile(rb"^(?:Received|Return-Path|DKIM-Signature|ARC-Seal|Authentication-Results): ", re.M | re.I)
_FROM = re.compile(rb"From [^\s]{1,200} {1,2}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d[^\n]{0,40}\n")


def _mail(name: str, head: bytes) -> bool:
    """An mbox, or a mail whose parts have to be decoded; any other mail is text."""
    if _FROM.match(head):
        return True
    lines = head.split(b"\n", 3)[:3]
    if len(lines) < 3 or not all(map(_HEADER.match, lines)):
        return False
    if _MAIL.search(head) is not None:
        return True
    rows = head.replace(b"\r\n", b"\n").split(b"\n")[:-1]  # a head that is longer than what was read of it
    return _RECEIVED.search(head) is not None and len(rows) > 8 and all(map(_HEADER.match, rows))


def _console(name: str, head: bytes) -> bool:
    """A cloud's answer that holds a whole console as one string, or a string by itself."""
    if head.lstrip()[:1] not in (b"{", b'"', b"'", b"b"):
        return False
    from kb.log.containers.exports.document import console

    return console(head)


def _document(name: str, head: bytes) -> bool:
    if head.lstrip()[:1] not in (b"{", b"[", b"("):
        return False
    from kb.log.containers.exports.document import needed

    return needed(head)


def _answers(name: str, head: bytes) -> bool:
    if head.lstrip()[:1] not in (b"{", b"["):
        return False
    from kb.log.containers.exports.unnamed import answers

    return answers(head)


def _unnamed(name: str, head: bytes) -> bool:
    if b"{" not in head and b"[" not in head:
        return False
    from kb.log.containers.exports.unnamed import needed

    return needed(head)


_CAST = re.compile(
    rb'\{\s{0,40}"version"\s{0,8}:\s{0,8}[123]\s{0,8},\s{0,40}"(?:width|height|term|duration|timestamp|command|title|env)"'
)


def _cast(name: str, head: bytes) -> bool:
    return _CAST.match(head) is not None


def _ttyrec(name: str, head: bytes) -> bool:
    if len(head) < 12 or head[11] or head[3:4] < b"\x2f":  # of small frames since 1995
        return False
    from kb.log.containers.screens.ttyrec import needed

    return needed(head)


_OFFICE = re.compile(rb"<(?:w:document|office:document-content|p:sld)[ >]")


def _office(name: str, head: bytes) -> bool:
    return head.startswith(b"<") and _OFFICE.search(head, 0, 1000) is not None


def _page(name: str, head: bytes) -> bool:
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return False
    from kb.log.containers.documents.page import needed

    return needed(head)


def _rtf(name: str, head: bytes) -> bool:
    return head.startswith(b"{\\rtf")


def _json(name: str, head: bytes) -> bool:
    begin = head.lstrip(b"\x1e \t\r\n")
    if begin[:1] not in (b"{", b"[") and not begin.startswith((b"data: {", b"data:{")):
        return False
    from kb.log.containers.exports.from_json import needed

    return needed(head)


_YAML = re.compile(
    rb"(?:(?:#|%)[^\n]{0,200}\n){0,8}(?:---[ \t\r]{0,8}\n)?(?:- )?[\w./-]{1,64}:(?: [^\n]*)?\n[ \w-]", re.A
)


def _yaml(name: str, head: bytes) -> bool:
    if _YAML.match(head) is None:
        return False
    from kb.log.containers.exports.from_yaml import needed

    return needed(head)


def _table(name: str, head: bytes) -> bool:
    line = head[:2000].split(b"\n", 1)[0]
    if b"\n|" not in head and b"|" not in line and b"," not in line and b"\t" not in line and b";" not in line:
        return False
    from kb.log.containers.exports.table import needed

    return needed(head)


_CODES = re.compile(
    rb"(?:data:[\w/.+;=-]{0,100};base64,|(?:[\w.:-]{1,64}\t){0,3})[A-Za-z0-9+/_-]{32}"
    rb"|-----BEGIN |begin[ -]|(?:0x)?[0-9a-f]{4,16}:? {1,3}[0-9a-f]{2}|(?:static )?(?:const )?unsigned char "
    rb"|\s{0,100}(?:0x[0-9a-f]{2}, ?){4}|\s{0,100}00 01 02 03",
    re.I,
)
_RUN = re.compile(rb"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{60,80}\r?\n[ \t]{0,40}[A-Za-z0-9+/]{60}|[A-Za-z0-9+/]{200})")


def _encoded(name: str, head: bytes) -> bool:
    if b"%0A" in head and b" " not in head:
        return True
    if _CODES.match(head) is not None:
        from kb.log.containers.documents.encoded import needed

        if needed(head):
            return True
    return _within(name, head)


def _newest(name: str, head: bytes) -> bool:
    from kb.log.containers.exports.newest import needed

    return needed(head)


def _calendar(name: str, head: bytes) -> bool:
    return head.startswith(b"BEGIN:VCALENDAR")


def _properties(name: str, head: bytes) -> bool:
    return head.startswith(b"Debug line with all properties:")


_DUMPSTATE = re.compile(rb"^------ [A-Z][^\n]{1,200} ------\r?$", re.M)
"""A head of Android's dumpstate, alone on its line: RHEL's taint flags are dashes and blanks, too."""


def _calls(name: str, head: bytes) -> bool:
    if b'"' not in head or (b") " not in head and b"<unfinished" not in head):
        return False
    from kb.log.containers.exports.calls import needed

    return needed(head)


def _framed(name: str, head: bytes) -> bool:
    if b"sourcetype" not in head and b" length=" not in head and b"LogRecord #" not in head:
        return False
    from kb.log.containers.exports.framed import needed

    return needed(head)


def _within(name: str, head: bytes) -> bool:
    if b"\nbegin " not in head and _RUN.search(head) is None:
        return False
    from kb.log.containers.documents.encoded import within

    return within(head)


def _sections(name: str, head: bytes) -> bool:
    return b"#==[ " in head or _DUMPSTATE.search(head) is not None


_FORMATS: tuple[tuple[str, Callable[[str, bytes], bool]], ...] = (
    ("archives.zip", _zip),
    ("archives.behind", _behind),
    ("archives.tar", _tar),
    ("archives.pstore", _pstore),
    ("screens.picture", _picture),
    ("documents.pdf", _pdf),
    ("exports.rasdaemon", _sqlite),
    ("archives.apport", _apport),
    ("archives.mail", _mail),
    ("screens.cast", _cast),
    ("screens.ttyrec", _ttyrec),
    ("documents.rtf", _rtf),
    ("documents.office", _office),
    ("documents.page", _page),
    ("exports.calls", _calls),
    ("exports.document", _console),
    ("exports.from_json", _json),
    (GUESSED, _answers),
    ("exports.document", _document),
    (GUESSED, _unnamed),
    ("exports.from_yaml", _yaml),
    ("exports.table", _table),
    ("documents.encoded", _encoded),
    ("documents.calendar", _calendar),
    ("exports.properties", _properties),
    ("exports.framed", _framed),
    ("exports.newest", _newest),
    ("archives.sections", _sections),
)
"""Modules, each with ``members``, and what tells that an input is theirs; the first that says so has it."""

_FURTHER = (
    ("archives.behind", _behind),
    ("documents.encoded", _within),
    ("exports.framed", _framed),
    ("archives.sections", _sections),
)
"""Forms in which a text may go on."""
