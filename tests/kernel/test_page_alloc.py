"""The replay against the model of page_alloc.c, era by era, and the laws that both must obey."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.kernel.rules import RuleSet, rule_named
from kb.kernel.watermark import replay
from kb.model.allocation import Request
from kb.model.memory import FreeBlocks, Zone
from tests.kernel.page_alloc import ORDERS, ModelZone, slowpath_gets_page

ERAS = {
    (3, 10): "3.10-3.15",
    (4, 3): "3.16-4.3, RHEL 7",
    (4, 4): "4.4-4.13",
    (5, 4): "4.15-5.7, RHEL 8.0-8.4",
    (5, 8): "5.8, RHEL 8.5-8.7",
    (5, 10): "5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4",
    (5, 15, 171): "5.15.171+, 6.1.116+",
    (6, 1, 157): "6.1.157+",
    (6, 3): "6.3-6.4, RHEL 9.5-9.6",
    (6, 6, 60): "6.6.60+",
    (6, 6, 112): "6.6.112+, perhaps",
    (6, 11): "6.11",
    (6, 11, 7): "6.11.7+",
    (6, 12): "6.12-6.17, RHEL 10",
    (6, 18): "6.18+, 6.12.54+",
}
KERNEL = frozenset({"__GFP_WAIT", "__GFP_DIRECT_RECLAIM", "__GFP_IO", "__GFP_FS"})
MASKS = st.sampled_from(
    [
        KERNEL,
        KERNEL | {"__GFP_NOMEMALLOC"},
        KERNEL | {"__GFP_HIGH"},
        frozenset({"__GFP_HIGH", "__GFP_ATOMIC", "__GFP_KSWAPD_RECLAIM"}),
        frozenset({"__GFP_HIGH", "__GFP_ATOMIC", "__GFP_NOMEMALLOC"}),
        frozenset({"__GFP_KSWAPD_RECLAIM"}),
        frozenset({"__GFP_NO_KSWAPD"}),
    ]
)
NORMAL = Zone(0, "Normal", 0, 1, 2, 3, (0, 0, 0, 0), managed=1 << 20)


@st.composite
def states(draw: st.DrawFn) -> tuple[Zone, ModelZone]:
    """The same zone as the report prints it and as the kernel has it: DMA32, below a Normal zone."""
    letters = "UMECHR"
    area = [
        {letter: draw(st.integers(0, 3)) * 20 for letter in draw(st.sets(st.sampled_from(letters), max_size=3))}
        for _ in range(ORDERS)
    ]
    counts = tuple(sum(lists.values()) for lists in area)
    words = tuple("".join(letter for letter in letters if lists.get(letter)) for lists in area)
    pages = sum(count << order for order, count in enumerate(counts))
    free = max(0, pages + draw(st.integers(-50, 50)))
    boost = draw(st.sampled_from([0, 0, 512, 2048]))
    cma = draw(st.integers(0, free))
    reserved = draw(st.integers(0, 600))
    reserve = draw(st.integers(0, max(1, free // 2)))
    # where a verdict flips: what a rule counts against the mark that its discounts leave
    counted = free - reserve - draw(st.sampled_from([0, cma, reserved, cma + reserved]))
    near = int(counted * draw(st.sampled_from([1, 4 / 3, 2, 8 / 3]))) - draw(st.sampled_from([0, boost]))
    least = max(0, near + draw(st.integers(-80, 20)))
    zone = Zone(
        0, "DMA32", free, least + boost, least + boost + least // 4, least + boost + least // 2,
        (0, 0, reserve, reserve), boost=boost, reserved_highatomic=reserved, free_highatomic=reserved, free_cma=cma,
        managed=1 << 19, blocks=FreeBlocks(counts, words, pages, 0),
    )  # fmt: skip
    return zone, ModelZone(free, least, boost, reserve, area, cma, reserved, reserved)


@pytest.mark.parametrize(("era", "name"), ERAS.items())
@given(state=states(), order=st.integers(0, 6), gfp=MASKS, movable=st.booleans())
def test_the_replay_decides_as_the_model_of_the_era(era, name, state, order, gfp, movable) -> None:
    zone, model = state
    flags = gfp | {"__GFP_MOVABLE"} if movable else gfp
    request = Request(order, flags, migratetype="movable" if movable else "unmovable")
    found = replay(zone, request, rule_named(name), zones=(zone, NORMAL))
    assert found.admits == slowpath_gets_page(era, model, order, gfp, movable=movable)


RULE = st.sampled_from([rule_named(name) for name in ERAS.values()])


def admits(zone: Zone, request: Request, rules: RuleSet) -> bool:
    return replay(zone, request, rules, zones=(zone, NORMAL)).admits


@given(states(), st.integers(0, 6), MASKS, RULE, st.integers(1, 5000))
def test_a_verdict_is_monotone_in_free_pages_min_and_reserve(state, order, gfp, rules, more) -> None:
    zone, request = state[0], Request(order, gfp)
    if admits(zone, request, rules):
        assert admits(replace(zone, free=zone.free + more), request, rules)
        assert admits(replace(zone, min=max(zone.boost, zone.min - more)), request, rules)
        assert admits(replace(zone, reserve=(0, 0, 0, 0)), request, rules)
        assert admits(replace(zone, free_cma=max(0, zone.free_cma - more)), request, rules)


@given(states(), st.integers(0, 6), MASKS, RULE, st.integers(0, ORDERS - 1))
def test_a_verdict_is_monotone_in_free_blocks(state, order, gfp, rules, size) -> None:
    zone, request = state[0], Request(order, gfp)
    counts = tuple(count + (index == size) for index, count in enumerate(zone.blocks.counts))
    words = tuple(word + "M" * (index == size and "M" not in word) for index, word in enumerate(zone.blocks.types))
    richer = replace(
        zone,
        free=zone.free + (1 << size),
        blocks=FreeBlocks(counts, words, zone.blocks.total + (1 << size), 0),
    )
    if admits(zone, request, rules):
        assert admits(richer, request, rules)


@given(states(), MASKS, RULE)
def test_only_an_order_0_request_with_reserves_is_asked_again_without_the_boost(state, gfp, rules) -> None:
    zone, request = state[0], Request(0, gfp)
    run = replay(zone, request, rules, zones=(zone, NORMAL))
    again = any(step.name == "boost" for step in run.steps)
    assert not again or (rules.boost == "retest" and zone.boost and not run.steps[0].holds)
    assert not any(step.name == "boost" for step in replay(zone, Request(1, gfp), rules, zones=(zone, NORMAL)).steps)


@given(states(), st.integers(0, 6), MASKS, RULE, st.integers(0, 600))
def test_pages_on_per_cpu_lists_count_for_no_watermark(state, order, gfp, rules, on_lists) -> None:
    """NR_FREE_PAGES leaves them out, and so do the blocks: a report that prints more of them is judged alike."""
    zone, request = state[0], Request(order, gfp)
    more = replace(zone, counters={**zone.counters, "free_pcp": on_lists, "local_pcp": on_lists})
    assert replay(more, request, rules, zones=(more, NORMAL)) == replay(zone, request, rules, zones=(zone, NORMAL))


@given(states(), st.integers(0, 6), MASKS, RULE)
def test_the_size_of_a_page_changes_words_and_no_verdict(state, order, gfp, rules) -> None:
    zone, request = state[0], Request(order, gfp)
    small, large = (replay(zone, request, rules, zones=(zone, NORMAL), page_kb=kb) for kb in (4, 64))
    assert (small.admits, small.fails_at, small.left, small.needs) == (
        large.admits,
        large.fails_at,
        large.left,
        large.needs,
    )
    assert [(step.left, step.needs) for step in small.steps] == [(step.left, step.needs) for step in large.steps]


@given(states(), st.integers(1, 6), MASKS, RULE)
def test_blocks_of_another_type_are_no_reason_to_refuse(state, order, gfp, rules) -> None:
    """ALLOC_NOFRAGMENT (5.0+) asks for one's own type first and is dropped before a request fails (to 6.14 always)."""
    zone, request = state[0], Request(order, gfp)
    assert zone.blocks is not None
    for letter in "UME":
        words = tuple(letter if count else "" for count in zone.blocks.counts)
        own = replace(zone, blocks=FreeBlocks(zone.blocks.counts, words, zone.blocks.total, 0))
        assert admits(own, request, rules) == admits(replace(own, blocks=_all_types(own)), request, rules)


def _all_types(zone: Zone) -> FreeBlocks:
    assert zone.blocks is not None
    words = tuple("UME" if count else "" for count in zone.blocks.counts)
    return FreeBlocks(zone.blocks.counts, words, zone.blocks.total, 0)
