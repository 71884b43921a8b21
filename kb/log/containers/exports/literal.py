"""Values as JSON or Python writes them."""

import ast
import json
import re
from typing import Any

VALUES = 300_000
"""Values of a document that is held: each takes a hundred bytes or more, once parsed."""
_WHOLE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.S)
_LITERAL = 4 << 20
"""Bytes of a Python literal that is looked at."""
_STRINGS = re.compile(rb"'(?:[^'\\\n]|\\.)*+'?|\"(?:[^\"\\\n]|\\.)*+\"?")
_AROUND = 128 << 10
"""Bytes of it around its strings: each may be a value of its own, of a kilobyte while it is parsed."""


def value_in(data: bytes) -> Any:
    """The value that the bytes are, as JSON or as Python writes it; None for none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        pass
    if len(data) > _LITERAL or data.lstrip()[:1] not in (b"[", b"(", b"{", b"'", b'"', b"b"):
        return None
    if len(_STRINGS.sub(b"", data)) > _AROUND:
        return None
    try:
        return _decoded(ast.literal_eval(data.strip().decode("utf-8")))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # a set of lists is no value
        return None


def _decoded(value: Any) -> Any:
    """A value with its bytes as texts: what a command gives is bytes to Python."""
    if isinstance(value, list | tuple):
        return [_decoded(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _decoded(each) for name, each in value.items()}
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def many(data: bytes) -> bool:
    """Whether a document has more values than are held: of most, a look at all of its bytes is enough to say no."""
    return _begun(data) > VALUES and _begun(_WHOLE.sub(b"", data)) > VALUES


def _begun(data: bytes) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")
