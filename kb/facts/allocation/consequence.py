"""What a failed allocation cost, by who asked for it: the first frame of the stack that a row of the table knows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.facts.allocation.study import Study
from kb.model.report import Frame
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.syntax.frames import plain
from kb.words.speak import said


@dataclass(frozen=True)
class Loss:
    """Who asks in such a function, and what is lost when it gets no memory."""

    frames: re.Pattern[str]
    claim: Said
    why: Said
    wants: str | None = None
    """The context that the frame must stand in; None for any."""
    inside: re.Pattern[str] | None = None
    """A frame further out that must call it; None for any caller."""

    @property
    def verdict(self) -> str:
        """Whether it is certain: code on the way up may have a fall-back unless nothing is above."""
        return (
            "holds"
            if self.claim.name
            in ("lost.nothing", "lost.packet", "lost.sent", "lost.reclaim", "lost.writeback", "lost.core_dump")
            else "unknown"
        )


def _loss(pattern: str, claim: Said, why: Said, wants: str | None = None, inside: str | None = None) -> Loss:
    return Loss(re.compile(pattern), claim, why, wants, re.compile(inside) if inside else None)


_RECEIVES = r"net_rx_action|(?:__)?napi_poll|(?:__)?handle_irq_event\w*"
"""What calls a driver to take packets in: its poll, or its own interrupt where it has none."""


_LOSSES = (
    # mm/slub.c (6.18+): a sheaf that cannot be refilled is done without
    _loss(
        r"__pcs_replace_empty_main|refill_objects|__?refill_sheaf\w*|alloc_full_sheaf|barn_\w+",
        said("lost.nothing"),
        said("lost.single_object"),
    ),
    # drivers/virtio/virtio_ring.c virtqueue_add(): without the table the request takes descriptors of the ring
    _loss(r"alloc_indirect\w*", said("lost.nothing"), said("lost.ring_descriptors")),
    # net/ipv4/tcp_input.c: a queue that cannot be made smaller stays as it is
    _loss(r"tcp_collapse\w*", said("lost.packet"), said("lost.queue_stays")),
    # mm/page_io.c, mm/vmscan.c: writing to swap needs memory itself
    _loss(
        r"swap_writepage\w*|swap_write_unplug|nfs_swap_rw|pageout|shrink_(?:page|folio)_list|(?:do_)?shrink_slab|balance_pgdat",
        said("lost.reclaim"),
        said("lost.reclaim_waits"),
    ),
    _loss(
        r"wb_workfn|bdi_writeback_workfn|wb_writeback|writeback_sb_inodes",
        said("lost.writeback"),
        said("lost.writeback_waits"),
    ),
    # fs/coredump.c: the program is dead already
    _loss(r"do_coredump|vfs_coredump|elf_(?:fdpic_)?core_dump", said("lost.core_dump"), said("lost.core_dump_missing")),
    # drivers/base/power/main.c
    _loss(
        r"dpm_run_callback|device_resume\w*|async_resume|pci_pm_resume\w*",
        said("lost.resume"),
        said("lost.resume_fails"),
    ),
    # drivers/base/dd.c, init/main.c, kernel/module/main.c
    _loss(
        r"really_probe|driver_probe_device|__driver_probe_device|local_pci_probe|platform_(?:drv_)?probe"
        r"|usb_probe_interface|virtio_dev_probe",
        said("lost.probe"),
        said("lost.probe_fails"),
    ),
    _loss(r"do_one_initcall|do_init_module|load_module", said("lost.init"), said("lost.init_fails")),
    # net/core/dev.c, net/ipv4/tcp_output.c: a packet on its way out, also where a packet received made it go
    _loss(
        r"dev_hard_start_xmit|sch_direct_xmit|(?:__)?dev_queue_xmit\w*|validate_xmit_\w+|xmit_one|(?:__)?skb_gso_segment"
        r"|tcp_(?:transmit_skb|write_xmit|gso_segment|tso_segment)|__tcp_(?:transmit_skb|push_pending_frames)",
        said("lost.sent"),
        said("lost.sent_again"),
    ),
    # net/core: a poll refills the ring again the next time; the same functions make packets to be sent
    _loss(
        r"\w+_rx_(?:fill|refill)|\w+_(?:poll_rx|rx_poll|napi_poll|alloc_rx\w*|refill_rx\w*|rx_ring_refill)"
        r"|(?:__)?napi_alloc_skb|page_pool_\w+|net_rx_action|(?:__)?napi_poll",
        said("lost.packet"),
        said("lost.packet_refilled"),
        "interrupt",
    ),
    _loss(
        r"page_frag_alloc\w*|(?:__)?netdev_alloc_(?:skb|frag)\w*",
        said("lost.packet"),
        said("lost.packet_refilled"),
        "interrupt",
        _RECEIVES,
    ),
    _loss(
        r"tcp_v[46]_rcv|ip_rcv\w*|ip6_rcv\w*|ipv6_rcv|tcp_rcv_\w+|__netif_receive_skb\w*|netif_receive_skb\w*",
        said("lost.packet"),
        said("lost.packet_dropped"),
        "interrupt",
    ),
    # a page fault of a program, of the kernel on its behalf
    _loss(
        r"handle_mm_fault|do_user_addr_fault|__do_page_fault|do_page_fault|exc_page_fault",
        said("lost.fault"),
        said("lost.fault_again"),
    ),
)
_CALL = re.compile(r"(?:__(?:x64|ia32|arm64|s390x|do|se|riscv)_)?(?:compat_)?sys_(?P<name>\w+)|SyS_(?P<old>\w+)")
_NO_CALL = frozenset({"sys_call_table", "sys_ni_syscall"})


def consequence(study: Study) -> Reason | None:
    """What was lost; None where no frame tells."""
    if study.report.kind != "page_allocation_failure":
        return None
    frames = list(_frames(study))
    names = [plain(frame.function) for frame in frames]
    for at, (frame, name) in enumerate(zip(frames, names, strict=True)):
        loss = next((row for row in _LOSSES if row.frames.fullmatch(name) and row.wants in (None, study.asked.context)
                     and (row.inside is None or any(map(row.inside.fullmatch, names[at + 1:])))), None)  # fmt: skip
        if loss is not None:
            return Reason(loss.claim, loss.verdict, (said("lost.by_frame", function=name), loss.why), _at(frame))
    for frame in frames:
        found = _CALL.fullmatch(plain(frame.function))
        if found and frame.function not in _NO_CALL and study.asked.context in ("process", "unknown"):
            call = found["name"] or found["old"]
            claim = said("lost.syscall", call=call, task=study.report.comm or said("task.unnamed"))
            return Reason(claim, "unknown", (said("lost.by_frame", function=plain(frame.function)),
                                             said("lost.unless_fallback")), _at(frame))  # fmt: skip
    return None


def received(study: Study) -> bool:
    """Whether a packet or a ring's buffer is what was lost."""
    lost = consequence(study)
    return lost is not None and any(why.name == "lost.packet_refilled" for why in lost.why)


def _frames(study: Study) -> Iterator[Frame]:
    for trace in study.report.traces:
        if trace.role in ("main", "irq"):
            yield from (frame for frame in trace.frames if frame.reliable)


def _at(frame: Frame) -> tuple[tuple[int, int], ...]:
    return ((frame.line, frame.line),) if frame.line else ()
