"""Cases against facts: verdicts, order, links by signature, fix status."""

from dataclasses import replace
from typing import Any

import pytest

from kb.cases.fixstatus import fix_status
from kb.cases.predicate import parse
from kb.matcher import judge, match
from kb.model.case import Affected, Case, Fix, Predicate
from kb.model.report import Signature
from kb.model.verdict import Fact, Facts, Verdict

SIGNATURE = Signature("kb1:aa", "warning|foo", 1, "WARNING in foo", "", alt=("kb1:bb",))
FIX = Fix("97a16fc82a7c", "mm, page_alloc: only enforce watermarks for order-0 allocations", "4.4")


def ps(*texts: str) -> tuple[Predicate, ...]:
    return tuple(parse(text) for text in texts)


def case(name: str = "a", **values: Any) -> Case:
    return replace(Case(name, name, ("warning",), "reviewed", ""), **values)


def facts(**values: object) -> Facts:
    return Facts(values={name: Fact(name, value) for name, value in values.items()})


def verdict(of: Case, given: Facts) -> Verdict:
    judged = judge(of, given, SIGNATURE, "warning")
    assert judged is not None
    return judged.verdict


def test_all_that_is_required_must_hold() -> None:
    of = case(require=ps("order >= 1", "gfp has IO"))
    assert verdict(of, facts(order=1, gfp=("IO",))) is Verdict.YES
    assert verdict(of, facts(order=0, gfp=("IO",))) is Verdict.NO
    assert verdict(of, facts(order=1)) is Verdict.MAYBE
    assert verdict(of, facts(order=0)) is Verdict.NO


def test_what_refutes_rules_out_and_its_absence_keeps_a_yes_back() -> None:
    of = case(require=ps("order >= 1"), refute=ps("admitted >= 1"))
    assert verdict(of, facts(order=1, admitted=0)) is Verdict.YES
    assert verdict(of, facts(order=1, admitted=1)) is Verdict.NO
    assert verdict(of, facts(order=1)) is Verdict.MAYBE


def test_one_group_whole_is_enough() -> None:
    of = case(any=(ps("a == 1", "b == 1"), ps("c == 1")))
    assert verdict(of, facts(a=1, b=1, c=0)) is Verdict.YES
    assert verdict(of, facts(a=1, b=0, c=1)) is Verdict.YES
    assert verdict(of, facts(a=1, b=0, c=0)) is Verdict.NO
    assert verdict(of, facts(a=1, c=0)) is Verdict.MAYBE


def test_support_ranks_and_never_decides() -> None:
    of = [case("b", require=ps("x == 1"), support=ps("y == 1")), case("a", require=ps("x == 1"), support=ps("y == 2"))]
    found = match(facts(x=1, y=1), SIGNATURE, "warning", of)
    assert [(m.case.id, m.verdict) for m in found] == [("b", Verdict.YES), ("a", Verdict.YES)]
    assert verdict(case(require=ps("x == 1"), support=ps("kernel < 4.4")), facts(x=1)) is Verdict.YES


def test_a_case_is_asked_only_for_its_kinds_and_never_when_withdrawn() -> None:
    of = case(require=ps("x == 1"))
    assert judge(of, facts(x=1), SIGNATURE, "oops") is None
    assert judge(replace(of, status="withdrawn"), facts(x=1), SIGNATURE, "warning") is None


def test_yes_before_maybe_then_reviewed_before_imported_then_the_narrower() -> None:
    of = [
        case("maybe", require=ps("x == 1", "absent_fact == 1")),
        case("imported", status="imported", signatures=("kb1:aa",)),
        case("broad", require=ps("x == 1", "y == 1"), broader=("narrow",)),
        case("narrow", require=ps("x == 1")),
        case("no", require=ps("x == 2")),
    ]
    found = match(facts(x=1, y=1), SIGNATURE, "warning", of)
    assert [m.case.id for m in found] == ["narrow", "broad", "maybe", "imported"]


def test_a_maybe_that_only_the_kind_speaks_for_is_no_match() -> None:
    of = case(require=ps("order >= 1", "gfp has IO"))
    assert verdict(of, facts()) is Verdict.MAYBE
    assert match(facts(), SIGNATURE, "warning", [of]) == ()
    assert [m.verdict for m in match(facts(order=1), SIGNATURE, "warning", [of])] == [Verdict.MAYBE]


def test_an_imported_case_links_by_its_own_or_an_alternative_signature_only() -> None:
    of = [case(name, status="imported", signatures=(name,)) for name in ("kb1:bb", "kb1:aa", "kb1:cc")]
    found = match(facts(), SIGNATURE, "warning", of)
    assert [(m.case.id, m.how) for m in found] == [("kb1:aa", "signature"), ("kb1:bb", "signature")]
    assert [m.verdict for m in found] == [Verdict.MAYBE, Verdict.MAYBE]  # a key alone is no proof


