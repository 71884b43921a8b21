"""The watermark rules. The seed's numbers were worked out with pencil and a script of their own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.kernel.allocflags import alloc_flags
from kb.kernel.boost import unboosted
from kb.kernel.compaction import fragindex, unusable
from kb.kernel.era import points
from kb.kernel.release import Release
from kb.kernel.rules import MAINLINE_44, RULES, RuleSet, rule_named, rules_for
from kb.kernel.watermark import highatomic_bounds, highatomic_limit, replay
from kb.kernel.zonelist import candidate_zones, zone_layout, zone_order_auto
from kb.model.allocation import Request
from kb.model.memory import FreeBlocks, Zone
from tests.kernel.allocation_states import SEED_ZONES, listed, zones

NOFS5 = Request(5, frozenset({"__GFP_WAIT", "__GFP_IO", "__GFP_COMP", "__GFP_KMEMCG"}))
RHEL7 = rule_named("3.16-4.3, RHEL 7")
DMA, DMA32, NORMAL0, NORMAL1 = SEED_ZONES


@pytest.mark.parametrize(
    ("zone", "on_list", "fails_at", "left", "needs"),
    [
        (NORMAL0, False, 0, -1440, 24851),
        (NORMAL0, True, 0, 819, 24851),
        (NORMAL1, False, 3, 1673, 3208),
        (NORMAL1, True, 4, 801, 1604),
        (DMA32, False, 1, 214, 338),
        (DMA32, True, 1, 281, 338),
        (DMA, False, "base", 3935, 64173),
        (DMA, True, "base", 3935, 64173),
    ],
)
def test_seed_order_walk_fails_where_the_kernel_failed(zone, on_list, fails_at, left, needs) -> None:
    run = replay(zone, NOFS5, RHEL7, zones=SEED_ZONES, free=zone.blocks.pages if on_list else zone.free)
    assert (run.admits, run.fails_at, run.left, run.needs) == (False, fails_at, left, needs)


def test_seed_free_block_rule_admits_node_1_only() -> None:
    runs = [replay(zone, NOFS5, MAINLINE_44, zones=SEED_ZONES) for zone in SEED_ZONES]
    assert [run.admits for run in runs] == [False, False, False, True]
    assert [run.fails_at for run in runs] == ["base", "no block", "no block", None]
    assert runs[3].block_order == 5


def test_rhel_6_variant_on_the_seed_turns_on_the_basis() -> None:
    rules = rule_named("RHEL 6.5-6.10")
    assert replay(NORMAL1, NOFS5, rules, zones=SEED_ZONES, free=830761).left == 799
    assert replay(NORMAL1, NOFS5, rules, zones=SEED_ZONES, free=830761).admits
    assert replay(NORMAL1, NOFS5, rules, zones=SEED_ZONES).left == -1129


def test_seed_zones_are_tried_in_zone_order() -> None:
    assert zone_layout(SEED_ZONES) == ("DMA", "DMA32", "Normal", "Movable")
    assert zone_order_auto(SEED_ZONES)
    tried = candidate_zones(NOFS5, SEED_ZONES, zone_order=True)
    assert [zone.label for zone in tried] == ["Node 0 Normal", "Node 1 Normal", "Node 0 DMA32", "Node 0 DMA"]


@pytest.mark.parametrize(("zone", "index"), [(NORMAL0, 969), (DMA32, 960), (NORMAL1, -1000), (DMA, -1000)])
def test_seed_fragmentation_index(zone, index) -> None:
    assert fragindex(zone.blocks.counts, 5) == index


def test_indices_of_an_empty_list() -> None:
    assert fragindex((0,) * 11, 3) == 0
    assert unusable((0,) * 11, 3) == 1000


@pytest.mark.parametrize(
    ("release", "rule"),
    [
        ("3.10.0-1160.el7.x86_64", "3.16-4.3, RHEL 7"),
        ("2.6.32-754.el6.x86_64", "RHEL 6.5-6.10"),
        ("2.6.32-220.el6.x86_64", "2.6.38-3.1"),
        ("4.3.0", "3.16-4.3, RHEL 7"),
        ("4.4.11", "4.4-4.13"),
        ("4.18.0-305.el8.x86_64", "4.15-5.7, RHEL 8.0-8.4"),
        ("4.18.0-553.el8.x86_64", "5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4"),
        ("5.14.0-503.11.1.el9_5.x86_64", "6.3-6.4, RHEL 9.5-9.6"),
        ("6.1.0-56-amd64", "6.1.157+"),
        ("6.12.0-55.9.1.el10_0.x86_64", "6.12-6.17, RHEL 10"),
        ("6.12.117+deb12-amd64", "6.18+, 6.12.54+"),
    ],
)
def test_rule_set_of_a_release(release, rule) -> None:
    assert [rules.name for rules in rules_for((Release.parse(release),))] == [rule]


def test_every_known_release_has_exactly_one_rule_set() -> None:
    assert {point.text: len(rules_for((point,))) for point in points()} == {point.text: 1 for point in points()}


@pytest.mark.parametrize(
    ("release", "rules"),
    [
        ("5.15.170", ["5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4"]),
        ("5.15.171", ["5.15.171+, 6.1.116+"]),
        ("5.15.0-1087-azure", ["5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4", "5.15.171+, 6.1.116+", "6.1.157+"]),
        ("6.1.115", ["5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4"]),
        ("6.1.116", ["5.15.171+, 6.1.116+"]),
        ("6.1.156", ["5.15.171+, 6.1.116+"]),
        ("6.1.157", ["6.1.157+"]),
        ("6.1.0-27-amd64", ["5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4"]),
        ("6.1.0-28-amd64", ["5.15.171+, 6.1.116+"]),
        ("6.1.0-40-amd64", ["5.15.171+, 6.1.116+"]),
        ("6.1.0-41-amd64", ["6.1.157+"]),
        ("5.15.194", ["5.15.171+, 6.1.116+"]),
        ("5.15.196", ["5.15.171+, 6.1.116+", "6.1.157+"]),
        ("6.6.59", ["6.5-6.10"]),
        ("6.6.60", ["6.6.60+"]),
        ("6.6.111", ["6.6.60+"]),
        ("6.6.113", ["6.6.60+", "6.6.112+, perhaps"]),
        ("6.11.6", ["6.11"]),
        ("6.11.7", ["6.11.7+"]),
        ("6.12.53", ["6.12-6.17, RHEL 10"]),
        ("6.12.54", ["6.18+, 6.12.54+"]),
        ("6.12.0-rc5", ["6.12-6.17, RHEL 10"]),
        ("6.17.3", ["6.12-6.17, RHEL 10"]),
        ("6.17.4", ["6.18+, 6.12.54+"]),
    ],
)
def test_a_stable_release_has_the_rules_that_were_brought_to_it(release, rules) -> None:
    assert [row.name for row in rules_for((Release.parse(release),))] == rules


def test_single_pages_of_the_atomic_reserve_are_for_requests_that_may_not_wait_since_the_fix() -> None:
    """281dd25c1a01: mm/page_alloc.c rmqueue_buddy()."""
    held = FreeBlocks((0, 0, 0, 8), ("", "", "", "H"), 64, 0)
    zone = Zone(0, "Normal", 64, 4, 5, 6, (0, 0, 0, 0), managed=1 << 20, blocks=held, reserved_highatomic=64)
    for name, admits in (("6.3-6.4, RHEL 9.5-9.6", False), ("6.5-6.10", False), ("6.6.60+", True), ("6.11", False),
                         ("6.11.7+", True), ("6.1.157+", True)):  # fmt: skip
        assert replay(zone, Request(0, ATOMIC_NEW), rule_named(name), zones=(zone,)).admits is admits, name


@given(managed=st.integers(0, 1 << 26), order=st.sampled_from((9, 10)), fixed=st.booleans())
def test_no_reserve_grows_beyond_the_limit(managed: int, order: int, fixed: bool) -> None:
    """reserve_highatomic_pageblock() as 6.1 has it, and as 6.12 does, which takes a largest free block as a whole."""
    block = 1 << order
    most = -(-(managed // 100) // block) * block if fixed else managed // 100 + block
    reserved = max(0, most - most % block - block)
    while reserved < most:
        reserved += 1024 if fixed and reserved + block >= most else block
    assert reserved <= highatomic_limit(managed)
    zone = Zone(0, "Normal", 64, 4, 5, 6, (0, 0, 0, 0), managed=managed)
    assert highatomic_bounds(zone, rule_named("6.5-6.10"))[1] >= reserved


@pytest.mark.parametrize(("page_kb", "block"), [(4, 1024), (16, 2048), (64, 8192)])
def test_of_larger_pages_the_reserve_may_have_a_huge_page_more(page_kb: int, block: int) -> None:
    """8192 pages of 64 kB are 512 MB: reserve_highatomic_pageblock() takes one below 1 % of the zone and a block."""
    zone = Zone(0, "Normal", 64, 4, 5, 6, (0, 0, 0, 0), managed=10_000)
    assert highatomic_limit(10_000, page_kb) == 2 * block  # 100 + a block, rounded up to whole ones
    assert highatomic_bounds(zone, rule_named("6.5-6.10"), page_kb)[1] == 2 * block


def test_the_limit_is_what_a_kernel_of_4_mb_pageblocks_reaches() -> None:
    assert highatomic_limit(507533) == 6144  # 5075 + 1024 = 6099; with 2 MB pageblocks 5587, and so 5632


ATOMIC_NEW = frozenset({"__GFP_HIGH", "__GFP_KSWAPD_RECLAIM"})
ATOMIC_OLD = frozenset({"__GFP_HIGH", "__GFP_ATOMIC", "__GFP_KSWAPD_RECLAIM"})


@pytest.mark.parametrize(
    ("flags", "order", "rules", "expected"),
    [
        ({"__GFP_HIGH"}, 0, RHEL7, {"HIGH", "HARDER"}),
        ({"__GFP_NO_KSWAPD"}, 9, RHEL7, set()),  # a THP fault is not atomic
        (ATOMIC_OLD, 0, MAINLINE_44, {"HIGH", "HARDER"}),
        ({"__GFP_KSWAPD_RECLAIM"}, 0, MAINLINE_44, set()),  # GFP_NOWAIT: no discount since 4.4
        (ATOMIC_NEW, 0, rule_named("6.3-6.4, RHEL 9.5-9.6"), {"MIN_RESERVE", "NON_BLOCK"}),
        (ATOMIC_NEW, 2, rule_named("6.3-6.4, RHEL 9.5-9.6"), {"MIN_RESERVE", "NON_BLOCK", "HIGHATOMIC"}),
        ({"__GFP_KSWAPD_RECLAIM"}, 2, rule_named("6.3-6.4, RHEL 9.5-9.6"), {"NON_BLOCK", "HIGHATOMIC"}),
        ({"__GFP_KSWAPD_RECLAIM"}, 2, rule_named("6.18+, 6.12.54+"), {"NON_BLOCK"}),
        (ATOMIC_NEW, 2, rule_named("6.18+, 6.12.54+"), {"MIN_RESERVE", "NON_BLOCK", "HIGHATOMIC"}),
        ({"__GFP_HIGH", "__GFP_NOMEMALLOC"}, 0, rule_named("6.11"), {"MIN_RESERVE"}),
    ],
)
def test_alloc_flags_by_era(flags, order, rules, expected) -> None:
    assert alloc_flags(Request(order, frozenset(flags)), rules) == expected


def test_an_atomic_request_since_6_3_may_use_three_eighths_of_min() -> None:
    zone = replace(NORMAL0, min=800, free=301, reserved_highatomic=0)
    rules = rule_named("6.3-6.4, RHEL 9.5-9.6")
    assert replay(zone, Request(0, ATOMIC_NEW), rules, zones=(zone,)).admits  # 301 > 800/2 - 1/4 = 300
    assert not replay(replace(zone, free=300), Request(0, ATOMIC_NEW), rules, zones=(zone,)).admits


def test_free_cma_does_not_count_for_an_unmovable_request() -> None:
    zone = replace(NORMAL0, min=100, free=200, free_cma=100)
    assert not replay(zone, Request(0), MAINLINE_44, zones=(zone,)).admits
    movable = Request(0, frozenset({"__GFP_MOVABLE"}), migratetype="movable")
    assert replay(zone, movable, MAINLINE_44, zones=(zone,)).admits


RULE = st.sampled_from(RULES)
FLAGS = st.sampled_from([frozenset({"__GFP_WAIT", "__GFP_DIRECT_RECLAIM"}), ATOMIC_OLD, ATOMIC_NEW, frozenset()])


@given(zones(), st.integers(0, 10), FLAGS, RULE, st.integers(0, 5000))
def test_more_free_pages_never_turn_admit_into_refuse(zone, order, flags, rules: RuleSet, more) -> None:
    request = Request(order, flags)
    if replay(zone, request, rules, zones=(zone,)).admits:
        assert replay(zone, request, rules, zones=(zone,), free=zone.free + more).admits


@given(zones(), st.integers(0, 10), FLAGS, RULE, st.integers(0, 10))
def test_one_more_free_block_never_turns_admit_into_refuse(zone, order, flags, rules: RuleSet, size) -> None:
    counts = tuple(count + (index == size) for index, count in enumerate(zone.blocks.counts))
    richer = replace(zone, free=zone.free + (1 << size), blocks=listed(counts))
    request = Request(order, flags)
    if replay(zone, request, rules, zones=(zone,)).admits:
        assert replay(richer, request, rules, zones=(richer,)).admits


@given(zones(), st.integers(0, 10), FLAGS, RULE, st.integers(0, 60))
def test_relabelling_nodes_changes_nothing(zone, order, flags, rules: RuleSet, node) -> None:
    request, other = Request(order, flags), replace(zone, node=node)
    assert replay(zone, request, rules, zones=(zone,)) == replay(other, request, rules, zones=(other,))


@given(zones(), st.integers(0, 10))
def test_free_block_rule_admits_what_the_order_walk_admits_when_a_block_is_listed(zone, order) -> None:
    """Named exceptions: the walk does not look for a block, and CMA and highatomic pages (absent here) count for it."""
    request = Request(order, frozenset({"__GFP_WAIT", "__GFP_DIRECT_RECLAIM"}))
    if replay(zone, request, RHEL7, zones=(zone,)).admits and any(zone.blocks.counts[order:]):
        assert replay(zone, request, MAINLINE_44, zones=(zone,)).admits


I386 = (
    Zone(0, "DMA", 576, 20, 25, 30, (0, 544, 2867, 2867), managed=3980),
    Zone(0, "Normal", 760, 735, 918, 1101, (0, 0, 18591, 18591), managed=220000),
)
"""i386 since 6.1: HighMem, above the request, is not printed."""


def test_a_zones_reserve_against_itself_is_0_which_tells_the_layout() -> None:
    assert zone_layout(I386) == ("DMA", "Normal", "HighMem", "Movable")
    run = replay(I386[1], Request(0, ATOMIC_NEW), rule_named("6.5-6.10"), zones=I386)
    assert run.steps[0].needs == 276
    assert run.admits


def test_the_same_names_with_a_dma32_zone_that_has_no_pages_keep_their_layout() -> None:
    zones = (
        Zone(0, "DMA", 576, 20, 25, 30, (0, 0, 2867, 2867), managed=3980),
        Zone(0, "Normal", 760, 735, 918, 1101, (0, 0, 0, 0), managed=220000),
    )
    assert zone_layout(zones) == ("DMA", "DMA32", "Normal", "Movable")


def test_the_walk_admits_no_request_whose_only_blocks_are_of_another_type() -> None:
    counts = (500, 200, 100, 50, 20, 9)
    words = ("UME", "UME", "UME", "UME", "UME", "C")
    pages = sum(count << order for order, count in enumerate(counts))
    zone = Zone(0, "Normal", pages, 10, 12, 15, (0, 0, 0, 0), managed=1 << 19, blocks=listed(counts, words))
    assert replay(zone, NOFS5, RHEL7, zones=(zone,)).fails_at == "no block"
    movable = replace(NOFS5, migratetype="movable")
    assert replay(zone, movable, RHEL7, zones=(zone,)).admits


def test_an_atomic_page_is_tested_again_without_the_boost_from_5_9_on() -> None:
    zone = Zone(0, "Normal", 3500, 10240, 12288, 14336, (0, 0, 0, 0), boost=2048, managed=1 << 20, free_cma=0,
                free_highatomic=0)  # fmt: skip
    new = replay(zone, Request(0, ATOMIC_NEW), rule_named("6.12-6.17, RHEL 10"), zones=(zone,))
    assert (new.admits, new.base.needs) == (True, 3072)
    assert not replay(zone, Request(0, ATOMIC_OLD), rule_named("5.8, RHEL 8.5-8.7"), zones=(zone,)).admits
    plain = Request(0, frozenset({"__GFP_DIRECT_RECLAIM"}))
    assert not replay(zone, plain, rule_named("6.12-6.17, RHEL 10"), zones=(zone,)).admits
    assert not replay(zone, Request(1, ATOMIC_NEW), rule_named("6.12-6.17, RHEL 10"), zones=(zone,)).admits


@pytest.mark.parametrize(
    ("flags", "name", "mark", "admits"),
    [
        (ATOMIC_OLD, "5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4", "min", True),
        # a request that may wait has __GFP_HIGH without __GFP_ATOMIC: gfp_mask & __GFP_ATOMIC was asked to 6.2
        ({"__GFP_HIGH", "__GFP_DIRECT_RECLAIM"}, "5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4", "min", False),
        ({"__GFP_HIGH", "__GFP_DIRECT_RECLAIM"}, "6.11", "min", True),  # alloc_flags & ALLOC_MIN_RESERVE since
        ({"__GFP_KSWAPD_RECLAIM"}, "6.11", "min", False),
        (ATOMIC_NEW, "6.11", "low", False),  # WMARK_MIN alone is asked again
    ],
)
def test_who_is_asked_again_without_the_boost(flags, name, mark, admits) -> None:
    """mm/page_alloc.c zone_watermark_fast() of 5.9, 6.2 and 6.11: 600 free pages of min 2000, 1500 of them boost."""
    zone = Zone(0, "Normal", 600, 2000, 2125, 2250, (0, 0, 0, 0), managed=1 << 20, boost=1500, reserved_highatomic=0)
    run = replay(zone, Request(0, frozenset(flags)), rule_named(name), zones=(zone,), mark=mark)
    assert run.admits is admits


def test_no_request_of_el6_has_its_marks_halved_from_order_2_on() -> None:
    """el6-431 .. 754: orders below pageblock_order / 4 alone, 2 on x86_64, and from the mark above min."""
    rules = rule_named("RHEL 6.5-6.10")
    blocks = FreeBlocks((10, 10, 10, 10, 10), ("", "", "", "", ""), 310, 0)
    zone = Zone(0, "Normal", 310, 100, 164, 228, (0, 0, 0, 0), managed=1 << 20, blocks=blocks)
    run = replay(zone, Request(4, frozenset({"__GFP_WAIT"})), rules, zones=(zone,), mark="low")
    # low - min is 64: 32 and 16 stand against orders 0 and 1, and 16 against all above
    assert [step.needs for step in run.steps if step.name.startswith("order")] == [32, 16, 16, 16]


def test_an_oom_victim_takes_single_pages_of_the_atomic_reserve_from_6_3_on() -> None:
    held = FreeBlocks((0, 0, 0, 8), ("", "", "", "H"), 64, 0)
    zone = Zone(0, "Normal", 64, 4, 5, 6, (0, 0, 0, 0), managed=1 << 20, blocks=held, reserved_highatomic=0)
    victim = Request(0, frozenset({"__GFP_DIRECT_RECLAIM"}), oom_victim=True)
    for name, admits in (("5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4", False), ("6.3-6.4, RHEL 9.5-9.6", True)):
        assert replay(zone, victim, rule_named(name), zones=(zone,)).admits is admits, name


def test_a_request_that_ignores_the_watermarks_takes_blocks_of_the_atomic_reserve() -> None:
    held = FreeBlocks((0, 0, 0, 8), ("", "", "", "H"), 64, 0)
    zone = Zone(0, "Normal", 64, 400, 500, 600, (0, 0, 0, 0), managed=1 << 20, blocks=held, reserved_highatomic=0)
    request = Request(2, frozenset({"__GFP_DIRECT_RECLAIM", "__GFP_MEMALLOC"}))
    assert replay(zone, request, rule_named("5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4"), zones=(zone,)).admits


def test_a_request_with_reserves_that_may_wait_is_spared_the_atomic_reserve_from_6_3_on() -> None:
    zone = Zone(0, "Normal", 2000, 1000, 1250, 1500, (0, 0, 0, 0), managed=1 << 20, reserved_highatomic=1600)
    high = Request(0, frozenset({"__GFP_HIGH", "__GFP_DIRECT_RECLAIM"}))
    # 2000 - 1600 = 400 is not above 500
    assert not replay(zone, high, rule_named("5.9-6.2, RHEL 8.8-8.10, RHEL 9.0-9.4"), zones=(zone,)).admits
    assert replay(zone, high, rule_named("6.3-6.4, RHEL 9.5-9.6"), zones=(zone,)).admits


def test_unaccepted_memory_is_subtracted_from_6_5_to_6_10_alone() -> None:
    zone = Zone(0, "Normal", 2000, 1000, 1250, 1500, (0, 0, 0, 0), managed=1 << 20, reserved_highatomic=0,
                free_highatomic=0, counters={"nr_unaccepted": 1000})  # fmt: skip
    request = Request(0, frozenset({"__GFP_DIRECT_RECLAIM"}))
    for name, admits in (("6.3-6.4, RHEL 9.5-9.6", True), ("6.5-6.10", False), ("6.11", True)):
        assert replay(zone, request, rule_named(name), zones=(zone,)).admits is admits, name


def test_the_walk_subtracts_cma_pages_at_its_base_alone() -> None:
    """4.3 __zone_watermark_ok(): free_pages - free_cma there, free_pages in the loop; highatomic pages do not exist."""
    blocks = FreeBlocks((40, 60), ("U", "C"), 160, 0)
    zone = Zone(0, "Normal", 160, 80, 100, 120, (0, 0, 0, 0), managed=1 << 20, blocks=blocks, free_cma=70,
                reserved_highatomic=60)  # fmt: skip
    run = replay(zone, Request(1, frozenset({"__GFP_WAIT"})), RHEL7, zones=(zone,))
    # 160 - 1 - 70 = 89 > 80, then 159 - 40 = 119 > 40
    assert [(step.left, step.needs) for step in run.steps[:2]] == [(89, 80), (119, 40)]


def test_without_an_order_the_any_block_rule_of_4_4_does_not_open_the_atomic_reserve() -> None:
    held = FreeBlocks((0, 0, 0, 8), ("", "", "", "H"), 64, 0)
    zone = Zone(0, "Normal", 64, 4, 5, 6, (0, 0, 0, 0), managed=1 << 20, blocks=held, reserved_highatomic=0)
    assert not replay(zone, Request(0, ATOMIC_OLD), MAINLINE_44, zones=(zone,)).admits
    assert replay(zone, Request(1, ATOMIC_OLD), MAINLINE_44, zones=(zone,)).admits


def test_a_zone_without_its_boost_says_so_where_it_printed_one() -> None:
    zone = Zone(0, "Normal", 64, 600, 625, 650, (0, 0, 0, 0), managed=1 << 20, boost=512)
    assert (unboosted(zone).boost, unboosted(zone).min) == (0, 88)


def test_a_zone_without_a_listed_block_of_its_type_still_may_have_single_pages() -> None:
    """Where nothing is counted free, or the list is behind the count, no list of another type refuses a single page."""
    held = FreeBlocks((0, 0, 0, 8), ("", "", "", "H"), 64, 0)
    ahead = Zone(0, "Normal", 100, 4, 5, 6, (0, 0, 0, 0), managed=1 << 20, blocks=held, reserved_highatomic=0)
    refused = replay(ahead, Request(0), MAINLINE_44, zones=(ahead,))
    assert refused.fails_at == "no block"  # 36 pages: the list was read later
    far = replace(ahead, free=64 + 65)
    assert replay(far, Request(0), MAINLINE_44, zones=(far,)).admits
    none = replace(ahead, free=0, min=-1)
    assert replay(none, Request(0), MAINLINE_44, zones=(none,)).admits
