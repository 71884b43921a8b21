"""What the text of a memory block tells about the kernel that printed it.

Traits are fingerprints for telling a kernel's version without its release; each is present only when the text shows it:

======================================  ================================================================================
``per_cpu_lists``                       ``Node 0 DMA per-cpu:`` lists: to 4.0, RHEL 7 before 3.10.0-453
``global:free_slab``                    global ``free:`` shares its line with ``slab_reclaimable:``: to 4.0
``global:free_last``                    global ``free:`` stands last, after ``bounce:``: 4.1+, RHEL 7 from 453
``global:slab``                         one global ``slab:`` counter: to 2.6.31
``free_pcp``, ``free_cma``              printed in the global block: 4.1+ (RHEL 7 from 453), 3.10+
``unstable``                            in the global block: to 5.7, RHEL 8 to 8.3
``kernel_misc_reclaimable``             in the global block: 5.15+
``sec_pagetables``                      in the global block: 6.1+, RHEL 9.4+
``node_line``                           a line of counters for each node: 4.8+
``no_node``                             zone lines do not name a node: kernel without CONFIG_NUMA
``managed``, ``zone:free_cma``,         fields of the zone line: 3.10+, 3.10+, 4.1+, 5.17+ (RHEL 9.2+), 6.18+, 4.8+
``zone:free_pcp``, ``boost``,
``zspages``, ``writepending``
``reserved_highatomic``,                the same: 5.6+, 6.17+
``free_highatomic``
``highatomic:KB``, ``highatomic:kB``    unit of the two: to 7.2, 7.3+
``lru_in_zone_line``                    ``active_anon:`` beside ``isolated(anon):`` in the zone line: to 4.7
``slab_in_zone_line``                   to 4.12
``kernel_stack_in_zone_line``,          to 5.8; 5.9+ (RHEL 8.6+)
``kernel_stack_in_node_line``
``pagetables_in_zone_line``,            to 5.10; 5.11+ (RHEL 8.6+)
``pagetables_in_node_line``
``pages_scanned_in_zone_line``,         to 4.7; 4.8 to 4.11
``pages_scanned_node``
``writeback_tmp_in_node_line``          4.8 to 6.14
``balloon``, ``gpu_active``             in the node line: 6.17+, 7.3+
``thp_blank``, ``thp_tight``            ``shmem_thp: 0kB`` to 6.5, ``shmem_thp:0kB`` 6.6+
``thp_shifted``                         the node lines bear the wrong names of 4.8-4.10 (put right in the result)
``letters:UEM``, ``letters:UME``        order of migrate letters, or an ``R`` or ``H``: 3.10-4.3, 4.4+
``letters:some``, ``letters:none``      letters that do not tell the order; free blocks without any letter: to 3.9
``reserve:N``                           lowmem_reserve[] has N numbers: one a zone type
``swap_cache_stats``                    to 5.14 at least, gone in 6.1
``highmem:movable_only``                ``pages HighMem/MovableOnly``: 3.13+, RHEL 7
``pages_shared``                        ``pages shared``: to 3.10
``cma_reserved``, ``hwpoisoned``,       tail lines: 3.19+ with CMA, 3.14+ if configured, to 5.3 if configured,
``pagetable_cache``, ``hugepages``      3.10+
``alloc_profiling``,                    ``Memory allocations:`` 6.10+, with its state in brackets 6.19+
``alloc_profiling:state``
``memcg_protection``                    7.3+
``no_free_pcp``, ``no_free_cma``,       the whole global block (``free:`` and ``bounce:``) was read and lacks the field
``no_unstable``, ``no_sec_pagetables``,
``no_kernel_misc_reclaimable``
``no_reserved_highatomic``,             zone lines were read to their end and lack the field
``no_free_highatomic``, ``no_boost``
``no_node_line``                        zones but no node line
``tail_missing``                        the text ends before ``total pagecache pages``, which every version prints
======================================  ================================================================================
"""

from collections.abc import Iterable, Mapping, Sequence, Set

from kb.model.memory import FreeBlocks, Zone


def of_zone(values: Mapping[str, int], unit: str) -> set[str]:
    """Which fields a zone line has; ``unit`` is that of ``reserved_highatomic``."""
    plain = {"managed", "boost", "zspages", "writepending", "reserved_highatomic", "free_highatomic"}
    traits = plain & set(values)
    traits |= {f"zone:{key}" for key in ("free_cma", "free_pcp") if key in values}
    for key, trait in (
        ("isolated(anon)", "lru"),
        ("slab_reclaimable", "slab"),
        ("kernel_stack", "kernel_stack"),
        ("pagetables", "pagetables"),
        ("pages_scanned", "pages_scanned"),
    ):
        if key in values:
            traits.add(f"{trait}_in_zone_line")
    if "reserved_highatomic" in values:
        traits.add(f"highatomic:{unit}")
    return traits


def of_node(values: Mapping[str, int], text: str) -> set[str]:
    """Which fields a node line has."""
    traits = {"node_line"}
    traits |= {f"{key}_in_node_line" for key in ("kernel_stack", "pagetables", "writeback_tmp") if key in values}
    for key, trait in (("pages_scanned", "pages_scanned_node"), ("Balloon", "balloon"), ("gpu_active", "gpu_active")):
        if key in values:
            traits.add(trait)
    if "shmem_thp" in values:
        traits.add("thp_blank" if "shmem_thp: " in text else "thp_tight")
    return traits


def of_lists(lists: Iterable[FreeBlocks]) -> set[str]:
    """What the migrate letters tell: (UEM) to 4.3, (UME) from 4.4 (016c13daa5c9 swapped the enum)."""
    lists = list(lists)
    groups = [types for blocks in lists for types in blocks.types if types]
    bare = any(count and not types for b in lists for count, types in zip(b.counts, b.types, strict=True))
    if any("R" in g or "EM" in g for g in groups):
        return {"letters:UEM"}
    if any("H" in g or "ME" in g for g in groups):
        return {"letters:UME"}
    if groups:
        return {"letters:some"}
    if bare:
        return {"letters:none"}
    return set()


def of_absence(counters: Mapping[str, int], zones: Sequence[Zone], seen: Set[str]) -> set[str]:
    """What the text lacks, where enough of it was read to say so."""
    traits = set()
    if "pagecache" not in counters:
        traits.add("tail_missing")
    if "free" in counters and "bounce" in counters:
        keys = ("free_pcp", "free_cma", "unstable", "kernel_misc_reclaimable", "sec_pagetables")
        traits |= {f"no_{key}" for key in keys if key not in counters}
    if any(zone.present is not None for zone in zones):
        late = ("reserved_highatomic", "free_highatomic", "boost")
        traits |= {f"no_{key}" for key in late if key not in seen}
    if zones and "free" in counters and "node_line" not in seen:
        traits.add("no_node_line")
    return traits
