"""Alignment and ranking of stacks."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.identity.align import align, idf, weights
from kb.identity.memory import Memory
from kb.identity.rank import Query, Weighed
from kb.model.stack import Stack


def even(*stacks: tuple[str, ...]) -> dict[str, float]:
    return {name: 1.0 for stack in stacks for name in stack}


ABC = ("a", "b", "c", "d")


def test_equal_stacks_score_one_and_align_whole() -> None:
    found = align(ABC, ABC, even(ABC))
    assert found.score == pytest.approx(1.0)
    assert found.pairs == ((0, 0), (1, 1), (2, 2), (3, 3))
    assert found.only_left == found.only_right == ()


def test_stacks_without_a_common_frame_score_nothing() -> None:
    found = align(ABC, ("x", "y"), even(ABC, ("x", "y")))
    assert (found.score, found.pairs) == (0.0, ())


def test_a_frame_inlined_away_is_named_and_costs_little() -> None:
    found = align(ABC, ("a", "c", "d"), even(ABC))
    assert found.pairs == ((0, 0), (2, 1), (3, 2))
    assert found.only_left == (1,)
    assert 0.8 < found.score < 1.0


def test_the_top_weighs_more_than_the_end() -> None:
    rarity = even(ABC, ("x",))
    assert align(ABC, ("a", "b", "c", "x"), rarity).score > align(ABC, ("x", "b", "c", "d"), rarity).score


def test_a_cut_stack_is_nearer_than_one_that_goes_on_elsewhere() -> None:
    rarity = even(ABC, ("x", "y"))
    assert align(ABC, ("a", "b"), rarity).score > align(ABC, ("a", "b", "x", "y"), rarity).score


def test_order_matters() -> None:
    rarity = even(ABC)
    assert align(ABC, ("d", "c", "b", "a"), rarity).score < align(ABC, ("a", "b", "d"), rarity).score


def test_a_rare_frame_says_more_than_a_common_one() -> None:
    rarity = {"common": idf(1000, 900), "rare": idf(1000, 1), "x": idf(1000, 5), "y": idf(1000, 5)}
    left = ("rare", "common")
    assert align(left, ("rare", "x"), rarity).score > align(left, ("y", "common"), rarity).score


def test_a_frame_that_repeats_is_matched_once_each() -> None:
    left, right = ("a", "b", "a"), ("a", "a", "b", "a")
    assert align(left, right, even(left)).pairs == ((0, 0), (1, 2), (2, 3))


def entry(case: str, *frames: str, kind: str = "oops") -> Stack:
    return Stack(f"kb1:{case}", f"oops in {frames[0]}", kind, frames, case=case)


def test_the_nearest_case_comes_first_and_says_why() -> None:
    known = Memory([entry("one", *ABC), entry("two", "b", "c", "z"), entry("three", "p", "q")])
    found = known.nearest(Query("kb1:other", "oops", ("a", "b", "d")))
    assert [neighbour.entry.case for neighbour in found] == ["one", "two"]
    assert found[0].because == "same function"
    assert found[0].explained() == [("a", "a"), ("b", "b"), ("", "c"), ("d", "d")]


def test_of_several_stacks_of_a_case_the_nearest_stands_for_all() -> None:
    known = Memory([entry("one", *ABC), entry("one", "a", "b"), entry("one", "z")])
    found = known.nearest(Query("kb1:x", "oops", ABC))
    assert [(neighbour.entry.case, neighbour.entry.frames) for neighbour in found] == [("one", ABC)]


def test_the_same_key_is_found_without_any_stack() -> None:
    known = Memory([Stack("kb1:k", "t", "oops", (), case="one"), entry("two", *ABC)])
    assert [n.entry.case for n in known.nearest(Query("kb1:k", "oops", ()))] == ["one"]


def test_a_key_that_names_no_function_says_little() -> None:
    known = Memory([Stack("kb1:k", "memory leak in corrupted", "leak", ("p", "q"), case="other"), entry("own", *ABC)])
    found = known.nearest(Query("kb1:k", "leak", ("b", "c", "d")))
    assert [neighbour.entry.case for neighbour in found] == ["own"]


def test_an_explanation_shows_both_ends() -> None:
    known = Memory([entry("one", "x", "b", "y")])
    (found,) = known.nearest(Query("kb1:q", "oops", ("a", "b", "c", "d")), floor=0.0)
    assert found.explained() == [("a", ""), ("", "x"), ("b", "b"), ("c", ""), ("d", ""), ("", "y")]


def test_a_score_is_the_same_on_every_python() -> None:
    """The built-in sum of ten tenths is 0.9999999999999999 up to Python 3.11 and 1.0 from 3.12."""
    tenths = dict.fromkeys("abcdefghij", 0.1)
    assert Weighed(entry("one", *tenths), tenths).whole == 1.0


STACKS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=5).map(tuple)
RARITY = st.fixed_dictionaries(dict.fromkeys("abcde", st.floats(0.05, 12.0)))


@given(STACKS, STACKS, RARITY)
def test_an_alignment_is_the_best_of_all_and_none_is_above_its_bound(
    left: tuple[str, ...], right: tuple[str, ...], rarity: dict[str, float]
) -> None:
    """What is looked over for its bound alone, or aligned in a quicker way, is what a trial of each pairing gives."""
    one, other = weights(left, rarity), weights(right, rarity)
    pairings = (
        tuple(zip(mine, theirs, strict=True))
        for size in range(min(len(left), len(right)) + 1)
        for mine in combinations(range(len(left)), size)
        for theirs in combinations(range(len(right)), size)
    )
    fitting = [pairs for pairs in pairings if all(left[i] == right[j] for i, j in pairs)]
    best = max(sum(one[i] + other[j] for i, j in pairs) for pairs in fitting)
    greatest = max(rarity.values())
    found = align(left, right, rarity, greatest)
    assert found.pairs in fitting
    assert sum(one[i] + other[j] for i, j in found.pairs) == pytest.approx(best)
    bound = Weighed(entry("one", *left), rarity).at_most(Weighed(entry("other", *right), rarity), greatest)
    assert found.score <= bound + 1e-9
