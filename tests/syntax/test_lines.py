"""What a single line is: the set answers as Lark does, on every sample and on damaged ones, with re2 and without."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.log.reader import Reader
from kb.syntax import engine, lines, patterns
from tests.kinds import samples

ROOT = Path(__file__).resolve().parents[2]
LINES = ("headline", "report", "notice", "meminfo", "oom")
WORDS = ("fields", "oom_fields")


def texts() -> list[str]:
    """Every line of the samples of the kinds and of the cases, once."""
    found: dict[str, None] = {}
    for kind in samples.KINDS:
        found.update(dict.fromkeys(wording.text for wording in samples.wordings(kind)))
        for log in samples.logs(kind):
            found.update(dict.fromkeys(line.text for line in Reader(log.whole.encode()).lines()))
    for path in sorted((ROOT / "cases").glob("*/*.log")):
        found.update(dict.fromkeys(line.text for line in Reader(path.read_bytes()).lines()))
    return list(found)


TEXTS = texts()


def damaged(count: int) -> Iterator[str]:
    """Lines cut, joined, with blanks and letters changed."""
    dice = random.Random(1)
    for _ in range(count):
        text, other = dice.choice(TEXTS), dice.choice(TEXTS)
        at = dice.randrange(len(text) + 1)
        yield dice.choice(
            [
                text[:at],
                text[at:],
                text[:at] + other,
                text + " ",
                " " + text,
                text.swapcase(),
                text[:at] + "\u00e4" + text[at:],
            ]
        )


def lark(name: str, text: str) -> tuple[str, dict[str, str]] | None:
    """The answer of the lexer that Lark makes of the grammar."""
    found = list(_lexer(name).lex(_State(text), None))
    return (found[0].type, dict(found[0].fields)) if found else None


class _State:
    def __init__(self, text: str, *, whole: bool = False):
        self.text = text if whole else engine.split(text)[:1]


def _lexer(name: str) -> engine.LineLexer:
    if name not in _LEXERS:
        lexer = engine.build(name).parser.lexer  # type: ignore[attr-defined]
        _LEXERS[name] = getattr(lexer, "lexer", lexer)
    return _LEXERS[name]


_LEXERS: dict[str, engine.LineLexer] = {}


@pytest.mark.parametrize("name", WORDS)
def test_the_words_inside_a_line_are_those_that_lark_finds(name: str) -> None:
    lexer = engine.build(name, "words").parser.lexer  # type: ignore[attr-defined]
    lexer = getattr(lexer, "lexer", lexer)
    for text in (*TEXTS, *damaged(1000)):
        theirs = [
            (token.type, dict(token.fields), token.match.span()) for token in lexer.lex(_State(text, whole=True), None)
        ]
        ours = [(kind, dict(fields), match.span()) for kind, fields, match in lines.words(name).find(text)]
        assert ours == theirs, text


def own(grammar: lines.Grammar, text: str) -> tuple[str, dict[str, str]] | None:
    found = grammar.match(text)
    return (found[0], lines.fields(found[1])) if found is not None else None


@pytest.mark.parametrize("name", LINES)
def test_the_set_says_what_lark_says(name: str) -> None:
    grammar = lines.grammar(name)
    wrong = [text for text in (*TEXTS, *damaged(3000)) if own(grammar, text) != lark(name, text)]
    assert wrong == []


@pytest.mark.parametrize("name", LINES)
def test_without_re2_the_answer_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grammar = lines.grammar(name)
    monkeypatch.setitem(sys.modules, "re2", None)
    plain = lines.Grammar(engine.tables(name, "lines"))
    wrong = [text for text in (*TEXTS[::3], *damaged(1000)) if own(grammar, text) != own(plain, text)]
    assert wrong == []
    assert plain._set is None


@pytest.mark.parametrize("name", LINES)
def test_what_the_set_asks_is_wider_than_the_terminal(name: str) -> None:
    """A nomination that is missing could not be confirmed: each terminal's matches are among what its pattern fits."""
    import re

    terminals = engine.tables(name, "lines").terminals
    loose = [re.compile(patterns.loosened(pattern)) for _, pattern in terminals]
    strict = [re.compile(pattern) for _, pattern in terminals]
    for text in TEXTS[::5]:
        for wide, narrow in zip(loose, strict, strict=True):
            assert narrow.fullmatch(text) is None or wide.fullmatch(text) is not None


@pytest.mark.parametrize(
    ("free", "tight"),
    [
        (r"(?x: a\ b  # a comment with ( in it" + "\n c )", "(?:a bc)"),
        (r"a b #(c)", r"a b #(c)"),
        (r"(?ix:[ #] \# (?:d e))f g", r"(?i:[ #]\#(?:de))f g"),
    ],
)
def test_free_spacing_is_taken_off_where_it_is_allowed_and_nowhere_else(free: str, tight: str) -> None:
    assert patterns.compact(free) == tight


@given(st.text("ab #\\n.*", max_size=12))
def test_a_pattern_without_free_spacing_stays_as_it_is(text: str) -> None:
    assert patterns.compact(text) == text
