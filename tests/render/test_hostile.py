"""Nothing that a log, a case or a name holds acts: not on a terminal, not in a ticket, not in what reads JSON."""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kb import api
from kb.chat.reply import Claim, Reply
from kb.model.said import Said
from kb.model.verdict import Diagnosis
from kb.render.case import case_text
from kb.render.json import line as json_line
from kb.render.markdown import code, text, to_markdown
from kb.render.safe import safe, safe_lines
from kb.render.script import script
from kb.render.text import brief, to_text

ROOT = Path(__file__).resolve().parents[2]
ANY = st.text(st.characters(exclude_categories=()))
HOSTILE = (
    "\x1b[2J", "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "\x9d0;x\x9c", "\x00", "\x07",
    "\x7f", "\r", "\x85", "\u2028", "\u202e",
    "\u2066", "\u061c", "\u200b", "\u200e", "\ufeff",
    "\U000e0041", "\U000e007f", "\u00ad", "\u115f", "\u3164", "\ufe0f",
    "\U000e0100", "\ufff9", "\udcff", "\ud800", "\udfff",
)  # fmt: skip
ACTS = (
    "@torvalds", "@org/team", "#123", "owner/repo#12", "GH-12", "!45", "&6", "$7", "%8", '%"v1"', "~bug",
    "http://evil.example/x",
    "https://evil.example", "ftp://evil.example", "www.evil.example", "a@evil.example", "mailto:a@evil.example",
    ":tada:", ":100:",
    "[x](http://evil.example)", "![x](//evil.example/a.png)", "<img src=x>", "<!-- x", "&copy;", "`x`", "```",
    "**x**", "__x__",
    "/close", "/assign @root", "- x", "1. x", "# x", "> x", "| a | b |", "[vulnerability:12]", "$x$", "<http://evil.example>",
    "\n/close", "\n# x", "x\n===", "~~x~~", "\\", "\\@x", "\t@x",
)  # fmt: skip


def drives(shown: str) -> list[str]:
    """Characters that a terminal obeys, or that nobody would see."""
    return [
        char
        for char in shown
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char not in "\n\t\u200b"
    ]


@given(ANY)
def test_nothing_that_is_shown_drives_a_terminal_or_hides(any_text: str) -> None:
    shown = safe(any_text)
    assert [char for char in shown if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")] in (
        [],
        ["\t"] * shown.count("\t"),
    )
    assert safe(shown) == shown
    shown.encode()


@pytest.mark.parametrize("odd", HOSTILE)
def test_each_of_these_is_shown(odd: str) -> None:
    assert safe(f"a{odd}b").isprintable()
    assert safe(f"a{odd}b") != f"a{odd}b"
    assert len(safe(odd)) >= 4


@given(ANY)
def test_json_is_exact_and_in_printable_ascii(any_text: str) -> None:
    shown = json_line({any_text: [any_text]})
    assert shown.isascii()
    assert shown.isprintable()
    assert json.loads(shown) == {any_text: [any_text]}


FIXED = frozenset("verdict role how status op branch fix_status kind subtype arch how".split())
"""Fields that hold one of a few words of kb's own."""


