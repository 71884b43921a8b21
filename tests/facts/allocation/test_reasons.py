"""What is said around the replay: the near misses of each statement, by small reports whose sums are done by hand."""

from kb import api
from tests.facts.allocation.failures import ATOMIC, HEAD, KERNEL, TWO, WHERE, normal, reason, report, why


def test_where_nothing_can_be_reclaimed_reclaim_is_not_said_to_help() -> None:
    found = report(normal())
    assert (found.facts.cause, reason(found, "reclaim.alone_helps").verdict) == ("memory_short", "excluded")
    assert why(found, "reclaim.alone_helps") == ["reclaim.nothing_there"]
    # 501 pages are missing: 500 of page cache are one too few, 501 are enough
    assert why(report(normal(file=2000)), "reclaim.alone_helps") == ["reclaim.too_little"]
    assert reason(report(normal(file=2004)), "reclaim.alone_helps").verdict == "holds"


def test_anonymous_memory_can_be_reclaimed_only_into_swap() -> None:
    assert reason(report(normal(anon=90000)), "reclaim.alone_helps").verdict == "holds"
    none = report(normal(anon=90000) + "\nFree swap  = 0kB\nTotal swap = 0kB")
    assert why(none, "reclaim.alone_helps") == ["reclaim.nothing_there"]


def test_pages_alone_do_not_make_a_block() -> None:
    found = report(normal(file=90000), order=3)
    assert reason(found, "reclaim.alone_helps").verdict == "unknown"
    assert why(found, "reclaim.alone_helps") == ["reclaim.and_no_block"]


def test_a_request_larger_than_every_zone_is_refused_for_its_size() -> None:
    zone = normal(free=300000, blocks="75000*4kB (UME) 0*8kB").replace("400000kB", "4000kB")
    found = report(zone, order=10)  # 1024 pages, the zone has 1000
    assert found.facts.cause == "size_limit"
    assert why(found, "reclaim.alone_helps") == ["reclaim.size_refused"]
    assert report(zone, order=9).facts.cause == "fragmentation"


def test_the_count_read_first_decides_and_the_list_read_later_is_told() -> None:
    zones = TWO.format(dma=320, free=3000, listed=6000).replace("Normal: 100*4kB", "Normal: 1500*4kB")
    found = report(zones)
    assert found.facts.cause == "memory_short"
    assert "zone.list_admits" in [part.name for r in found.facts.reasoning for part in r.why]
    # the count read first admits it: then it did change
    assert report(TWO.format(dma=2000, free=6000, listed=400)).facts.cause == "state_changed"


def test_a_zone_that_admits_by_a_page_does_not_decide_beside_one_that_is_short() -> None:
    zones = TWO.format(dma=12404, free=3000, listed=400)  # DMA32: 3101 pages, more than 100 + 3000 by one
    assert report(zones).facts.cause == "memory_short"
    assert report(TWO.format(dma=12404 + 4 * 63, free=3000, listed=400)).facts.cause == "state_changed"


def test_compaction_counts_the_reserve_from_3_19_on() -> None:
    zones = TWO.format(dma=12000, free=3000, listed=400)
    late = [str(part) for part in reason(report(zones, order=1), "compaction.could_not_run").sums]
    assert any("Node 0 DMA32" in text and "free 3000 of 3104: not suitable" in text for text in late)


def test_no_zone_is_called_suitable_where_nothing_could_compact() -> None:
    atomic = report(normal(), order=1, mode="0xa20(GFP_ATOMIC)")
    assert reason(atomic, "compaction.could_not_run").sums == ()


def test_the_kernels_share_of_a_short_zone() -> None:
    assert reason(report(normal()), "account.kernel_holds").verdict == "holds"
    assert reason(report(normal(file=300000)), "account.kernel_holds").verdict == "excluded"


def test_early_in_boot_nothing_was_free_yet() -> None:
    zone = (
        normal(free=0, blocks="0*4kB 0*8kB").replace("4000kB", "0kB").replace("5000kB", "0kB").replace("6000kB", "0kB")
    )
    found = report(zone.replace("40000kB", "400000kB"))
    assert found.facts.conclusion.name == "cause.before_boot"


