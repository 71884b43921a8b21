"""What is said around the replay: the near misses of each statement, by small reports whose sums are done by hand."""

from kb import api
from kb.model.verdict import Diagnosis, Reason

HEAD = "[1.0] foo: page allocation failure: order:{order}, mode:{mode}, nodemask=(null),cpuset=/,mems_allowed=0\n"
WHERE = "[1.0] CPU: 1 PID: 77 Comm: foo Not tainted {kernel} #1\n[1.0] Call Trace:\n"
KERNEL = "0xcc0(GFP_KERNEL)"


def report(
    zones: str,
    *,
    order: int = 0,
    mode: str = KERNEL,
    kernel: str = "5.10.0",
    frames: tuple[str, ...] = ("warn_alloc+0x1/0x2", "foo_read+0x1/0x2"),
    counters: str = "",
) -> Diagnosis:
    """The diagnosis of one failure."""
    text = HEAD.format(order=order, mode=mode) + WHERE.format(kernel=kernel)
    text += "".join(f"[1.0]  {frame}\n" for frame in frames) + "[1.0] Mem-Info:\n" + counters
    text += "".join(f"[1.0] {line}\n" for line in zones.strip().splitlines())
    (found,) = api.match(text.encode(), cases=())
    return found


def reason(diagnosis: Diagnosis, name: str) -> Reason:
    return next(reason for reason in diagnosis.facts.reasoning if reason.name == name)


def why(diagnosis: Diagnosis, name: str) -> list[str]:
    return [part.name for part in reason(diagnosis, name).why]


LRU = "active_anon:{anon}kB inactive_anon:0kB active_file:{file}kB inactive_file:0kB unevictable:16000kB"


def normal(free: int = 2000, *, anon: int = 0, file: int = 0, blocks: str = "500*4kB (UME) 0*8kB 0*16kB 0*32kB") -> str:
    lru = LRU.format(anon=anon, file=file)
    return (
        f"Node 0 Normal free:{free}kB min:4000kB low:5000kB high:6000kB {lru} present:400000kB managed:400000kB\n"
        f"lowmem_reserve[]: 0 0\nNode 0 Normal: {blocks} = {free}kB"
    )


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


def test_a_task_in_reclaim_does_not_reclaim_again_and_nomemalloc_keeps_it_to_the_watermarks() -> None:
    frames = ("warn_alloc+0x1/0x2", "foo_alloc+0x1/0x2", "shrink_node+0x1/0x2", "kswapd+0x1/0x2")
    found = report(normal(file=90000), frames=frames, mode="0x80cc0(GFP_KERNEL|__GFP_NOMEMALLOC)")
    assert why(found, "reclaim.alone_helps") == ["reclaim.inside_reclaim"]
    assert why(found, "task.decided") == ["task.in_reclaim_no_reserves"]
    assert found.facts.cause == "memory_short"
    free = report(normal(free=0, blocks="0*4kB 0*8kB 0*16kB 0*32kB"), frames=frames)
    assert why(free, "task.decided") == ["task.in_reclaim"]
    assert why(free, "zone.refuses") == ["zone.no_block_no_watermark"]


def test_an_exiting_task_is_treated_as_any_other() -> None:
    found = report(normal(), frames=("warn_alloc+0x1/0x2", "foo+0x1/0x2", "do_exit+0x1/0x2"))
    assert reason(found, "task.decided").verdict == "unknown"
    assert why(found, "task.decided") == ["task.exiting", "task.likely_victim"]


def test_a_stack_of_uncertain_frames_is_a_stack() -> None:
    found = report(normal(), frames=("? warn_alloc+0x1/0x2", "? foo_read+0x1/0x2"))
    assert why(found, "task.decided") == ["task.stack_unsure"]


def test_a_request_larger_than_every_zone_is_refused_for_its_size() -> None:
    zone = normal(free=300000, blocks="75000*4kB (UME) 0*8kB").replace("400000kB", "4000kB")
    found = report(zone, order=10)  # 1024 pages, the zone has 1000
    assert found.facts.cause == "size_limit"
    assert why(found, "reclaim.alone_helps") == ["reclaim.size_refused"]
    assert report(zone, order=9).facts.cause == "fragmentation"


