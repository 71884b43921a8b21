"""What all screens have in common."""

from textual.screen import Screen, ScreenResultType

from kb.errors import KbError
from kb.render.safe import safe


class Page(Screen[ScreenResultType]):
    """A screen that tells errors and copies text."""

    def say(self, error: KbError) -> None:
        """An error: reason, place and help, as on the command line."""
        text = "\n".join(safe(line) for line in str(error).split("\n"))
        self.notify(text, severity="error", timeout=12, markup=False)

    def copy(self, text: str) -> None:
        """To the clipboard of the terminal (OSC 52), which works over ssh too."""
        if text:
            self.app.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self.notify(f"copied {lines} line{'s' * (lines != 1)}", timeout=2)
