"""Text as bytes and back, when it may hold what UTF-8 does not know."""

import re

_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")

END = "\r\n\t"
"""What ends a line, and what those put before it who fill columns."""


def whole(text: str) -> str:
    """The text without lone surrogates but those that stand for undecodable bytes: JSON may hold any of them."""
    return text if text.isprintable() else _LONE.sub("\ufffd", text)


def encoded(text: str) -> bytes:
    """The text in UTF-8; surrogates that stand for undecodable bytes become these bytes again."""
    return whole(text).encode("utf-8", "surrogateescape")


EMPHASIS = "*~_{\u300c\u00ab\u2066"
"""What is put before a line to have it set otherwise, and its mirror image behind it."""
_MIRROR = str.maketrans("{\u300c\u00ab\u2066", "}\u300d\u00bb\u2069")


def mirrored(marks: str) -> str:
    """The marks that end what some begin: the same, or their mirror image."""
    return marks.translate(_MIRROR)[::-1]
