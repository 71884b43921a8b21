"""What compaction_suitable() of each era makes of a zone."""

import pytest

from kb.kernel.compaction import Suitable, suitable
from kb.kernel.release import Release
from kb.kernel.rules import rules_for
from kb.model.allocation import Request
from kb.model.memory import FreeBlocks, Zone

BLOCKS = FreeBlocks((200, 0, 0, 0, 54), ("UM", "", "", "", "M"), 1064, 0)
KERNEL = frozenset({"__GFP_WAIT", "__GFP_DIRECT_RECLAIM", "__GFP_IO", "__GFP_FS"})


def judge(release: str, *, order: int = 4, reserve: int = 0, blocks: FreeBlocks = BLOCKS, **state: int) -> Suitable:
    kernel = Release.parse(release)
    zone = Zone(0, "DMA32", 1064, 100, 125, 150, (0, 0, reserve, reserve), managed=1 << 18, blocks=blocks, **state)
    zones = (zone, Zone(0, "Normal", 0, 1, 2, 3, (0, 0, 0, 0), managed=1 << 20))
    found = suitable(zone, Request(order, KERNEL), rules_for((kernel,))[-1], (kernel,), zones=zones)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("release", "why"),
    [
        ("3.13.0", "suitable.admitted_without_reserve"),  # classzone 0: no reserve is asked for
        ("4.1.0", "suitable.too_few"),
        ("6.12.1", "suitable.too_few"),
    ],
)
def test_the_reserve_counts_since_3_19(release, why) -> None:
    assert judge(release, reserve=1000).why.name == why


def test_a_zone_that_admits_has_nothing_to_compact_even_where_few_pages_are_free_since_3_19() -> None:
    """compaction_suit_allocation_order() asks the request's own watermark first."""
    blocks = FreeBlocks((80, 0, 0, 0, 4), ("UM", "", "", "", "M"), 144, 0)
    zone = Zone(0, "Normal", 144, 100, 125, 150, (0, 0, 0, 0), managed=1 << 18, blocks=blocks)
    kernel = Release.parse("6.12.1")
    found = suitable(zone, Request(4, KERNEL), rules_for((kernel,))[-1], (kernel,), zones=(zone,))
    assert found is not None
    assert found.left <= found.needs
    assert found.why.name == "suitable.admitted"


def test_what_the_watermark_test_leaves_out_is_no_room_either() -> None:
    one = FreeBlocks((1064, 0, 0, 0, 0), ("UM", "", "", "", ""), 1064, 0)
    assert judge("6.12.1", blocks=one, free_highatomic=0).suitable
    assert judge("6.12.1", blocks=one, free_highatomic=1000).why.name == "suitable.too_few"
    assert judge("3.13.0", blocks=one, free_cma=1000).why.name == "suitable.too_few"
    assert judge("6.12.1", blocks=one, free_highatomic=0, free_cma=1000).suitable  # CMA blocks are targets since 4.9


def test_the_index_does_not_hold_small_orders_since_4_9() -> None:
    few = FreeBlocks((0, 532, 0, 0, 0), ("", "UM", "", "", ""), 1064, 0)
    assert judge("4.1.0", order=2, blocks=few).why.name == "suitable.short"
    assert judge("6.12.1", order=2, blocks=few, free_highatomic=0).why.name == "suitable.small"
