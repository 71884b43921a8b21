"""Cleaning logs: two passes, one that learns what is personal in all inputs, one that writes each anew.

Lines stay lines, bytes that are no text stay, and what the reports say stays: titles, signatures, facts.
"""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kb.cleaner.hosts import NOWHERE, Hosts, Places, named, places
from kb.cleaner.names import Names
from kb.cleaner.rules import KINDS, Rule, rules, selector
from kb.errors import UsageError

_ROUNDS = 5
"""How often a line is looked at again: the second finds something in one of thousands, and only where rules meet."""
_USER_AT = re.compile(rb"(?<![\w.+-])([A-Za-z_][\w.-]{0,63})@$")
_EXPORT = re.compile(rb"(?:__CURSOR|__REALTIME_TIMESTAMP|__MONOTONIC_TIMESTAMP|__SEQNUM|_BOOT_ID|_TRANSPORT|PRIORITY)=")
_BINARY = re.compile(rb"^[A-Z_][A-Z0-9_]{0,63}\n", re.M)
"""A field of journalctl -o export whose size stands in the next eight bytes (systemd.io/JOURNAL_EXPORT_FORMATS)."""


class Replaced(NamedTuple):
    """One thing that was replaced."""

    kind: str
    original: bytes
    replacement: bytes


class Cleaner:
    """Replaces what is personal, the same thing by the same in all inputs.

    Args:
        inputs: The logs, unpacked: nothing that one of them holds is given out as a replacement.
        keep: Kinds that stay.

    Raises:
        UsageError: A kind that there is not.
    """

    def __init__(self, inputs: Iterable[bytes], keep: Iterable[str] = ()):
        kept = frozenset(keep)
        if kept - KINDS.keys():
            raise UsageError(
                f"no such kind: {', '.join(sorted(kept - KINDS.keys()))}", help=f"there are {', '.join(KINDS)}"
            )
        self.places: Counter[str] = Counter()
        """How many times something was replaced, by kind."""
        self._keep = kept
        self._names = Names()
        hosts: set[bytes] = set()
        for data in inputs:
            self._names.reserve(data)
            if "host" not in kept:
                hosts |= named(data)
        self._hosts = Hosts(hosts)
        self._rules = rules()
        self._select = selector()

    @property
    def replaced(self) -> tuple[Replaced, ...]:
        """What was replaced so far, in the order of its first appearance."""
        return tuple(Replaced(kind, value, made) for (kind, value), made in self._names.made.items())

    def clean(self, data: bytes) -> Iterator[bytes]:
        """One of the inputs, piece by piece, with replacements."""
        where = places(data) if self._hosts else NOWHERE
        number = 1
        for text, binary in _parts(data):
            made = b"".join(self._lines(text, number, where))
            number += text.count(b"\n")
            if binary:
                number += len(text).to_bytes(8, "little").count(b"\n")
                made = len(made).to_bytes(8, "little") + made
            yield made

    def _lines(self, text: bytes, number: int, where: Places) -> Iterator[bytes]:
        for at, line in enumerate(io.BytesIO(text), number):
            made = self._line(line, self._hosts.words(line, at, where))
            for _ in range(_ROUNDS):
                if made == line:
                    break
                # what was replaced may have kept another rule from its find
                line, made = made, self._line(made)
            yield made

    def _line(self, line: bytes, hosts: Iterable[tuple[int, int, bool]] = ()) -> bytes:
        """A line with replacements, once; names of hosts are looked for in what was printed only."""
        spans: list[tuple[int, int, str]] = []
        taken = bytearray(len(line))

        def take(start: int, end: int, kind: str) -> None:
            if start < end and not taken.count(1, start, end):
                taken[start:end] = b"\1" * (end - start)
                spans.append((start, end, kind))

        for index in sorted(self._select(line)):
            for start, end, kind in _finds(self._rules[index], line):
                take(start, end, kind)
        for start, end, domain in hosts:
            user = _USER_AT.search(line, max(0, start - 66), start)
            if user is not None:
                take(user.start(1), user.end(1), "user")
            take(start, end, "domain" if domain else "host")
        return self._written(line, sorted(spans)) if spans else line

    def _written(self, text: bytes, spans: list[tuple[int, int, str]]) -> bytes:
        out: list[bytes] = []
        at = 0
        for start, end, kind in spans:
            value = text[start:end]
            made = self._made(kind, value)
            if made is not None:
                out += (text[at:start], made)
                at = end
        out.append(text[at:])
        return b"".join(out)

    def _made(self, kind: str, value: bytes) -> bytes | None:
        if kind == "domain":
            kind = "host"
            made: bytes | None = self._names.domain(value)
        elif kind in self._keep:
            return None
        else:
            made = self._names.of(kind, value)
        if made is not None:
            self.places[kind] += 1
        return made


def _finds(rule: Rule, text: bytes) -> Iterator[tuple[int, int, str]]:
    for found in rule.pattern.finditer(text):
        if rule.check is None or rule.check(found):
            for group, kind in rule.groups:
                start, end = found.span(group)
                if start >= 0:
                    yield start, end, kind


def _parts(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """A log cut where journalctl -o export holds fields whose size stands before them; True: such a field's content."""
    start = 0
    if _EXPORT.match(data):
        at = 0
        while (found := _BINARY.search(data, at)) is not None:
            begin = found.end() + 8
            end = begin + int.from_bytes(data[found.end() : begin], "little")
            if begin <= end < len(data) and data[end : end + 1] == b"\n":
                yield data[start : found.end()], False
                yield data[begin:end], True
                start = end
                at = end
            else:
                at = found.end()
    yield data[start:], False