def test_a_reserve_that_is_not_in_the_log_leaves_a_lower_zone_open() -> None:
    lines = TWO.format(dma=4000, free=3000, listed=400).splitlines()
    found = report("\n".join(line for line in lines if "lowmem_reserve" not in line))
    assert found.facts.cause == "skew_undecidable"
    assert reason(found, "zone.refuses").verdict == "holds"  # of Normal, the highest, nothing is kept


def test_a_single_page_is_never_refused_for_want_of_contiguity() -> None:
    empty = normal(free=0, file=90000, blocks="0*4kB 0*8kB")
    found = report(empty, mode="0x20cc0(GFP_KERNEL|__GFP_MEMALLOC)")
    assert why(found, "reclaim.alone_helps") == ["reclaim.not_one_page_by_flag"]


def test_where_a_zone_admits_it_is_not_said_what_was_missing() -> None:
    two = TWO.format(dma=40000, free=300, listed=300)
    step = reason(report(two), "reclaim.alone_helps")
    assert (step.verdict, [line.name for line in step.why]) == ("unknown", ["reclaim.one_admits"])


def test_the_largest_of_the_things_that_stand_in_the_way_is_named() -> None:
    # 3139 - 40 <= 100 + 3000: without the 40 of the high-order atomic reserve it would pass, without the 3000, too
    two = TWO.format(dma=12556, free=300, listed=300).replace("highatomic:0KB", "highatomic:160KB", 1)
    zone = {row["zone"]: row for row in report(two).facts.detail["zones"]}["DMA32"]
    assert (zone["verdict"], zone["why"]) == ("refuses", "reserve")


def test_defrag_mode_is_thought_of_where_only_blocks_of_other_types_are_free() -> None:
    def asked(letters: str, kernel: str = "6.16.0", mode: str = "0x820(GFP_ATOMIC)", large: str = "") -> bool:
        sizes = " ".join(f"0*{4 << order}kB" for order in range(1, 9)) + f" 1*2048kB ({large}) 0*4096kB"
        blocks = f"{4488 if large else 5000}*4kB ({letters})" + (f" {sizes}" if large else "")
        found = report(normal(free=20000, blocks=blocks), mode=mode, kernel=kernel)
        assert found.facts.cause == "state_changed"
        return any(one.name == "defrag.refused" for one in found.facts.reasoning)

    assert asked("ME")
    assert not asked("UME")
    assert not asked("ME", large="M")  # a whole pageblock becomes of the type
    assert asked("ME", large="H")
    assert not asked("ME", kernel="6.14.0")
    assert not asked("ME", mode=KERNEL)  # it may wait, and gets them before it fails


def test_what_a_lower_zone_keeps_is_the_cause_only_where_the_empty_zone_is_a_rest() -> None:
    # Normal (3000000 kB) is below its mark; DMA32 would admit but for its lowmem_reserve
    two = TWO.format(dma=8000, free=300, listed=300)
    assert report(two, mode=ATOMIC).facts.cause == "atomic_reserve_exhausted"
    rest = two.replace("managed:3000000kB", "managed:100000kB")
    assert report(rest, mode=ATOMIC).facts.cause == "lowmem_reserve"


def test_a_walk_that_fails_without_a_block_of_the_order_is_fragmentation() -> None:
    # 3.10: 49997 - 40000 = 9997 above 500, - 10000 below 250, and nothing of order 2
    zone = normal(free=200000, blocks="40000*4kB (U) 5000*8kB (U) 0*16kB 0*32kB")
    assert report(zone, order=2, mode="0xd0", kernel="3.10.0").facts.cause == "fragmentation"
    block = normal(free=200016, blocks="40000*4kB (U) 5000*8kB (U) 1*16kB (U) 0*32kB")
    assert report(block, order=2, mode="0xd0", kernel="3.10.0").facts.cause == "order_walk_refusal"