TWO = """\
Node 0 DMA32 free:{dma}kB min:400kB low:500kB high:600kB reserved_highatomic:0KB present:1000000kB managed:1000000kB
lowmem_reserve[]: 0 3000 3000
Node 0 Normal free:{free}kB min:4000kB low:5000kB high:6000kB reserved_highatomic:0KB managed:3000000kB
lowmem_reserve[]: 0 0 0
Node 0 DMA32: 100*4kB (UME) = {dma}kB
Node 0 Normal: 100*4kB (UME) = {listed}kB
"""


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


def test_a_small_order_that_may_wait_fails_for_a_victim_only() -> None:
    found = report(normal(file=90000))
    assert why(found, "giveup.retried") == ["giveup.small", "giveup.victim"]
    assert found.facts.conclusion.name == "cause.short_retried"
    assert why(report(normal(), order=3), "giveup.retried")[1:] == ["giveup.victim"]
    assert not [r for r in report(normal(), order=4).facts.reasoning if r.name.startswith("giveup.")]


def test_its_own_flag_or_zone_makes_it_give_up() -> None:
    flag = report(normal(), mode="0x10cc0(GFP_KERNEL|__GFP_NORETRY)")
    assert why(flag, "giveup.by_flag") == ["giveup.noretry"]
    assert flag.facts.conclusion.name == "cause.short"
    zone = report(TWO.format(dma=320, free=3000, listed=400), mode="0xcc4(GFP_KERNEL|GFP_DMA32)")
    assert why(zone, "giveup.retried") == ["giveup.low_zone", "giveup.no_progress"]


def test_what_was_lost_is_told_by_the_frame_that_asked() -> None:
    packet = (
        "warn_alloc+0x1/0x2",
        "napi_alloc_skb+0x1/0x2",
        "foo_poll+0x1/0x2",
        "net_rx_action+0x1/0x2",
        "__do_softirq+0x1/0x2",
    )
    assert reason(report(normal(), mode="0xa20(GFP_ATOMIC)", frames=packet), "lost.packet").verdict == "holds"
    call = ("warn_alloc+0x1/0x2", "foo_read+0x1/0x2", "__x64_sys_read+0x1/0x2", "do_syscall_64+0x1/0x2")
    read = reason(report(normal(), frames=call), "lost.syscall")
    assert (read.verdict, read.values["call"]) == ("unknown", "read")
    assert not [r for r in report(normal()).facts.reasoning if r.name.startswith("lost.")]


def test_an_atomic_request_out_of_a_task_without_a_lock_could_have_waited() -> None:
    call = ("warn_alloc+0x1/0x2", "foo_read+0x1/0x2", "do_syscall_64+0x1/0x2")
    assert reason(report(normal(), mode="0xa20(GFP_ATOMIC)", frames=call), "atomic.could_sleep").verdict == "unknown"
    locked = ("warn_alloc+0x1/0x2", "foo_read+0x1/0x2", "_raw_spin_lock_bh+0x1/0x2", "do_syscall_64+0x1/0x2")
    for frames, mode in ((locked, "0xa20(GFP_ATOMIC)"), (call, "0x800(GFP_NOWAIT)")):
        names = [r.name for r in report(normal(), mode=mode, frames=frames).facts.reasoning]
        assert "atomic.could_sleep" not in names


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


WORKER = ("warn_alloc+0x1/0x2", "foo_work+0x1/0x2", "process_one_work+0x1/0x2", "worker_thread+0x1/0x2")


def test_a_kernel_thread_is_never_called_a_likely_victim() -> None:
    assert "task.likely_memalloc" in why(report(normal(file=90000), frames=WORKER), "task.decided")
    assert "task.likely_victim" in why(report(normal(file=90000)), "task.decided")


def test_a_single_page_is_never_refused_for_want_of_contiguity() -> None:
    empty = normal(free=0, file=90000, blocks="0*4kB 0*8kB")
    found = report(empty, mode="0x20cc0(GFP_KERNEL|__GFP_MEMALLOC)")
    assert why(found, "reclaim.alone_helps") == ["reclaim.not_one_page_by_flag"]