def poisoned(value: Any, odd: str, name: str = "") -> Any:
    """A value in which every text ends in something hostile."""
    if isinstance(value, str):
        return value if name in FIXED else value + odd
    if isinstance(value, Said):  # its name is kb's own
        return Said(value.name, poisoned(value.values, odd))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {f.name: poisoned(getattr(value, f.name), odd, f.name) for f in dataclasses.fields(value) if f.init}
        return dataclasses.replace(value, **changes)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(poisoned(item, odd, key) for key, item in zip(value._fields, value, strict=True)))
    if isinstance(value, Mapping):
        return {key: poisoned(item, odd, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(poisoned(item, odd, name) for item in value)
    return value


@pytest.fixture(scope="module")
def diagnoses() -> list[Diagnosis]:
    """Of several kinds, with and without a case."""
    logs = [ROOT / f"tests/chat/data/{name}.log" for name in ("oops-pair", "hung-task")]
    logs += [ROOT / "cases/nofs-high-order-watermark/match-seed.log", *(ROOT / "cases").glob("oom-*/match-*.log")]
    return [next(iter(api.match(path))) for path in logs[:5]]


@pytest.mark.parametrize("odd", HOSTILE)
def test_no_field_reaches_an_output_raw(odd: str, diagnoses: list[Diagnosis]) -> None:
    for diagnosis in diagnoses:
        found = poisoned(diagnosis, odd)
        for shown in (to_text(found, verbose=2), to_text(found), brief(found), to_markdown(found)):
            assert drives(shown) == [], shown[:2000]
            assert odd not in shown.replace("\u200b", "") or odd == "\u200b"
        assert json_line(found.to_json()).isprintable()
        for match in found.matches:
            assert drives(case_text(match.case)) == []
            assert drives(script(match.case.title, match.case.kind, match.case.verify, None)) == []
        assert drives(str(Claim(found.report.title + odd, ((1, 2),), (odd,), odd))) == []


TAGS = ("h3", "p", "br", "strong", "em", "ul", "li", "code", "details", "summary")


def inert(markdown: str) -> list[str]:
    """What a renderer makes of a ticket that is more than text, bold text, lists, headings, code and folds."""
    renderer = MarkdownIt("gfm-like", {"linkify": True, "html": True})
    assert renderer.linkify is not None
    # forges link what has a scheme or begins with "www." (below), not each word that ends in a country (GFM 6.9)
    renderer.linkify.set({"fuzzy_link": False})
    html = renderer.render(markdown)
    tags = set(re.findall(r"<(/?[a-zA-Z0-9]+)", html))
    odd = sorted(tags - {t for tag in TAGS for t in (tag, "/" + tag)})
    plain = re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL)
    plain = (
        re.sub(r"<[^>]*>", "", plain)
        .replace("&quot;", '"')
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
    )
    acting = re.compile(
        r"(?<![\w`])@[A-Za-z0-9]|#\d|\bGH-\d|[!&$%]\d|~\w|[a-z]://|\bwww\.|\w@\w|:[a-z0-9_+-]+:|\[\w+:\d|©"
    )
    return odd + acting.findall(plain) + re.findall(r"^\s*/\w+", markdown, re.MULTILINE)


@pytest.mark.parametrize("act", ACTS)
def test_words_of_a_log_do_nothing_in_a_ticket(act: str, diagnoses: list[Diagnosis]) -> None:
    for diagnosis in diagnoses:
        for lead in ("", " "):
            found = poisoned(diagnosis, lead + act)
            assert inert(to_markdown(found)) == [], act
        found = dataclasses.replace(
            diagnosis, report=dataclasses.replace(diagnosis.report, comm=act, title=act, source=act)
        )
        assert inert(to_markdown(found)) == [], act


PIECES = st.lists(
    st.sampled_from([*ACTS, *"@#!$%&~:/`*_[]()<>|\\ -+=1.a\n", "http", "://", "www.", "x"]), max_size=12
).map("".join)


@settings(max_examples=500)
@given(PIECES)
def test_no_mix_of_marks_does_anything(any_text: str) -> None:
    assert inert(f"- *holds*: {text(any_text)} and {code(any_text)}\n") == []
    assert inert(f"### {text(any_text)}\n\nx {text(any_text)}\n") == []


@given(PIECES)
def test_a_code_span_holds_the_text_whole(any_text: str) -> None:
    html = MarkdownIt().render(f"x {code(any_text)} y\n")
    shown = re.fullmatch(r"<p>x <code>(.*)</code> y</p>\n", html, re.DOTALL)
    assert shown is not None
    assert unescape(shown[1]).split() == safe(any_text).split()


def test_ordinary_text_reads_as_it_is() -> None:
    assert text("page allocation failure: order:5 in osdmap_set_max_osd") == (
        "page allocation failure: order:5 in osdmap\\_set\\_max\\_osd"
    )
    assert code("sysctl vm.x=1") == "`sysctl vm.x=1`"


def test_a_log_s_own_words_are_shown_in_every_output() -> None:
    log = "Kernel panic - not syncing: see @torvalds\tand\x1b[2J \U000e0041#12 http://evil.example\n"
    (found,) = api.match(log.encode(), cases=())
    assert "\t" not in found.report.title
    assert r"\x1b[2J \U000e0041#NUM" in found.to_text()
    assert drives(found.to_text() + safe_lines(log)) == []
    assert inert(found.to_markdown()) == []


@settings(max_examples=300)
@given(PIECES, st.integers(0, 9))
def test_an_answer_does_nothing_in_a_ticket(any_text: str, indent: int) -> None:
    reply = Reply("\n".join([safe(any_text), " " * indent + safe(any_text)]), "why")
    assert inert(reply.to_markdown() + "\n") == []
    assert drives(reply.to_markdown()) == []
