"""Where in a log reports may begin: a scan of the raw bytes for the literals of ``openers.txt`` and ``headless.txt``.

The first are made from the grammar of headlines (docs/openers.py): one stands in any line that is one. The second open
what has no headline. Notices (single messages that open no report) have literals of their own in ``notices.txt``; they
are looked for in the same pass, so that asking for them costs a quiet log nothing.

google-re2 scans one alternation of literals at about grep's speed (400 MB/s); Python's own ``re`` manages 26 MB/s on
the same pattern. Where re2 cannot be imported, one ``bytes.find`` pass a literal does the work, slower.
"""

import os.path
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from functools import cache, lru_cache, partial
from typing import Any

_WRAP = r"(?: |(?:=20|=)?\r?\n[>| \t]*)"
"""A blank of a literal: itself, or the line break a mailer put there with the quote marks behind it. For re2 alone,
which is linear whatever stands there: a bound would be forty copies of the class at each blank, 50 ms at each start."""

_BREAK = re.compile(rb"(?:=20|=)?\r?\n[>| \t]{0,40}")
_HARD_BREAK = re.compile(rb"\r?\n[>| \t]{0,40}")
"""The same where the sign before it is a literal's own."""
_LONGEST = 200
"""Bytes in which a literal of a notice, wrapped, ends."""
_SLICE = 1 << 14
"""Bytes that are searched at a time without re2: who asks mostly goes on elsewhere behind the first hit."""
_EARLY = 1 << 16
"""Bytes, and lines of 256, for which re2 is not worth its automaton, which costs 30 ms to make and to grow."""

Scan = Callable[[bytes, int, int], Iterator[int]]
"""Offsets of literals in ``data[start:end]``, rising."""


OPENERS = ("openers", "headless")
NOTICES = ("notices",)
"""Names of the files of literals, without suffix."""
BOOT = b"Linux version "
"""What a kernel begins its log with; looked for together with what opens reports."""


@cache
def literals(names: tuple[str, ...] = OPENERS) -> tuple[str, ...]:
    """The literals of the files, in their order."""
    lines: list[str] = []
    for name in names:
        with open(os.path.join(os.path.dirname(__file__), f"{name}.txt"), encoding="utf-8") as file:
            lines += file.read().split("\n")
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("# ") and line != "#"))


def _escape(literal: str) -> str:
    """The literal as a pattern; a blank inside it also fits a wrapped line, one at its ends does not."""
    inner = literal.strip(" ")
    lead = len(literal) - len(literal.lstrip(" "))
    tail = len(literal) - len(literal.rstrip(" "))
    return " " * lead + _WRAP.join(re.escape(word) for word in inner.split(" ")) + " " * tail


@lru_cache(maxsize=8)
def _re2_scan(names: tuple[str, ...] = OPENERS, without: frozenset[bytes] = frozenset()) -> Scan | None:
    """The scanner on google-re2, None where it is not installed."""
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    wanted = (*(_escape(one) for one in literals(names) if one.encode() not in without), BOOT.decode())
    finditer: Any = re2.compile("|".join(wanted).encode(), options).finditer

    def scan(data: bytes, start: int, end: int) -> Iterator[int]:
        return (match.start() for match in finditer(data, start, end))

    return scan


def plain_scan(
    data: bytes, start: int, end: int, names: tuple[str, ...] = OPENERS, without: frozenset[bytes] = frozenset()
) -> Iterator[int]:
    """The scanner without google-re2: one ``bytes.find`` pass a literal over each slice, ten times slower than re2."""
    needles, breakable = _needles(names)
    if without:
        needles = [one for one in needles if one not in without]
        breakable = [one for one in breakable if one not in without]
    signed = [one for one in breakable if b"= " in one]
    for begin in range(start, end, _SLICE):
        until = min(begin + _SLICE, end)
        found: set[int] = set()
        for needle in needles:
            last = min(until + len(needle) - 1, end)
            at = data.find(needle, begin, last)
            while at >= 0:
                found.add(at)
                at = data.find(needle, at + 1, last)
        piece = data[begin : min(until + _LONGEST, end)]
        found.update(at for at in _broken(piece, breakable, begin) if at < until)
        found.update(at for at in _broken(piece, signed, begin, _HARD_BREAK) if at < until)
        yield from sorted(found)


