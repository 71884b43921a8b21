"""The allocator's state as show_mem() prints it. All sizes in pages unless the name says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kb.model.log import Span
from kb.model.said import Said, joined

ZONE_NAMES = ("DMA", "DMA32", "Normal", "HighMem", "Movable", "Device")
"""Zone types in index order (mm/internal: enum zone_type); a kernel builds a subset, the order never changes."""


def size(pages: int, page_kb: int) -> int:
    """Pages in kB, by the size of a page of the machine that printed them."""
    return pages * page_kb


@dataclass(frozen=True, slots=True)
class FreeBlocks:
    """One free-list line: ``Node 0 DMA: 1*4kB (U) 0*8kB ... = 15864kB``."""

    counts: tuple[int, ...]
    """Free blocks by order."""
    types: tuple[str, ...]
    """Migrate letters by order (``UEM``, ``H``, empty): which lists are not empty, not how many blocks."""
    total: int
    """The line's own sum, pages."""
    line: int
    whole: bool = True
    """False where the log cuts the line: larger blocks may exist, and the sum says nothing."""

    @property
    def pages(self) -> int:
        """Sum of counts, pages: equals ``total`` unless the line is damaged."""
        return sum(count << order for order, count in enumerate(self.counts))


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone: its ``free: min: low: high:`` line, its ``lowmem_reserve[]`` line and its free-list line."""

    node: int
    name: str
    free: int
    min: int
    low: int
    high: int
    reserve: tuple[int, ...] = ()
    """lowmem_reserve[] by zone index, pages."""
    boost: int | None = None
    """watermark boost included in min/low/high; None where the kernel does not print it."""
    reserved_highatomic: int | None = None
    free_highatomic: int | None = None
    free_cma: int | None = None
    managed: int | None = None
    present: int | None = None
    blocks: FreeBlocks | None = None
    blocks_by_type: Mapping[str, tuple[int, ...]] | None = None
    """Free blocks by migrate type and order, from /proc/pagetypeinfo; never in a log."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """All other fields of the zone line, pages (``active_anon`` ...; kernel_stack in kB)."""
    unreclaimable: bool | None = None
    line: int = 0
    reserve_line: int | None = None

    @property
    def label(self) -> str:
        """``Node 1 Normal``."""
        return f"Node {self.node} {self.name}"

    @property
    def spans(self) -> tuple[Span, ...]:
        """The lines this zone was read from."""
        lines = [self.line, self.reserve_line, self.blocks.line if self.blocks else None]
        return tuple((number, number) for number in lines if number)


@dataclass(frozen=True, slots=True)
class MemInfo:
    """The block that follows ``Mem-Info:``."""

    zones: tuple[Zone, ...]
    page_kb: int = 4
    """kB a page: the size of the first entry of a free-list line."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """The global ``active_anon: ... free_cma:`` block and the tail (``pages RAM`` as ``ram``), pages; swap in kB."""
    nodes: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    """Per-node counters (4.8+), pages."""
    hugepages: tuple[Mapping[str, int], ...] = ()
    field_lines: Mapping[str, int] = field(default_factory=dict)
    """Physical line of each global counter."""
    line: int = 0
    last: int = 0
    faults: tuple[Said, ...] = ()
    """Why the block is not whole: ``damage.cut_zone`` ..."""
    traits: frozenset[str] = frozenset()
    """What the text itself tells about the kernel that printed it: ``free_pcp``, ``letters:UEM``, ``boost`` ..."""
    kinds: tuple[Zone, ...] = field(init=False, repr=False, compare=False)
    """One zone of each type, with pages and without: what tells the columns of ``lowmem_reserve[]``. A few, however
    many zones there are: each zone's replay asks for it."""

    def __post_init__(self) -> None:
        kinds = {(zone.name, zone.managed == 0, len(zone.reserve)): zone for zone in self.zones}
        object.__setattr__(self, "kinds", tuple(kinds.values()))

    @property
    def damaged(self) -> str | None:
        """Why the block is not whole, in English: ``cut within the line of Node 0 DMA32``; None when it is."""
        return joined(self.faults) or None


@dataclass(frozen=True, slots=True)
class OomTask:
    """One row of the OOM killer's task table, pages; pgtables in bytes where the kernel prints bytes."""

    pid: int
    uid: int
    tgid: int
    total_vm: int
    rss: int
    name: str
    oom_score_adj: int | None = None
    swapents: int | None = None
    pgtables_bytes: int | None = None
    rss_anon: int | None = None
    rss_file: int | None = None
    rss_shmem: int | None = None
    line: int = 0
    page_tables: int | None = None
    """Pages of page tables (nr_ptes + nr_pmds) where the kernel prints pages: 3.6 to 4.14."""
    oom_adj: int | None = None
    """The old -17..15 scale, to 3.5."""
