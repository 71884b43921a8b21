"""Text that comes from logs, files and arguments, made such that it can be kept and passed on."""

import re

_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tabulator and line ends, and lone surrogates: what undecodable bytes become."""


def plain(text: str) -> str:
    r"""The text with what no encoding and no database takes written as an escape (``\xff``).

    A lone surrogate cannot be encoded, SQLite's functions end at a NUL. What a store holds and what leaves kb for
    another program goes through here; raw evidence stays bytes.
    """
    return text if text.isprintable() else _ODD.sub(escape, text)


def escape(found: "re.Match[str]") -> str:
    r"""A character as an escape; a surrogate that stands for a byte that is no UTF-8 as that byte."""
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
