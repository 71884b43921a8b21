"""Sentences by name -> text, by the templates of ``en.toml`` and ``zh.toml``, which say how one is written."""

import re
import string
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kb.model.kept import toml
from kb.model.said import Said, Value

LANGUAGES = ("en", "zh")

_LIST = re.compile(r"(?P<how>all|first|most)(?: (?P<count>\d{1,2}))?(?: by (?P<by>.*))?", re.DOTALL)
_CHOICE = re.compile(r"(?P<one>[^|]*)\|(?P<many>[^|]*)")


def said(name: str, /, **values: Any) -> Said:
    """A sentence. The name and the names of its values are written out where it is made: the tests read them there.

    Args:
        name: As in the files of words.
        values: Numbers, strings, other sentences, None, and tuples (or lists) of these.
    """
    for key, value in values.items():
        if type(value) is list:
            values[key] = tuple(value)
    return Said(name, values)


class Words:
    """The templates of one language."""

    def __init__(self, language: str, tables: Mapping[str, Any]):
        self.language = language
        self.tokens: Mapping[str, str] = tables.get("word", {})
        """What a fixed word of the facts is in this language, where it is not the same."""
        self.roles = {table: dict(_flat(rows)) for table, rows in tables.items() if table != "word"}
        """Templates by name, by the table they stand in."""
        self._templates = {name: text for rows in self.roles.values() for name, text in rows.items()}
        self._instead: Mapping[str, str] = {}

    def __call__(self, name: str, /, **values: Any) -> str:
        """The template of a name, filled; a name that has none shows itself and its values."""
        template = self._templates.get(name)
        if template is None:
            return f"{name}({', '.join(f'{key}={self.say(value)}' for key, value in values.items())})"
        return "".join(
            literal + (self._shown(values.get(key), spec or "") if key is not None else "")
            for literal, key, spec in _parts(template)
        )

    def has(self, name: str) -> bool:
        """Whether a name has a template."""
        return name in self._templates

    def say(self, what: Value) -> str:
        """A value as text: a sentence filled, a list joined, anything else as it is."""
        if isinstance(what, Said):
            return self(self._instead.get(what.name, what.name), **what.values)
        if isinstance(what, tuple):
            return ", ".join(map(self.say, what))
        return "" if what is None else str(what)

    def joined(self, parts: tuple[Said, ...]) -> str:
        """Several sentences, one behind the other."""
        return "; ".join(map(self.say, parts))

    def named(self, row: Mapping[str, Any]) -> str:
        """A sentence as JSON has it (:meth:`kb.model.said.Said.to_json`)."""
        return self.say(Said.from_json(row))

    def word(self, token: Value) -> str:
        """A fixed word of the facts (``holds``, ``not present``) in this language, itself where there is no other."""
        if isinstance(token, tuple):
            return ", ".join(map(self.word, token))
        return self.tokens.get(token, token) if isinstance(token, str) else self.say(token)

    def instead(self, names: Mapping[str, str]) -> "Words":
        """The same words, some sentences said by the template of another name: where a page says a part elsewhere."""
        other = Words(self.language, {"word": self.tokens})
        other.roles, other._templates, other._instead = self.roles, self._templates, {**self._instead, **names}
        return other

    def _shown(self, value: Value, spec: str) -> str:
        if spec == "":
            return self.say(value)
        if spec == "-":
            return ""
        if spec == "word":
            return self.word(value)
        listed = _LIST.fullmatch(spec)
        if listed is not None:
            return self._list(value, listed)
        choice = _CHOICE.fullmatch(spec)
        if choice is not None:
            return choice["one" if (len(value) if isinstance(value, tuple) else value) == 1 else "many"]
        return format(value, spec)

    def _list(self, value: Value, spec: "re.Match[str]") -> str:
        """All items, or the first ones: ``first`` ends in dots where there are more, ``most`` in their number."""
        items = value if isinstance(value, tuple) else (value,)
        by = {"and": self("list.and"), "or": self("list.or")}.get(spec["by"] or "", spec["by"] or ", ")
        kept = items[: int(spec["count"])] if spec["count"] else items
        more = len(items) - len(kept)
        end = "" if not more else " ..." if spec["how"] == "first" else self("list.more", count=more)
        return by.join(map(self.say, kept)) + end


def _flat(rows: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in rows.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, str(value)


@cache
def _parts(template: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """Literal text, the value behind it, and how that is shown."""
    return tuple((literal, key, spec) for literal, key, spec, _ in string.Formatter().parse(template))


def placeholders(template: str) -> frozenset[str]:
    """Names of the values that a template shows."""
    return frozenset(key for _, key, _ in _parts(template) if key is not None)


@cache
def words(language: str) -> Words:
    """The words of a language (``en``, ``zh``)."""
    return Words(language, toml(Path(__file__).with_name(f"{language}.toml")))


def reasons() -> Mapping[str, str]:
    """Names of the reasons that a chain may hold, each with its claim in English."""
    return words("en").roles["reason"]


def english(sentence: Said) -> str:
    """A sentence in English: what ``str()`` of it is."""
    return words("en").say(sentence)