def test_a_node_has_memory_to_spare_above_its_high_mark_only() -> None:
    other = "\nNode 1 Normal free:{kb}kB min:4000kB low:5000kB high:6000kB present:400000kB managed:400000kB\n"

    def bound(kb: int) -> str | None:
        text = HEAD.format(order=0, mode=KERNEL).replace("nodemask=(null)", "nodemask=0")
        text += WHERE.format(kernel="5.10.0")
        text += "[1.0]  warn_alloc+0x1/0x2\n[1.0]  foo_read+0x1/0x2\n[1.0] Mem-Info:\n"
        text += "".join(f"[1.0] {line}\n" for line in (normal() + other.format(kb=kb)).splitlines())
        return api.match(text.encode(), cases=())[0].facts.cause

    assert bound(6004) == "memory_short"  # 1501 pages, less the one that is asked for: the high mark itself
    assert bound(6008) == "zone_constrained"


WALK = """\
Node 0 Normal free:1168kB min:400kB low:500kB high:600kB present:400000kB managed:400000kB
lowmem_reserve[]: 0 0 0 0
Node 0 Normal: 245*4kB (UEM) {pairs}*8kB (UEM) 1*16kB (UEM) 0*32kB = {listed}kB
"""


def test_the_list_sum_is_named_beside_a_refusal_only_where_it_refuses() -> None:
    """3.13, order 1: 292 - 1 - 245 = 46 of the count is not above 100 / 2; of 305 pages on the list 59 are."""
    passes = report(WALK.format(pairs=28, listed=1220), order=1, mode="0xd0", kernel="3.13.0")
    says = reason(passes, "zone.refuses").why
    assert [part.name for part in says] == ["zone.walk_fails", "zone.list_admits"]
    assert "list sum" not in str(says[0])
    # near miss, order 2: 309 - 3 - 245 = 61 are, and less the pairs 1 is not above 25
    fails = report(WALK.format(pairs=30, listed=1236), order=2, mode="0xd0", kernel="3.13.0")
    assert "the walk fails at order 0 (on the list sum at order 1)" in str(reason(fails, "zone.refuses").why[0])


def test_a_lower_zone_that_two_reserves_keep_is_said_to_be_kept_by_either() -> None:
    """4.9, DMA32 by hand: 3600 - 512 = 3088 is not above 100 + 3000; without the 512, or without the 3000, it is."""
    two = """\
Node 0 DMA32 free:14400kB min:400kB low:500kB high:600kB present:1000000kB managed:1000000kB
lowmem_reserve[]: 0 3000 3000
Node 0 Normal free:{free}kB min:4000kB low:5000kB high:6000kB present:3000000kB managed:3000000kB
lowmem_reserve[]: 0 0 0
Node 0 DMA32: 3592*4kB (UME) 4*8kB {letters} 0*16kB 0*32kB = 14400kB
Node 0 Normal: 500*4kB (UME) = 2000kB
"""
    mode = "0x24000c0(GFP_KERNEL)"
    either = report(two.format(free=2000, letters="(H)"), mode=mode, kernel="4.9.0")
    assert "zone.reserve_or_highatomic" in [part.name for one in either.facts.reasoning for part in one.why]
    alone = report(two.format(free=2000, letters="(U)").replace("free:14400kB", "free:12000kB"), mode=mode,
                   kernel="4.9.0")  # fmt: skip
    told = [part.name for one in alone.facts.reasoning for part in one.why]
    assert "zone.reserve_alone" in told
    assert "zone.reserve_or_highatomic" not in told


def test_compaction_that_finds_no_zone_worth_it_did_not_run() -> None:
    """4.9, order 5: single pages must be above low and 64, 1250 + 64; the index of 30 single pages is 0."""
    bare = "{free}*4kB (UME) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB"
    mode = "0x24040c0(GFP_KERNEL|__GFP_COMP)"
    short = report(normal(5000, blocks=bare.format(free=1250)), order=5, mode=mode, kernel="4.9.0")
    assert reason(short, "compaction.could_not_run").verdict == "holds"
    assert "compaction.no_zone_suitable" in why(short, "compaction.could_not_run")
    roomy = report(normal(80_000, blocks=bare.format(free=20_000)), order=5, mode=mode, kernel="4.9.0")
    assert reason(roomy, "compaction.could_not_run").verdict == "excluded"
