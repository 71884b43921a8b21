"""What captured files of a machine's memory say beside a report, compared with what was printed.

Such a file shows its own moment, not the failure's: every sentence names the file it was read from.
"""

from collections.abc import Iterator, Mapping

from kb.evidence.files import Evidence
from kb.evidence.machine import Machine
from kb.kernel.release import Release
from kb.model.report import Report
from kb.model.said import Said
from kb.model.verdict import Facts, Reason
from kb.words.speak import said

_MEMORY = ("page_allocation_failure", "allocation_stall", "oom_kill")
_UNPRINTED = ("Percpu", "VmallocUsed", "Secretmem", "Zswap", "Hugetlb", "Unaccepted", "Balloon")
"""Holders that meminfo names and show_mem() does not (hugetlb pools stand on lines of their own there)."""
_NAMED = ("MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "Slab", "KernelStack", "PageTables",
          "SecPageTables", *_UNPRINTED)  # fmt: skip
_STAT_HOLDERS = ("anon", "file", "shmem", "slab", "kernel_stack", "pagetables", "percpu", "vmalloc", "sock", "zswap")
_LARGE = 0.05
"""Share of all memory from which a holder is worth a line."""
_STALLED = 10.0
"""Per cent of the last minute that tasks waited for memory."""


def memory_reasons(facts: Facts, report: Report, evidence: Evidence) -> Iterator[Reason]:
    """The reasons that captured states of memory give for a report on memory."""
    if report.kind not in _MEMORY:
        return
    machine = evidence.machine
    yield from _index(facts, machine)
    yield from _meminfo(facts, machine, Release.parse(report.kernel) if report.kernel else None)
    if machine.slabs and machine.slabs[0].kb:
        yield _slab(machine)
    yield from _stat(machine)
    yield from _pressure(machine)


def _index(facts: Facts, machine: Machine) -> Iterator[Reason]:
    order = facts.get("order")
    if order is None or not order.value:
        return
    file = machine.sources.get("extfrag", "")
    for (node, zone), values in machine.extfrag.items():
        if order.value >= len(values):
            continue
        index = values[order.value]
        how = said("index.free") if index < 0 else said("index.pieces") if index > 0.5 else said("index.memory")
        why = said("context.index_is", index=f"{index:.3f}", file=file)
        claim = said("context.index", zone=f"Node {node} {zone}", order=order.value, how=how)
        yield Reason(claim, "holds", (why,))


def _meminfo(facts: Facts, machine: Machine, release: Release | None) -> Iterator[Reason]:
    """Holders that the report cannot show, the largest first, and what is left that meminfo names nowhere.

    VmallocUsed is address space to 4.3, mapped devices included, and 0 to 5.2: fs/proc/meminfo.c; 97105f0ab7b8 ("mm:
    vmalloc: show number of vmalloc pages in /proc/meminfo") (in v5.3).
    """
    old = release is not None and release.base < (4, 4)
    info = {name: kb for name, kb in machine.meminfo.items() if not (old and name == "VmallocUsed")}
    file = machine.sources.get("meminfo", "")
    total = info.get("MemTotal", 0)
    if not total:
        return
    large = sorted(((info.get(name, 0), name) for name in _UNPRINTED), reverse=True)
    for kb, name in large:
        if kb >= _LARGE * total:
            why = said("context.of_total", held_kb=kb, total_kb=total, share=kb / total, file=file)
            yield Reason(said("context.held_by", holder=name), "holds", (why,))
    rest = max(0, total - sum(info.get(name, 0) for name in _NAMED))
    if facts.cause == "unaccounted_memory" and "AnonPages" in info:
        why = said("context.of_total", held_kb=rest, total_kb=total, share=rest / total, file=file)
        yield Reason(said("context.unnamed_there"), "holds" if rest >= 0.3 * total else "excluded", (why,))


def _slab(machine: Machine) -> Reason:
    first = machine.slabs[0]
    total = sum(slab.kb for slab in machine.slabs)
    why = said("context.slab_has", objects=first.objects, held_kb=first.kb, total_kb=total,
               file=machine.sources["slabinfo"])  # fmt: skip
    return Reason(said("context.slab_largest", cache=first.name), "holds", (why,))


def _stat(machine: Machine) -> Iterator[Reason]:
    held: Mapping[str, int] = {name: machine.stat[name] for name in _STAT_HOLDERS if machine.stat.get(name)}
    if not held:
        return
    largest = max(held, key=lambda name: held[name])
    if largest == "file" and 2 * held.get("shmem", 0) > held["file"]:
        largest = "shmem"
    why = said("context.stat_has", held_kb=held[largest] >> 10, file=machine.sources["memory.stat"])
    yield Reason(said("context.stat_largest", holder=largest), "holds", (why,))


def _pressure(machine: Machine) -> Iterator[Reason]:
    some = machine.pressure.get("some")
    if some is None:
        return
    full = machine.pressure.get("full", (0.0, 0.0))
    why: Said = said("context.pressure_is", some=f"{some[1]:.2f}", full=f"{full[1]:.2f}",
                     file=machine.sources["pressure"])  # fmt: skip
    yield Reason(said("context.tasks_waited"), "holds" if some[1] >= _STALLED else "excluded", (why,))
