"""Allocation failures explained. The seed's expectations are the worked example of the allocator's facts."""

import pytest

from kb.facts.allocation.cause import CAUSES
from kb.facts.allocation.facts import allocation_facts
from kb.model.memory import FreeBlocks, MemInfo, Zone
from kb.model.report import Frame, Report, Trace
from tests.kernel.allocation_states import SEED_ZONES, listed

SEED_STACK = (
    "dump_stack",
    "warn_alloc_failed",
    "__alloc_pages_slowpath",
    "__alloc_pages_nodemask",
    "alloc_pages_current",
    "__get_free_pages",
    "kmalloc_order_trace",
    "__kmalloc_track_caller",
    "krealloc",
    "osdmap_set_max_osd",
    "process_one_work",
    "worker_thread",
    "kthread",
)


def report(
    order, mode, zones, *, gfp=None, kernel=None, stack=(), kind="page_allocation_failure", headline="", **fields
):
    frames = tuple(Frame(name, line=index) for index, name in enumerate(stack, 7))
    counters = (
        {"free": sum(zone.free for zone in zones), "free_pcp": 185, "free_cma": 0, "unstable": 0} if not kernel else {}
    )
    memory = MemInfo(tuple(zones), counters=counters, line=27, last=43) if zones else None
    named = {"order": str(order), "mode": mode, **({"gfp": gfp} if gfp else {}), **fields}
    return Report("-", (), kind, None, headline or f"x: page allocation failure: order:{order}, mode:{mode}", 1, "t",
                  kernel=kernel, traces=(Trace("main", "Call Trace:", frames, 6),) if frames else (), fields=named,
                  field_lines=dict.fromkeys(named, 1), memory=memory)  # fmt: skip


SEED = allocation_facts(report(5, "0x104050", SEED_ZONES, stack=SEED_STACK))


def test_seed_is_an_order_walk_refusal() -> None:
    assert SEED.cause == "order_walk_refusal"
    assert SEED.detail["gfp_era"] == "3.8-3.15, RHEL 7"
    assert SEED.detail["gfp_flags"] == ["__GFP_WAIT", "__GFP_IO", "__GFP_COMP", "__GFP_KMEMCG"]
    assert SEED.detail["gfp_name"] == "GFP_NOFS"
    assert SEED.detail["kernels"] == "RHEL 7.3-7.7"
    assert SEED.detail["compaction"]["allowed"] is False
    assert SEED.detail["compaction"]["because"] == "__GFP_FS is not set"


def test_seed_contract_of_node_1() -> None:
    zone = SEED.detail["zones"][3]
    assert (zone["node"], zone["zone"], zone["free"], zone["min"]) == (1, "Normal", 828833, 51331)
    walk, block = zone["replay"]
    assert {key: walk[key] for key in ("rule", "admits", "fails_at", "left", "needs")} == {
        "rule": "order-walk", "admits": False, "fails_at": 3, "left": 1673, "needs": 3208,
    }  # fmt: skip
    assert (walk["list_sum"]["fails_at"], walk["list_sum"]["left"], walk["list_sum"]["needs"]) == (4, 801, 1604)
    assert (block["rule"], block["admits"], block["block_order"]) == ("free-block", True, 5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zones.count", 4),
        ("zones.admitted_by_order_walk", 0),
        ("zones.admitted_by_free_block", 1),
        ("zones.refused_only_by_order_walk", 1),
        ("zones.reserve_refused", 1),
        ("compaction.allowed", False),
        ("may_reclaim", True),
        ("atomic", False),
        ("costly", True),
        ("context", "workqueue"),
        ("min_free_kbytes", 409592),
        ("gfp.caller", ("__GFP_WAIT", "__GFP_IO")),
    ],
)
def test_seed_facts_that_cases_name(name, value) -> None:
    assert SEED.values[name].value == value


def test_seed_reasoning_excludes_what_cannot_help() -> None:
    verdicts = {reason.claim: reason.verdict for reason in SEED.reasoning}
    assert verdicts["another vm.extfrag_threshold would have helped"] == "excluded"
    assert verdicts["raising vm.min_free_kbytes would help"] == "excluded"
    assert verdicts["direct compaction could not run"] == "holds"
    assert verdicts["reclaim alone would have helped"] == "excluded"
    assert verdicts["Node 1 Normal refuses the request"] == "holds"


def test_seed_flips_on_the_list_sum_at_a_min_of_25631_pages() -> None:
    rows = {row.get("base"): row for row in SEED.detail["counterfactuals"] if row.get("zone") == "Node 1 Normal"}
    assert rows["list sum"]["min"] == 25631
    assert rows["printed free"]["min"] is None


def test_seed_with_fs_set_may_compact() -> None:
    facts = allocation_facts(report(5, "0x1040d0", SEED_ZONES, stack=SEED_STACK))
    assert facts.detail["compaction"]["allowed"] is True
    assert facts.detail["gfp_name"] == "GFP_KERNEL"


OLD = "4.9.3"


