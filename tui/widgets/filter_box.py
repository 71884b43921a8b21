"""The filter: a line that is typed into, and below it what its last word may become, or what is wrong with it."""

from collections.abc import Callable, Collection

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from kb.render.safe import safe
from kb.tui.lists.query import candidates, completed
from kb.tui.widgets.printable import PRINTABLE
from kb.tui.widgets.suggested import Suggested

OFFERED = 12
"""Candidates that are shown at most."""
_PLACEHOLDER = "filter: words; kind: host: case: kernel: since:   Tab completes"


class FilterBox(Vertical):
    """Hidden until it is opened.

    Args:
        values: What a field can be, as far as that was met.
    """

    DEFAULT_CSS = "FilterBox { height: auto; }"

    def __init__(self, values: Callable[[str], Collection[str]]):
        super().__init__()
        self._values = values

    def compose(self) -> ComposeResult:
        """The line, the hint."""
        suggested = Suggested(self._offered)
        yield Input(placeholder=_PLACEHOLDER, id="filter", compact=True, restrict=PRINTABLE, suggester=suggested)
        yield Static("", id="hint", markup=False)

    def on_mount(self) -> None:
        """Nothing is filtered."""
        self.display = self.query_one("#hint").display = False

    def _offered(self, text: str) -> list[str]:
        return candidates(text, self._values)

    @property
    def _line(self) -> Input:
        return self.query_one("#filter", Input)

    @property
    def words(self) -> str:
        """What is typed."""
        return self._line.value.strip()

    def fill(self, words: str) -> None:
        """Show a filter, or drop it and hide."""
        self._line.value = words
        self.display = bool(words)
        self.refresh_bindings()  # whether there is one to drop

    def edit(self) -> None:
        """Type."""
        self.display = True
        self._line.focus()

    def complete(self) -> None:
        """Make the last word whole."""
        offered = self._offered(self._line.value)
        if self._line.has_focus and offered:
            self._line.value = completed(self._line.value, offered[0])
            self._line.cursor_position = len(self._line.value)

    def tell(self, wrong: str) -> None:
        """Say what is mistyped, or what the last word may become."""
        hint = self.query_one("#hint", Static)
        offered = self._offered(self._line.value)[:OFFERED]
        hint.display = self.display and bool(offered or wrong)
        hint.set_class(bool(wrong), "-wrong")
        hint.update(safe(wrong or "  ".join(offered)), layout=False)