def test_where_a_zone_admits_it_is_not_said_what_was_missing() -> None:
    two = TWO.format(dma=40000, free=300, listed=300)
    step = reason(report(two), "reclaim.alone_helps")
    assert (step.verdict, [line.name for line in step.why]) == ("unknown", ["reclaim.one_admits"])


ATOMIC = "0xa20(GFP_ATOMIC)"


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


def test_the_largest_of_the_things_that_stand_in_the_way_is_named() -> None:
    # 3139 - 40 <= 100 + 3000: without the 40 of the high-order atomic reserve it would pass, without the 3000, too
    two = TWO.format(dma=12556, free=300, listed=300).replace("highatomic:0KB", "highatomic:160KB", 1)
    zone = {row["zone"]: row for row in report(two).facts.detail["zones"]}["DMA32"]
    assert (zone["verdict"], zone["why"]) == ("refuses", "reserve")


def test_init_is_never_an_oom_victim_and_marks_of_0_are_not_raised() -> None:
    early = normal(free=0, blocks="0*4kB 0*8kB").replace(
        "min:4000kB low:5000kB high:6000kB", "min:0kB low:0kB high:0kB"
    )
    text_of = report(early, mode="0x0()")
    assert not [one for one in text_of.facts.reasoning if one.name == "min_free.raising_helps"]
    assert text_of.facts.steps == ()
    (init,) = api.match((HEAD.format(order=0, mode="0x100(__GFP_ZERO)") + WHERE.format(kernel="6.3.0").replace(
        "PID: 77 Comm: foo", "PID: 1 Comm: swapper/0") + "[1.0]  warn_alloc+0x1/0x2\n[1.0]  setup+0x1/0x2\n").encode(),
        cases=())  # fmt: skip
    assert why(init, "task.decided") == ["task.no_such_frame", "task.no_victim_is_init"]
    assert "task.victim_not_excluded" in why(report(normal(), mode=ATOMIC), "task.decided")


def test_a_packet_on_its_way_out_is_no_packet_received() -> None:
    up = ("warn_alloc+0x1/0x2", "skb_segment+0x1/0x2", "tcp_gso_segment+0x1/0x2", "dev_hard_start_xmit+0x1/0x2")
    down = ("tcp_v4_rcv+0x1/0x2", "net_rx_action+0x1/0x2", "__do_softirq+0x1/0x2", "irq_exit+0x1/0x2")
    sent = report(normal(), mode=ATOMIC, frames=up + down)
    assert [one.name for one in sent.facts.reasoning if one.name.startswith("lost.")] == ["lost.sent"]
    got = report(normal(), mode=ATOMIC, frames=("warn_alloc+0x1/0x2", *down))
    assert [one.name for one in got.facts.reasoning if one.name.startswith("lost.")] == ["lost.packet"]


def test_memory_for_a_packet_that_a_timer_sends_fills_no_ring() -> None:
    timer = ("warn_alloc+0x1/0x2", "__netdev_alloc_skb+0x1/0x2", "foo_announce+0x1/0x2", "call_timer_fn+0x1/0x2",
             "run_timer_softirq+0x1/0x2", "__do_softirq+0x1/0x2")  # fmt: skip
    found = report(normal(), mode=ATOMIC, frames=timer)
    assert not [one for one in found.facts.reasoning if one.name.startswith("lost.")]
    own = (*timer[:2], "foo_interrupt+0x1/0x2", "__handle_irq_event_percpu+0x1/0x2", "do_IRQ+0x1/0x2")
    assert why(report(normal(), mode=ATOMIC, frames=own), "lost.packet") == ["lost.by_frame", "lost.packet_refilled"]


def test_a_table_of_descriptors_and_a_smaller_queue_can_be_done_without() -> None:
    disk = ("warn_alloc+0x1/0x2", "alloc_indirect.isra.14+0x1/0x2", "virtqueue_add_sgs+0x1/0x2", "foo+0x1/0x2")
    assert why(report(normal(), mode=ATOMIC, frames=disk), "lost.nothing")[1] == "lost.ring_descriptors"
    queue = ("warn_alloc+0x1/0x2", "tcp_collapse+0x1/0x2", "tcp_v4_rcv+0x1/0x2", "do_IRQ+0x1/0x2")
    assert why(report(normal(), mode=ATOMIC, frames=queue), "lost.packet")[1] == "lost.queue_stays"


