"""Phrases from kb/chat/templates/<language>.toml: what a person may edit without reading the code."""

import re
import string
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

LANGUAGES = ("en", "zh")
_LONGEST = 1000
"""Characters of a sentence that is put into another language: its parts are looked for one in the other."""


class Example(NamedTuple):
    """A question that can be answered, as the help shows it."""

    kind: str
    ask: str


class Phrases:
    """The phrases of one language."""

    def __init__(self, language: str, table: dict[str, Any]):
        self.language = language
        self.examples = tuple(Example(row["kind"], row["ask"]) for row in table.get("question", ()))
        self.table = {
            f"{group}.{name}": text
            for group, entries in table.items()
            if isinstance(entries, dict) and group != "words"
            for name, text in entries.items()
        }
        self._words: dict[str, str] = table.get("words", {})
        self._sentences = [(_pattern(row["en"]), row["say"]) for row in table.get("sentence", ())]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The phrase with its blanks filled."""
        return str(self.table[key]).format(**values)

    def word(self, text: str) -> str:
        """A fixed word of the facts (a cause, a status) in this language, itself where there is no other."""
        return self._words.get(text, text)

    def sentence(self, text: str) -> str:
        """A sentence of the facts in this language, part by part; what no pattern fits stays as it is."""
        if not self._sentences or len(text) > _LONGEST:
            return text
        return self._whole(text) or "; ".join(self._whole(part) or part for part in text.split("; "))

    def _whole(self, text: str) -> str | None:
        for pattern, say in self._sentences:
            found = pattern.fullmatch(text)
            if found is not None:
                return str(say).format(**{name: self.word(value) for name, value in found.groupdict().items()})
        return None


def _pattern(text: str) -> "re.Pattern[str]":
    """``{zone} refuses the request`` as a pattern: a blank ends where the next words begin, and holds no semicolon.

    Semicolons join the parts of a sentence, and parts have patterns of their own; ``{why}`` alone may hold them.
    """
    out = []
    for literal, name, _spec, _conversion in string.Formatter().parse(text):
        out.append(re.escape(literal))
        if name:
            out.append(f"(?P<{name}>{'.' if name == 'why' else '[^;]'}{{1,300}}?)")
    return re.compile("".join(out))


@cache
def phrases(language: str) -> Phrases:
    """The phrases of a language (``en``, ``zh``)."""
    path = Path(__file__).with_name("templates") / f"{language}.toml"
    with path.open("rb") as stream:
        return Phrases(language, tomllib.load(stream))
