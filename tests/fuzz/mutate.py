"""Logs damaged as logs are, and as somebody would who means harm: each is made from a number, always the same."""

import gzip
import json
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from kb.log.scan import NOTICES, OPENERS, literals
from tests.score.restamp import STYLES, restamp

ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = ("cases/*/*.log", "tests/parse/data/*.txt", "tests/split/interleaved/*.txt", "tests/log/data/*")
_HEADED = ("tests/parse/data/", "tests/split/interleaved/")
"""Folders whose logs have headers, up to an empty line."""
_LONGEST = 48 << 10
"""Bytes of a sample, and of a mutant: what is long is the business of tests/growth."""

Lines = list[bytes]
Change = Callable[[random.Random, Lines], Lines]


@cache
def samples() -> tuple[tuple[str, bytes], ...]:
    """The logs of the repository, by name."""
    found = []
    for pattern in _FOLDERS:
        for path in sorted(ROOT.glob(pattern)):
            name, data = path.relative_to(ROOT).as_posix(), path.read_bytes()
            found.append((name, (data.partition(b"\n\n")[2] if name.startswith(_HEADED) else data)[:_LONGEST]))
    return tuple(found)


class Mutant(NamedTuple):
    """A damaged log."""

    seed: int
    how: str
    """The samples and the changes that it was made of."""
    data: bytes


def mutant(seed: int) -> Mutant:
    """The mutant of a number."""
    chance = random.Random(seed)
    names, parts = zip(*(chance.choice(samples()) for _ in range(chance.choice((1, 1, 2)))), strict=True)
    lines = parts[0].splitlines(keepends=True)
    for other in parts[1:]:
        lines = _mixed(chance, lines, other.splitlines(keepends=True))
    changes = [chance.choice(tuple(CHANGES)) for _ in range(chance.randint(1, 5))]
    for name in changes:
        lines = CHANGES[name](chance, lines)[:5000]
    data = b"".join(lines)[: 2 * _LONGEST]
    wrap = chance.choice(tuple(WRAPS)) if chance.random() < 0.1 else None
    if wrap is not None:
        data = WRAPS[wrap](chance, data)
    return Mutant(seed, f"{' + '.join(names)}: {', '.join([*changes, *filter(None, [wrap])])}", data)


def _mixed(chance: random.Random, one: Lines, other: Lines) -> Lines:
    """Two logs line by line, as two CPUs print, or one behind the other."""
    if chance.random() < 0.3:
        at = chance.randint(0, len(one))
        return one[:at] + other + one[at:]
    queues, mixed = [one[::-1], other[::-1]], []
    while all(queues):
        queue = chance.choice(queues)
        mixed += [queue.pop() for _ in range(min(len(queue), chance.choice((1, 1, 2, 5))))]
    return mixed + queues[0][::-1] + queues[1][::-1]


def _some(chance: random.Random, lines: Lines, most: int = 8) -> list[int]:
    """A few places among lines."""
    return [chance.randrange(len(lines)) for _ in range(chance.randint(1, most))] if lines else []


def _cut(chance: random.Random, lines: Lines) -> Lines:
    share = chance.choice((0.02, 0.1, 0.5))
    return [line for line in lines if chance.random() > share]


def _head_or_tail(chance: random.Random, lines: Lines) -> Lines:
    at = chance.randint(0, len(lines))
    return lines[at:] if chance.random() < 0.5 else lines[:at]


def _doubled(chance: random.Random, lines: Lines) -> Lines:
    for at in _some(chance, lines):
        lines[at:at] = [lines[at]] * chance.choice((1, 1, 2, 30))
    return lines


def _block_again(chance: random.Random, lines: Lines) -> Lines:
    a, b = sorted((chance.randint(0, len(lines)), chance.randint(0, len(lines))))
    at = chance.randint(0, len(lines))
    return lines[:at] + lines[a:b] + lines[at:]


def _swapped(chance: random.Random, lines: Lines) -> Lines:
    for a, b in zip(_some(chance, lines), _some(chance, lines), strict=False):
        lines[a], lines[b] = lines[b], lines[a]
    return lines


def _shuffled(chance: random.Random, lines: Lines) -> Lines:
    a, b = sorted((chance.randint(0, len(lines)), chance.randint(0, len(lines))))
    block = lines[a:b]
    chance.shuffle(block)
    return lines[:a] + block + lines[b:]


