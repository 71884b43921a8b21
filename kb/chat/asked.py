"""The table kb/words/asked.toml: what people call things, read once."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_CJK = re.compile("[\u3400-\u9fff\uf900-\ufaff]")


class KindWord(NamedTuple):
    """A row of ``kind``."""

    pattern: "re.Pattern[str]"
    kinds: frozenset[str]
    has: "re.Pattern[str] | None"
    line: "re.Pattern[str] | None"


class LineWord(NamedTuple):
    """A row of ``line``."""

    pattern: "re.Pattern[str]"
    finds: "re.Pattern[str]"


@cache
def _table() -> dict[str, Any]:
    path = Path(__file__).parent.parent / "words" / "asked.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _words(row: dict[str, Any]) -> "re.Pattern[str]":
    """Any of a row's words, the longest first; English ones as whole words, of one or of several."""
    return re.compile("|".join(map(_word, sorted(row["words"], key=len, reverse=True))), re.IGNORECASE)


def _word(word: str) -> str:
    return re.escape(word) if _CJK.search(word) else rf"(?<![\w-]){re.escape(word)}(?:e?s)?(?![\w-])"


def _maybe(pattern: str | None) -> "re.Pattern[str] | None":
    return re.compile(pattern) if pattern else None


@cache
def kind_words() -> tuple[KindWord, ...]:
    """What people call reports."""
    return tuple(
        KindWord(_words(row), frozenset(row["kinds"]), _maybe(row.get("has")), _maybe(row.get("line")))
        for row in _table()["kind"]
    )


@cache
def line_words() -> tuple[LineWord, ...]:
    """What people ask a log for."""
    return tuple(LineWord(_words(row), re.compile(row["finds"])) for row in _table()["line"])


@cache
def _characters() -> dict[int, int]:
    rows = _table()["characters"]
    return str.maketrans("".join(rows["traditional"]), "".join(rows["simplified"]))


@cache
def _synonyms() -> "tuple[re.Pattern[str], dict[str, str]]":
    meant = {other: word for word, others in _table()["synonyms"].items() for other in others}
    words = {**meant, **{word: word for word in _table()["synonyms"]}}
    longest = sorted(words, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest))), words


def term(word: str) -> str:
    """The word of the glossary that a Chinese word stands for; empty where none does."""
    return next((name for name, others in _table()["terms"].items() if word in others), "")


def simplified(text: str) -> str:
    """Traditional characters as simplified ones."""
    return text.translate(_characters())


def canonical(text: str) -> str:
    """Chinese words as the grammar knows them: at each place the longest word of the table is read."""
    if not _CJK.search(text):
        return text
    pattern, words = _synonyms()
    return pattern.sub(lambda found: words[found[0]], text)


def kinds_named(text: str) -> list[tuple[str, KindWord]]:
    """The reports that a line names, as typed; of words inside each other the longest."""
    found = [(hit, row) for row in kind_words() for hit in row.pattern.finditer(text)]
    return [
        (hit[0], row)
        for hit, row in sorted(found, key=lambda pair: pair[0].start())
        if not any(
            other.start() <= hit.start() and hit.end() <= other.end() and len(other[0]) > len(hit[0])
            for other, _row in found
        )
    ]  # fmt: skip


def lines_named(text: str) -> list[tuple[str, LineWord]]:
    """What of a log a line asks for, as typed."""
    found = [(hit, row) for row in line_words() if (hit := row.pattern.search(text)) is not None]
    return [(hit[0], row) for hit, row in sorted(found, key=lambda pair: (-len(pair[0][0]), pair[0].start()))]
