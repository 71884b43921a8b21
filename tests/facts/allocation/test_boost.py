"""A watermark boost that the marks show by themselves; the arithmetic of __setup_per_zone_wmarks() done by hand."""

from pathlib import Path

import pytest

from kb import api
from kb.kernel.boost import boost_of, boosted, least_boost, unboosted
from kb.model.memory import Zone


def zone(low: int, *, minimum: int, name: str = "Normal", boost: int | None = None) -> Zone:
    return Zone(node=0, name=name, free=0, min=minimum, low=low, high=low, boost=boost)


@pytest.mark.parametrize(
    ("minimum", "step", "least"),
    [
        (11263, 2815, 0),  # 11263 >> 2 is 2815
        (11263, 4096, 0),  # watermark_scale_factor decides the step: min may be anything below
        (11263 + 1024, 2815, 1024),  # boosted by 1024 pages: 12287 - 4 * 2815 - 3
        (512 + 64, 16, 509),  # min 64..67 without a boost
    ],
)
def test_the_least_boost_is_what_no_setting_explains(minimum: int, step: int, least: int) -> None:
    assert least_boost(zone(minimum + step, minimum=minimum)) == least


def test_zones_of_other_rules_and_printed_boosts_are_left_alone() -> None:
    assert least_boost(zone(128 + 1, minimum=128, name="HighMem")) == 0
    assert least_boost(zone(500, minimum=500)) == 0
    assert least_boost(zone(9999 + 16, minimum=9999, boost=0)) == 0
    assert least_boost(zone(9999 + 16, minimum=9999, boost=2048)) == 2048


@pytest.mark.parametrize(
    ("minimum", "low", "boost"),
    [
        (20909, 24216, 7680),  # 5.4: 15 pageblocks over 13229
        (42993, 46300, 29762),  # capped at 1.5 times the high mark: no whole number of pageblocks
        (13229, 16536, 0),
    ],
)
def test_where_min_decides_the_marks_the_boost_is_decoded(minimum: int, low: int, boost: int) -> None:
    state = zone(low, minimum=minimum)
    assert boost_of(state) == boost
    assert unboosted(state).min == minimum - boost
    assert boost_of(unboosted(state)) == 0


LOG = b"""\
foo: page allocation failure: order:3, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0
CPU: 0 PID: 77 Comm: foo Not tainted 5.4.0 #1
Call Trace:
 dump_stack+0x50/0x70
 warn_alloc+0x7b/0xf0
 foo_alloc+0x33/0x60
Mem-Info:
Node 0 DMA free:15000kB min:60kB low:75kB high:90kB reserved_highatomic:0KB
lowmem_reserve[]: 0 0 0 0
Node 0 Normal free:60000kB min:49148kB low:60408kB high:71668kB reserved_highatomic:0KB
lowmem_reserve[]: 0 0 0 0
"""


def test_a_log_of_5_4_bears_the_inferred_boost_as_an_assumption() -> None:
    (found,) = api.match(LOG, cases=())
    fact = found.facts.values["zones.boosted"]
    assert fact.value == 1
    assert fact.assumption is not None
    # 49148 kB are 12287 pages, the step is 2815 pages
    assert fact.shown == "Node 0 Normal by 1024+ pages"
    assert fact.evidence[0] == (10, 10)


def test_our_own_logs_print_their_boost(corpus: Path) -> None:
    for found in api.match(corpus / "vm/069-alloc-watermarks-612.log", cases=()):
        memory = found.report.memory
        if memory is not None and "zones.boosted" in found.facts.values:
            printed = [zone for zone in memory.zones if zone.boost]
            assert found.facts.values["zones.boosted"].value == len(printed)
            assert len(boosted(memory.zones)) == len(printed)
            assert found.facts.values["zones.boosted"].assumption is None


def _failure(normal_free: int) -> str:
    """An order-0 GFP_ATOMIC failure of 5.4: Normal has min 52000 kB and a boost of 32000 kB, DMA32 is reserved."""
    return (
        "[1.0] swapper/1: page allocation failure: order:0, mode:0xa20(GFP_ATOMIC), nodemask=(null)\n"
        "[1.0] CPU: 1 PID: 0 Comm: swapper/1 Not tainted 5.4.30 #1\n"
        "[1.0] Mem-Info:\n"
        "[1.0] Node 0 DMA32 free:40000kB min:14000kB low:17500kB high:21000kB managed:3500000kB\n"
        "[1.0] lowmem_reserve[]: 0 12500 12500\n"
        f"[1.0] Node 0 Normal free:{normal_free}kB min:84000kB low:97000kB high:110000kB managed:12800000kB\n"
        "[1.0] lowmem_reserve[]: 0 0 0\n"
        "[1.0] 4000000 pages RAM\n"
    )


@pytest.mark.parametrize(
    ("free", "held"),
    [
        (31000, 1),  # above 3/8 of 52012 kB (19504), not above 3/8 of 84000 kB (31500)
        (19000, 0),  # below both: the reserve is used up
    ],
)
def test_a_zone_that_only_its_boost_keeps_from_serving_an_atomic_request_is_counted(free: int, held: int) -> None:
    (diagnosis,) = api.match(_failure(free).encode())
    assert diagnosis.facts.values["zones.refused_only_by_boost"].value == held


def test_the_cause_and_what_else_name_the_boost() -> None:
    (diagnosis,) = api.match(_failure(31000).encode(), cases=())
    assert diagnosis.facts.cause == "watermark_boost"
    others = [row["text"] for row in diagnosis.facts.detail["counterfactuals"]]
    assert any("without its watermark boost of 7997 pages" in text for text in others)
    assert not any(text.startswith("Node 0 Normal, on the") for text in others)
    assert (
        diagnosis.facts.values["min_free_kbytes"].value == 66012
    )  # 52000 + 14000 kB are set; the marks show it to 3 pages
