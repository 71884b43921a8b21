"""What is said of a request and of who asked: what was lost, why it gave up, which task, how else to ask."""

from kb import api
from kb.model.verdict import Diagnosis
from tests.facts.allocation.failures import ATOMIC, HEAD, KERNEL, TWO, WHERE, normal, reason, report, why


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


WORKER = ("warn_alloc+0x1/0x2", "foo_work+0x1/0x2", "process_one_work+0x1/0x2", "worker_thread+0x1/0x2")


def test_a_kernel_thread_is_never_called_a_likely_victim() -> None:
    assert "task.likely_memalloc" in why(report(normal(file=90000), frames=WORKER), "task.decided")
    assert "task.likely_victim" in why(report(normal(file=90000)), "task.decided")


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


def test_a_core_dump_that_got_no_memory_is_not_the_programs_request() -> None:
    frames = ("warn_alloc+0x1/0x2", "__kmalloc+0x1/0x2", "elf_core_dump+0x1/0x2", "do_coredump+0x1/0x2")
    found = report(normal(), order=5, mode="0x24040c0(GFP_KERNEL|__GFP_COMP)", kernel="4.9.0", frames=frames)
    assert reason(found, "lost.core_dump").verdict == "holds"
    other = report(normal(), order=5, frames=("warn_alloc+0x1/0x2", "elf_core_read+0x1/0x2"))
    assert not [one for one in other.facts.reasoning if one.name == "lost.core_dump"]


NAMELESS = tuple(f"[<{at:016x}>] 0x{at:016x}" for at in (0x8011C2F2, 0x801ED86E, 0x801743D4))
UPPER = tuple(f"[<{at:016x}>] 0x{at:016x}" for at in (0xFFFFFFFF8011C2F2, 0xFFFFFFFF801ED86E))

HASHED = ("[<00000000b5c6d8aa>] warn_alloc+0x1/0x2", "[<0000000091d2c3b4>] foo_init+0x1/0x2")
"""What "%p" makes of an address since v4.15."""


def test_a_stack_of_addresses_alone_is_whole_and_may_tell_that_there_is_no_mmu() -> None:
    bare = report(normal(80_000), order=9, kernel="5.6.0", frames=NAMELESS)
    assert (bare.report.title, bare.report.damage) == ("page allocation failure: order:9", ())
    assert why(bare, "task.decided") == ["task.stack_nameless"]
    assert why(bare, "compaction.could_not_run") == ["gate.no_mmu"]  # 64-bit text in the lower half: RISC-V's M-mode
    for other in (UPPER, HASHED):
        mapped = report(normal(80_000), order=9, kernel="5.14.0", frames=other)
        assert why(mapped, "compaction.could_not_run") != ["gate.no_mmu"]
    cut = report(normal(80_000), order=9, kernel="5.6.0", frames=("...",))
    assert [one.name for one in cut.report.damage] == ["damage.no_frames"]
