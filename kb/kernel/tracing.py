"""Tracepoints and counters by kernel: what can be watched while an allocation fails.

Source: include/trace/events/{vmscan,compaction,kmem,oom}.h of the trees named in each row; where an event is not there
yet, the function to probe instead.
"""

from typing import NamedTuple

from kb.kernel.release import Release


class Probe(NamedTuple):
    """One thing to watch."""

    event: str
    """``system:event``."""
    since: tuple[int, int]
    """First upstream version that has it."""
    shows: str
    function: str
    """Function to trace on a kernel that has no such event; empty where none serves."""


PROBES = (
    # v2.6.32 include/trace/events/kmem.h, v2.6.35 include/trace/events/vmscan.h
    Probe(
        "vmscan:mm_vmscan_direct_reclaim_begin",
        (2, 6),
        "the failing request reclaims for itself: its order and flags",
        "try_to_free_pages",
    ),
    Probe("vmscan:mm_vmscan_direct_reclaim_end", (2, 6), "nr_reclaimed: whether memory could be freed at all", ""),
    # v4.1 include/trace/events/compaction.h (absent in 3.19.8)
    Probe(
        "compaction:mm_compaction_try_to_compact_pages",
        (4, 1),
        "direct compaction got past its gate",
        "try_to_compact_pages",
    ),
    Probe("compaction:mm_compaction_suitable", (4, 1), "why a zone was left alone", "compaction_suitable"),
    Probe(
        "compaction:mm_compaction_deferred", (4, 1), "compaction put off after earlier failures", "compaction_deferred"
    ),
    # v3.14 (absent in 3.13; RHEL 7 stays without)
    Probe("compaction:mm_compaction_begin", (3, 14), "compaction of a zone begins", "compact_zone"),
    Probe("compaction:mm_compaction_end", (3, 14), "its result", ""),
    Probe("kmem:mm_page_alloc_extfrag", (3, 10), "a request took blocks of another mobility: fragmentation grows", ""),
    # v4.6 kcompactd; v4.9 include/trace/events/oom.h
    Probe("compaction:mm_compaction_kcompactd_wake", (4, 6), "background compaction works", "kcompactd_do_work"),
    Probe("oom:oom_score_adj_update", (3, 10), "who protects itself from the OOM killer", ""),
)


def probes(release: Release | None) -> tuple[tuple[Probe, bool], ...]:
    """Each probe and whether this kernel has its event; none where the release is unknown: functions serve there."""
    return tuple((probe, release is not None and _has(probe, release)) for probe in PROBES)


def _has(probe: Probe, release: Release) -> bool:
    return release.version[:2] >= probe.since
