"""Mails and mailboxes: parts decoded, attachments by their names. The standard library reads a mail, which it holds."""

import contextlib
import email
import email.policy
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, BinaryIO

from kb.errors import InputError
from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

_LARGEST = 14 << 20
"""Bytes of one mail; servers take 25 to 35 MB of base64 at most."""
_FIELD = 8192
"""Bytes of a field that says what a part is: the standard library needs the square of them, or more."""
_CONTENT = re.compile(rb"^Content-[A-Za-z-]{1,40}:[^\n]*(?:\n[ \t][^\n]*)*", re.M | re.I)
_PARTS = 500
"""Parts of one mail, however deep: a digest of a list has some hundred."""
_DEEP = 50
_FROM = re.compile(rb"From [^\s]{1,200} {1,2}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d")
"""The line before each mail of an mbox (RFC 4155)."""
_FLOWED = re.compile(rb"^((?!-- \r?$)(?:> ?){0,9}[^\n]{1,998} )\r?\n(?:> ?){0,9}(?=([^\s>][^\s]{0,998}))", re.M)
_FULL = 66
"""RFC 3676 4.2: a line that ends with a blank goes on in the next. The kernel ends some with one, too: where the next
word would have had room in this many columns, nobody has wrapped."""
_INNER = re.compile(rb"boundary\s{0,5}=|message/rfc822", re.I)
_BOUNDARY = re.compile(rb"boundary\s{0,5}=\s{0,5}\"?([^\"\s;]{1,70})", re.I)
"""RFC 2046 5.1.1: what stands between the parts, behind two hyphens."""


@lru_cache(maxsize=256)
def _parsed(name: str, value: str) -> Any:
    """A field of a head: a part is asked nine times for the same one, and the mails of a list have the same ones."""
    return email.policy.default.header_fetch_parse(name, value)


class _Policy(email.policy.EmailPolicy):
    def header_fetch_parse(self, name: str, value: str) -> Any:
        return _parsed(name, value)


_POLICY = _Policy()


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The parts of a mail; those of an mbox with the mail's number before them."""
    number = 0
    box = False
    for number, (data, first) in enumerate(_mails(read), 1):
        box = box or first
        if data is None:
            reason = f"is a mail of more than {_LARGEST} bytes"
            place = f"{name}!{number}" if box else name
            walk.unread.append(InputError(reason, path=place, help="save its attachment, and give that"))
            continue
        if walk.over:
            return
        yield from _parts(name, data, f"{number}" if box else "", walk)


def _mails(read: Read) -> Iterator[tuple[bytearray | None, bool]]:
    """Each mail, None for one that is too large, and whether it stands in an mbox."""
    held = bytearray()
    size, box, before = 0, False, b"\n"
    for row in lines_of(read):
        if before in (b"\n", b"\r\n") and _FROM.match(row):
            if size:
                yield (held if size <= _LARGEST else None), box
            held, size, box = bytearray(), 0, True
        else:
            size += len(row)
            if size <= _LARGEST:
                held += row[1:] if box and row.startswith(b">") and row.lstrip(b">").startswith(b"From ") else row
            else:
                held.clear()
        before = row
    if size:
        yield (held if size <= _LARGEST else None), box


def _parts(name: str, data: bytearray, prefix: str, walk: Walk) -> Iterator[Member]:
    place = f"{name}!{prefix}" if prefix else name
    reason = None
    if len(_INNER.findall(data)) > _DEEP:
        reason = f"is a mail with more than {_DEEP} parts within parts"
    elif any(len(field[0]) > _FIELD for field in _CONTENT.finditer(data)):
        reason = f"is a mail with a field of more than {_FIELD} bytes in its head"
    elif sum(data.count(b"\n--" + found[1]) for found in _BOUNDARY.finditer(data)) > _PARTS:
        reason = f"is a mail with more than {_PARTS} parts"
    if reason is not None:
        walk.unread.append(InputError(reason, path=place, help="save the attachment with the log, and give that"))
        return
    mail = email.message_from_bytes(data, policy=_POLICY)
    data.clear()
    for index, part in enumerate(mail.walk(), 1):
        if part.is_multipart():
            continue
        if not walk.member():
            return
        content = _content(part)
        inner = "/".join(filter(None, (prefix, part.get_filename() or f"part{index}")))
        yield Member(inner.replace("!", "_"), pieces(iter((content,))), handed=True)


def _content(part: Any) -> bytes:
    """A part's bytes; of a text that a mail program wrapped by RFC 3676 (``DelSp=yes``), its lines."""
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    if part.get_content_maintype() != "text":
        return data
    charset = part.get_content_charset("utf-8")
    with contextlib.suppress(LookupError, ValueError):  # a charset that nobody knows: the bytes as they are
        data = data.decode(charset, "surrogateescape").encode("utf-8", "surrogateescape")
    if str(part.get_param("delsp", "")).lower() == "yes":
        data = re.sub(rb" \r?\n", b"", data)
    elif str(part.get_param("format", "")).lower() == "flowed":
        data = _FLOWED.sub(_unflowed, data)
    return data


def _unflowed(found: re.Match[bytes]) -> bytes:
    return found[1] if len(found[1]) + len(found[2]) >= _FULL else found[0]
