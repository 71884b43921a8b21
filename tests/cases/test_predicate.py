"""The predicate language and its three values."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.cases.predicate import OPS, both, either, evaluate, negate, parse
from kb.errors import CaseInvalid
from kb.model.said import Said
from kb.model.verdict import Fact, Facts, Verdict
from kb.syntax.engine import build
from kb.words.speak import said

YES, MAYBE, NO = Verdict.YES, Verdict.MAYBE, Verdict.NO


def facts(*rows: Fact, missing: tuple[Said, ...] = (), **values: object) -> Facts:
    named = {name.replace("__", "."): Fact(name.replace("__", "."), value) for name, value in values.items()}
    return Facts(values={**named, **{row.name: row for row in rows}}, missing=missing)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("order >= 1", ("order", ">=", 1)),
        ("gfp lacks __GFP_FS", ("gfp", "lacks", "__GFP_FS")),
        ("kernel < 4.10", ("kernel", "<", "4.10")),
        ("kernel == 3.10.0-514.el7", ("kernel", "==", "3.10.0-514.el7")),
        ("mask == 0x40", ("mask", "==", 64)),
        ("x > -5", ("x", ">", -5)),
        ("compaction.allowed == false", ("compaction.allowed", "==", False)),
        ("comm == kworker/31:0", ("comm", "==", "kworker/31:0")),
        ('title matches "KASAN: * in *"', ("title", "matches", "KASAN: * in *")),
        ("title has 'a \"b\"'", ("title", "has", 'a "b"')),
        ("gfp_name in [GFP_NOFS, GFP_NOIO]", ("gfp_name", "in", ("GFP_NOFS", "GFP_NOIO"))),
        ("order in []", ("order", "in", ())),
        ("module absent", ("module", "absent", None)),
        ("has has has", ("has", "has", "has")),
    ],
)
def test_a_predicate_is_fact_op_value(text: str, parts: tuple[object, ...]) -> None:
    found = parse(text)
    assert (found.fact, found.op, found.value, found.text) == (*parts, text)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("order", 6),
        ("order = 1", 7),
        ("order >=", 9),
        ("", 1),
        ("Order == 1", 1),
        ("a == 1 and b == 2", 8),
        ('a == "b', 6),
        ("frames matches kre*", 19),
    ],
)
def test_what_is_no_predicate_is_told_with_its_column(text: str, column: int) -> None:
    with pytest.raises(CaseInvalid, match=rf"at column {column}\n") as caught:
        parse(text, path="case.md", line=7)
    assert (caught.value.path, caught.value.line) == ("case.md", 7)


def test_a_wrong_operator_gets_the_one_that_was_meant() -> None:
    with pytest.raises(CaseInvalid) as caught:
        parse("frames contains krealloc")
    assert caught.value.help is not None
    assert "did you mean 'has'?" in caught.value.help


@given(st.text(max_size=60))
def test_any_text_is_a_predicate_or_an_error_of_ours(text: str) -> None:
    with contextlib.suppress(CaseInvalid):
        assert parse(text).op in OPS


@pytest.mark.parametrize("op", [op for op in OPS if op not in ("present", "absent", "in")])
def test_an_absent_fact_is_maybe_whatever_is_asked(op: str) -> None:
    assert evaluate(parse(f"order {op} 1"), facts()).verdict is MAYBE


def test_why_a_fact_is_absent_comes_from_the_report() -> None:
    given_ = facts(missing=(said("unknown.gfp.mask"), said("unknown.kernel.not_in_log")))
    assert evaluate(parse("kernel < 4.4"), given_).because == "kernel release: the log does not print it"
    assert evaluate(parse("gfp.absent has __GFP_FS"), given_).because == "GFP mask: not printed"
    assert evaluate(parse("order == 0"), given_).because == "the report does not bear order"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("order >= 5", YES), ("order > 5", NO), ("order == 5", YES), ("order != 5", NO), ("order < 5.5", YES),
        ("order < five", MAYBE), ("order in [4, 5]", YES), ("order == true", NO),
        ("frames has krealloc", YES), ("frames lacks krealloc", NO), ("frames has kfree", NO),
        ('frames matches "kre*"', YES), ('comm matches "kworker/*"', YES),
        ("comm has kworker", YES), ("module == libceph", NO), ("module absent", YES), ("module present", NO),
        ("comm present", YES), ("allowed == false", YES), ("allowed != false", NO),
    ],
)  # fmt: skip
def test_a_fact_that_is_there_decides(text: str, verdict: Verdict) -> None:
    given_ = facts(order=5, frames=("krealloc", "worker_thread"), comm="kworker/31:0", module=None, allowed=False)
    assert evaluate(parse(text), given_).verdict is verdict


def test_what_is_certainly_absent_is_told_by_a_second_fact() -> None:
    mask = facts(gfp=("__GFP_IO",), gfp__absent=("__GFP_FS",))
    verdicts = {
        flag: evaluate(parse(f"gfp has {flag}"), mask).verdict for flag in ("__GFP_IO", "__GFP_FS", "__GFP_COMP")
    }
    assert verdicts == {"__GFP_IO": YES, "__GFP_FS": NO, "__GFP_COMP": MAYBE}
    assert evaluate(parse("gfp lacks __GFP_FS"), mask).verdict is YES
    assert evaluate(parse("gfp lacks __GFP_COMP"), mask).verdict is MAYBE


def test_without_that_fact_a_collection_is_complete() -> None:
    assert evaluate(parse("gfp lacks __GFP_FS"), facts(gfp=("__GFP_IO",))).verdict is YES


def test_a_lower_bound_is_enough_for_at_least() -> None:
    bound = facts(zones__admits__at_least=1)
    assert evaluate(parse("zones.admits >= 1"), bound).verdict is YES
    assert evaluate(parse("zones.admits < 1"), bound).verdict is NO
    assert evaluate(parse("zones.admits >= 2"), bound).verdict is MAYBE
    assert evaluate(parse("zones.admits == 1"), bound).verdict is MAYBE


def test_an_assumption_decides_and_is_told_with_the_lines() -> None:
    found = evaluate(parse("order == 5"), facts(Fact("order", 5, ((1, 1),), said("assumed.kernel", kernels="RHEL 7"))))
    because = "5 (assuming: the kernel release is not printed; by its text the report is of RHEL 7)"
    assert (found.verdict, found.because, found.evidence) == (YES, because, ((1, 1),))


@pytest.mark.parametrize(
    ("release", "text", "verdict"),
    [
        ("3.10.4", "kernel < 4.4", YES),
        ("4.10.1", "kernel < 4.4", NO),
        ("4.18.0-305.el8", "kernel < 4.4", NO),
        ("3.10.0-1160.el7.x86_64", "kernel < 4.4", MAYBE),
        ("3.10.0-1160.el7.x86_64", "kernel == el7", YES),
        ("4.3.0", 'kernel in ">= 3.10, < 4.4"', YES),
        ("4.4.0", "kernel != 4.4", NO),
        ("what", "kernel < 4.4", MAYBE),
    ],
)
def test_a_release_is_compared_as_a_release(release: str, text: str, verdict: Verdict) -> None:
    assert evaluate(parse(text), facts(kernel=release)).verdict is verdict


def test_the_logic_is_kleenes() -> None:
    assert [negate(v) for v in (YES, MAYBE, NO)] == [NO, MAYBE, YES]
    assert [both([a, b]) for a in (YES, MAYBE, NO) for b in (YES, MAYBE, NO)] == [
        YES,
        MAYBE,
        NO,
        MAYBE,
        MAYBE,
        NO,
        NO,
        NO,
        NO,
    ]
    assert [either([a, b]) for a in (YES, MAYBE, NO) for b in (YES, MAYBE, NO)] == [
        YES, YES, YES, YES, MAYBE, MAYBE, YES, MAYBE, NO,
    ]  # fmt: skip
    assert (both([]), either([])) == (YES, NO)


def test_the_grammar_has_no_conflict_and_no_two_words_that_collide() -> None:
    pytest.importorskip("interegular", reason="lark's strict mode needs it")
    build("predicate", "characters", strict=True)
