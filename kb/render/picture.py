"""A picture as lines of a terminal."""

from collections.abc import Iterator

from kb.pictures.draw import ROWS, Picture
from kb.render.safe import pad, safe, width
from kb.words.speak import Words

LINES = ROWS + 1
"""Lines of a picture, at most."""


def lines(picture: Picture, words: Words) -> Iterator[str]:
    """The picture's head and its rows, columns aligned, safe to print.

    Args:
        picture: What to draw.
        words: Of the language to say it in.
    """
    rows = [tuple(map(safe, row)) for row in picture.rows(words)[:ROWS]]
    widths: list[int] = []
    for row in rows:
        for at, cell in enumerate(row):
            if at == len(widths):
                widths.append(0)
            widths[at] = max(widths[at], width(cell))
    yield safe(picture.head(words))
    for row in rows:
        yield ("  " + "  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=False))).rstrip()
