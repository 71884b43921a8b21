"""What a report says was asked of the page allocator: order, mask, zone, nodes, and in which context."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from kb.kernel.allocflags import may_reclaim, migratetype
from kb.kernel.gfp import Decoded, decode
from kb.kernel.release import Release
from kb.kernel.zonelist import gfp_zone, zone_layout
from kb.model.allocation import Request
from kb.model.log import Span
from kb.model.memory import MemInfo
from kb.model.number import number
from kb.model.report import Frame, Report

_SLAB_FRAMES = frozenset({"kmalloc_order", "kmalloc_order_trace", "kmalloc_large_node", "__kmalloc_large_node",
                          "kmalloc_large", "___kmalloc_large_node"})  # fmt: skip
_INTERRUPT = frozenset({"do_IRQ", "common_interrupt", "asm_common_interrupt", "handle_irq_event", "do_softirq",
                        "__do_softirq", "call_softirq", "irq_exit", "irq_exit_rcu", "handle_softirqs", "net_rx_action",
                        "apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt", "call_timer_fn", "el1_irq",
                        "el1_interrupt", "gic_handle_irq", "tasklet_action", "__irq_svc"})  # fmt: skip
_RECLAIM = frozenset({"try_to_free_pages", "shrink_node", "shrink_zone", "shrink_zones", "shrink_slab",
                      "shrink_page_list",
                      "shrink_folio_list", "do_try_to_free_pages", "balance_pgdat", "kswapd"})  # fmt: skip
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}|\d{1,20}")
_MIN_ORDER = re.compile(r"min order: (\d{1,2})")
_LIST = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


@dataclass(frozen=True)
class Asked:
    """A request with everything that the report tells about it."""

    order: int | None
    gfp: Decoded | None
    request: Request
    release: Release | None
    traits: frozenset[str]
    context: str
    """``process``, ``workqueue``, ``interrupt``, ``reclaim``, ``exit`` or ``unknown``, from the stack."""
    context_spans: tuple[Span, ...]
    headline: tuple[Span, ...]
    nodes: frozenset[int] | None
    """Nodes that nodemask, cpuset or mems_allowed leave, None for all."""
    printed: bool = True
    """Whether a mask is printed, with flags that some kernel has or without."""


def asked(report: Report) -> Asked:
    """Read the request out of a report; what is absent stays None."""
    order = _order(report)
    release = Release.parse(report.kernel) if report.kernel else None
    traits = text_traits(report)
    slab = any(frame.function in _SLAB_FRAMES for frame in report.frames if frame.reliable)
    mode = report.fields.get("mode") or report.fields.get("gfp_mask")
    mask = _integer(mode) if mode else None
    names = report.fields.get("gfp") or ("GFP_KERNEL" if report.subtype == "nommu" else None)
    gfp = decode(mask, names=names, release=release, traits=traits, slab=slab) if mask is not None or names else None
    nodes = allowed_nodes(report)
    context, spans = _context(report)
    flags = replay_flags(gfp)
    layout = zone_layout(report.memory.zones) if report.memory else ("DMA", "DMA32", "Normal", "Movable")
    request = Request(
        order=order or 0, flags=flags, zone=gfp_zone(flags, layout), migratetype=migratetype(flags), nodes=nodes,
        memalloc=context == "reclaim",
    )  # fmt: skip
    line = report.headline_line
    return Asked(order, gfp, request, release, traits, context, spans, ((line, line),) if line else (), nodes,
                 mask is not None or bool(names))  # fmt: skip


def replay_flags(gfp: Decoded | None) -> frozenset[str]:
    """The flags a replay needs, so that rules of other kernels can be run on them too.

    From 6.3 an atomic request is __GFP_HIGH without direct reclaim; older rules look for __GFP_ATOMIC, which tables
    without that bit cannot hold.
    """
    if gfp is None:
        return frozenset()
    flags = frozenset(gfp.certain)
    knows_atomic = any("__GFP_ATOMIC" in table.bits for table in gfp.tables)
    if not knows_atomic and "__GFP_HIGH" in flags and not may_reclaim(flags):
        flags |= {"__GFP_ATOMIC"}
    return flags


def text_traits(report: Report) -> frozenset[str]:
    """Fingerprints of the kernel in a report's text: keys of `kb.kernel.era.TRAITS`."""
    traits = set(memory_traits(report.memory)) if report.memory else set()
    if report.kind == "page_allocation_failure" and report.subtype != "nommu":
        traits.add("headline:full_stop" if "failure. order" in report.headline else "headline:colon")
        traits.add("gfp:names" if report.fields.get("gfp") else "gfp:bare")
        if "nodemask" in report.fields:
            traits.add("nodemask")
    functions = [frame.function for frame in report.frames if frame.reliable]
    traits |= {f"stack:{name}" for name in ("warn_alloc", "warn_alloc_failed") if name in functions}
    for callee, caller in pairwise(functions):
        if callee == "__get_free_pages" and caller in ("kmalloc_order", "kmalloc_order_trace"):
            traits.add("stack:kmalloc_order>get_free_pages")
    return frozenset(traits)


