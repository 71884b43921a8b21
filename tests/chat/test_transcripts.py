"""Sixty transcripts of what people type, thirty in English and thirty in Chinese: each answer is right and cited.

A transcript (``tests/chat/*.txt``) holds lines that begin with

    #      a comment
    >      what is typed
    kind   the question that the line before was taken for
    =      a fragment that the answer must hold
    !      a fragment that it must not hold

The fragments were worked out from the logs and from the case, not copied from the answers.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kb.api import KnowledgeBase
from kb.chat import Conversation, Reply

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """A conversation with the packaged cases and a store of its own; paths are those of the repository."""
    monkeypatch.chdir(ROOT)
    return Conversation(KnowledgeBase(tmp_path / "kb.db"), author="tester", folder=tmp_path, read_files=True)


def test_there_are_thirty_of_each_language() -> None:
    names = [path.name[:2] for path in TRANSCRIPTS]
    assert (names.count("en"), names.count("zh")) == (30, 30)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path: Path, talk: Conversation) -> None:
    reply: Reply | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark, _, rest = line.partition(" ")
        got = (reply.kind, reply.text) if reply is not None else ("nothing", "")
        where = f"{path.name}:{number}: {line!r}\n--- was answered ({got[0]}):\n{got[1]}"
        if mark == ">":
            reply = talk.ask(rest)
            assert reply.language == path.name[:2] or not re.search("[A-Za-z]{2}", rest), where
            assert uncited(reply) == [], where
        elif mark == "kind":
            assert reply is not None
            assert reply.kind == rest, where
        elif mark == "=":
            assert reply is not None
            assert rest in reply.text, where
        elif mark == "!":
            assert reply is not None
            assert rest not in reply.text, where
        else:
            assert mark in ("#", ""), where


FREE = ("load", "help", "exit", "paste", "unknown", "nothing_loaded", "error", "nothing")
"""Answers that claim nothing about a kernel."""


def uncited(reply: Reply) -> list[str]:
    """Lines of an answer that claim something and end in nothing: not log lines, remarks or heads of lists."""
    if reply.kind in FREE:
        return []
    remarks = re.compile(r"\(.*\)|.*[:：]|\d+ case\(s\).*|.*\d+ 个案例.*| *\d+  .*")
    return [line for line in reply.text.split("\n") if not line.endswith("]") and not remarks.fullmatch(line)]
