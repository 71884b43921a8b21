"""In Chinese nothing is left in English but what is quoted: the log, the cases, titles, commands, kernel terms."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from kb import api
from kb.api import KnowledgeBase
from kb.chat import Conversation
from kb.model.case import Case
from kb.render.safe import width, wrap
from tests.words.chinese import QUESTIONS, even, strings, untranslated

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "cases").glob("*/*.log"))
GOLDEN = sorted((ROOT / "tests/parse/data").glob("*.txt"))
MATCHING = sorted((ROOT / "cases").glob("*/match-*.log"))
PARTS = 8


@cache
def cases() -> tuple[Case, ...]:
    return api.library().cases


@cache
def case_texts() -> str:
    return even(*strings(cases()))


def left(data: bytes) -> list[str]:
    """Lines of the pages and tickets of a log that hold an English sentence."""
    found = api.match(data, cases=cases(), notices=True)
    quoted = (even(data.decode("utf-8", "replace"), *(one.report.title for one in found)), case_texts())
    pages = [one.to_text(lang="zh", verbose=level, width=9999) for one in found for level in (0, 2)]
    pages += [one.to_markdown(lang="zh") for one in found]
    return [line for page in pages for line in untranslated(page.replace("\\", ""), quoted)]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_holds_an_english_sentence(part: int) -> None:
    for path in SAMPLES[part::PARTS]:
        assert left(path.read_bytes()) == [], path


def test_no_page_of_our_golden_logs_holds_an_english_sentence() -> None:
    for path in GOLDEN:
        assert left(path.read_bytes().partition(b"\n\n")[2]) == [], path


@pytest.mark.parametrize("part", range(PARTS))
def test_no_answer_holds_an_english_sentence(part: int, tmp_path: Path) -> None:
    base = KnowledgeBase(tmp_path / "kb.db")
    for path in MATCHING[part::PARTS]:
        talk = Conversation(base, lang="zh", author="tester", folder=tmp_path)
        talk.load(path)
        reports = list(api.read(path))
        titles = [report.title for report in reports]
        titles += [near.entry.title for report in reports for near in base.similar(report)]
        quoted = (even(path.read_text(encoding="utf-8", errors="replace"), *titles), case_texts())
        for question in QUESTIONS:
            assert untranslated(talk.ask(question).text, quoted) == [], (path, question)


def test_an_english_sentence_is_found() -> None:
    line = "状态 the kernel release is not known [L1]"
    assert untranslated(f"{line}\n未知", ()) == [line]
    assert untranslated("见 `the kernel release is not known`", ()) == []
    assert untranslated("说 the kernel release is", [even("[1.0] the  kernel\nrelease is late")]) == []


def test_english_stays_english(example: Path) -> None:
    (found,) = api.match(example, cases=())  # whose sources may be Chinese
    assert found.to_text() == found.to_text(lang="en")
    assert found.to_text(verbose=1).isascii() is False  # the marks
    assert not any("\u4e00" <= char <= "\u9fff" for char in found.to_text(verbose=2))


def test_the_labels_of_a_chinese_page_stand_in_one_column(example: Path) -> None:
    (found,) = api.match(example)
    for line in found.to_text(lang="zh", width=100).splitlines():
        assert width(line) <= 100 or "order-walk" in line or "  Node " in line, line


def test_chinese_is_broken_between_characters_and_english_at_blanks() -> None:
    assert wrap("水位满足, 但没有可用块", 10) == ["水位满足,", "但没有可用", "块"]
    assert wrap("按 warn_alloc_failed 的规则(这里)", 11) == ["按", "warn_alloc_failed", "的规则(这", "里)"]
    assert wrap("plain words only", 9) == ["plain", "words", "only"]
