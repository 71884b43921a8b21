"""Where the memory was when the OOM killer ran, from the show_mem() block. Pages unless the name says otherwise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kb.model.log import Span
from kb.model.memory import MemInfo, size
from kb.model.said import Said
from kb.words.speak import said

_GLOBAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("anon", ("active_anon", "inactive_anon", "isolated_anon")),
    ("file", ("active_file", "inactive_file", "isolated_file")),
    ("unevictable", ("unevictable",)),
    ("slab_unreclaimable", ("slab_unreclaimable",)),
    ("slab_reclaimable", ("slab_reclaimable", "slab")),
    ("pagetables", ("pagetables", "sec_pagetables")),
    ("misc", ("kernel_misc_reclaimable", "bounce", "free_pcp")),
)
"""Parts of memory by the global counters that make them up. shmem lies on the anon LRU and is not added again."""

_SPREAD = (
    ("zspages", "zspages"),
    ("balloon", "Balloon"),
    ("gpu_active", "gpu_active"),
    ("gpu_reclaim", "gpu_reclaim"),
)
"""Holders with counters in the lines of nodes or zones alone: zram's and zswap's pages, a balloon's (6.17+), those of
GPU objects and their pools (7.x, mm/show_mem.c show_free_areas())."""

_NEEDED = ("active_anon", "inactive_anon", "active_file", "inactive_file", "free")


@dataclass(frozen=True)
class Account:
    """All memory, split by who holds it."""

    total: int
    """Pages the buddy allocator manages."""
    how: Said
    """Where ``total`` comes from."""
    parts: Mapping[str, int]
    """Pages by holder: ``free``, ``anon`` (shmem included), ``file``, ``slab_unreclaimable`` ..."""
    unaccounted: int
    """Pages that no printed counter covers: vmalloc, per-cpu areas, drivers' and network buffers."""
    shmem: int | None
    mlocked: int | None
    """Pages that programs locked, of those in ``unevictable``; None where a zone's line does not print them."""
    partial: bool
    """The global counters are not in the log: slab is in ``unaccounted`` then, where no zone's line prints it."""
    page_kb: int
    swap_total_kb: int | None
    swap_free_kb: int | None
    span: tuple[Span, ...]

    @property
    def holders(self) -> dict[str, int]:
        """Pages by holder, each in one alone: shared memory apart from ``anon``, locked pages from ``unevictable``."""
        holders = {**self.parts, "unaccounted": self.unaccounted}
        for name, within, pages in (("shmem", "anon", self.shmem or 0), ("mlocked", "unevictable", self.mlocked or 0)):
            holders[name] = min(pages, holders[within])
            holders[within] -= holders[name]
        return holders

    @property
    def largest(self) -> str:
        """The holder with most pages, free memory apart."""
        holders = self.holders
        return max((name for name in holders if name != "free"), key=lambda name: holders[name])

    @property
    def mostly_free(self) -> bool:
        """Whether more is free than any holder has."""
        return self.parts["free"] > self.pages(self.largest)

    def pages(self, holder: str) -> int:
        """What a holder has."""
        return self.holders[holder]

    def kb(self, pages: int) -> int:
        """Pages in kB."""
        return size(pages, self.page_kb)

    def share(self, pages: int) -> float:
        """Part of all memory, 0..1."""
        return pages / self.total if self.total else 0.0


def total_of(memory: MemInfo) -> tuple[int, Said] | None:
    """Pages that the allocator manages.

    ``pages RAM`` counts every node and zone, while zone lines may be filtered (SHOW_MEM_FILTER_NODES; zones above the
    request's from 6.1). 3.13 and 3.16 print too small a ``pages reserved``; to 3.9 no zone prints ``managed``.
    """
    managed = sum(zone.managed or 0 for zone in memory.zones)
    ram, reserved = memory.counters.get("ram"), memory.counters.get("reserved")
    if ram is not None and reserved is not None and ram > reserved and managed <= ram - reserved:
        return ram - reserved, said("total.ram_less_reserved")
    if managed:
        return managed, said("total.sum_of_managed")
    return None


def account(memory: MemInfo) -> Account | None:
    """The split of all memory; None when neither the counters for it nor the lines of nodes and zones are whole."""
    total = total_of(memory)
    whole = all(key in memory.counters for key in _NEEDED)
    counters = memory.counters if whole else _by_lines(memory)
    if total is None or counters is None:
        return None
    parts = {"free": counters["free"]}
    for name, keys in _GLOBAL:
        parts[name] = sum(counters.get(key, 0) for key in keys)
    parts["kernel_stack"] = _spread(memory, "kernel_stack") // max(memory.page_kb, 1)
    for name, key in _SPREAD:
        parts[name] = _spread(memory, key)
    parts["hugepages"] = sum(
        page.get("total", 0) * page.get("size_kb", 0) // max(memory.page_kb, 1) for page in memory.hugepages
    )
    return Account(
        total=total[0],
        how=total[1],
        parts=parts,
        unaccounted=max(0, total[0] - sum(parts.values())),
        shmem=counters.get("shmem"),
        mlocked=_locked(memory),
        partial=not whole and "slab_unreclaimable" not in counters,
        page_kb=memory.page_kb,
        swap_total_kb=memory.counters.get("total_swap_kb"),
        swap_free_kb=memory.counters.get("free_swap_kb"),
        span=((memory.line, memory.last),) if memory.line else (),
    )


def _locked(memory: MemInfo) -> int | None:
    if any("mlocked" not in zone.counters for zone in memory.zones):
        return None
    return sum(zone.counters["mlocked"] for zone in memory.zones)


def _by_lines(memory: MemInfo) -> dict[str, int] | None:
    """The global counters out of the lines of nodes (4.8+) or zones; None where one of these is cut."""
    lists = [name for name in _NEEDED if name != "free"]
    zones = [zone.counters for zone in memory.zones]
    lines = next((rows for rows in (list(memory.nodes.values()), zones)
                  if rows and all(name in row for row in rows for name in lists)), None)  # fmt: skip
    if lines is None:
        return None
    found = {"free": sum(zone.free for zone in memory.zones)}
    for name in {key for _, keys in _GLOBAL for key in keys} | {"shmem"}:
        printed = re.sub(r"isolated_(\w+)", r"isolated(\1)", name)
        for rows in (lines, zones):
            if all(printed in row for row in rows):
                found[name] = sum(row[printed] for row in rows)
                break
    return found


def _spread(memory: MemInfo, key: str) -> int:
    """A counter that stands in the node lines, or before 5.9/5.11 in the zone lines; unit as stored."""
    in_nodes = sum(node.get(key, 0) for node in memory.nodes.values())
    return in_nodes or sum(zone.counters.get(key, 0) for zone in memory.zones)
