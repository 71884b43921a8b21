"""Which kernels can have printed a report, when it does not say: fingerprints of the text, and candidate releases.

Sources: the version tables of ``show_mem()`` and ``warn_alloc()``, read in the trees 2.6.32 .. 7.3 and RHEL 6..10.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from kb.kernel.release import RHEL_BASE, RHEL_MINORS, Release

Version = tuple[int, int]
Builds = tuple[int | None, int | None]
NEVER: Builds = (None, None)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of kernel history: mainline ``since <= base < until``, and what RHEL majors deviate by build."""

    since: Version = (0, 0)
    until: Version | None = None
    """First mainline release that no longer has it."""
    el: Mapping[int, Builds] = field(default_factory=dict)
    """RHEL major to (first build, first build without); (0, None) always, NEVER never. Absent: as its base."""

    def has(self, release: Release) -> bool:
        """Whether a release lies in the span."""
        el = release.el
        if el and el[0] in self.el:
            first, end = self.el[el[0]]
            return first is not None and first <= el[1] and (end is None or el[1] < end)
        return self.since <= release.base and (self.until is None or release.base < self.until)


def _v(text: str) -> Version:
    release = Release.parse(text)
    assert release is not None
    return release.base


def span(since: str = "", until: str = "", el: Mapping[int, Builds] | None = None) -> Span:
    """A span from version texts; ``until`` is exclusive."""
    return Span(_v(since) if since else (0, 0), _v(until) if until else None, el or {})


TRAITS: dict[str, Span] = {
    # mm/page_alloc.c show_migration_types() and the enum's order (016c13daa5c9 in 4.4)
    "letters:none": span("", "3.10", {6: (0, None)}),
    "letters:UEM": span("3.10", "4.4", {7: (0, None)}),
    "letters:UME": span("4.4", "", {7: NEVER}),
    # show_free_areas()
    "free_cma": span("3.10"),
    "no_free_cma": span("", "3.10", {6: (0, None)}),
    "free_pcp": span("4.1", "", {7: (453, None)}),
    "no_free_pcp": span("", "4.1", {7: (0, 453)}),
    "per_cpu_lists": span("", "4.1", {7: (0, 453)}),
    "node_line": span("4.8"),
    "no_node_line": span("", "4.8"),
    "unstable": span("", "5.8", {8: (0, 305)}),
    "no_unstable": span("5.8", "", {8: (305, None)}),
    "managed": span("3.10", ""),
    "kernel_misc_reclaimable": span("5.15", "", {9: (0, None)}),
    "no_kernel_misc_reclaimable": span("", "5.15", {9: NEVER}),
    "sec_pagetables": span("6.1", "", {9: (427, None)}),
    "no_sec_pagetables": span("", "6.1", {9: (0, 427)}),
    "reserved_highatomic": span("5.6", "", {8: NEVER}),
    "no_reserved_highatomic": span("", "5.6", {8: (0, None)}),
    "free_highatomic": span("6.15"),
    "no_free_highatomic": span("", "6.17"),
    "boost": span("5.16", "", {9: (284, None)}),
    "no_boost": span("", "5.17", {9: (0, 284)}),
    "pages_scanned_node": span("4.8", "4.12"),
    # warn_alloc_failed() / warn_alloc()
    "headline:full_stop": span("", "2.6.39", {6: (0, None)}),
    "headline:colon": span("2.6.39", "", {6: NEVER}),
    "gfp:bare": span("", "4.6"),
    "gfp:names": span("4.6"),
    "nodemask": span("4.11"),
    "cpuset_line": span("4.11", "5.0", {8: (0, 240)}),
    "cpuset_inline": span("5.0", "", {8: (240, None)}),
    # the stack
    # kmalloc_order() calls __get_free_pages() and adds COMP|KMEMCG itself (include/linux/slub_def.h); later trees
    # allocate with alloc_kmem_pages() or alloc_pages() there
    "stack:kmalloc_order>get_free_pages": span("3.8", "3.16", {6: NEVER, 7: (0, 1127)}),
    "stack:warn_alloc_failed": span("", "4.9"),
    "stack:warn_alloc": span("4.9"),
}
"""What the text of a report tells about the kernel that printed it."""

MAINLINE = (
    [f"2.6.{n}" for n in range(32, 40)]
    + [f"3.{n}" for n in range(20)]
    + [f"4.{n}" for n in range(21)]
    + [f"5.{n}" for n in range(20)]
    + [f"6.{n}" for n in range(20)]
    + [f"7.{n}" for n in range(4)]
)


@lru_cache(maxsize=1)
def points() -> tuple[Release, ...]:
    """Every release that a report may come from: mainline ones, and one a minor release of RHEL."""
    texts = list(MAINLINE)
    for major, builds in RHEL_MINORS.items():
        base = ".".join(str(part) for part in RHEL_BASE[major])
        texts += [f"{base}-{build}.el{major}" for build in builds]
    return tuple(release for text in texts if (release := Release.parse(text)))


@lru_cache(maxsize=256)
def candidates(release: Release | None, traits: frozenset[str]) -> tuple[Release, ...]:
    """Releases consistent with the evidence: the printed release alone when there is one.

    Traits that contradict all others (a foreign line, a patched kernel) are dropped one by one rather than believed
    to the point where no kernel is left.
    """
    if release is not None:
        return (release,)
    left = points()
    for trait in sorted(traits & TRAITS.keys()):
        kept = tuple(point for point in left if TRAITS[trait].has(point))
        left = kept or left
    return left


def name_range(releases: Iterable[Release]) -> str:
    """How a person names a set of candidates: ``3.8-3.15, RHEL 7.3-7.7``."""
    chosen = list(releases)
    order = {point.text: index for index, point in enumerate(points())}
    runs: list[list[Release]] = []
    for point in chosen:
        last = runs[-1][-1] if runs else None
        joined = last is not None and order.get(point.text, -9) == order.get(last.text, -99) + 1
        if joined and last is not None and (last.el and last.el[0]) == (point.el and point.el[0]):
            runs[-1].append(point)
        else:
            runs.append([point])
    return ", ".join(_run(run) for run in runs)


def _run(run: list[Release]) -> str:
    first, last = run[0].name, run[-1].name
    return first if len(run) == 1 else f"{first}-{last.removeprefix('RHEL ')}"
