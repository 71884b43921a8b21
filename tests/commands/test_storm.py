"""A storm of equal reports: what it costs is counted, and what is told of it is what is told of each alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kb.diagnose
import kb.parse.again
import kb.render.again
from kb import api
from kb.model.verdict import Diagnosis
from kb.render.again import Lines
from tests.kinds import samples

LEARNED = 8
"""Copies of a log behind which nothing new is to be learned of it."""
LOGS = {kind: max(samples.logs(kind), key=lambda log: len(log.whole)) for kind in samples.KINDS if samples.logs(kind)}
"""By kind the longest: in it most could be left behind."""


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Calls of what reads, diagnoses and renders a report of which nothing is known."""
    done: Counter[str] = Counter()

    def counted(module: Any, name: str) -> None:
        own: Callable[..., Any] = getattr(module, name)

        def call(*values: Any) -> Any:
            done[name] += 1
            return own(*values)

        monkeypatch.setattr(module, name, call)

    counted(kb.parse.again, "parse")
    counted(kb.diagnose, "_concluded")
    counted(kb.render.again, "to_json")
    return done


def storm(text: str, copies: int) -> bytes:
    """Copies of a log with stamps that go on."""
    rows = [samples.STAMP.sub("", row) for row in text.split("\n")] * copies
    stamped = (f"[{100 + number / 1000:12.6f}] {row}\n" for number, row in enumerate(rows))
    return "".join(stamped).encode("utf-8", "surrogateescape")


def diagnoses(data: bytes) -> Iterator[Diagnosis]:
    """As ``kb match`` has them."""
    with api.KnowledgeBase(":memory:") as base:
        for report in base.read(data):
            yield base.diagnose(report)


@pytest.mark.parametrize("kind", LOGS)
def test_the_next_of_equal_reports_is_neither_read_nor_diagnosed_again(kind: str, work: Counter[str]) -> None:
    text = LOGS[kind].whole
    once = sum(1 for _ in diagnoses(storm(text, 1)))
    lines, found = Lines(), diagnoses(storm(text, 2 * LEARNED + 1))  # the last one ends otherwise
    for diagnosis in itertools.islice(found, once * LEARNED):
        lines.line(diagnosis)
    work.clear()
    for diagnosis in itertools.islice(found, once * (LEARNED - 1)):
        lines.line(diagnosis)
    assert not work


def test_a_store_that_links_nothing_leaves_equal_reports_what_they_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Diagnosis] = []
    own = api.with_known_fixes
    monkeypatch.setattr(api, "with_known_fixes", lambda found: looked.append(found) or own(found))
    log = storm(LOGS["warning"].whole, LEARNED)
    with api.KnowledgeBase(tmp_path / "kb.db") as base:
        alone = [base.diagnose(report) for report in base.read(log)]
        first = len(looked)
        base.record(alone[0].report)
        beside = [base.diagnose(report) for report in base.read(log)]
    assert beside == alone
    assert first < len(alone)
    assert len(looked) - first <= first
