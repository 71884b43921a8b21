"""Splats in patch queues and mailboxes: ``*.patch`` of a distribution, ``git format-patch``, an mbox of a list."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from kb.errors import InputError
from kb.imports import build, message
from kb.log.files import passed_over, read_regular
from kb.store.imports import Item

ORIGIN = "patches"
_SUFFIXES = (".patch", ".diff", ".mbox", ".mbx", ".eml", ".txt")
_FROM = re.compile(rb"^From (?:[0-9a-f]{40}|\S{1,200}) .{0,10}\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d.*$", re.M)
_OWN = re.compile(r"From ([0-9a-f]{40}) ")
_TAGS = re.compile(r"^\s*(?:\[[^\]]{0,60}\]\s*|Re:\s*|Fwd:\s*){1,6}", re.I)
_DIFF = re.compile(r"^(?:---(?: a/| \S+/|\s*$)|diff --git |Index: |\*\*\* )", re.M)
_CHANGED = re.compile(rb"^(?:\+\+\+|---) [^/\s]{1,100}/([\w./+-]{1,200})", re.M)
_FILES = 40
_LONGEST = 1 << 20


def files(path: Path) -> list[Path]:
    """The patches of a folder (series files and others are passed over), or the file itself.

    Raises:
        InputError: There is no such file or folder, or the folder holds no patch.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError("no such file or folder", path=str(path))
    found = sorted(each for each in path.rglob("*") if _is_patch(each) and passed_over(each, path) is None)
    if not found:
        raise InputError(f"no patch in it ({', '.join(_SUFFIXES)})", path=str(path), help="give a folder or an mbox")
    return found


def _is_patch(path: Path) -> bool:
    return path.suffix in _SUFFIXES or bool(re.match(r"\d{4}-|\d+$", path.name))


def items(path: Path, seen: dict[str, bytes], bad: build.Bad | None = None) -> Iterator[Item | None]:
    """What each mail or patch holds; None for one dealt with before, and for one that cannot be used.

    Args:
        path: A folder or a file, see :func:`files`.
        seen: Digests of an earlier import, by name.
        bad: Takes what cannot be used, rather than let it raise.
    """
    for each in files(path):
        data = build.guarded(partial(read_regular, each), str(each), bad)
        if data is None:
            yield None
            continue
        for index, mail in enumerate(mails(data)):
            name = f"{each.resolve()}#{index}"
            yield build.guarded(partial(_item, each, index, name, mail[:_LONGEST], seen), name, bad)


def _item(path: Path, index: int, name: str, mail: bytes, seen: dict[str, bytes]) -> Item | None:
    mark = build.digest(mail)
    if seen.get(name) == mark:
        return None
    commit, text = parts(mail)
    known = None
    if message.worth_reading(text):
        found = message.read(commit, text)
        name_ = path.name if index == 0 else f"{path.name}#{index}"
        known = message.known(found, "patches", name=name_, files=changed(mail))
    return Item(ORIGIN, name, mark, known)


def changed(mail: bytes) -> tuple[str, ...]:
    """The files that a patch changes, by the heads of its diff, without the first folder (``a/``, ``b/``)."""
    found = (line[1].decode("utf-8", "replace") for line in _CHANGED.finditer(mail))
    return tuple(dict.fromkeys(found))[:_FILES]


def mails(data: bytes) -> list[bytes]:
    """The mails of an mbox; the whole of what is none."""
    starts = [found.start() for found in _FROM.finditer(data)]
    if not starts or data[: starts[0]].strip():
        return [data]
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def parts(mail: bytes) -> tuple[str | None, str]:
    """Own hash and message (subject, blank line, body without the diff) of a mail or a bare patch."""
    from email import message_from_bytes
    from email.policy import compat32

    text = mail.decode("utf-8", "replace")
    own = _OWN.match(text)
    first = text.split("\n", 1)[0]
    if own is None and not re.match(r"(?:From |[A-Z][\w-]{1,30}: )", first):
        return None, _message("", text)
    parsed = message_from_bytes(mail, policy=compat32)
    body = _body(parsed) if parsed.get("Subject") else text
    subject = _decoded(str(parsed.get("Subject") or ""))
    commit = own[1] if own and set(own[1]) != {"0"} else None
    headers = "\n".join(f"{key}: {_decoded(str(value))}" for key, value in parsed.items() if key in _KEPT)
    return commit, _message(subject, f"{headers}\n\n{body}" if headers else body)


_KEPT = ("Git-commit", "References", "Patch-mainline", "Upstream-commit")
"""Headers of distributions' patches that say something of the commit."""


def _message(subject: str, body: str) -> str:
    cut = _DIFF.search(body)
    said = (body[: cut.start()] if cut else body).replace("\r\n", "\n").strip("\n")
    if not subject:
        subject, _, said = said.partition("\n")
    return f"{_TAGS.sub('', ' '.join(subject.split()))}\n\n{said}"


def _body(parsed: object) -> str:
    from email.message import Message

    assert isinstance(parsed, Message)
    for part in parsed.walk():
        if part.get_content_type() == "text/plain" or not part.is_multipart():
            raw = part.get_payload(decode=True)
            return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    return ""


_HEADER = 4000
"""Characters of a header that are read: a subject is a line, and putting encoded words together is quadratic."""


def _decoded(text: str) -> str:
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    text = text[:_HEADER]
    try:
        return " ".join(str(make_header(decode_header(text))).split())
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return " ".join(text.split())