def _within(change: Callable[[random.Random, bytes], bytes]) -> Change:
    """A change of a few lines, each by itself."""

    def apply(chance: random.Random, lines: Lines) -> Lines:
        for at in _some(chance, lines):
            lines[at] = change(chance, lines[at])
        return lines

    return apply


def _flipped(chance: random.Random, line: bytes) -> bytes:
    raw = bytearray(line)
    for _ in range(chance.randint(1, 6)):
        if raw:
            raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


_NUMBER = re.compile(rb"0x[0-9a-f]{1,16}|\b[0-9a-f]{8,16}\b|\d{1,20}")
_NUMBERS = (
    b"0", b"-1", b"1", b"00", b"4095", b"65536", b"2147483648", b"4294967295", b"9223372036854775808",
    b"18446744073709551615", b"18446744073709551616", b"-9223372036854775809", b"99999999999999999999", b"0x0",
    b"0xffffffffffffffff", b"ffffffffffffffff", b"0000000000000000", b"9" * 25, b"1" * 400, b"0x" + b"f" * 400,
    b"7" * 5000, b"f" * 5000, b"1e999", b"nan", b"inf", b"1.5", b"\xc2\xb2", b"\xd9\xa3", b"0-4294967295", b"1,2-9,",
)  # fmt: skip
_CONVERSIONS = (b"%d", b"%s", b"%lu", b"%#x", b"%pS", b"%*pbl", b"%.20s", b"%%", b"%016llx", b"{}", b"$(id)", b"\\n")


def _numbers(chance: random.Random, line: bytes, values: tuple[bytes, ...] = _NUMBERS) -> bytes:
    found = list(_NUMBER.finditer(line))
    for match in sorted(chance.sample(found, min(len(found), chance.randint(1, 4))), key=lambda m: -m.start()):
        line = line[: match.start()] + chance.choice(values) + line[match.end() :]
    return line


_HOSTILE = (
    b"\x00", b"\x07", b"\x08", b"\x0b", b"\x0c", b"\r", b"\x1b[2J", b"\x1b]0;title\x07", b"\x1b[31m", b"\x7f", b"\x80",
    b"\x9b", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd", b"\xc2\x9b31m", b"\xc2\x85",
    b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xe2\x80\xa8", b"\xe2\x80\x8b", b"\xef\xbb\xbf", b"\xf3\xa0\x81\x81",
    b"\xf3\xa0\x80\x81", b"\xcc\x81" * 40, b"\xc2\xa0", b"\t", b"#012", b"\\x0a", b"\\n", b"&lt;", b"<br>", b"`", b"|",
    b"](javascript:a)", b"<script>", b"```", b"\xe3\x80\x80", b"\xf0\x9f\x99\x82", b"\n", b"\n\n", b"\"", b"\\", b"=",
    b"=\n", b"=3D",
)  # fmt: skip


def _controls(chance: random.Random, line: bytes) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(line))
        line = line[:at] + chance.choice(_HOSTILE) + line[at:]
    return line


def _long(chance: random.Random, line: bytes) -> bytes:
    at = chance.randint(0, len(line))
    word = chance.choice((b"x", b"_a", b" ", b"A:", b"0", b"f", b"(", b"[", b"> ", b"a=b ", b"1*4kB ", b"+0x1/0x2 "))
    return line[:at] + word * chance.choice((40, 300, 5000)) + line[at:]


def _dictionary(chance: random.Random, line: bytes) -> bytes:
    at = chance.randint(0, len(line))
    return line[:at] + chance.choice(literals(OPENERS + NOTICES)).encode() + line[at:]


def _stopped(chance: random.Random, line: bytes) -> bytes:
    return line[: chance.randint(0, len(line))] + (b"\n" if chance.random() < 0.7 else b"")


def _joined(chance: random.Random, lines: Lines) -> Lines:
    for at in _some(chance, lines):
        lines[at] = lines[at].rstrip(b"\r\n") + chance.choice((b"", b" ", b"\t"))
    return lines


def _wrapped(chance: random.Random, lines: Lines) -> Lines:
    """As a mailer does it."""
    width, quote = chance.randint(60, 80), chance.choice((b"", b"> ", b">> "))
    out = []
    for line in lines:
        while len(line) > width:
            at = line.rfind(b" ", 1, width) + 1 or width
            out.append(quote + line[:at] + b"\n")
            line = line[at:]
        out.append(quote + line)
    return out


