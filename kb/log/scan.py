"""Where in a log reports may begin: a scan of the raw bytes for the literals of ``openers.txt`` and ``headless.txt``.

The first are made from the grammar of headlines (docs/openers.py): one stands in any line that is one. The second open
what has no headline. Notices (single messages that open no report) have literals of their own in ``notices.txt``; they
are looked for in the same pass, so that asking for them costs a quiet log nothing.

google-re2 scans one alternation of literals at about grep's speed (400 MB/s); Python's own ``re`` manages 26 MB/s on
the same pattern. Where re2 cannot be imported, one ``bytes.find`` pass a literal does the work, slower.
"""

import os.path
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial
from typing import Any

_WRAP = r"(?: |(?:=20|=)?\r?\n[>| \t]*)"
"""A blank of a literal: itself, or the line break a mailer put there with the quote marks behind it. For re2 alone,
which is linear whatever stands there: a bound would be forty copies of the class at each blank, 50 ms at each start."""

_WRAPPED = re.compile(rb" |(?:=20|=)?\r?\n[>| \t]{0,40}")
_LONGEST = 200
"""Bytes in which a literal of a notice, wrapped, ends."""

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


def plain_scan(data: bytes, start: int, end: int, names: tuple[str, ...] = OPENERS) -> Iterator[int]:
    """The scanner without google-re2: the next hit of each literal, advanced as it is passed.

    A literal that is not there costs one pass at memory speed, so this is some ten times slower than re2.
    """
    needles = [*(literal.encode() for literal in literals(names)), BOOT]
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
    text = _WRAPPED.sub(b" ", data[offset : offset + _LONGEST])
    return next((literal for literal in by_key.get(text[:_KEY], ()) if text.startswith(literal)), None)


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
    scan = _re2_scan(names, without) or partial(plain_scan, names=names)
    seen = start
    for offset in scan(data, start, len(data) if end is None else end):
        if offset >= seen:
            seen = offset + 1
            yield offset


@cache
def line_test(names: tuple[str, ...] = OPENERS) -> Callable[[str], bool]:
    """A function that tells whether a line holds such a literal: what nearly every ordinary line does not."""
    try:
        import re2
    except ImportError:
        needles = literals(names)
        return lambda text: any(needle in text for needle in needles)
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    search: Any = re2.compile("|".join(map(re.escape, literals(names))).encode(), options).search

    def test(text: str) -> bool:
        return search(text.encode("utf-8", "surrogateescape")) is not None

    return test