def memory_traits(memory: MemInfo) -> frozenset[str]:
    """Fingerprints in the memory block. A field counts as absent only where its neighbours are whole."""
    traits = set(memory.traits)
    zones = memory.zones
    letters = "".join(text for zone in zones if zone.blocks for text in zone.blocks.types)
    if any(zone.blocks and any(zone.blocks.counts) for zone in zones) and not letters and memory.damaged is None:
        traits.add("letters:none")
    words = [text for zone in zones if zone.blocks for text in zone.blocks.types]
    if any(_before(word, "E", "M") or "R" in word for word in words):
        traits.add("letters:UEM")
    if any(_before(word, "M", "E") or "H" in word for word in words):
        traits.add("letters:UME")
    if memory.nodes:
        traits.add("node_line")
    counters = memory.counters
    if "free" in counters and memory.damaged is None:
        for name in ("free_pcp", "free_cma", "unstable", "kernel_misc_reclaimable", "sec_pagetables"):
            traits.add(name if name in counters else f"no_{name}")
    if zones and memory.damaged is None:
        for name in ("boost", "reserved_highatomic", "free_highatomic"):
            traits.add(name if any(getattr(zone, name) is not None for zone in zones) else f"no_{name}")
        if any("active_anon" in zone.counters for zone in zones) and not memory.nodes:
            traits.add("no_node_line")
    return frozenset(traits)


def _before(word: str, first: str, second: str) -> bool:
    return first in word and second in word and word.index(first) < word.index(second)


def allowed_nodes(report: Report) -> frozenset[int] | None:
    """Nodes that the printed nodemask and mems_allowed leave; None when neither restricts."""
    sets = [nodes for key in ("nodemask", "mems_allowed") if (nodes := node_list(report.fields.get(key)))]
    return frozenset.intersection(*sets) if sets else None


def node_list(text: str | None) -> frozenset[int] | None:
    """``0-1,3`` as a set; None for ``(null)`` and anything else without a number."""
    if not text or "null" in text:
        return None
    found: set[int] = set()
    for first, last in _LIST.findall(text)[:1024]:
        low, high = int(first), int(last or first)
        found |= set(range(low, min(high, low + 4096) + 1))
    return frozenset(found) or None


def _order(report: Report) -> int | None:
    text = report.fields.get("order")
    if text is not None:
        order = _integer(text)
        return order if order is not None and order <= 63 else None  # more is a damaged number
    if report.subtype == "nommu":  # mm/nommu.c do_mmap_private(): one piece, of GFP_KERNEL
        return _order_of(number(report.fields.get("bytes")), report.memory.page_kb if report.memory else 4)
    if report.kind == "slub_failure":  # SLUB tries its default order first; the failure counts at the smallest one
        found = next((match for line in report.lines if (match := _MIN_ORDER.search(line.text))), None)
        return int(found[1]) if found else None
    return 0 if report.kind in ("vmalloc_failure", "percpu_failure") else None


def _order_of(length: int | None, page_kb: int) -> int | None:
    """get_order(): the smallest block that holds so many bytes."""
    if not length:
        return None
    pages = -(-length // (page_kb * 1024))
    return min((pages - 1).bit_length(), 63)


def _integer(text: str) -> int | None:
    found = _NUMBER.search(text)
    if not found:
        return None
    return int(found[0], 16 if found[0].lower().startswith("0x") else 10)


def _context(report: Report) -> tuple[str, tuple[Span, ...]]:
    """Where the request came from, by its stack: the innermost context that the frames show."""
    if not report.traces:
        return "unknown", ()
    frames = [frame for trace in report.traces if trace.role in ("main", "irq") for frame in trace.frames]
    frames = [frame for frame in frames or report.frames if frame.reliable]
    if any(trace.role == "irq" for trace in report.traces) or _line(frames, _INTERRUPT):
        return "interrupt", _line(frames, _INTERRUPT) or ((report.traces[0].line, report.traces[0].line),)
    for name, functions in (
        ("reclaim", _RECLAIM),
        ("exit", {"do_exit", "do_group_exit"}),
        ("workqueue", {"process_one_work"}),
    ):
        if spans := _line(frames, functions):
            return name, spans
    return ("process" if frames else "unknown"), ()


def before_programs(report: Report) -> bool:
    """Whether the kernel's own start asked, before it ran /sbin/init: its first task under its first name.

    init/main.c: ``start_kernel()`` is pid 0, ``kernel_init()`` pid 1, called ``swapper`` until run_init_process().
    """
    started = (report.comm or "").startswith("swapper")
    return started and (report.pid == 1 or any(frame.function == "start_kernel" for frame in report.frames))


_NOMMU = frozenset({"do_mmap_private", "load_flat_binary", "load_flat_file", "load_elf_fdpic_binary"})
_OF_NOMMU = re.compile(r"Allocation of length \d{1,20} from process \d{1,10}")
"""mm/nommu.c do_mmap_private()."""
_LOW_TEXT = re.compile(r"\s{0,8}\[<(?P<at>00000000[89a-f][0-9a-f]{7})>\] 0x(?P<symbol>[0-9a-f]{16})")
"""arch/riscv/kernel/stacktrace.c: 64-bit text at the start of memory, where the CPU finds it unmapped
(with an MMU it is in the upper half). Since v4.15 "%p" is a hash that looks alike: the address is believed only where
"%pS" beside it, of a kernel without symbols, is the same number."""


def without_mmu(report: Report) -> bool:
    """Whether the kernel was built without an MMU, by functions, lines and addresses that only such kernels print."""
    first = report.lines[:64]
    if any(frame.function in _NOMMU for frame in report.frames) or any(_OF_NOMMU.match(line.text) for line in first):
        return True
    # the text of s390 may be anywhere, too
    return report.arch in (None, "riscv") and any(_of_low_text(line.text) for line in first)


def _of_low_text(text: str) -> bool:
    found = _LOW_TEXT.match(text)
    return found is not None and found["at"] == found["symbol"]


def _line(frames: Iterable[Frame], functions: Iterable[str]) -> tuple[Span, ...]:
    wanted = frozenset(functions)
    return tuple((frame.line, frame.line) for frame in frames if frame.function in wanted and frame.line)[:1]
