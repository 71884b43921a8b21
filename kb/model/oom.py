"""An OOM killer's report as printed. Sizes in kB where the name says so, as the kernel prints them there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kb.model.memory import OomTask
from kb.model.said import Said


@dataclass(frozen=True, slots=True)
class OomUsage:
    """``memory: usage 16384kB, limit 16384kB, failcnt 97`` of a memory cgroup."""

    name: str
    """``memory``, ``memory+swap``, ``swap`` or ``kmem``."""
    usage_kb: int
    limit_kb: int
    failcnt: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class OomStats:
    """``Memory cgroup stats for /job:``, kB (counts of events without unit as printed)."""

    path: str
    values: Mapping[str, int] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class OomSlab:
    """A row of ``Unreclaimable slab info:`` (4.15+)."""

    name: str
    used_kb: int
    total_kb: int


@dataclass(frozen=True, slots=True)
class OomVictim:
    """A process that a ``Killed process`` line names."""

    pid: int
    name: str
    uid: int | None = None
    total_vm_kb: int | None = None
    anon_rss_kb: int | None = None
    file_rss_kb: int | None = None
    shmem_rss_kb: int | None = None
    pgtables_kb: int | None = None
    oom_score_adj: int | None = None
    reason: str | None = None
    """What stands before ``Killed process``: ``Out of memory``, ``Memory cgroup out of memory`` (5.1+)."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class OomReport:
    """One run of the OOM killer, from ``invoked oom-killer`` to the reaper."""

    invoker: str | None = None
    """Name of the task whose allocation (or charge) failed."""
    gfp_mask: int | None = None
    gfp_names: str | None = None
    """Names as printed between parentheses (4.6+)."""
    order: int | None = None
    """-1 for a kill asked for by hand (sysrq f)."""
    oom_score_adj: int | None = None
    """Of the invoker."""
    constraint: str | None = None
    """``none``, ``memcg``, ``cpuset`` or ``memory_policy`` as printed from 5.0, or told by older words."""
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    oom_memcg: str | None = None
    """The cgroup whose limit was hit."""
    task_memcg: str | None = None
    """The cgroup of the victim."""
    named_victim: tuple[str, int, int | None] | None = None
    """Name, pid and uid from the ``oom-kill:`` line (5.0+)."""
    selected: tuple[str, int, int] | None = None
    """Name, pid and score of ``Kill process PID (name) score N or sacrifice child`` (to 5.0)."""
    usages: tuple[OomUsage, ...] = ()
    stats: tuple[OomStats, ...] = ()
    slabs: tuple[OomSlab, ...] = ()
    columns: tuple[str, ...] = ()
    """Columns of the task table as its head names them."""
    tasks: tuple[OomTask, ...] = ()
    victims: tuple[OomVictim, ...] = ()
    reaped: tuple[int, ...] = ()
    """Pids that the OOM reaper finished."""
    unreaped: tuple[int, ...] = ()
    group: str | None = None
    """Cgroup killed whole because of memory.oom.group."""
    nobody: bool = False
    """No killable process was left."""
    allocating_task: bool = False
    """vm.oom_kill_allocating_task: the invoker dies."""
    sysrq: bool = False
    panic: str | None = None
    field_lines: Mapping[str, int] = field(default_factory=dict)
    """Physical line of each part: ``invoked``, ``oom_kill``, ``limit``, ``table`` ..."""
    fault: Said | None = None
    """Why it is not whole."""

    @property
    def damaged(self) -> str | None:
        """The same in English."""
        return str(self.fault) if self.fault is not None else None
