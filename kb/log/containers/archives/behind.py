"""Archives behind the script that unpacks them: makeself's, installers'.

A shell stops reading at the script's ``exit``; from the line behind it on, the bytes are those of a packed archive.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from kb.log.containers.walk import Member, Walk
from kb.log.unpack import Pushed, Read

_SCRIPT = b"#!"
_PAYLOAD = re.compile(rb"\n(?=\x1f\x8b\x08|\xfd7zXZ\0|BZh[1-9]1AY&SY|\x28\xb5\x2f\xfd)")
_HEAD = 1 << 18
"""Bytes in which a script ends."""


def needed(head: bytes) -> bool:
    """Whether bytes begin with a script, and go on with something packed."""
    return head.startswith(_SCRIPT) and _PAYLOAD.search(head) is not None


def members(name: str, read: Read, file: BinaryIO | None, walk: Walk) -> Iterator[Member]:
    """What is packed; its form is told by its own first bytes."""
    head = b""
    while len(head) < _HEAD and (piece := read(_HEAD)):
        head += piece
    found = _PAYLOAD.search(head)
    rest = head if found is None else head[found.end() :]
    yield Member("payload", Pushed(rest, read).read)
