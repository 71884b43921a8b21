"""Bodies of live requests as records, whatever form they have: each piece is looked at when it comes, none is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from typing import Protocol

from kb.log.containers.exports.from_json import Scanner
from kb.serve.intake.arrived import Arrived, Boot, of_record, of_text, parsed
from kb.serve.intake.journal import Export, Malformed

JOURNAL = "application/vnd.fdo.journal"
_LONGEST = 1 << 20
"""Bytes of a line that has no end yet."""
_TEXT = re.compile(r"^text/|json|/(?:octet-stream|x-www-form-urlencoded|logplex-1)$")
"""Types of lines and JSON, under whatever name, and what clients say that do not know what they send."""


class Form(Protocol):
    """Reads bytes of a body as records."""

    read: int
    """Records and lines that were met, whoever printed them."""

    @property
    def unread(self) -> int:
        """Values that are no record of a log that is known here."""

    def feed(self, piece: bytes) -> Iterator[Arrived]:
        """The records that end in a piece."""

    def rest(self) -> Iterator[Arrived]:
        """What is left at the end.

        Raises:
            Malformed: It is a part of something.
        """


def form(media: str, sender: Boot) -> Form | None:
    """What reads a body of a media type; None where that is none of text.

    Args:
        media: Its type; of others than the journal's and plain text, JSON and lines are told apart as they come.
        sender: Whose records are that do not say.
    """
    kind = media.partition(";")[0].strip().lower()
    if kind == JOURNAL:
        return _Journal(sender)
    if kind == "text/plain":
        return _Lines(sender)
    return _Json(sender) if not kind or _TEXT.search(kind) is not None else None


class _Journal:
    unread = 0

    def __init__(self, sender: Boot):
        self.read = 0
        self._export = Export()
        self._sender = sender

    def feed(self, piece: bytes) -> Iterator[Arrived]:
        return self._records(self._export.feed(piece))

    def rest(self) -> Iterator[Arrived]:
        return self._records(self._export.rest())

    def _records(self, entries: Iterable[dict[str, str]]) -> Iterator[Arrived]:
        for fields in entries:
            self.read += 1
            yield from of_record(fields, {}, self._sender) or ()


class _Json:
    """Objects, alone or in arrays, and lines that are none."""

    def __init__(self, sender: Boot):
        self._scanner = Scanner(lambda fields, labels: of_record(fields, labels, sender))
        self._sender = sender
        self.read = 0

    @property
    def unread(self) -> int:
        return self._scanner.unread

    def feed(self, piece: bytes) -> Iterator[Arrived]:
        for found in self._scanner.feed(piece):
            self.read += 1
            yield from found if isinstance(found, tuple) else _line(found, self._sender)

    def rest(self) -> Iterator[Arrived]:
        if self._scanner.open:
            raise Malformed(
                "ends within a value of JSON", help="send it again, whole; what was read before counts once"
            )
        for line in self._scanner.rest():
            self.read += 1
            yield from _line(line, self._sender)


class _Lines:
    """A log as it is printed; or objects, a line each: rsyslog's omhttp calls those plain text, too."""

    unread = 0

    def __init__(self, sender: Boot):
        self.read = 0
        self._held = b""
        self._sender = sender

    def feed(self, piece: bytes) -> Iterator[Arrived]:
        *lines, self._held = (self._held + piece).split(b"\n")
        if len(self._held) > _LONGEST:
            lines, self._held = [*lines, self._held], b""
        for line in lines:
            yield from self._one(line)

    def rest(self) -> Iterator[Arrived]:
        if self._held:
            yield from self._one(self._held)

    def _one(self, line: bytes) -> Iterable[Arrived]:
        self.read += 1
        fields = parsed(line) if line.startswith(b"{") else None
        found = of_record(fields, {}, self._sender) if fields is not None else None
        return found if found is not None else _line(line, self._sender)


def _line(raw: bytes, sender: Boot) -> Iterator[Arrived]:
    """A line of a log; one that says no time was printed now."""
    from kb.log.transport import strip

    text = raw.decode("utf-8", "surrogateescape")
    host = strip(text[:1000]).host
    return of_text(text, Boot(host) if host else sender, stamp=time.time_ns())
