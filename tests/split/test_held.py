"""Logs of reports printed at once that need each weight, and each word of a kind about what it prints."""

import pytest

from kb.log.reader import Reader
from kb.split.explain import contests, shown
from kb.split.weights import Weight
from kb.syntax.kinds import Trait, kinds
from tests.split import held

LOGS = held.logs()


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.names[0])
def test_each_line_goes_to_its_report_and_none_is_in_doubt(log: held.Held) -> None:
    assert log.wrong() == []


def test_each_weight_and_word_has_a_log() -> None:
    """That the log goes wrong without it is asked by tests/mutate. Messages are read later: tests/kinds hold them."""
    words = {
        f"{kind.name}.{key}.{word}"
        for kind in kinds().values()
        for key, named in (("prints", kind.prints), ("has", kind.has - {Trait.MESSAGE}), ("printers", kind.printers))
        for word in named
    }
    held = {name for log in LOGS for name in log.names}
    assert held == {weight.name for weight in Weight} | words


def test_the_points_of_a_line_are_told_with_the_reason_and_the_source_of_each() -> None:
    log = next(log for log in LOGS if "HEAD_STACKED" in log.names)
    lines = [line for window in Reader(log.data).windows() if window for line in window[1] if line]
    told, *_ = [shown(contest) for contest in contests(lines) if Weight.HEAD_STACKED in contest.claims[1].weights]
    best, other = told.split("\n  -", 1)
    assert "gets it" in best
    assert f"-2 {Weight.HEAD_STACKED.words} [{Weight.HEAD_STACKED.source}]" in other
