"""What a memory cgroup at its limit holds, against what it is charged for. kB.

mm/memcontrol.c ``mem_cgroup_print_oom_meminfo()`` and ``memory_stat_format()`` (2.6.39 to 7.3). To 5.2 every group of
the tree has a line with its own pages alone, so that the group at its limit may show nothing but zeroes; from 5.3 on
one block counts the whole tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kb.model.log import Span
from kb.model.oom import OomReport

NO_LIMIT_KB = 1 << 50
"""PAGE_COUNTER_MAX and its forerunners are printed as 9007199254740988 kB and more: no limit is set."""
_KERNEL = ("slab", "kernel_stack", "pagetables", "sec_pagetables", "percpu", "vmalloc")
"""Parts of ``kernel`` (5.18+), listed one by one before."""
_FLUSHED = 0.9
"""From this share on the page cache is dirty as a whole."""


@dataclass(frozen=True)
class Held:
    """A cgroup's pages by holder."""

    path: str
    usage_kb: int | None
    parts: Mapping[str, int]
    """kB by holder, none counted twice; ``shmem`` is taken out of the cache it is counted with."""
    values: Mapping[str, int]
    """The counters as printed, summed over the tree."""
    groups: int
    """Groups whose lines were summed."""
    spans: tuple[Span, ...]

    @property
    def largest(self) -> str:
        """The holder with most."""
        return max(self.parts, key=lambda name: self.parts[name])

    @property
    def unnamed_kb(self) -> int | None:
        """What is charged and in none of the counters."""
        return None if self.usage_kb is None else max(0, self.usage_kb - sum(self.parts.values()))

    @property
    def unflushed(self) -> bool:
        """Whether the cache is dirty as a whole while nothing of it is being written."""
        dirty, cache = self.values.get("file_dirty", self.values.get("dirty")), self._cache
        writeback = self.values.get("file_writeback", self.values.get("writeback"))
        if not dirty or not cache or writeback != 0 or self.usage_kb is None:
            return False
        return dirty >= _FLUSHED * cache and 2 * cache > self.usage_kb

    @property
    def _cache(self) -> int:
        return self.values.get("file", self.values.get("cache", 0)) - self.values.get("shmem", 0)


def held(oom: OomReport) -> Held | None:
    """The split of the cgroup at its limit; None where no counters are printed for it."""
    stats = next((row for row in oom.stats if row.path == oom.oom_memcg), oom.stats[0] if oom.stats else None)
    if stats is None:
        return None
    inside = stats.path.rstrip("/") + "/"
    rows = [row for row in oom.stats if row is stats or row.path.startswith(inside)]
    values: dict[str, int] = {}
    for row in rows:
        for name, kb in row.values.items():
            values[name] = values.get(name, 0) + kb
    parts = {name: kb for name, kb in _parts(values).items() if kb > 0}
    if not parts:
        return None
    usage = next((usage.usage_kb for usage in oom.usages if usage.name == "memory"), None)
    return Held(stats.path, usage, parts, values, len(rows), tuple((row.line, row.line) for row in rows))


def _parts(values: Mapping[str, int]) -> dict[str, int]:
    anon, file = values.get("anon", values.get("rss", 0)), values.get("file", values.get("cache", 0))
    shmem = min(values.get("shmem", 0), file)
    parts = {"anon": anon, "file": file - shmem, "shmem": shmem}
    named = {name: values.get(name, 0) for name in _KERNEL}
    if "kernel" in values:
        named["other kernel memory"] = max(0, values["kernel"] - sum(named.values()))
    return {**parts, **named, **{name: values.get(name, 0) for name in ("sock", "zswap")}}
