"""The rest of the word that is being typed, in grey behind it."""

from collections.abc import Callable

from textual.suggester import Suggester


class Suggested(Suggester):
    """Offers the first candidate that goes on from what is typed.

    Args:
        offered: Candidates for the last word.
    """

    def __init__(self, offered: Callable[[str], list[str]]):
        super().__init__(use_cache=False, case_sensitive=True)
        self._offered = offered

    async def get_suggestion(self, value: str) -> str | None:
        """The whole text with its last word made whole."""
        word = value.split()[-1] if value.split() else ""
        rest = next((each for each in self._offered(value) if each.startswith(word)), None)
        return value[: len(value) - len(word)] + rest if rest is not None else None
