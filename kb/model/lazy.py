"""What is made when it is first asked for: a start pays for what it uses."""

import re


class Lazy:
    """A regular expression that is compiled when first needed; most of a table's never are.

    Args:
        source: The pattern, without flags.
    """

    __slots__ = ("compiled", "source")
    compiled: "re.Pattern[str]"

    def __init__(self, source: str):
        self.source = source

    def __getattr__(self, name: str) -> "re.Pattern[str]":
        if name != "compiled":
            raise AttributeError(name)
        self.compiled = re.compile(self.source)
        return self.compiled
