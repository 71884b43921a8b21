"""Log text is hostile: what it holds is shown, never passed through to a terminal."""

import re
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


def spans(evidence: tuple[tuple[int, int], ...], most: int = 4) -> str:
    """Evidence as ``[L1, L24-31]``; empty where there is none."""
    if not evidence:
        return ""
    shown = [f"L{first}" if first == last else f"L{first}-{last}" for first, last in evidence[:most]]
    return f"[{', '.join(shown)}{', ...' if len(evidence) > most else ''}]"