def test_nobody_is_killed_for_a_request_that_may_not_enter_file_systems() -> None:
    assert why(report(normal(), mode="0xc40(GFP_NOFS)"), "giveup.retried")[0] == "giveup.small_no_fs"
    assert why(report(normal()), "giveup.retried")[0] == "giveup.small"


def test_how_a_caller_of_a_large_piece_could_have_asked() -> None:
    """By its place, then by its mask."""

    def asked(
        *frames: str, order: int = 5, mode: str = "0x40cc0(GFP_KERNEL|__GFP_COMP)", kernel: str = "5.10.0"
    ) -> str:
        names = tuple(f"{name}+0x1/0x2" for name in ("warn_alloc", "__alloc_pages_nodemask", *frames))
        return why(report(normal(), order=order, mode=mode, kernel=kernel, frames=names), "asks.one_piece")[0]

    assert asked("kmalloc_order", "foo_read") == "asks.kvmalloc"
    assert asked("kmalloc_order", "foo_read", mode="0x40c40(GFP_NOFS|__GFP_COMP)") == "asks.kvmalloc_later"
    assert asked("kmalloc_order", "foo_read", mode="0x40c40(GFP_NOFS|__GFP_COMP)", kernel="6.1.0") == "asks.kvmalloc"
    assert asked("__get_free_pages", "foo_read", mode=KERNEL) == "asks.quietly"
    assert asked("kmalloc_order", "foo_read", order=2, mode="0x40a20(GFP_ATOMIC|__GFP_COMP)") == "asks.in_advance"
    assert asked("kmalloc_order", "pskb_expand_head", "foo_xmit", order=1, mode=ATOMIC) == "asks.packet"
    assert asked("dma_direct_alloc", "dma_alloc_attrs", "foo_probe", mode=KERNEL) == "asks.device"
    assert asked("dup_task_struct", "copy_process", order=2, mode=KERNEL) == "asks.thread_stack"
    for order, frames in ((0, ("foo_read",)), (2, ("kmalloc_order", "foo_read"))):
        names = ("warn_alloc+0x1/0x2", *(f"{name}+0x1/0x2" for name in frames))
        found = report(normal(), order=order, frames=names)
        assert not [one for one in found.facts.reasoning if one.name == "asks.one_piece"]


SLUB = """\
[1.{at}] SLUB: Unable to allocate memory on node -1, gfp=0xa20(GFP_ATOMIC)
[1.{at}]   cache: foo_cache, object size: 500, buffer size: 512, default order: 3, min order: {order}
[1.{at}]   node 0: slabs: 11, objs: {objects}, free: 0
"""
OF_SLAB = ("warn_alloc+0x1/0x2", "new_slab+0x1/0x2", "___slab_alloc+0x1/0x2", "foo_read+0x1/0x2")


def test_slub_stands_under_the_failure_of_its_pages_and_borrows_its_memory() -> None:
    head = HEAD.format(order=0, mode=ATOMIC) + WHERE.format(kernel="5.4.0")
    head += "".join(f"[1.0]  {frame}\n" for frame in OF_SLAB) + "[1.0] Mem-Info:\n"
    head += (
        "".join(f"[1.0] {line}\n" for line in normal(free=1200, blocks="300*4kB (UME)").splitlines())
        + "[1.0] 100000 pages RAM\n"
    )

    def slub(text: str) -> Diagnosis:
        return api.match((head + text).encode(), cases=())[-1]

    hog = slub(SLUB.format(at=1, order=0, objects=200_000))
    assert (hog.report.follows, hog.report.kernel, hog.facts.cause) == (0, "5.4.0", "atomic_reserve_exhausted")
    assert reason(hog, "slub.fills_memory").verdict == "holds"  # 100000 kB of 400000 kB
    assert hog.facts.detail["assumptions_named"][0]["name"] == "assumed.memory_of"
    small = slub(SLUB.format(at=1, order=0, objects=2_000))
    assert reason(small, "slub.fills_memory").verdict == "excluded"
    other = slub(SLUB.format(at=1, order=1, objects=2_000))  # near miss: of another request, moments later
    assert (other.report.follows, other.report.memory is None) == (None, False)
    late = slub(SLUB.format(at=1, order=0, objects=2_000).replace("[1.1]", "[9.0]"))
    assert (late.report.follows, late.facts.cause) == (None, "undetermined")
    debugged = slub(
        SLUB.format(at=1, order=0, objects=2_000).replace(
            "[1.1]   node 0",
            "[1.1]   foo_cache debugging increased min order, use slab_debug=O to disable.\n[1.1]   node 0",
        )
    )
    assert reason(debugged, "slub.order_by_debugging").verdict == "holds"