_PREFIXES = (
    b"> ", b"| ", b"    ", b"<4>", b"<4>[    1.000000] ", b"Nov 22 03:04:05 db17 kernel: ", b"2026-11-22T03:04:05Z ",
    b"4,123,4567890,-;", b"4,123,4567890,-,caller=T12;", b"kern  :err   : ", b"[    1.000000][ T1234] ", b"#011",
    b"4,1,1,-,ncfrag=0/999;", b"[Mon Nov 22 03:04:05 2026] ", b"01: ", b"2026-11-22T03:04:05.1Z stdout F ", b"(0)[1:a]",
)  # fmt: skip


def _prefixed(chance: random.Random, lines: Lines) -> Lines:
    prefix, share = chance.choice(_PREFIXES), chance.choice((0.1, 0.5, 1))
    return [prefix + line if chance.random() < share else line for line in lines]


def _restamped(chance: random.Random, lines: Lines) -> Lines:
    return restamp(b"".join(lines), chance.choice(tuple(STYLES))).splitlines(keepends=True)


def _line_ends(chance: random.Random, lines: Lines) -> Lines:
    end = chance.choice((b"\r\n", b"\r", b"\n\n", b"\n\r", b"\0\n", b"\\n", b"", b"<br>\n", b"=20\n"))
    return [line.rstrip(b"\n") + end for line in lines]


CHANGES: dict[str, Change] = {
    "bytes flipped": _within(_flipped),
    "lines cut": _cut,
    "head or tail": _head_or_tail,
    "lines doubled": _doubled,
    "a block again": _block_again,
    "lines swapped": _swapped,
    "lines shuffled": _shuffled,
    "numbers": _within(_numbers),
    "conversions": _within(lambda chance, line: _numbers(chance, line, _CONVERSIONS)),
    "controls": _within(_controls),
    "long words": _within(_long),
    "words of headlines": _within(_dictionary),
    "lines stopped": _within(_stopped),
    "lines joined": _joined,
    "lines wrapped": _wrapped,
    "prefixes": _prefixed,
    "restamped": _restamped,
    "line ends": _line_ends,
    "upper case": _within(lambda chance, line: line.upper()),
}
"""What may happen to a log."""


def _json_lines(chance: random.Random, data: bytes) -> bytes:
    key = chance.choice(("MESSAGE", "msg", "log", "textPayload"))
    extra: dict[str, object] = {
        "__REALTIME_TIMESTAMP": chance.choice(("1", "1" * 16, 10**400, -1, None, [], "\u00b2" * 16)),
        "PRIORITY": chance.choice((4, "4", -1, 10**30, float("inf"), "crit", {})),
        "_SOURCE_MONOTONIC_TIMESTAMP": chance.choice(("1", "nan", float("nan"), 10**400, True)),
        "_HOSTNAME": chance.choice(("db17", 5, None, "\x1b[2J", "\udc80")),
    }
    rows = data.decode("utf-8", "surrogateescape").splitlines()
    return b"".join(json.dumps({key: row, **extra}).encode() + b"\n" for row in rows)


def _dmesg_json(chance: random.Random, data: bytes) -> bytes:
    time = chance.choice(("1.000000", "nan", "inf", "9" * 400))
    rows = data.decode("utf-8", "replace").splitlines()
    return json.dumps({"dmesg": [{"pri": 4, "time": time, "msg": row} for row in rows]}, indent=1).encode()


def _export(chance: random.Random, data: bytes) -> bytes:
    head = b"__CURSOR=1\n_TRANSPORT=kernel\nPRIORITY=4\n"
    out = []
    for row in data.splitlines():
        size = len(row) if chance.random() < 0.95 else chance.choice((0, 1, 2**31, 2**64 - 1))
        out.append(head + b"MESSAGE\n" + size.to_bytes(8, "little") + row + b"\n\n")
    return b"".join(out)


def _packed(chance: random.Random, data: bytes) -> bytes:
    packed = gzip.compress(data, 1, mtime=0)
    return packed if chance.random() < 0.5 else _flipped(chance, packed)


WRAPS: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "JSON lines": _json_lines,
    "dmesg -J": _dmesg_json,
    "journal export": _export,
    "gzip": _packed,
    "a string": lambda chance, data: json.dumps({"log": data.decode("utf-8", "replace")}).encode(),
    "HTML": lambda chance, data: (
        b"<html><pre>" + data.replace(b"&", b"&amp;").replace(b"<", b"&lt;") + b"</pre></html>"
    ),
    "UTF-16": lambda chance, data: data.decode("utf-8", "replace").encode("utf-16"),
}
"""What a log may come in."""
