"""The files of words against the code: every name has a template a language, and each says all it is given."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from kb import api
from kb.model.said import Said
from kb.parse.notice import rows
from kb.words.speak import LANGUAGES, Words, placeholders, said, words

ROOT = Path(__file__).resolve().parents[2]


@cache
def calls() -> tuple[dict[Path, list[ast.Call]], frozenset[str]]:
    """The calls of each source, and every text that is written out in one; walked once, by the worker that asks."""
    calls: dict[Path, list[ast.Call]] = {}
    texts: set[str] = set()
    for path in sorted(path for folder in ("kb", "tui") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call):
                calls.setdefault(path, []).append(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return calls, frozenset(texts)


class Use(NamedTuple):
    where: str
    name: str | None
    """None where the name is not written out."""
    values: frozenset[str]


def _uses() -> Iterator[Use]:
    for path, found in calls()[0].items():
        for node in found:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called not in ("said", "words") or not node.args:
                continue
            first, where = node.args[0], f"{path.relative_to(ROOT)}:{node.lineno}"
            name = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
            if called == "said" or (name is not None and "." in name):
                yield Use(where, name, frozenset(keyword.arg or "**" for keyword in node.keywords))
    for path in sorted((ROOT / "kb").rglob("*.jinja")):
        for call in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "words":
                where = f"{path.relative_to(ROOT)}:{call.lineno}"
                yield Use(where, call.args[0].as_const(), frozenset(keyword.key for keyword in call.kwargs))


@cache
def uses() -> tuple[Use, ...]:
    """Calls of ``said(...)`` and of the words of a page."""
    return tuple(_uses())


def texts() -> set[str | None]:
    """What may be a name or a word: written out in a source, or used as one in a page."""
    return {*calls()[1], *(use.name for use in uses())}


def templates(language: str) -> dict[str, str]:
    return {name: text for table in words(language).roles.values() for name, text in table.items()}


def test_the_code_is_read_at_all() -> None:
    assert len(uses()) > 600


def test_a_sentence_is_made_with_its_name_and_values_written_out() -> None:
    assert [use.where for use in uses() if use.name is None or "**" in use.values] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_name_of_the_code_has_a_template(language: str) -> None:
    known = templates(language)
    assert [(use.where, use.name) for use in uses() if use.name not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_shows_the_values_of_its_name_and_no_others(language: str) -> None:
    known = templates(language)
    wrong = [
        (use.where, use.name, sorted(use.values ^ placeholders(known[use.name])))
        for use in uses()
        if use.name in known and use.values != placeholders(known[use.name])
    ]
    assert wrong == []


def test_no_name_is_without_a_user() -> None:
    notices = {f"notice.{row.lower()}" for row in rows()}
    of_lists = set(words("en").roles["list"])
    assert sorted(set(templates("en")) - texts() - notices - of_lists) == []


def test_every_notice_has_a_meaning_and_every_meaning_a_notice() -> None:
    named = {name for name in words("en").roles["reason"] if name.startswith("notice.")}
    notices = {f"notice.{row.lower()}" for row in rows()}
    assert sorted(notices - named) == [], "say what it means in kb/words/en.toml and zh.toml, under [reason]"
    assert sorted(named - notices) == [], "no notice of kb/parse/notices.toml has this name"


def test_the_languages_have_the_same_names_in_the_same_order() -> None:
    english, chinese = words("en").roles, words("zh").roles
    for table, told in english.items():
        apart = sorted(set(told) ^ set(chinese[table]))
        assert apart == [], f"[{table}] has these names in one of kb/words/en.toml and zh.toml only"
    assert {table: list(rows) for table, rows in english.items()} == {
        table: list(rows) for table, rows in chinese.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_are_well_formed(language: str) -> None:
    """Names of values, no attributes, no conversions; a sentence has no blank at its end."""
    for name, text in templates(language).items():
        for _, key, _, conversion in string.Formatter().parse(text):
            assert key is None or key.isidentifier(), (name, text)
            assert conversion is None, (name, text)
        table = next(table for table, rows in words(language).roles.items() if name in rows)
        assert table in ("part", "list", "label") or text == text.strip() or name == "sum.step", (name, text)


def test_english_names_no_word_of_its_own() -> None:
    """A fixed word of the facts is English already."""
    assert words("en").tokens == {}


def test_every_fixed_word_has_a_user() -> None:
    """A token of [word] stands in the code, is made of two that do, or is one of the kernel's own (<reader>)."""
    made = {"reader", "writer"} | {f"{mode} mode" for mode in ("kernel", "user")}
    made |= {text.replace("_", " ") for text in texts() if text is not None}
    made |= {f"{lock}, as {role}" for lock in ("mutex", "rw-semaphore") for role in ("reader", "writer")}
    assert sorted(set(words("zh").tokens) - texts() - made) == []


