"""What an OOM kill's explanation rests on: the report read, its mask, zones and memory, and the decision."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kb.facts.oom.cause import Looked, decide, look, page_fault
from kb.facts.oom.memory import Account, account, total_of
from kb.facts.oom.score import Choice, allowed_pages, choose
from kb.kernel.gfp import Decoded, decode
from kb.kernel.release import Release
from kb.model.log import Span
from kb.model.memory import MemInfo
from kb.model.oom import OomReport
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Reason
from kb.syntax.frames import plain


@dataclass(frozen=True)
class Story:
    """Everything computed over one OOM report."""

    report: Report
    oom: OomReport
    memory: MemInfo | None
    account: Account | None
    gfp: Decoded | None
    zones: tuple[Looked, ...]
    """The zones the request may use."""
    choice: Choice
    page_kb: int
    allowed_how: Said | None
    """Where the total of the score comes from."""
    cause: str
    conclusion: Said
    charge: str | None = None
    """The function on the stack that charges a cgroup, where nothing else tells the limit."""

    @property
    def page_fault(self) -> bool:
        """Whether a page fault handler asked for the kill, not the page allocator."""
        return page_fault(self.oom)

    @property
    def release(self) -> Release | None:
        """The kernel, where the report names it."""
        return Release.parse(self.report.kernel) if self.report.kernel else None

    @property
    def highmem(self) -> bool | None:
        """Whether the kernel has a HighMem zone, which no kernel with a DMA32 zone has; None where no zone tells."""
        if self.memory is None:
            return None
        names = {zone.name for zone in self.memory.zones}
        return True if "HighMem" in names else False if "DMA32" in names else None

    @property
    def cgroup_v1(self) -> bool:
        """Whether the group's limits are those of version 1: its second line counts memory and swap together.

        mm/memcontrol.c ``mem_cgroup_print_oom_meminfo()``: ``memory+swap`` there, ``swap`` in version 2 (4.6 to 7.3).
        """
        return any(usage.name == "memory+swap" for usage in self.oom.usages)

    @property
    def no_kill(self) -> bool:
        """Whether out_of_memory() printed the state itself: to kill, oom_kill_process() calls dump_header()."""
        oom = self.oom
        if oom.victims or oom.named_victim or oom.selected or oom.nobody or oom.sysrq:
            return False
        return self._header_by in ("out_of_memory", "check_panic_on_oom")

    @property
    def panic_on_oom(self) -> bool:
        """Whether the state was printed for vm.panic_on_oom (mm/oom_kill.c check_panic_on_oom(), 2.6.38 to 7.3)."""
        return self.no_kill and self._header_by == "check_panic_on_oom"

    @property
    def _header_by(self) -> str | None:
        """Who called dump_header(). Kernels without frame pointers mark every frame as uncertain: those count then."""
        frames = [frame for frame in self.report.frames if frame.function]
        if any(frame.reliable for frame in frames):
            frames = [frame for frame in frames if frame.reliable]
        names = [plain(frame.function) for frame in frames]
        at = next((at for at, name in enumerate(names) if name == "dump_header"), None)
        return names[at + 1] if at is not None and at + 1 < len(names) else None

    def at(self, part: str) -> tuple[Span, ...]:
        """The line of a part of the report."""
        line = self.oom.field_lines.get(part)
        return ((line, line),) if line else ()


def tell(report: Report) -> Story:
    """Read the report and compute everything that its explanation rests on."""
    from kb.parse.memory.oom import parse_oom

    oom = parse_oom(report.lines)
    charge = None
    if oom.constraint is None and (line := report.field_lines.get("charge")) is not None:
        charge = report.fields["charge"]
        oom = replace(oom, constraint="memcg", field_lines={**oom.field_lines, "limit": line})
    memory = report.memory
    if memory is None and oom.constraint != "memcg":
        from kb.parse.memory.meminfo import parse_meminfo

        memory = parse_meminfo(report.lines)
    if memory is not None and not memory.zones:
        memory = None
    release = Release.parse(report.kernel) if report.kernel else None
    gfp = None
    if oom.gfp_mask is not None:
        traits = memory.traits if memory is not None else frozenset[str]()
        gfp = decode(oom.gfp_mask, names=oom.gfp_names, release=release, traits=traits)
    zones = look(oom, memory, gfp)
    total = total_of(memory) if memory is not None else None
    swap = memory.counters.get("total_swap_kb") if memory is not None else None
    page_kb = memory.page_kb if memory is not None else _page_kb(oom)
    allowed, how = allowed_pages(oom, total[0] if total else None, swap, page_kb)
    choice = choose(oom, allowed, release, page_kb)
    split = account(memory) if memory is not None else None
    cause, conclusion = decide(oom, memory, split, zones)
    return Story(report, oom, memory, split, gfp, zones, choice, page_kb, how, cause, conclusion, charge)


def _page_kb(oom: OomReport) -> int:
    """Size of a page in kB where no free list tells: the victim's total_vm, printed in pages and in kB."""
    sizes = {task.pid: task.total_vm for task in oom.tasks}
    for victim in oom.victims:
        pages = sizes.get(victim.pid)
        if pages and victim.total_vm_kb and victim.total_vm_kb % pages == 0:
            return victim.total_vm_kb // pages
    return 4


def reason(
    claim: Said, verdict: str, why: Iterable[Said] = (), evidence: Iterable[Span] = (), sums: Iterable[Said] = ()
) -> Reason:
    """A step of the reasoning chain."""
    return Reason(claim, verdict, tuple(why), tuple(evidence), tuple(sums))
