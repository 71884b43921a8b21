"""Log text is hostile: what it holds is shown, never passed through to a terminal."""

import re
import textwrap
import unicodedata

# C0 and C1 controls, DEL, bidirectional overrides and isolates, line separators, lone surrogates (undecodable bytes).
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def safe(text: str) -> str:
    r"""The text with every character that could drive a terminal written as an escape (``\\x1b``)."""
    return _UNSAFE.sub(_escape, text)


def _escape(found: "re.Match[str]") -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def width(text: str) -> int:
    """Cells of a terminal that a text takes: Chinese and other wide characters take two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def pad(text: str, cells: int) -> str:
    """The text with blanks up to a number of cells."""
    return text + " " * max(0, cells - width(text))


def wrap(text: str, cells: int) -> list[str]:
    """Lines of at most so many cells, broken at blanks, and between characters that are written without blanks.

    A word that is longer than a line has one of its own.
    """
    if text.isascii() or width(text) == len(text):
        return textwrap.wrap(text, cells, break_long_words=False, break_on_hyphens=False)
    lines: list[str] = []
    line = ""
    for piece in _PIECE.findall(text):
        if line and width(line) + width(piece.rstrip()) > cells:
            lines.append(line.rstrip())
            line = ""
        line += piece if line or not piece.isspace() else ""
    return [*lines, line.rstrip()] if line.strip() else lines


_PIECE = re.compile(
    r"[(（「“]{0,4}[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef][,.;:!?)，。；：！？、）」”\]]*\s*"
    r"|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+\s*|\s+"
)
"""What a line is broken between: a Chinese character with the marks that may not leave it, or a word."""


def spans(evidence: tuple[tuple[int, int], ...], most: int = 4) -> str:
    """Evidence as ``[L1, L24-31]``; empty where there is none."""
    if not evidence:
        return ""
    shown = [f"L{first}" if first == last else f"L{first}-{last}" for first, last in evidence[:most]]
    return f"[{', '.join(shown)}{', ...' if len(evidence) > most else ''}]"
