"""The journal export format as it comes in (systemd.io/JOURNAL_EXPORT_FORMATS): what systemd-journal-upload sends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.serve.intake.arrived import LONGEST

WANTED = frozenset(
    b"MESSAGE PRIORITY SYSLOG_IDENTIFIER _TRANSPORT _HOSTNAME _BOOT_ID __CURSOR __REALTIME_TIMESTAMP "
    b"__MONOTONIC_TIMESTAMP _SOURCE_MONOTONIC_TIMESTAMP".split()
)
_KEY = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")
_LARGEST = 768 << 20
"""Bytes of a field (src/basic/journal-importer.h DATA_SIZE_MAX)."""


_HELP = "systemd-journal-upload and journalctl -o export send entries of FIELD=value, each ended by an empty line"


class Malformed(Exception):
    """What came is not what its sender says that it is.

    Args:
        reason: Why.
        place: Where, if that is known.
        help: What is expected.
    """

    def __init__(self, reason: str, *, place: str | None = None, help: str | None = _HELP):
        super().__init__(reason)
        self.place = place
        self.help = help


class Export:
    """Entries out of bytes that come in pieces of any size; of an entry only what is wanted is held."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._fields: dict[str, str] = {}
        self._key: bytes | None = None
        """Of the field that is still coming."""
        self._value = bytearray()
        self._left = 0
        """Bytes that are still missing of a binary field and its line end; 0 in a field of text."""

    def feed(self, piece: bytes) -> Iterator[dict[str, str]]:
        """The entries that end in a piece.

        Raises:
            Malformed: What came is no journal export.
        """
        self._data += piece
        at = 0
        while (after := self._step(at)) is not None:
            at = after
            if self._ended:
                yield self._entry()
        del self._data[:at]

    def rest(self) -> Iterator[dict[str, str]]:
        """The last entry, where no empty line stands behind it.

        Raises:
            Malformed: It ends within a field.
        """
        if self._key is not None or self._data:
            raise Malformed("ends within a field")
        if self._fields:
            yield self._entry()

    _ended = False

    def _entry(self) -> dict[str, str]:
        fields, self._fields, self._ended = self._fields, {}, False
        return fields

    def _step(self, at: int) -> int | None:
        """Go on by a field, or a part of a long one: where the next begins; None where more bytes are needed."""
        if self._key is not None:
            return self._binary(at) if self._left else self._text(at)
        data = self._data
        end = data.find(b"\n", at)
        if end == at:
            self._ended = bool(self._fields)
            return at + 1
        if end < 0 and len(data) - at <= LONGEST:
            return None
        line = data[at : end if end >= 0 else at + LONGEST]
        key, equals, value = line.partition(b"=")
        if _KEY.fullmatch(key) is None:
            raise Malformed("a field is no name in capitals")
        if not equals:
            return self._size(bytes(key), end)
        if end < 0:
            self._key, self._value = bytes(key), value
            return at + LONGEST
        self._keep(bytes(key), value)
        return end + 1

    def _size(self, key: bytes, end: int) -> int | None:
        size = self._data[end + 1 : end + 9]
        if len(size) < 8:
            return None
        self._left = int.from_bytes(size, "little") + 1
        if self._left > _LARGEST:
            raise Malformed("a field is longer than any of a journal")
        self._key, self._value = key, bytearray()
        return end + 9

    def _binary(self, at: int) -> int | None:
        part = min(self._left, len(self._data) - at)
        self._value += self._data[at : at + min(part, LONGEST - len(self._value))]
        self._left -= part
        if not self._left:
            self._done()
        return at + part if part else None

    def _text(self, at: int) -> int | None:
        """Pass the rest of a line that is longer than what is kept of it."""
        end = self._data.find(b"\n", at)
        if end < 0:
            return len(self._data) if at < len(self._data) else None
        self._done()
        return end + 1

    def _done(self) -> None:
        assert self._key is not None
        self._keep(self._key, self._value.removesuffix(b"\n"))
        self._key, self._value = None, bytearray()

    def _keep(self, key: bytes, value: bytearray) -> None:
        name = key.decode()
        if key in WANTED:
            self._fields[name] = value[:LONGEST].decode("utf-8", "surrogateescape")
