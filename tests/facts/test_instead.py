"""A request asked again: as it was it gets the report's own answer, and each change moves it the one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from kb import api
from kb.facts.instead import Changed, asking, instead
from kb.facts.report import facts_of
from kb.kernel.boost import boosted
from kb.model.report import Report

CASES = Path(__file__).resolve().parents[2] / "cases"
RANK = {"refuses": 0, "undecidable": 1, "admits": 2}


def asked_again() -> list[Report]:
    logs = [*CASES.glob("*alloc*/match-*.log"), *CASES.glob("nofs*/match-*.log"), *CASES.glob("oom-*/match-*.log")]
    return [report for path in sorted(logs) for report in api.reports(path.read_bytes()) if asking(report) is not None]


REPORTS = asked_again()


def verdicts(rows: list[dict[str, object]]) -> dict[tuple[object, object], object]:
    return {(row["node"], row["zone"]): row["verdict"] for row in rows if row.get("verdict")}


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.title)
def test_unchanged_it_gets_the_report_s_own_answer(report: Report) -> None:
    asked = asking(report)
    assert asked is not None
    if report.kind == "oom_kill":
        return  # its zones are judged by all rules that fit, what is asked again by the last
    assert verdicts(instead(asked, Changed())["zones"]) == verdicts(facts_of(report).detail["zones"])


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.title)
def test_less_asked_and_lower_marks_refuse_no_more(report: Report) -> None:
    asked = asking(report)
    assert asked is not None
    now = verdicts(instead(asked, Changed())["zones"])
    lower = verdicts(instead(asked, Changed(min_free_kb=asked.min_free_kb // 4))["zones"])
    higher = verdicts(instead(asked, Changed(min_free_kb=asked.min_free_kb * 4))["zones"])
    boosts = boosted(report.memory.zones)  # marks of another setting hold no boost
    for zone, verdict in now.items():
        assert RANK[str(lower[zone])] >= RANK[str(higher[zone])], zone
        assert RANK[str(lower[zone])] >= RANK[str(verdict)], zone
        assert boosts or RANK[str(verdict)] >= RANK[str(higher[zone])], zone


def test_there_are_samples() -> None:
    assert len(REPORTS) >= 5
