"""What terminals, serial lines and word processors put around a line, off."""

import re

SGR = re.compile(r"\x1b\[[0-9;:]{0,40}[mK]|\x01[0-7cd]")
"""Colours, and the erase-to-end-of-line that goes with them; a level (include/linux/kern_levels.h) nobody took off."""
_TERMINAL = (
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,4}[@-~]|[\]_P^X][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|[()#%][0-9A-Z]|[=>78cDEHMNOZ])"
)
"""ECMA-48: control sequences and strings (a window's title, a marker of a CI)."""
_AROUND = re.compile(rf"^(?:{_TERMINAL}){{1,32}}|(?:{_TERMINAL}){{1,32}}$")
"""What is sent to a terminal before and behind a line; inside of one it is shown."""
_MOVES = re.compile(r"\x1b\[[0-9;]{0,20}[HfBE]")
"""The cursor put on another line."""
_MOVED = 3
"""Moves that make a physical line several of a screen."""
_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
"""What chats and word processors put before a line: blanks without width, marks of direction."""
_FLOW = "\0\x11\x13"
"""NULs where a serial port had nothing to say, XON and XOFF of its flow control."""
_ENDS = re.compile("[\u2028\u2029\x85\x0b]|\x1e$")
"""Line ends of Unicode, which forms of web pages make; a vertical tab, as Word's; a record's mark at its end."""


def clean(text: str) -> str:
    """Colours, NULs around a line and a mailer's no-break blanks off; other control characters stay."""
    text = text.strip(_FLOW).lstrip(_INVISIBLE)
    if "\x1b" in text or "\x01" in text:
        text = SGR.sub("", text)
        if "\x1b" in text:
            if len(_MOVES.findall(text)) >= _MOVED:
                text = _MOVES.sub("\n", text).strip("\n")
            text = _AROUND.sub("", text)
    return _ENDS.sub("\n", text.replace("\xa0", " "))


_TYPESET = re.compile("(?<=0)\u00d7(?=[0-9a-f])|(?<= )\u2013(?= )|[\u2013\u2014\u201c-\u201e\u2018\u2019\u2026\u2033]")
_TYPED = {
    "\u00d7": "x", "\u2014": "---", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'",
    "\u2026": "...", "\u2033": '"',
}  # fmt: skip


def plain(text: str) -> str:
    """What a blog's typography (WordPress wptexturize()) made of ``0x10``, `` - ``, ``---`` and quotes, as typed.

    The kernel prints none of these characters.
    """
    return _TYPESET.sub(_typed, text)


def _typed(found: re.Match[str]) -> str:
    if found[0] == "\u2013":
        return (
            "-"
            if found.string[found.start() - 1 : found.start()] == " " == found.string[found.end() : found.end() + 1]
            else "--"
        )
    return _TYPED[found[0]]
