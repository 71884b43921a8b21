"""Questions about the store: how often, since when, of what kind, on which host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb.api import KnowledgeBase
from kb.chat import Conversation
from kb.store.summary import most

ROOT = Path(__file__).resolve().parents[2]
LOGS = ("cases/softlockup-generic/match-6.1.log", "tests/chat/data/oom-memcg.log")


def dated(text: str) -> str:
    """A text with the days that it names; as of now, since the tests may be collected before midnight and run after."""
    today = datetime.now(UTC).date()
    days = {"today": 0, "yesterday": 1, "long_ago": 20}
    return text.format(**{name: today - timedelta(days=ago) for name, ago in days.items()})


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    """A lockup seen thrice on db17, two of them 20 days ago; two OOM kills today on web1."""
    now = datetime.now(UTC)
    with KnowledgeBase(tmp_path / "kb.db") as base:
        (lockup,) = base.read(ROOT / LOGS[0])
        for number, days in enumerate((20, 20, 0)):
            when = now - timedelta(days=days)
            base.record(lockup, source=f"t{number}", host="db17", seen=f"{when:%Y-%m-%dT%H:%M:%S.%fZ}")
        for report in base.read(ROOT / LOGS[1]):
            base.record(report, source="t9", host="web1", seen=f"{now:%Y-%m-%dT%H:%M:%S.%fZ}")
        yield base


@pytest.mark.parametrize(("question", "fragments"), [
    ("how many signatures are in the store", ("5 sighting(s)", "2 named host(s)", "3 x BUG: soft lockup")),
    ("what is the most common problem", ("3 x BUG: soft lockup",)),
    ("what was seen today", ("3 sighting(s)", "1 x BUG: soft lockup")),
    ("what was seen yesterday", ("0 sighting(s)", "{yesterday} to {today}")),
    ("what is in the store since 2099", ("0 sighting(s)", "2099 to ...")),
    ("what is in the store since {yesterday}", ("3 sighting(s)",)),
    ("what is in the store before {yesterday}", ("2 sighting(s)", "... to {yesterday}")),
    ("what is in the store in {long_ago}", ("2 sighting(s)",)),
    ("what is in the store from 2001-01 to {yesterday}", ("2 sighting(s)",)),
    ("库里 {yesterday} 以来有多少签名", ("3 次出现",)),
    ("how many oom kills this week", ("2 sighting(s)", "oom kills")),
    ("how many soft lockups in the last 30 days", ("3 sighting(s)", "soft lockups")),
    ("what did db17 see this week", ("1 sighting(s)", "db17")),
    ("how many null pointers this week", ("0 sighting(s)", "null pointers")),
    ("what was seen in the last 9999 weeks", ("5 sighting(s)",)),
    ("库里有多少签名", ("5 次出现", "2 台")),
    ("最近三天有几次 oom", ("2 次出现",)),
    ("今天出现了什么", ("3 次出现",)),
    ("最常见的问题是什么", ("3 x BUG: soft lockup",)),
])  # fmt: skip
def test_the_store_is_counted(base: KnowledgeBase, question: str, fragments: tuple[str, ...]) -> None:
    text = Conversation(base).ask(dated(question)).text
    assert [fragment for fragment in map(dated, fragments) if fragment not in text] == [], text


def test_a_host_that_the_store_has_not_seen_is_not_answered(base: KnowledgeBase) -> None:
    reply = Conversation(base).ask("how many oom kills on db99 this week")
    assert not reply.known
    assert reply.text.startswith("I don't know")


def test_without_a_store_there_is_nothing_to_count(tmp_path: Path) -> None:
    with KnowledgeBase(tmp_path / "none.db") as base:
        reply = Conversation(base).ask("how many signatures are in the store")
    assert reply.text.startswith("I don't know: there is no store here")
    assert not (tmp_path / "none.db").exists()


def test_what_was_seen_most_by_span_kind_and_host(base: KnowledgeBase) -> None:
    day = f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%d}"
    assert [(one.count, one.hosts) for one in most(base.store)] == [(3, 1), (2, 1)]
    assert sum(one.count for one in most(base.store, since=day)) == 3
    assert sum(one.count for one in most(base.store, until=day)) == 2
    assert [one.kind for one in most(base.store, host="web1")] == ["oom_kill"]
    assert most(base.store, host="") == []
