"""What is said of printed states that are odd: cut, mixed, reserved, isolated, on per-CPU lists."""

from kb import api
from kb.model.verdict import Diagnosis
from tests.facts.allocation.failures import ATOMIC, HEAD, KERNEL, WHERE, normal, reason, report, why


def test_single_pages_are_not_taken_from_blocks_of_the_high_order_atomic_reserve() -> None:
    # 29696 kB are far above min 4000 kB, and every block is highatomic: 5.4 rmqueue() finds none of its type
    blocks = "0*4kB 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 29*1024kB (H) 0*2048kB 0*4096kB"
    reserve = normal(free=29696, blocks=blocks)
    found = report(reserve, mode=ATOMIC, kernel="5.4.0")
    assert (found.facts.cause, found.facts.conclusion.name) == ("highatomic_only", "cause.highatomic_pages")
    one = reserve.replace("29*1024kB (H)", "29*1024kB (UH)")
    assert report(one, mode=ATOMIC, kernel="5.4.0").facts.cause == "state_changed"  # near miss: one block of another
    cut = reserve.partition(" 0*2048kB")[0]
    assert report(cut, mode=ATOMIC, kernel="5.4.0").facts.cause == "state_changed"  # more may be behind the cut
    late = report(reserve, mode="0x820(GFP_ATOMIC)", kernel="6.12.117")
    assert late.facts.cause == "state_changed"  # rmqueue_buddy() tries the reserve for those that may not wait


def test_a_free_list_that_the_log_cuts_has_no_sum_and_no_missing_block() -> None:
    whole = report(normal(free=20000, blocks="5000*4kB (UME) 0*8kB 0*16kB 0*32kB"), order=3)
    assert whole.facts.cause == "fragmentation"
    cut = report(normal(free=20000).partition(": 500*4kB")[0] + ": 500*4kB (UME) 0*8kB", order=3)
    assert cut.facts.cause == "skew_undecidable"
    assert not [one for one in cut.facts.detail["assumptions_named"] if one["name"] == "assumed.skew"]


def test_pages_on_per_cpu_lists_are_told_where_they_would_have_been_enough() -> None:
    # 375 of 1000 are asked for: 300 are free, 76 on per-CPU lists would be enough, 75 would not
    lists = normal(free=1200, blocks="300*4kB (UME)").replace("present:", "free_pcp:{}kB present:")
    found = report(lists.format(76 * 4), mode=ATOMIC)
    assert reason(found, "pcp.enough").verdict == "holds"
    assert not [one for one in report(lists.format(75 * 4), mode=ATOMIC).facts.reasoning if one.name == "pcp.enough"]
    assert reason(report(lists.format(3000)), "pcp.enough").verdict == "unknown"  # it may wait: they are drained first


def cut_head(free: int, frames: tuple[str, ...]) -> Diagnosis:
    """A failure whose headline lost its order and mask."""
    text = "[1.0] foo: page allocation failure\n" + WHERE.format(kernel="6.17.8")
    text += "".join(f"[1.0]  {frame}\n" for frame in frames) + "[1.0] Mem-Info:\n"
    text += "".join(f"[1.0] {line}\n" for line in normal(free=free).splitlines())
    (found,) = api.match(text.encode(), cases=())
    return found


def test_what_no_request_could_get_is_short_whatever_was_asked() -> None:
    # min 1000 pages: 1000 - 500 - 125 = 375 is as low as a request that may use reserves goes
    receive = ("warn_alloc+0x1/0x2", "bar_rx_fill+0x1/0x2", "handle_irq_event+0x1/0x2")
    found = cut_head(1500, receive)
    assert (found.facts.cause, found.facts.conclusion.name) == ("atomic_reserve_exhausted", "cause.short_for_all")
    assert reason(found, "zones.none_serves").verdict == "holds"
    assert cut_head(1500, receive[:2]).facts.cause == "memory_short"
    assert cut_head(1504, receive).facts.cause == "undetermined"