def test_scores_lie_between_nought_and_one() -> None:
    many = ps(*(f"f{n} == 1" for n in range(12)))
    for given in (facts(), facts(**{f"f{n}": 1 for n in range(12)}), facts(f0=0)):
        judged = judge(case(require=many), given, SIGNATURE, "warning")
        assert judged is not None
        assert 0 <= judged.score <= 1


@pytest.mark.parametrize(
    ("kernel", "verdict", "status", "words"),
    [
        (None, Verdict.MAYBE, "unknown", "not known"),
        ("what", Verdict.MAYBE, "unknown", "no kernel release"),
        ("4.4.11", Verdict.MAYBE, "fixed", "4.4.11 has 97a16fc82a7c"),
        ("4.4.11", Verdict.YES, "unknown", "yet the report matches"),
        ("4.18.0-305.el8.x86_64", Verdict.MAYBE, "fixed", "RHEL 8.4"),
        ("3.10.0-1160.el7.x86_64", Verdict.YES, "affected", "el7"),
        ("4.3.0", Verdict.MAYBE, "affected", "< 4.4"),
    ],
)
def test_versions_inform(kernel: str | None, verdict: Verdict, status: str, words: str) -> None:
    of = case(fixes=(FIX,), affected=(Affected("< 4.4"), Affected("el7", "kernel-source")))
    found = fix_status(of, kernel, facts(), verdict)
    assert found.status == status
    assert words in found.reason


def test_evidence_decides_without_a_release_and_against_one() -> None:
    of = case(fixes=(replace(FIX, missing_when=ps("rule == order-walk")),))
    for kernel in (None, "4.4.11"):
        assert fix_status(of, kernel, facts(rule="order-walk")).status == "affected"
    assert fix_status(of, None, facts()).status == "unknown"
    assert fix_status(of, "4.4.11", facts(rule="free-block")).status == "fixed"


def test_a_stable_branch_knows_better_than_mainline() -> None:
    of = case(fixes=(replace(FIX, since="5.9"), replace(FIX, since="5.4.80", branch="5.4.y")))
    status = {name: fix_status(of, name).status for name in ("5.4.79", "5.4.80", "5.5.1", "5.9.0")}
    assert status == {"5.4.79": "affected", "5.4.80": "fixed", "5.5.1": "affected", "5.9.0": "fixed"}


def test_a_distribution_before_the_fix_may_have_it_backported() -> None:
    assert fix_status(case(fixes=(FIX,)), "3.10.0-1160.el7.x86_64").status == "unknown"


def test_a_plain_release_that_has_the_fix_by_its_own_number_is_at_most_maybe() -> None:
    of = case(
        require=ps("x == 1"), fixes=(FIX, replace(FIX, since="4.1.20", branch="4.1.y")), affected=(Affected("< 4.4"),)
    )
    said = {
        name: verdict(of, facts(x=1, kernel=name))
        for name in (
            "4.3.1",
            "4.4",
            "6.1.20",
            "4.1.19",
            "4.1.20",
            "4.4-rc3",
            "4.18.0-305.el8.x86_64",
            "6.1.0-1.el9.elrepo.x86_64",
        )
    }
    assert {name for name, one in said.items() if one is Verdict.MAYBE} == {
        "4.4", "6.1.20", "4.1.20", "6.1.0-1.el9.elrepo.x86_64"
    }  # fmt: skip
    assert verdict(of, facts(x=1)) is Verdict.YES
    shown = replace(of, fixes=tuple(replace(fix, missing_when=ps("rule == order-walk")) for fix in of.fixes))
    assert verdict(shown, facts(x=1, kernel="6.1.20", rule="order-walk")) is Verdict.YES  # evidence beats the number
    broad = replace(of, affected=(*of.affected, Affected(">= 4.4")))
    assert verdict(broad, facts(x=1, kernel="6.1.20")) is Verdict.YES  # the fix cures one of its causes


def test_a_support_on_the_release_that_fails_keeps_back_the_yes() -> None:
    of = case(require=ps("x == 1"), support=ps("kernel >= 5.19", "y == 1"))
    assert verdict(of, facts(x=1, kernel="5.10.3", y=1)) is Verdict.MAYBE
    assert verdict(of, facts(x=1, kernel="6.1.3", y=0)) is Verdict.YES
    assert verdict(of, facts(x=1, kernel="5.14.0-427.el9.x86_64")) is Verdict.YES  # may have it backported
    judged = judge(of, facts(x=1, kernel="5.10.3"), SIGNATURE, "warning")
    assert judged is not None
    assert [str(doubt) for doubt in judged.doubts] == ["kernel >= 5.19 fails (5.10.3)"]