# ---- how a template is filled


def fill(template: str, **values: object) -> str:
    tables = {
        "part": {"x.y": template, "x.inner": "<{a}>"},
        "list": {"and": " and ", "or": " or ", "more": " +{count}"},
    }
    tables["list"] = {f"list.{key}": text for key, text in tables["list"].items()}
    return Words("xx", {**tables, "word": {"mutex": "锁"}})("x.y", **values)


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{n} {n:block|blocks}", {"n": 1}, "1 block"),
        ("{n} {n:block|blocks}", {"n": 0}, "0 blocks"),
        ("{cpus:CPU|CPUs} {cpus}", {"cpus": (3,)}, "CPU 3"),
        ("{cpus:CPU|CPUs} {cpus}", {"cpus": (3, 5)}, "CPUs 3, 5"),
        ("{mask:#x} {share:.0%}", {"mask": 255, "share": 0.5}, "0xff 50%"),
        ("{a:all by  --> }", {"a": ("x", "y", "x")}, "x --> y --> x"),
        ("{a:all by |}", {"a": ("IO", "FS")}, "IO|FS"),
        ("{a:all by and}", {"a": ("x", "y")}, "x and y"),
        ("{a:first 2}", {"a": ("x", "y", "z")}, "x, y ..."),
        ("{a:first 3}", {"a": ("x", "y", "z")}, "x, y, z"),
        ("{a:most 2 by  }", {"a": ("x", "y", "z", "z")}, "x y +2"),
        ("{what:word}", {"what": "mutex"}, "锁"),
        ("{what:word}", {"what": ("mutex", "rtnl")}, "锁, rtnl"),
        ("{a:-}b", {"a": "x"}, "b"),
        ("{a}", {"a": None}, ""),
        ("{a}", {"a": Said("x.inner", {"a": "{b}"})}, "<{b}>"),
        ("{a}", {"a": "{b} {0} %s"}, "{b} {0} %s"),
    ],
)
def test_a_template_is_filled(template: str, values: dict[str, object], text: str) -> None:
    assert fill(template, **values) == text


def test_a_name_without_a_template_shows_itself() -> None:
    assert words("en").say(Said("no.such", {"a": 1, "b": "x"})) == "no.such(a=1, b=x)"


def test_a_sentence_may_be_said_by_another_name() -> None:
    inner = said("part.assuming", assumed=said("assumed.kernel", kernels="RHEL 7"))
    outer = said("mark.assuming", why=said("mark.value", value="5"), assuming=inner)
    assert words("en").instead({"part.assuming": "part.assumed"}).say(outer) == "5 (assumed)"
    assert words("en").instead({"part.assuming": "part.unsaid"}).say(outer) == "5"


VALUES = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(min_size=1), inner, max_size=3).map(lambda values: Said("a.b", values))
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_a_sentence_comes_back_from_json(values: dict[str, object]) -> None:
    sentence = Said("some.name", values)  # type: ignore[arg-type]
    assert Said.from_json(sentence.to_json()) == sentence


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_equal_sentences_have_equal_hashes(values: dict[str, object]) -> None:
    other = dict(reversed(values.items()))
    assert Said("some.name", values) == Said("some.name", other)  # type: ignore[arg-type]
    assert hash(Said("some.name", values)) == hash(Said("some.name", other))  # type: ignore[arg-type]


# ---- what the values are

UNITS = ("_pages", "_kb", "_bytes", "_s", "_jiffies")


def sentences(value: object) -> Iterator[Said]:
    if isinstance(value, Said):
        yield value
        for inner in value.values.values():
            yield from sentences(inner)
    elif isinstance(value, tuple):
        for item in value:
            yield from sentences(item)


def test_a_value_with_a_unit_is_a_number() -> None:
    for log in sorted((ROOT / "cases").glob("*/match-*.log")):
        for found in api.match(log, cases=()):
            facts = found.facts
            spoken = (facts.conclusion, facts.missing, facts.steps, found.report.damage, found.report.guilt)
            chain = tuple((reason.says, reason.why, reason.sums) for reason in facts.reasoning)
            for sentence in sentences((*spoken, *chain)):
                for key, value in sentence.values.items():
                    assert not key.endswith(UNITS) or isinstance(value, int), (log, sentence)
