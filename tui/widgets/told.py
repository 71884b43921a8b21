"""A paragraph that is wrapped for the width there is, and anew when it changes."""

from textual.widgets import Static

from kb.tui.panes.rows import paragraph, text_of


class Told(Static):
    """Prose or log text, shown without what drives a terminal."""

    def __init__(self, *, id: str | None = None):
        super().__init__("", id=id, markup=False)
        self._text = self._shown = ""

    def tell(self, text: str) -> None:
        """Show a text."""
        self._text = text
        self.on_resize()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        width = self.size.width
        if width:
            shown = "\n".join(text_of(row) for row in paragraph(self._text, max(20, width)))
            if shown != self._shown:
                self._shown = shown
                self.update(shown, layout=False)  # its height is not that of its text
