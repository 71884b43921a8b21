"""Questions as people type them (questions.toml): none is answered wrong, few are not answered."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kb.api import KnowledgeBase
from kb.chat import Conversation

ROOT = Path(__file__).resolve().parents[2]
TABLE: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))["log"]
OPENINGS = ("i don't know", "不知道", "no log is loaded", "还没有加载")
USELESS = 0.1
"""The share of questions that may be left unanswered though the log tells."""


def judged(text: str, wants: list[str]) -> str:
    """``right``, ``useless`` (not answered though the log tells) or ``wrong``."""
    text = text.lower()
    honest = text.lstrip().startswith(OPENINGS)
    for want in wants:
        if want.startswith("!"):
            if want[1:].lower() in text:
                return "wrong"
        elif not any(honest if one == "?" else one.lower() in text for one in want.split("|")):
            return "useless" if honest else "wrong"
    return "right"


def asked(log: dict[str, Any], folder: Path) -> list[tuple[str, str, str]]:
    """Each question to a fresh conversation: question, verdict, answer."""
    rows = []
    with KnowledgeBase(folder / "kb.db") as base:
        for question, *wants in log["ask"]:
            talk = Conversation(base)
            if log["file"]:
                talk.load(ROOT / log["file"])
            text = talk.ask(question).text
            rows.append((question, judged(text, wants), text))
    return rows


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    folder = tmp_path_factory.mktemp("questions")
    return [row for log in TABLE for row in asked(log, folder)]


def test_the_table_is_wide_enough(rows: list[tuple[str, str, str]]) -> None:
    chinese = sum(any("\u3400" <= char <= "\u9fff" for char in question) for question, _, _ in rows)
    assert len(rows) >= 250
    assert len({log["file"] for log in TABLE}) > 12
    assert chinese * 20 >= len(rows) * 9


def test_no_question_is_answered_wrong(rows: list[tuple[str, str, str]]) -> None:
    wrong = [f"{question}\n{text}" for question, verdict, text in rows if verdict == "wrong"]
    assert not wrong, "\n\n".join(wrong)


def test_few_questions_are_left_unanswered(rows: list[tuple[str, str, str]]) -> None:
    useless = [f"{question}\n{text}" for question, verdict, text in rows if verdict == "useless"]
    assert len(useless) <= USELESS * len(rows), "\n\n".join(useless)