def test_a_reserve_that_cannot_be_filled_is_not_raised() -> None:
    def raising(file: int) -> tuple[str, list[str]]:
        found = report(normal(free=1400, file=file), mode="0xa20(GFP_ATOMIC)")
        one = reason(found, "min_free.raising_helps")
        return one.verdict, [part.name for part in one.why[1:]]

    assert raising(0) == ("excluded", ["min_free.nothing_to_fill_it"])
    assert raising(3996) == ("unknown", ["min_free.cannot_fill"])  # 999 pages of page cache, min is 1000
    assert raising(4000) == ("holds", ["min_free.lasts_longer"])


def test_the_bar_of_a_request_without_privilege_rises_with_min() -> None:
    nowait = report(normal(file=90000), mode="0x800(GFP_NOWAIT)")
    assert "min_free.raises_its_bar" in why(nowait, "min_free.raising_helps")
    old = report(normal(file=90000), mode="0x2000000(GFP_NOWAIT)", kernel="4.5.0")  # watermark_scale_factor came in 4.6
    assert "min_free.raises_its_bar" not in why(old, "min_free.raising_helps")


RESERVE = """\
Node 0 Normal free:{kb}kB min:4000kB low:5000kB high:6000kB present:2000000kB managed:2000000kB
lowmem_reserve[]: 0 0
Node 0 Normal: 0*4kB 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB {blocks}*4096kB (H) = {kb}kB
"""


def test_an_atomic_reserve_above_its_limit_is_told_and_by_which_kernels_it_grew() -> None:
    # at 5000 + 1024 the kernel adds a pageblock no more, and is at 6144 by then: six of 4 MB, twelve of 2 MB
    def over(blocks: int, kernel: str, mode: str) -> list[str]:
        found = report(RESERVE.format(blocks=blocks, kb=blocks * 4096), kernel=kernel, mode=mode)
        return [part.name for one in found.facts.reasoning if one.name == "highatomic.over_limit" for part in one.why]

    assert over(7, "4.8.0", "0x2080020(GFP_ATOMIC)") == ["highatomic.holds", "highatomic.miscounted"]
    assert over(6, "4.8.0", "0x2080020(GFP_ATOMIC)") == []
    assert over(7, "5.10.0", "0xa20(GFP_ATOMIC)") == ["highatomic.holds"]


def test_what_is_cut_decides_nothing_where_the_watermark_alone_refuses() -> None:
    assert report(normal().replace("lowmem_reserve[]: 0 0\n", "")).facts.cause == "memory_short"
    without = normal().rsplit("\n", 1)[0]
    assert report(without, order=3).facts.cause == "memory_short"


def test_isolated_cma_pages_are_cma_pages() -> None:
    zone = normal(free=200000, blocks="49992*4kB (U) 0*8kB 0*16kB 1*32kB (CI)")
    assert report(zone, order=3).facts.cause == "cma_only"
    assert report(zone.replace("(CI)", "(I)"), order=3).facts.cause == "fragmentation"


def test_the_min_that_would_do_leaves_the_boost_out() -> None:
    boosted = normal(free=4000, blocks="1000*4kB (U) 0*8kB 0*16kB 0*32kB").replace(
        "min:4000kB low:5000kB high:6000kB", "boost:2048kB min:12000kB low:14500kB high:17000kB"
    )
    found = report(boosted, kernel="6.1.0")
    rows = [row["min"] for row in found.facts.detail["counterfactuals"] if row.get("base") == "printed free"]
    assert rows == [487]  # 1000 free pages are above 487 and the boost of 512


def test_memory_states_that_are_mixed_line_by_line_are_said_to_be() -> None:
    text = HEAD.format(order=0, mode=KERNEL) + WHERE.format(kernel="5.10.0") + "[1.0]  foo_read+0x1/0x2\n"
    state = [f"[1.0] {line}\n" for line in ("Mem-Info:", *normal().splitlines())]
    mixed = "".join(line for pair in zip(state, state, strict=True) for line in pair)
    (found,) = api.match((text + mixed).encode(), cases=())
    assert (found.facts.cause, found.facts.conclusion.name) == ("undetermined", "cause.mixed_mem_info")
    assert "unknown.memory.mixed" in [one.name for one in found.facts.missing]
    (whole,) = api.match((text + "".join(state)).encode(), cases=())
    assert whole.facts.cause == "memory_short"
