"""Log text is hostile: what it holds is shown, never passed through to a terminal."""

import re
import unicodedata

from kb.model.text import escape

UNSAFE = (
    "\x00-\x08\x0a-\x1f\x7f-\x9f"  # C0 but the tabulator, DEL, C1
    "\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\ud800-\udfff"  # lone surrogates: undecodable bytes
    "\ufdd0-\ufdef"  # no characters at all, as are the last two of each plane
    + "".join(f"{chr(plane | 0xFFFE)}-{chr(plane | 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
)
"""Characters, as the inside of a class of a pattern, that a terminal obeys or does not show.

Unicode's controls, format characters (bidirectional ones, tags) and line separators, and the characters that it says
are to be shown as nothing (Default_Ignorable_Code_Point): a reader must see all that a text holds.
"""
_UNSAFE = re.compile(f"[{UNSAFE}]")


def safe(text: str) -> str:
    r"""The text with every character that could drive a terminal, or hide from it, written as an escape (``\\x1b``)."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(escape, text)


def safe_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(map(safe, text.split("\n")))


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
        import textwrap  # 0.7 ms that a line to stderr need not pay

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
