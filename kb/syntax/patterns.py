"""Patterns of terminals as others take them: without free spacing, loosened for a set. Asked when tables are made."""

import re

_PIECE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\]){0,100}\]|\{(?P<low>\d{0,6}),(?P<high>\d{1,6})\}|\(\?<?[=!]|[()]|.", re.S
)
_LONG = 4
"""Repeats beyond so many lose their upper bound in the set: each costs a copy of what it repeats."""
_NAMED = re.compile(r"\(\?P<\w+>")
_AGAIN = re.compile(r"\(\?P=\w+\)")
_FREE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\]){0,100}\]|\(\?(?P<flags>[a-z]{1,6}):|\(\?P=|\(|\)|(?P<blank>\s+)|(?P<comment>#)|\n|.",
    re.S,
)
"""A piece of a pattern: an escape, a class, the beginning or end of a group, and what freely spaced patterns skip."""


def compact(pattern: str) -> str:
    """A pattern without the blanks and comments that its flag ``x`` allows: re2 has no such flag."""
    out: list[str] = []
    free = [False]
    comment = False
    for found in _FREE.finditer(pattern):
        piece, flags = found[0], found["flags"]
        if comment:
            comment = "\n" not in piece
            continue
        if flags is not None:
            free.append(free[-1] or "x" in flags)
            piece = f"(?{flags.replace('x', '')}:"
        elif piece[0] == "(":
            free.append(free[-1])
        elif piece == ")":
            free.pop()
        elif free[-1] and (found["blank"] or found["comment"]):
            comment = found["comment"] is not None
            continue
        out.append(" " if free[-1] and piece == "\\ " else piece)
    return "".join(out)


def loosened(pattern: str) -> str:
    """A pattern for the set: fits whatever the given one fits, and is smaller.

    Look-arounds are left out, names of groups too, and a repeat's upper bound where it is above a few.
    """
    out: list[str] = []
    depth = skipped = 0
    """Open groups; the depth at which a look-around began, 0 outside of one."""
    for found in _PIECE.finditer(_NAMED.sub("(?:", _AGAIN.sub(".*", pattern))):
        piece = found[0]
        if piece.startswith("("):
            depth += 1
            if len(piece) > 1 and not skipped:
                skipped = depth
        if not skipped:
            high = found["high"]
            out.append(f"{{{found['low'] or 0},}}" if high is not None and int(high) > _LONG else piece)
        if piece == ")":
            if skipped == depth:
                skipped = 0
            depth -= 1
    return "".join(out)
