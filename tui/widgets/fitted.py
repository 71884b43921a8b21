"""Entries that are laid out for the width there is, and anew when it changes."""

from collections.abc import Callable

from kb.tui.panes.rows import Entry
from kb.tui.widgets.virtual_list import Entries


class Fitted(Entries):
    """A page of entries."""

    DEFAULT_CSS = "Fitted { overflow-y: scroll; }"  # a bar that comes and goes would change the width

    def __init__(self, *, id: str | None = None):
        super().__init__(id=id)
        self._build: Callable[[int], list[Entry]] | None = None
        self._width = 0

    def show(self, build: Callable[[int], list[Entry]]) -> None:
        """Show what ``build`` makes of a width."""
        self._build, self._width = build, 0
        self._fit(keep=False)

    def again(self) -> None:
        """Show what ``build`` makes now; the cursor stays."""
        self._width = 0
        self._fit(keep=True)

    def on_resize(self) -> None:
        """Lay out for the new width."""
        self._fit(keep=True)
        super().on_resize()

    def _fit(self, *, keep: bool) -> None:
        width = self.room
        if self._build is not None and width and width != self._width:
            self._width = width
            self.fill(self._build(max(30, width)), keep=keep)
