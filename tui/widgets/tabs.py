"""A line of tabs with their numbers: `1 Evidence  2 Allocation ...`."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static


class TabBar(Horizontal):
    """Names to click; the keys are the screen's."""

    @dataclass
    class Clicked(Message):
        """A tab was clicked."""

        name: str

    def __init__(self, tabs: Sequence[tuple[str, str]]):
        super().__init__()
        self._tabs = tabs

    def compose(self) -> ComposeResult:
        """A label a tab."""
        for number, (name, title) in enumerate(self._tabs, 1):
            yield _Tab(f" {number} {title} ", name)

    def on_mount(self) -> None:
        """The first one is chosen."""
        self.choose(self._tabs[0][0])

    def rename(self, name: str, title: str) -> None:
        """Call a tab otherwise."""
        for number, tab in enumerate(self.query(_Tab), 1):
            if tab.target == name:
                tab.update(f" {number} {title} ")

    def choose(self, name: str) -> None:
        """Show which tab is chosen: reverse, so that it can be told without colour."""
        for tab in self.query(_Tab):
            tab.set_class(tab.target == name, "-chosen")


class _Tab(Static):
    def __init__(self, text: str, target: str):
        super().__init__(text, markup=False)
        self.target = target

    def on_click(self) -> None:
        self.post_message(TabBar.Clicked(self.target))
