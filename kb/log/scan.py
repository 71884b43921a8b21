"""Where in a log reports may begin: a scan of the raw bytes for the literals of ``openers.txt``.

google-re2 scans one alternation of literals at about grep's speed (400 MB/s); Python's own ``re`` manages 26 MB/s on
the same pattern. Where re2 cannot be imported, one ``bytes.find`` pass a literal does the work, slower.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

_CHUNK = 16 << 20
"""Bytes scanned in one go."""
_OVERLAP = 4096
"""Bytes before a chunk's end in which a hit is left to the next chunk: longer than any literal with a wrapped blank."""
_WRAP = r"(?: |(?:=20|=)?\r?\n(?:[>| \t]{0,40}))"
"""A blank of a literal: itself, or the line break a mailer put there with the quote marks behind it."""

Scan = Callable[[bytes, int, int], Iterator[int]]
"""Offsets of literals in ``data[start:end]``, rising."""


@cache
def literals() -> tuple[str, ...]:
    """The literals of ``openers.txt``, in the order of the file."""
    lines = Path(__file__).with_name("openers.txt").read_text("utf-8").split("\n")
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("# ") and line != "#"))


def _escape(literal: str) -> str:
    """The literal as a pattern; a blank inside it also fits a wrapped line, one at its ends does not."""
    inner = literal.strip(" ")
    lead = len(literal) - len(literal.lstrip(" "))
    tail = len(literal) - len(literal.rstrip(" "))
    return " " * lead + _WRAP.join(re.escape(word) for word in inner.split(" ")) + " " * tail


@cache
def _re2_scan() -> Scan | None:
    """The scanner on google-re2, None where it is not installed."""
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    finditer: Any = re2.compile("|".join(_escape(literal) for literal in literals()).encode(), options).finditer

    def scan(data: bytes, start: int, end: int) -> Iterator[int]:
        return (match.start() for match in finditer(data, start, end))

    return scan


def plain_scan(data: bytes, start: int, end: int) -> Iterator[int]:
    """The scanner without google-re2: the next hit of each literal, advanced as it is passed.

    A literal that is not there costs one pass at memory speed, so this is some ten times slower than re2.
    """
    needles = [literal.encode() for literal in literals()]
    ahead = [data.find(needle, start, end) for needle in needles]
    live = {index: offset for index, offset in enumerate(ahead) if offset >= 0}
    while live:
        first = min(live.values())
        yield first
        for index, offset in list(live.items()):
            if offset <= first:
                after = data.find(needles[index], first + 1, end)
                if after < 0:
                    del live[index]
                else:
                    live[index] = after


def find_openers(data: bytes, start: int = 0) -> Iterator[int]:
    """Offsets at which an opener literal stands, rising, at most one a place.

    Args:
        data: The raw bytes of a log, prefixes and all.
        start: Offset to begin at.
    """
    scan = _re2_scan() or plain_scan
    size = len(data)
    seen = start
    while start < size:
        end = min(start + _CHUNK, size)
        border = end if end == size else end - _OVERLAP
        for offset in scan(data, start, end):
            if offset >= border:
                break
            if offset >= seen:
                seen = offset + 1
                yield offset
        start = border


@cache
def line_test() -> Callable[[str], bool]:
    """A function that tells whether a line holds an opener literal: what nearly every ordinary line does not."""
    try:
        import re2
    except ImportError:
        needles = literals()
        return lambda text: any(needle in text for needle in needles)
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    search: Any = re2.compile("|".join(re.escape(literal) for literal in literals()).encode(), options).search

    def test(text: str) -> bool:
        return search(text.encode("utf-8", "surrogateescape")) is not None

    return test
