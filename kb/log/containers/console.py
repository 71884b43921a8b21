"""Consoles of virtual machines as clouds hand them out: a JSON answer with the whole text in one string.

AWS ``get-console-output`` (``Output``, base64), GCP ``getSerialPortOutput`` (``contents``), Azure's boot log (one
string).
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from kb.log.containers.walk import Member, Walk, pieces
from kb.log.unpack import Read

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s{0,2}")
_NOTE = "line numbers are those of the console's text"


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """The console's text."""
    data = walk.hold(read, name)
    if data is None:
        return
    text = _console(data)
    if text is None:  # no JSON after all: a text like any other
        yield Member("", pieces(iter((data,))), text=True)
    else:
        yield Member("", pieces(iter((text,))), note=_NOTE)
    walk.release(len(data))


def _console(data: bytes) -> bytes | None:
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict):
        value = value.get("Output", value.get("contents"))
    if not isinstance(value, str):
        return None
    if _BASE64.fullmatch(value):
        try:
            return base64.b64decode(value)
        except binascii.Error:
            pass
    return value.encode("utf-8", "replace")
