"""What all screens have in common."""

from textual.messages import Prune
from textual.screen import Screen, ScreenResultType

from kb.errors import KbError
from kb.render.safe import safe


class Page(Screen[ScreenResultType]):
    """A screen that tells errors, copies text, and may be left while a thread still works for it."""

    async def on_prune(self, event: Prune) -> None:
        """Stop what waits for a thread: it would look for widgets, which are taken away before the screen is."""
        self.workers.cancel_node(self)

    def leaving(self) -> None:
        """The person quits: keep what would be lost."""

    @property
    def left(self) -> bool:
        """Whether the person has gone from here."""
        return self not in self.app.screen_stack

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
