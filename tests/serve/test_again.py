"""What is told as a regression: a problem that is there although the kernel has its fix."""

from dataclasses import replace
from pathlib import Path

from kb import api
from kb.model.said import Said
from kb.model.verdict import Diagnosis, Match
from kb.serve.work import came_again

CASE = Path(__file__).parents[2] / "cases" / "ata-queued-trim"


def matched(kernel: str | None) -> tuple[Diagnosis, Match]:
    """A report that is the case's, on a kernel, and its match."""
    (log,) = CASE.glob("match-*.log")
    return next(
        (found, match)
        for found in api.match(log, kernel=kernel)
        for match in found.matches
        if match.case.id == CASE.name
    )


def test_a_problem_on_a_kernel_that_has_its_fix_has_come_again() -> None:
    found, match = matched("6.18.0")
    assert match.fix_status == "fixed"
    assert came_again(found)
    assert not came_again(matched("3.10.0")[0])


def test_what_is_only_near_or_open_is_another_problem() -> None:
    found, match = matched("6.18.0")
    near = replace(match, how="near", doubts=(Said("link.only_near", {"percent": 0.6}),))
    for other in (
        near,
        replace(match, doubts=()),
        replace(match, doubts=(*match.doubts, Said("link.other_stack", {"percent": 0.3}))),
    ):
        assert not came_again(replace(found, matches=(other,)))
        assert not came_again(replace(found, matches=(), known_fixes=(other,)))
