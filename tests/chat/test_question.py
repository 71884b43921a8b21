"""Reading a line: what is asked, with which arguments, through typing errors, in two languages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.chat.question import RANKS, read
from kb.chat.spelling import slips, vocabulary


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("why did it fail", "why"),
        ("y did it die", "why"),
        ("how come it failed with so much free memory", "why"),
        ("what fixed it, and why", "fix"),
        ("who else saw it", "seen"),
        ("who did it", "who"),
        ("what happened", "happened"),
        ("what changed", "changed"),
        ("known issues with xfs", "search"),
        ("is it a known issue", "known"),
        ("show me the second one", None),
        ("我的内核受影响吗", "affected"),
        ("有没有副作用", "workaround"),
        ("别的机器有吗", "seen"),
        ("怎么办", "now"),
        ("quit", "exit"),
        ("why quit", "why"),
    ],
)
def test_the_question_of_a_line(line: str, kind: str | None) -> None:
    assert read(line).kind == kind


@pytest.mark.parametrize(
    ("line", "name", "part", "value"),
    [
        ("and on 5.14?", "release", "release", "5.14"),
        ("linux 3.10.0-514.el7.x86_64", "release", "release", "3.10.0-514.el7.x86_64"),
        ("rhel 8.4", "release", "minor", "4"),
        ("5.14呢", "release", "release", "5.14"),
        ("what is 0x104050", "hex", "hex", "0x104050"),
        ("GFP_NOFS|__GFP_COMP", "gfp", "names", "GFP_NOFS|__GFP_COMP"),
        ("show lines 20-31", "span", "first4", "20"),
        ("显示20到31行", "span", "last2", "31"),
        ("the 2nd one", "ordinal", "word", "2nd"),
        ("第二个", "ordinal", "chinese", "二"),
        ("what if order:3", "order", "order", "3"),
        ("compare ../a/b.log", "path", "path", "../a/b.log"),
        ("load ~/My Logs/x y.log", "load", "path", "~/My Logs/x y.log"),
    ],
)
def test_arguments(line: str, name: str, part: str, value: str) -> None:
    assert read(line).first(name, part) == value


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wyh did it fial", "why did it fail"),
        ("wich zones", "which zones"),
        ("workaronds", "workarounds"),
        ("is my kernal afected", "is my kernel affected"),
        ("compactoin", "compaction"),
        ("waht hapened", "what happened"),
    ],
)
def test_typing_errors_are_read_as_the_words_they_are_near(typed: str, meant: str) -> None:
    assert read(typed).understood == meant


@pytest.mark.parametrize("line", ["why did libceph fail", "is kswapd to blame", "show osdmap_set_max_osd", "lines 1-2"])
def test_names_and_numbers_are_never_corrected(line: str) -> None:
    assert read(line).understood is None


def test_a_note_is_kept_as_typed() -> None:
    question = read("note teh kernal was wierd")
    assert question.kind == "note"
    assert question.first("note", "text") == "teh kernal was wierd"


def test_words_outside_the_grammar_are_named() -> None:
    assert read("why is the sky blue").strange == ("sky", "blue")
    assert read("为什么股票跌了").strange == ("股票跌",)
    assert read("why did it fail").strange == ()


def test_every_rule_of_the_grammar_has_a_rank() -> None:
    from kb.syntax.engine import build

    parser = build("chat", "words", strict=False)
    rules = {rule.alias or rule.origin.name for rule in parser.rules}
    helpers = {name for name in rules if name.startswith(("_", "start", "command", "question", "topic", "argument"))}
    arguments = set(
        "path moment cpu pid hex gfp release mine span order ordinal both node zone case_id signature_id number".split()
    )
    assert rules - helpers - arguments == set(RANKS)


def test_the_grammar_holds_no_conflict() -> None:
    from kb.syntax.engine import build

    build("chat", "words", strict=True)


@pytest.mark.parametrize(
    ("one", "two", "distance"), [("why", "wyh", 1), ("fix", "fix", 0), ("zones", "zone", 1), ("abcd", "badc", 2)]
)
def test_slips_count_letters_lost_added_changed_and_swapped(one: str, two: str, distance: int) -> None:
    assert slips(one, two, 3) == distance


def test_endings_of_patterns_are_words_of_the_vocabulary() -> None:
    assert {"mitigation", "mitigate", "risk", "risks", "compaction"} <= set(vocabulary())


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert read(text).text == text.strip()[:2000]


@pytest.mark.parametrize(
    "text",
    [
        "GFP_A|" * 50_000,
        "a/" * 100_000,
        "1-" * 100_000,
        "第" * 100_000,
        "order " * 50_000,
        "note" + " " * 100_000,
        "x" * 10**6,
    ],
    ids=lambda text: text[:6],
)
def test_no_line_makes_the_reader_hang(text: str) -> None:
    """Not a speed test: a pattern that backtracked exponentially would need years."""
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 20
