"""Memory by holder from files beside a log: meminfo, slabinfo, memory.stat, pressure, extfrag_index.

fs/proc/meminfo.c ``meminfo_proc_show()``, mm/slab_common.c ``print_slabinfo_header()``, mm/memcontrol.c
``memory_stat_format()``, kernel/sched/psi.c ``psi_show()``, mm/vmstat.c ``extfrag_show()``: 2.6.32 to 7.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kb.model.number import number

_MEMINFO = re.compile(r"^(?P<name>[A-Za-z][\w()]{1,40}): +(?P<value>\d{1,19})(?: kB)?[ \t]*$", re.MULTILINE)
_SLAB = re.compile(
    r"^(?P<name>\S{1,80}) +(?P<active>\d{1,15}) +(?P<objects>\d{1,15}) +(?P<size>\d{1,9}) ", re.MULTILINE
)
_PRESSURE = re.compile(
    r"^(?P<who>some|full) avg10=(?P<avg10>\d{1,3}\.\d\d) avg60=(?P<avg60>\d{1,3}\.\d\d) ", re.MULTILINE
)
_STAT = re.compile(r"^(?P<name>[a-z][a-z0-9_]{1,60}) (?P<value>\d{1,20})$", re.MULTILINE)
_EXTFRAG = re.compile(
    r"^Node +(?P<node>\d{1,4}), zone +(?P<zone>\w+)(?P<values>(?: +-?\d\.\d{3}){4,32})[ \t]*$", re.MULTILINE
)
_KINDS = (
    ("meminfo", re.compile(r"^MemTotal: +\d+ kB", re.MULTILINE)),
    ("slabinfo", re.compile(r"^slabinfo - version: |^# name +<active_objs>", re.MULTILINE)),
    ("pressure", re.compile(r"\Asome avg10=\d")),
    ("extfrag", _EXTFRAG),
    ("memory.stat", re.compile(r"\A(?:anon|cache) \d+\n(?:file|rss) \d+\n")),
)

MACHINE_KINDS = frozenset(kind for kind, _ in _KINDS)


@dataclass(frozen=True, slots=True)
class Slab:
    """A row of /proc/slabinfo."""

    name: str
    objects: int
    kb: int


@dataclass(frozen=True, slots=True)
class Machine:
    """What the files say of memory; each mapping is empty without its file."""

    meminfo: Mapping[str, int] = field(default_factory=dict)
    """By name, kB; the HugePages_ counts without unit."""
    slabs: tuple[Slab, ...] = ()
    """Largest first."""
    stat: Mapping[str, int] = field(default_factory=dict)
    """memory.stat of a cgroup: bytes, and counts of events."""
    pressure: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """``some`` and ``full``: per cent of the last 10 and 60 seconds."""
    extfrag: Mapping[tuple[int, str], tuple[float, ...]] = field(default_factory=dict)
    """Fragmentation index by node and zone, one value an order: -1 where a block is free."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Name of the file by kind."""


def kind_of(head: str) -> str | None:
    """Which of the files this begins; None for any other."""
    return next((kind for kind, pattern in _KINDS if pattern.search(head)), None)


def read_machine(texts: Mapping[str, tuple[str, str]]) -> Machine:
    """Read the files: name and text by kind."""

    def text(kind: str) -> str:
        return texts[kind][1] if kind in texts else ""

    slabs = [
        Slab(row["name"], _int(row["objects"]), _int(row["objects"]) * _int(row["size"]) >> 10)
        for row in _SLAB.finditer(text("slabinfo"))
    ]
    return Machine(
        meminfo={row["name"]: _int(row["value"]) for row in _MEMINFO.finditer(text("meminfo"))},
        slabs=tuple(sorted(slabs, key=lambda slab: -slab.kb)),
        stat={row["name"]: _int(row["value"]) for row in _STAT.finditer(text("memory.stat"))},
        pressure={
            row["who"]: (float(row["avg10"]), float(row["avg60"])) for row in _PRESSURE.finditer(text("pressure"))
        },
        extfrag={
            (_int(row["node"]), row["zone"]): tuple(map(float, row["values"].split()))
            for row in _EXTFRAG.finditer(text("extfrag"))
        },
        sources={kind: name for kind, (name, _) in texts.items()},
    )


def _int(text: str) -> int:
    return number(text) or 0