def test_what_no_report_shows_keeps_back_the_yes_and_says_what_it_is() -> None:
    of = case(require=ps("x == 1"), provided="nothing is in flight")
    assert verdict(of, facts(x=1)) is Verdict.MAYBE
    assert verdict(of, facts(x=0)) is Verdict.NO
    assert verdict(replace(of, provided=""), facts(x=1)) is Verdict.YES
    judged = judge(of, facts(x=1), SIGNATURE, "warning")
    assert judged is not None
    assert [str(doubt) for doubt in judged.doubts] == ["nothing is in flight, which no log shows"]


def test_an_alternative_that_is_known_and_differs_settles_those_that_spell_the_same_fact() -> None:
    of = case(any=(ps("field.driver == e1000e"), ps("field.driver2 == e1000e")))
    assert verdict(of, facts(**{"field.driver": "igb"})) is Verdict.NO
    assert verdict(of, facts(**{"field.driver": "e1000e"})) is Verdict.YES
    assert verdict(of, facts(**{"field.queue": "0"})) is Verdict.MAYBE
    other = case(any=(ps("field.driver == igb"), ps("field.driver2 == e1000e")))
    assert verdict(other, facts(**{"field.driver": "e1000e"})) is Verdict.MAYBE  # what it wants is what is printed


def test_code_in_another_file_is_in_no_function_of_this_one() -> None:
    of = case(any=(ps('field.file matches "*megaraid*"'), ps("module == megaraid_sas", 'function matches "MR_*"')))
    assert verdict(of, facts(**{"field.file": "fs/ext4/inode.c"})) is Verdict.NO
    assert verdict(of, facts(function="MR_GetPhyParams")) is Verdict.MAYBE


def test_a_maybe_for_its_kind_alone_is_shown_only_when_all_are_asked_for() -> None:
    of = case(require=ps("kind == warning", "order >= 1"))
    given = facts(kind="warning")
    assert match(given, SIGNATURE, "warning", [of]) == ()
    assert [m.verdict for m in match(given, SIGNATURE, "warning", [of], everything=True)] == [Verdict.MAYBE]


@pytest.mark.parametrize("shared", ["subtype == null", "address_kind == null"])
def test_what_a_hundred_bugs_share_speaks_for_none_of_them(shared: str) -> None:
    name, _, value = shared.partition(" == ")
    of = case(require=ps(shared, "function == svc_wake_up"))
    assert match(facts(**{name: value}), SIGNATURE, "warning", [of]) == ()
    of = case(require=ps(shared, "order >= 1", "function == svc_wake_up"))
    assert [m.verdict for m in match(facts(order=1, **{name: value}), SIGNATURE, "warning", [of])] == [Verdict.MAYBE]


def test_what_is_not_known_and_a_release_that_differs_are_no_lead() -> None:
    of = case(require=ps("order >= 1", "function == svc_wake_up"), support=ps('kernel in ">= 6.9, < 6.14"'))
    assert [m.verdict for m in match(facts(order=1, kernel="6.10.3"), SIGNATURE, "warning", [of])] == [Verdict.MAYBE]
    assert [m.verdict for m in match(facts(order=1), SIGNATURE, "warning", [of])] == [Verdict.MAYBE]
    assert match(facts(order=1, kernel="4.19.75"), SIGNATURE, "warning", [of]) == ()
    whole = facts(order=1, function="svc_wake_up", kernel="4.19.75")
    assert [m.verdict for m in match(whole, SIGNATURE, "warning", [of])] == [Verdict.MAYBE]


def test_a_fix_may_come_in_any_candidate_of_its_release() -> None:
    of = case(fixes=(FIX,), affected=(Affected(">= 4.2, < 4.4"),))
    names = ("4.2-rc1", "4.3", "4.4-rc1", "4.4-rc7", "4.4", "4.5-rc1")
    assert {name: fix_status(of, name).status for name in names} == {
        "4.2-rc1": "affected", "4.3": "affected", "4.4-rc1": "unknown", "4.4-rc7": "unknown", "4.4": "fixed",
        "4.5-rc1": "fixed",
    }  # fmt: skip


def test_all_kernels_of_what_nothing_mends_is_not_affected() -> None:
    assert fix_status(case(affected=(Affected(">= 2.6.32"),)), "6.1.5").status == "unknown"
    assert fix_status(case(affected=(Affected(">= 2.6.32, < 6.2"),)), "6.1.5").status == "affected"
    assert fix_status(case(affected=(Affected("el7"),)), "3.10.0-1160.el7.x86_64").status == "affected"
