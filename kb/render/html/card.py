"""The groups of a run -> one SVG image: the answers as a terminal shows them, each with its pictures.

For a README, a ticket or a chat that shows images and no page. No script and nothing loaded from anywhere; the colours
are those of the page and follow the reader's light or dark.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from kb.identity.group import Group
from kb.pictures.choose import overview, pictures
from kb.pictures.draw import LINE, WIDTH, Box, Drawing, Label, Shape, moved
from kb.render.html.svg import svg
from kb.render.safe import width
from kb.render.text import page
from kb.words.speak import Words

_MARGIN = 12
_LETTER = 7.3
"""Units a letter takes, at most, in the fonts of terminals at 12 pixels."""
_COLUMNS = int((WIDTH - 2 * _MARGIN) / _LETTER)
_TEXT = 14
"""Column at which the text behind a label begins."""
_MOST = 20
"""Groups that are drawn; an image has no pages."""
_DRAWN = ("svg text", ".p-", "rect.", "line")


def card(groups: Sequence[Group], words: Words) -> str:
    """The image, as SVG with its style.

    Args:
        groups: Of a run.
        words: Of the language to say it in.
    """
    shapes: list[Shape] = []
    y = float(_MARGIN)
    for group in groups[:_MOST]:
        lines = page(group.first, group, width=_COLUMNS, lang=words.language).splitlines()
        for number, line in enumerate(lines):
            y += LINE
            shapes += _line(line, y, head=number == 0)
        for picture in (*pictures(group.first), *overview([group])):
            drawn = picture.drawn(words)
            y += 2 * LINE
            shapes.append(Label(_MARGIN, y, picture.head(words), "title"))
            shapes += (moved(shape, y + LINE / 2) for shape in drawn.shapes)
            y += drawn.height + LINE / 2
        y += LINE
    if len(groups) > _MOST:
        y += LINE
        shapes.append(Label(_MARGIN, y, f"... {len(groups) - _MOST}", "dim"))
    drawing = Drawing(WIDTH, y + _MARGIN, (Box(0, 0, WIDTH, y + _MARGIN, "paper"), *shapes))
    titles = "; ".join(group.first.report.title for group in groups[:_MOST])
    return svg(drawing, titles or "kb", _style()) + "\n"


def _line(line: str, y: float, head: bool) -> list[Shape]:
    """A line of the answer: its label and what stands behind it, each in its column."""
    if head:
        return [Label(_MARGIN, y, line, "title")]
    at = next((at for at in range(len(line)) if width(line[:at]) >= _TEXT), len(line))
    label, text = line[:at].strip(), line[at:].strip()
    made = [Label(_MARGIN + 2 * _LETTER, y, label, "label"), Label(_MARGIN + _TEXT * _LETTER, y, text, "mono")]
    return [shape for shape in made if shape.text]


@cache
def _style() -> str:
    """What of the page's style a drawing needs, and how the answer is set."""
    css = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    palette = css.partition("\n* {")[0]
    rules = [line for line in css.splitlines() if line.startswith(_DRAWN)]
    own = (
        "svg { font: 12px system-ui, sans-serif; }",
        ".p-paper { fill: var(--paper); }",
        "svg text.p-mono, svg text.p-label, svg text.p-title { font: 12px ui-monospace, monospace; }",
        "svg text.p-title { font-weight: bold; }",
        "svg text.p-label { fill: var(--dim); }",
    )
    return "\n".join((palette, *rules, *own))
