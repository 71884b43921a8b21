"""A diagnosis moved by lines: what is asked of it is moved then, and no sooner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import kb.model.moved
from kb import api
from kb.model.moved import moved_diagnosis, moved_report
from kb.model.verdict import Diagnosis


@pytest.fixture
def diagnosis(example: Path) -> Diagnosis:
    (found,) = api.match(example, cases=())
    return found


def moved(found: Diagnosis, by: int, **own: Any) -> Diagnosis:
    lines = tuple(line._replace(number=line.number + by, last=line.last + by) for line in found.report.lines)
    return moved_diagnosis(found, moved_report(found.report, lines, **own))


def test_no_fact_is_moved_before_it_is_asked_for(diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    own = kb.model.moved._fact
    monkeypatch.setattr(kb.model.moved, "_fact", lambda fact, by: done.append(fact.name) or own(fact, by))
    twice = moved(moved(diagnosis, 10), 100)
    assert done == []
    first, last = diagnosis.facts.values["order"].evidence[0]
    assert twice.facts.values["order"].evidence[0] == (first + 110, last + 110)
    assert set(done) == {"order"}


def test_what_a_report_follows_is_its_own(diagnosis: Diagnosis) -> None:
    behind = moved(diagnosis, 10, follows=3)
    assert behind.facts.values["follows"].value == 3
    assert diagnosis.facts.values["follows"].value is None
    others = {name: fact.value for name, fact in behind.facts.values.items() if name != "follows"}
    assert others == {name: fact.value for name, fact in diagnosis.facts.values.items() if name != "follows"}
