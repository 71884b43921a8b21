"""The pane that shows a view and hands it the keys that mean something to it."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from kb.tui.views.view import View
from kb.tui.widgets.fitted import Fitted


class ViewPane(Fitted):
    """Rows of a view; what its keys change is laid out at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "press('right')", "More", show=False),
        Binding("minus", "press('left')", "Less", show=False),
        Binding("r", "press('reset')", "As in the report", show=False),
        Binding("s", "press('sort')", "Sort", show=False),
        Binding("S", "press('reverse')", "Reverse", show=False),
    ]

    def __init__(self, *, id: str | None = None):
        super().__init__(id=id)
        self.view: View | None = None

    def look(self, view: View) -> None:
        """Show another view."""
        self.view = view
        self.show(view.content)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing to this view are not offered."""
        if action == "press":
            return self.view is not None and parameters[0] in self.view.keys
        return super().check_action(action, parameters)

    def action_press(self, key: str) -> bool:
        """Hand the view a key; True where it meant something."""
        if self.view is None or not self.view.press(key, self.current):
            return False
        self.again()
        self.post_message(self.Moved(self, self.cursor))  # the row under the cursor says something else
        return True

    def action_sideways(self, by: int) -> None:
        """A slider moves; anything else scrolls."""
        if not self.action_press("right" if by > 0 else "left"):
            super().action_sideways(by)
