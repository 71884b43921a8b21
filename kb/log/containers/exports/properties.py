"""rsyslog's template of all properties (RSYSLOG_DebugFormat, tools/omfile.c): of each record the message, once.

A record is a block of ``name: 'value'``; its message stands there three times (``msg``, ``escaped msg``, ``rawmsg``).
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk, lines_of, pieces
from kb.log.unpack import Read

BEGINS = b"Debug line with all properties:"
_HOST = re.compile(rb"HOSTNAME: '([^']{1,255})'")
_TAG = re.compile(rb"syslogtag '([^']{0,255})'")
_TIME = re.compile(rb"TIMESTAMP: '([^']{1,64})'")
_MESSAGE = re.compile(rb"msg: '([^\r\n]*)'\r?\n$")
_NOTE = "line numbers are those of the messages, a line each"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The messages, as syslog writes them."""
    yield Member("", pieces(_lines(lines_of(read))), text=True, note=_NOTE)


def _lines(rows: Iterator[bytes]) -> Iterator[bytes]:
    host, tag, time = b"-", b"kernel:", b""
    for row in rows:
        if row.startswith(BEGINS):
            host, tag, time = b"-", b"kernel:", b""
        host = found[1] if (found := _HOST.search(row)) is not None else host
        tag = found[1] if (found := _TAG.search(row)) is not None else tag
        time = found[1] if (found := _TIME.search(row)) is not None else time
        message = _MESSAGE.match(row)
        if message is not None:
            yield b"%s %s %s%s\n" % (time, host, tag, message[1])
