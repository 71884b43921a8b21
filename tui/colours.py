"""Themes for a terminal of sixteen colours.

A theme's soft red, green and amber all become grey there, and what a colour says is lost: these are said in the colours
that such a terminal has, by the names of textual.design.ColorSystem.
"""

from collections.abc import Iterator
from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DARK = {
    "text-error": "#ff5555",
    "text-success": "#55ff55",
    "text-warning": "#ffff55",
    "text-primary": "#55ffff",
    "warning-muted": "#aa5500",
    "block-cursor-background": "#0000aa",
    "block-cursor-foreground": "#ffffff",
    "footer-key-foreground": "#ffff55",
}
LIGHT = {
    "text-error": "#aa0000",
    "text-success": "#00aa00",
    "text-warning": "#aa5500",
    "warning-darken-3": "#aa5500",
    "text-primary": "#0000aa",
    "warning-muted": "#ffff55",
    "block-cursor-background": "#0000aa",
    "block-cursor-foreground": "#ffffff",
    "footer-key-foreground": "#0000aa",
}


def of_sixteen() -> Iterator[Theme]:
    """The dark and the light theme, under their own names."""
    for name, colours in (("textual-dark", DARK), ("textual-light", LIGHT)):
        theme = BUILTIN_THEMES[name]
        yield replace(theme, variables={**theme.variables, **colours})