def test_pages_on_per_cpu_lists_are_told_where_they_would_have_been_enough() -> None:
    # 375 of 1000 are asked for: 300 are free, 76 on per-CPU lists would be enough, 75 would not
    lists = normal(free=1200, blocks="300*4kB (UME)").replace("present:", "free_pcp:{}kB present:")
    found = report(lists.format(76 * 4), mode=ATOMIC)
    assert reason(found, "pcp.enough").verdict == "holds"
    assert not [one for one in report(lists.format(75 * 4), mode=ATOMIC).facts.reasoning if one.name == "pcp.enough"]
    assert reason(report(lists.format(3000)), "pcp.enough").verdict == "unknown"  # it may wait: they are drained first


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


def test_a_request_that_is_bound_says_to_what() -> None:
    found = report(TWO.format(dma=320, free=3000, listed=400), mode="0xcc4(GFP_KERNEL|GFP_DMA32)")
    assert found.facts.cause == "zone_constrained"
    assert str(found.facts.conclusion).startswith("The request may use zone DMA32 and below only, and Node 0 DMA32 was")


def test_a_mask_of_a_zone_alone_has_its_name() -> None:
    assert report(normal(), mode="0x1").facts.get("gfp_name").value == "GFP_DMA"
    assert report(normal(), mode="0xcc1").facts.get("gfp_name").value == "GFP_KERNEL"


def test_before_the_first_program_nobody_types() -> None:
    def booting(comm: str, pid: int) -> bool:
        text = HEAD.format(order=0, mode=KERNEL).replace("foo:", f"{comm}:")
        text += WHERE.format(kernel="5.10.0").replace("PID: 77 Comm: foo", f"PID: {pid} Comm: {comm}")
        (found,) = api.match((text + "[1.0]  warn_alloc+0x1/0x2\n[1.0]  bar_init+0x1/0x2\n").encode(), cases=())
        return found.facts.get("booting").value

    assert booting("swapper/0", 1)
    assert not booting("swapper/0", 0)  # an idle task: an interrupt asked
    assert not booting("systemd", 1)


def test_a_walk_that_fails_without_a_block_of_the_order_is_fragmentation() -> None:
    # 3.10: 49997 - 40000 = 9997 above 500, - 10000 below 250, and nothing of order 2
    zone = normal(free=200000, blocks="40000*4kB (U) 5000*8kB (U) 0*16kB 0*32kB")
    assert report(zone, order=2, mode="0xd0", kernel="3.10.0").facts.cause == "fragmentation"
    block = normal(free=200016, blocks="40000*4kB (U) 5000*8kB (U) 1*16kB (U) 0*32kB")
    assert report(block, order=2, mode="0xd0", kernel="3.10.0").facts.cause == "order_walk_refusal"


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


def test_memory_states_that_are_mixed_line_by_line_are_said_to_be() -> None:
    text = HEAD.format(order=0, mode=KERNEL) + WHERE.format(kernel="5.10.0") + "[1.0]  foo_read+0x1/0x2\n"
    state = [f"[1.0] {line}\n" for line in ("Mem-Info:", *normal().splitlines())]
    mixed = "".join(line for pair in zip(state, state, strict=True) for line in pair)
    (found,) = api.match((text + mixed).encode(), cases=())
    assert (found.facts.cause, found.facts.conclusion.name) == ("undetermined", "cause.mixed_mem_info")
    assert "unknown.memory.mixed" in [one.name for one in found.facts.missing]
    (whole,) = api.match((text + "".join(state)).encode(), cases=())
    assert whole.facts.cause == "memory_short"
