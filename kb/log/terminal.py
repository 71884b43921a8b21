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
_ENDS = re.compile("[\u2028\u2029\x85]")
"""Line ends of Unicode, which forms of web pages make."""


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
