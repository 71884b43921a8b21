"""The index over cases leaves out none that could explain a report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kb import api
from kb.cases import select
from kb.cases.predicate import decided, evaluate
from kb.cases.select import candidates
from kb.facts.report import facts_of
from kb.identity.signature import signature
from kb.matcher import _speaks, judge, match, ordered
from kb.model.report import Report
from kb.model.verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    paths = sorted((ROOT / "cases").glob("*/*.log"))[::3]
    return list(api.read(paths, notices=True))


def test_what_is_left_out_is_a_sure_no(reports: list[Report]) -> None:
    cases = api.library().cases
    left_out = 0
    for report in reports:
        facts, mark = facts_of(report), signature(report)
        near = candidates(cases, report.kind, facts)
        assert near == candidates(list(cases), report.kind, facts)
        ids = {case.id for case in near}
        for case in cases:
            if report.kind in case.kind and case.id not in ids:
                judged = judge(case, facts, mark, report.kind)
                assert judged is None or judged.verdict is Verdict.NO
                left_out += 1
    assert left_out > 100


def test_a_verdict_without_words_is_the_one_with_them(reports: list[Report]) -> None:
    asked = {
        predicate
        for case in api.library().cases
        for group in (case.require, case.refute, case.support, *case.any)
        for predicate in group
    }
    told: Counter[Verdict | None] = Counter()
    for report in reports:
        facts = facts_of(report)
        for predicate in asked:
            verdict = decided(predicate, facts)
            assert verdict is None or verdict is evaluate(predicate, facts).verdict
            told[verdict] += 1
    assert min(told[Verdict.YES], told[Verdict.NO]) > 100


def test_all_cases_judged_one_by_one_give_the_same_matches(reports: list[Report]) -> None:
    cases = api.library().cases
    matched = 0
    for report in reports:
        facts, mark = facts_of(report), signature(report)
        found = match(facts, mark, report.kind, cases, everything=True)
        judged = [judge(case, facts, mark, report.kind) for case in cases]
        assert found == ordered([each for each in judged if each is not None and each.verdict is not Verdict.NO])
        leads = match(facts, mark, report.kind, cases)
        assert leads == tuple(each for each in found if each.verdict is Verdict.YES or _speaks(each))
        matched += len(found)
    assert matched > 100


def test_cases_keep_their_order_and_those_of_other_kinds_are_never_met(
    reports: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = api.library().cases
    report = next(each for each in reports if each.kind == "page_allocation_failure")
    facts = facts_of(report)
    for _ in range(3):
        near = candidates(cases, report.kind, facts)
        assert near == [case for case in cases if case in near]
    asked: list[object] = []
    monkeypatch.setattr(select, "_ruled_out", lambda case, _facts: asked.append(case) or False)
    candidates(cases, report.kind, facts)
    assert len(asked) < sum(report.kind in case.kind for case in cases) < len(cases)


def test_an_index_is_of_the_very_cases_that_were_given(reports: list[Report]) -> None:
    cases, report = api.library().cases, reports[0]
    facts = facts_of(report)
    whole = candidates(cases, report.kind, facts)
    for count in range(len(cases) - 8, len(cases)):  # more sets than are held, each asked for twice
        some = cases[:count]
        for _ in range(2):
            assert candidates(some, report.kind, facts) == [case for case in whole if case in some]