@cache
def _needles(names: tuple[str, ...]) -> tuple[list[bytes], list[bytes]]:
    """All literals, and those that a mailer may break."""
    needles = [literal.encode() for literal in literals(names)]
    return [*needles, BOOT], [needle for needle in needles if b" " in needle.strip()]


def _broken(data: bytes, needles: Collection[bytes], base: int, how: re.Pattern[bytes] = _BREAK) -> Iterator[int]:
    """Offsets of the literals that have a line break in the place of a blank inside them."""
    breaks = list(how.finditer(data)) if needles else []
    if not breaks:
        return
    parts = [0, *(found.end() for found in breaks)]  # where they begin in the data
    text = b" ".join(data[begin:end] for begin, end in zip(parts, [*(b.start() for b in breaks), None], strict=True))
    places, gone = [0], 0  # and in the text
    for found in breaks:
        gone += found.end() - found.start() - 1
        places.append(found.end() - gone)
    for needle in needles:
        word = needle.strip()
        before, behind = needle.split(word)
        at = text.find(word)
        while at >= 0:
            first, last = (bisect_right(places, each) - 1 for each in (at, at + len(word) - 1))
            begin, end = parts[first] + at - places[first], parts[last] + at + len(word) - places[last]
            if first < last and data.endswith(before, 0, begin) and data.startswith(behind, end):
                yield base + begin - len(before)
            at = text.find(word, at + 1)


_KEY = 4
"""Bytes by which the few literals of notices are chosen that may stand at an offset."""


@cache
def _notices_by_key() -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for literal in literals(NOTICES):
        found.setdefault(literal.encode()[:_KEY], []).append(literal.encode())
    return found


def notice_at(data: bytes, offset: int) -> bytes | None:
    """The literal of a notice that stands at an offset, wrapped or not."""
    by_key, key = _notices_by_key(), data[offset : offset + _KEY]
    for literal in by_key.get(key, ()):
        if data.startswith(literal, offset):
            return literal
    if key not in by_key and not any(byte in key for byte in (b"\r", b"\n", b"=")):  # nearly every opener ends here
        return None
    piece = data[offset : offset + _LONGEST]
    texts = [how.sub(b" ", piece) for how in (_BREAK, _HARD_BREAK)]
    return next((one for text in texts for one in by_key.get(text[:_KEY], ()) if text.startswith(one)), None)


def find(
    data: bytes,
    start: int = 0,
    end: int | None = None,
    names: tuple[str, ...] = OPENERS,
    without: frozenset[bytes] = frozenset(),
) -> Iterator[int]:
    """Offsets in ``data[start:end]`` at which a literal stands (of an opener, a notice, a boot), rising, one a place.

    Args:
        data: The raw bytes of a log, prefixes and all.
        start: Offset to begin at.
        end: Offset behind the last byte, None for all; a literal must end before it.
        names: Files of literals.
        without: Literals that need not be found; those of few sets, for each is a scanner of its own.
    """
    seen = start
    for offset in _scanned(data, start, len(data) if end is None else end, names, without):
        if offset >= seen:
            seen = offset + 1
            yield offset


class _Left:
    """What this process may still search before re2 is made."""

    scanned = _EARLY
    lines = _EARLY >> 8


def _scanned(data: bytes, start: int, end: int, names: tuple[str, ...], without: frozenset[bytes]) -> Iterator[int]:
    """What either scanner finds: a small log, and the first of one that grows, are no work."""
    while start < end and end - start <= _EARLY and _Left.scanned > 0:
        until = min(start + _SLICE, end)
        yield from (at for at in plain_scan(data, start, min(until + _LONGEST, end), names, without) if at < until)
        _Left.scanned -= until - start
        start = until
    if start < end:
        yield from (_re2_scan(names, without) or partial(plain_scan, names=names, without=without))(data, start, end)


@cache
def line_test(names: tuple[str, ...] = OPENERS) -> Callable[[str], bool]:
    """A function that tells whether a line holds such a literal: what nearly every ordinary line does not."""
    needles = literals(names)

    def test(text: str) -> bool:
        if _Left.lines > 0:
            _Left.lines -= 1
            return any(needle in text for needle in needles)
        search = _re2_test(names)
        if search is None:
            return any(needle in text for needle in needles)
        return search(text.encode("utf-8", "surrogateescape")) is not None

    return test


@cache
def _re2_test(names: tuple[str, ...]) -> Any:
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile("|".join(map(re.escape, literals(names))).encode(), options).search
