"""Phrases from kb/chat/templates/<language>.toml: what a person may edit without reading the code."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from kb.words.speak import words as of_language

LANGUAGES = ("en", "zh")


class Example(NamedTuple):
    """A question that can be answered, as the help shows it."""

    kind: str
    ask: str


class Phrases:
    """The phrases of one language, and the words of the facts in it."""

    def __init__(self, language: str, table: Mapping[str, Any]):
        self.language = language
        self.examples = tuple(Example(row["kind"], row["ask"]) for row in table.get("question", ()))
        self.table = {
            f"{group}.{name}": text
            for group, entries in table.items()
            if isinstance(entries, dict)
            for name, text in entries.items()
        }
        words = self.facts = of_language(language)
        self.say, self.named, self.word = words.say, words.named, words.word
        """A sentence of the facts in this language, as it is or as JSON has it; a fixed word of theirs."""
        self.joined = words.joined
        self.shortly = words.instead({"part.assuming": "part.unsaid"}).say
        """A sentence without what its parts assume: "what is unknown" lists that once."""

    def __call__(self, key: str, /, **values: Any) -> str:
        """The phrase with its blanks filled."""
        return str(self.table[key]).format(**values)


@cache
def phrases(language: str) -> Phrases:
    """The phrases of a language (``en``, ``zh``)."""
    path = Path(__file__).with_name("templates") / f"{language}.toml"
    with path.open("rb") as stream:
        return Phrases(language, tomllib.load(stream))
