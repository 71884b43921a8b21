"""Reasons as facts: what a predicate makes of the chain."""

from pathlib import Path

import pytest

from kb import api
from kb.cases.predicate import evaluate, parse
from kb.facts.reasoned import with_reasons
from kb.model.verdict import Facts, Reason, Verdict
from kb.words.speak import said

YES, MAYBE, NO = Verdict.YES, Verdict.MAYBE, Verdict.NO

CHAIN = (
    Reason(said("gfp.forbids_waiting"), "excluded", (said("gfp.not_printed"),), ((1, 1),)),
    Reason(said("zone.refuses", zone="Node 0 DMA"), "excluded", (said("zone.block_of_order", order=2),), ((5, 6),)),
    Reason(
        said("zone.refuses", zone="Node 0 Normal"), "holds", (said("zone.no_block", order=3, held=None),), ((7, 8),)
    ),
)


@pytest.mark.parametrize(
    ("text", "verdict", "lines"),
    [
        ("reason.gfp.forbids_waiting == excluded", YES, ((1, 1),)),
        ("reason.gfp.forbids_waiting == holds", NO, ((1, 1),)),
        ("reason.gfp.forbids_waiting != holds", YES, ((1, 1),)),
        ("reason.gfp.forbids_waiting has excluded", YES, ((1, 1),)),
        ("reason.zone.refuses == holds", NO, ((5, 6), (7, 8))),  # one zone does not
        ("reason.zone.refuses has holds", YES, ((7, 8),)),
        ("reason.zone.refuses lacks unknown", YES, ((5, 6), (7, 8))),
        ("reason.zone.refuses.because has zone.no_block", YES, ((7, 8),)),
        ("reason.zone.refuses.because has zone.walk_fails", NO, ((5, 6), (7, 8))),
        ("reason.min_free.raising_helps == holds", MAYBE, ()),  # not stated
        ("reason.min_free.raising_helps lacks holds", MAYBE, ()),
    ],
)
def test_a_reason_is_asked_for_by_name(text: str, verdict: Verdict, lines: tuple[tuple[int, int], ...]) -> None:
    found = evaluate(parse(text), with_reasons(Facts(reasoning=CHAIN)))
    assert (found.verdict, found.evidence) == (verdict, lines)


def test_a_diagnosis_bears_its_reasons(example: Path) -> None:
    (found,) = api.match(example, cases=())
    asked = {
        "reason.gfp.forbids_waiting == excluded": YES,
        "reason.zone.refuses == holds": YES,
        "reason.zone.refuses.because has zone.walk_fails": YES,
        "reason.compaction.could_not_run.because has compaction.gate": YES,
        "reason.oom.fragmented == holds": MAYBE,
    }
    assert {text: evaluate(parse(text), found.facts).verdict for text in asked} == asked


def test_what_files_beside_the_log_add_can_be_asked_for_too(example: Path, tmp_path: Path) -> None:
    for name, stall in (("before", 5), ("after", 7)):
        (tmp_path / name).write_text(f"nr_free_pages 1\ncompact_stall {stall}\ncompact_fail 1\n")
    (found,) = api.match(example, cases=(), context=(tmp_path / "before", tmp_path / "after"))
    assert evaluate(parse("reason.compaction.could_not_start == excluded"), found.facts).verdict is YES
