"""The same log as other transports would bring it: a title that changes with the prefix is no title.

Every line gets the prefix of the style, lines of user space on the console included, since a transport stamps whatever
it carries. printk's own time and caller are kept where the style shows them, and made up where the log has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_PREFIX = re.compile(
    rb"(?=[<\[])(?:<\d{1,3}>)?(?:\[ {0,8}(?P<time>\d{1,9}\.\d{3,6})\])?(?:\[ {0,8}(?P<caller>[TC]\d{1,9})\])? ?"
)
_BOOT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)

Stamp = Callable[[float, bytes], bytes]


def _wall(seconds: float) -> datetime:
    return _BOOT + timedelta(seconds=seconds)


def _dmesg(seconds: float, caller: bytes) -> bytes:
    return b"[%12.6f] " % seconds


STYLES: dict[str, Stamp] = {
    "dmesg": _dmesg,
    "caller": lambda seconds, caller: b"[%12.6f][%6s] " % (seconds, caller),
    "level": lambda seconds, caller: b"<4>" + _dmesg(seconds, caller),
    "syslog": lambda seconds, caller: (
        _wall(seconds).strftime("%b %d %H:%M:%S db17 kernel: ").encode() + _dmesg(seconds, caller)
    ),
    "iso": lambda seconds, caller: _wall(seconds).strftime("%Y-%m-%dT%H:%M:%S+0000 db17 kernel: ").encode(),
    "ctime": lambda seconds, caller: _wall(seconds).strftime("[%a %b %d %H:%M:%S %Y] ").encode(),
    "bare": lambda seconds, caller: b"",
}
"""Name of a transport -> prefix of a line, from printk time (seconds since boot) and caller id."""


def restamp(data: bytes, style: str) -> bytes:
    """The log with every line's printk prefix replaced by that of ``style`` (a key of ``STYLES``)."""
    stamp = STYLES[style]
    seconds, out = 10.0, []
    for line in data.splitlines(keepends=True):
        found = _PREFIX.match(line)
        printed = found["time"] if found else None
        caller = found["caller"] if found else None
        seconds = float(printed) if printed else seconds + 0.000013
        out.append(stamp(seconds, caller or b"T1") + line[found.end() if found else 0 :])
    return b"".join(out)
