"""An answer laid out for a terminal: wrapped at words, citations dim."""

import re
import shutil

from kb.render.safe import width

_CITED = re.compile(r"\[(?:L\d|case |note |kb[12]:|[0-9a-f]{12}\]|[^\[\]\n ]{1,80} L\d|include/)[^\[\]\n]{0,300}\]?")
_WHOLE = re.compile(r" {0,6}\d{1,7}(?:  |\. )")
"""How a log's line or a command begins: such stay whole, to be copied."""


def paint(text: str, colored: bool, columns: int | None = None) -> str:
    """Lines wrapped at words, citations dim where colour is wanted; the text itself is already safe.

    Args:
        text: A reply's text.
        colored: Whether to use ANSI colours.
        columns: Cells to fill; the terminal's width, 160 at most, by default.
    """
    columns = columns or max(40, min(shutil.get_terminal_size().columns, 160))
    lines = [part for line in text.split("\n") for part in wrapped(line, columns)]
    if not colored:
        return "\n".join(lines)
    return "\n".join(_CITED.sub("\x1b[2m\\g<0>\x1b[0m", line) for line in lines)


def wrapped(line: str, columns: int) -> list[str]:
    """A line in pieces that fit; what continues is indented. Lines of a log and commands stay whole, to be copied."""
    if width(line) <= columns or _WHOLE.match(line):
        return [line]
    begin = " " * (len(line) - len(line.lstrip(" ")))
    indent = begin + "    "
    rows, row = [], begin
    for word in line.strip(" ").split(" "):
        longer = f"{row} {word}" if row.strip() else row + word
        if row.strip() and width(longer) > columns:
            rows.append(row)
            longer = indent + word
        row = longer
    return [*rows, row]