def test_only_block_in_the_atomic_reserve_is_no_block_for_a_waiting_request() -> None:
    """The 4.9.3 report: Normal lists one order-5 block, ``(H)``; DMA32 passes by 188 pages if nothing is inferred."""
    counts, words = (100, 100, 100, 100, 100, 1, 0, 0, 0, 0, 0), ("UME",) * 5 + ("H",) + ("",) * 5
    normal = Zone(0, "Normal", 10000, 5000, 6250, 7500, (0, 0, 0, 0, 0), free_cma=0, managed=1 << 20,
                  blocks=listed(counts, words))  # fmt: skip
    dma32 = Zone(0, "DMA32", 30188, 1312, 1640, 1968, (0, 0, 28657, 28657, 28657), free_cma=0, managed=1 << 19,
                 blocks=FreeBlocks((0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 1), ("",) * 5 + ("UME", "H") + ("",) * 4, 30388, 9),
                 )  # fmt: skip
    facts = allocation_facts(report(5, "0x24040c0", (dma32, normal), gfp="GFP_KERNEL|__GFP_COMP", kernel=OLD))
    rows = {row["zone"]: row for row in facts.detail["zones"]}
    assert rows["Normal"]["why"] == "highatomic only"
    # 30188 - 31 = 30157 > 1312 + 28657 = 29969 by 188 pages; one pageblock of 512 turns it
    assert rows["DMA32"]["verdict"] == "refuses"
    assert any("at least one" in note for note in facts.detail["assumptions"])
    assert facts.cause == "highatomic_only"


def test_order_8_without_a_block_and_below_the_mark_on_uma() -> None:
    """4.8-rc1, order 8: (2176 - 1020) kB = 1156 < 1508 kB and no block of a megabyte."""
    zone = Zone(
        0, "Normal", 544, 377, 471, 565, (0, 0), managed=60000, blocks=listed((136, 100, 52, 0, 0, 0, 0, 0, 0, 0, 0))
    )
    facts = allocation_facts(report(8, "0x24000c0", (zone,), gfp="GFP_KERNEL", kernel="4.8.0-rc1"))
    step = facts.detail["zones"][0]["replay"][1]
    assert (step["fails_at"], step["left"], step["needs"]) == ("base", 289, 377)
    assert facts.cause == "memory_short"


def test_vmalloc_of_more_than_the_machine_is_not_a_page_shortage() -> None:
    zone = Zone(0, "Normal", 1 << 20, 100, 125, 150, (0, 0, 0, 0), managed=1 << 21, blocks=listed((0,) * 10 + (1024,)))
    facts = allocation_facts(report(0, "0x14080c0", (zone,), gfp="GFP_KERNEL|__GFP_ZERO", kernel="4.16.0",
                                    kind="vmalloc_failure",
                                    headline="a: vmalloc: allocation failure: 17178296320 bytes"))  # fmt: skip
    assert facts.cause == "size_limit"


def test_free_memory_left_without_the_reserve_is_below_the_mark() -> None:
    """Free 1482936 - reserved_highatomic 1073152 = 409784 < min 410416 kB."""
    zone = Zone(0, "Normal", 370734, 102604, 128255, 153906, (0, 0, 0, 0, 0), reserved_highatomic=268288, free_cma=0,
                managed=1 << 24, blocks=listed((370734, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))  # fmt: skip
    facts = allocation_facts(report(0, "0xcc0", (zone,), gfp="GFP_KERNEL", kernel="6.6.0"))
    assert facts.detail["zones"][0]["verdict"] == "refuses"
    assert facts.cause == "highatomic_only"


def test_without_the_memory_block_the_cause_is_undetermined_and_the_missing_fact_named() -> None:
    facts = allocation_facts(report(0, "0x20", (), kernel="3.10.0-1062.el7.x86_64"))
    assert facts.cause == "undetermined"
    assert any("Mem-Info" in missing for missing in facts.unknown)


def test_atomic_request_below_its_reserve() -> None:
    zone = Zone(0, "Normal", 90, 268, 335, 402, (0, 0, 0, 0), free_cma=0, reserved_highatomic=0, managed=23705,
                blocks=listed((90,) + (0,) * 10))  # fmt: skip
    facts = allocation_facts(report(0, "0xa20", (zone,), gfp="GFP_ATOMIC", kernel="6.1.0-56-amd64"))
    assert facts.cause == "atomic_reserve_exhausted"  # 89 <= 268/2 - 1/4 = 101
    assert facts.values["atomic"].value is True


def test_nothing_in_a_report_makes_it_raise() -> None:
    for mode in ("", "0x", "zz", "0xffffffffffffffff", "-1"):
        for order in ("", "x", "99999999999999999999", "-3"):
            assert allocation_facts(report(order, mode, SEED_ZONES, gfp="(|)")).cause in CAUSES


def test_a_page_failure_that_vmalloc_printed_with_free_memory_is_no_shortage() -> None:
    zone = Zone(0, "Normal", 1 << 20, 100, 125, 150, (0, 0, 0, 0), managed=1 << 21, blocks=listed((0,) * 10 + (1024,)))
    stack = ("dump_stack", "warn_alloc_failed", "__vmalloc_node_range", "vmalloc")
    assert allocation_facts(report(0, "0x24000c0", (zone,), kernel="4.4.114+", stack=stack)).cause == "not_a_shortage"
